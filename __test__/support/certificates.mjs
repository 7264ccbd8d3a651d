// Certificates of authorities that nobody else trusts, made by openssl.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const DAYS = '2';

/**
 * An authority. `file` is its certificate, `issue(names)` gives a server's, such as `DNS:localhost,IP:127.0.0.1`, as PEM
 * texts; `remove()` ends it.
 */
export async function makeAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-ca-'));
  const openssl = (...args) => promisify(execFile)('openssl', args, { cwd: folder });
  const key = (name) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-noenc',
    '-keyout',
    `${name}.key`,
  ];
  const subject = ['-subj', '/CN=izzie-memory test'];
  await openssl('req', '-x509', ...key('ca'), '-out', 'ca.pem', '-days', DAYS, ...subject);
  return {
    file: join(folder, 'ca.pem'),
    async issue(names) {
      await openssl('req', ...key('server'), '-out', 'server.csr', ...subject);
      writeFileSync(join(folder, 'names'), `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', DAYS];
      await openssl(
        'x509',
        '-req',
        '-in',
        'server.csr',
        ...authority,
        '-extfile',
        'names',
        '-out',
        'server.pem',
      );
      const text = (name) => readFileSync(join(folder, name), 'utf8');
      return { key: text('server.key'), cert: text('server.pem') };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
