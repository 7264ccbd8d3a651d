// Where PgBouncer's sources come from: only what the signed index names is fetched, and only what it means is used.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { upstreamArchives, verify } from '../../scripts/servers/debian-source.mjs';

const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-source-'));
after(() => rmSync(folder, { recursive: true }));

const sum = (digit) => digit.repeat(64);
const POOL = 'http://mirror.example/debian/pool/main';
const PRINTED = `Reading package lists...
NOTICE: 'pgbouncer' packaging is maintained in the 'Git' version control system at:
https://git.example/pgbouncer_1.0.orig.tar.gz
Need to get 1884 kB of source archives.
'${POOL}/p/pgbouncer/pgbouncer_1.24.1-1%2bdeb13u2.dsc' pgbouncer_1.24.1-1+deb13u2.dsc 2534 SHA256:${sum('1')}
'${POOL}/p/pgbouncer/pgbouncer_1.24.1.orig.tar.gz' pgbouncer_1.24.1.orig.tar.gz 717796 SHA256:${sum('2')}
'${POOL}/p/pgbouncer/pgbouncer_1.24.1-1.debian.tar.xz' pgbouncer_1.24.1-1.debian.tar.xz 15528 SHA256:${sum('3')}
'${POOL}/libe/libevent/libevent_2.1.orig.tar.xz' libevent_2.1.orig.tar.xz 1126525 SHA256:${sum('a')}
'${POOL}/libe/libevent/libevent_2.1.orig.tar.xz.asc' libevent_2.1.orig.tar.xz.asc 833 SHA256:${sum('4')}
'${POOL}/libe/libevent/libevent_2.1-1.debian.tar.xz' libevent_2.1-1.debian.tar.xz 18148 SHA256:${sum('5')}
`;

test("the upstream archives are taken, and nothing of Debian's own", () => {
  assert.deepEqual(upstreamArchives(PRINTED), [
    {
      uri: `${POOL}/p/pgbouncer/pgbouncer_1.24.1.orig.tar.gz`,
      file: 'pgbouncer_1.24.1.orig.tar.gz',
      sha256: sum('2'),
    },
    {
      uri: `${POOL}/libe/libevent/libevent_2.1.orig.tar.xz`,
      file: 'libevent_2.1.orig.tar.xz',
      sha256: sum('a'),
    },
  ]);
});

test('an archive without a whole SHA-256 sum is not taken', () => {
  for (const weak of [
    'MD5Sum:0123456789abcdef0123456789abcdef',
    'SHA256:abc',
    `SHA1:${'0'.repeat(40)}`,
    '',
  ]) {
    const line = `'${POOL}/p/p/pgbouncer_1.orig.tar.gz' pgbouncer_1.orig.tar.gz 7 ${weak}\n`;
    assert.deepEqual(upstreamArchives(line), [], weak);
  }
});

test('a file that is not the one of the index is refused', () => {
  const path = join(folder, 'archive');
  const sha256 = createHash('sha256').update('the sources').digest('hex');
  writeFileSync(path, 'the sources');
  verify(path, sha256);
  writeFileSync(path, 'the sources, and more');
  assert.throws(() => verify(path, sha256), /has the SHA-256 sum [0-9a-f]{64}, the index says/);
});
