// A real PgBouncer in transaction mode, before the test Postgres: PgBouncer 1.21 or newer of this machine, else built
// from Debian's sources (Debian 12 has 1.18, which cannot keep track of prepared statements).
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture, isAlive, waitUntil } from '../lib/process.mjs';
import { fetchSources } from './debian-source.mjs';
import { install } from './install.mjs';
import { freePort, serverUser } from './server.mjs';

const OLDEST = [1, 21];
/** The release of Debian whose PgBouncer is new enough. */
const RELEASE = 'trixie';
/** What it is built with, as Debian names it. */
export const PACKAGES = ['gcc', 'libc6-dev', 'make', 'libssl-dev', 'pkg-config'];
export const ADVICE =
  'A test PgBouncer needs version 1.21 or newer on the PATH, or apt-get on Debian with gcc, make and libssl-dev to build it: install PgBouncer.';

/** How long a start may take: the first one of a machine builds the program. */
export const START_LIMIT_MS = 900_000;

/**
 * Starts a PgBouncer in transaction mode.
 *
 * @param {object} options
 * @param {string} options.databaseUrl its server, with the user and password that clients give too; any database of it
 * @param {number} options.maxPreparedStatements 0: prepared statements are not tracked
 * @param {number} [options.poolSize] connections to the server for each user and database
 * @param {Record<string, string>} [options.users] passwords of more users
 * @param {{ key: string, cert: string }} [options.tls] PEM texts; clients then have to use TLS
 * @returns {Promise<{ url: string, port: number, socketDir: string, stop: () => Promise<void> }>} `url` is `databaseUrl`
 *   by way of it. Its server connections stay open until `stop`: call that before a database is dropped.
 */
export async function startPgBouncer(options) {
  const binary = await resolvePgBouncer();
  const runDir = mkdtempSync(join(tmpdir(), 'izzie-memory-pgbouncer-'));
  const port = await freePort();
  const bouncer = { runDir, child: undefined };
  try {
    await configure(runDir, port, options);
    bouncer.child = await launch(binary, runDir);
    await untilReady(bouncer, port);
  } catch (error) {
    await stop(bouncer);
    throw error;
  }
  const url = new URL(options.databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, port, socketDir: runDir, stop: () => stop(bouncer) };
}

/** The program, built if need be. */
export async function resolvePgBouncer() {
  if (await isNewEnough('pgbouncer')) return 'pgbouncer';
  try {
    return join(await install(`pgbouncer-${RELEASE}`, build), 'pgbouncer');
  } catch (error) {
    throw new Error(`${ADVICE}\n${error.message}`, { cause: error });
  }
}

async function isNewEnough(binary) {
  const version = await capture(binary, ['--version']).catch(() => '');
  const [major, minor] = (/PgBouncer (\d+)\.(\d+)/.exec(version) ?? [0, 0, 0]).slice(1).map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Its only library that machines may lack, libevent, goes into it. */
async function build(folder) {
  const work = join(folder, 'build');
  mkdirSync(work);
  const [libevent, pgbouncer] = await fetchSources(RELEASE, ['libevent', 'pgbouncer'], work);
  const prefix = join(work, 'installed');
  await make(libevent, ['--disable-shared', '--disable-openssl', '--disable-samples', `--prefix=${prefix}`], {
    target: 'install',
  });
  await make(pgbouncer, ['--without-cares', '--without-pam', '--without-systemd'], {
    target: 'pgbouncer',
    environment: {
      LIBEVENT_CFLAGS: `-I${join(prefix, 'include')}`,
      LIBEVENT_LIBS: join(prefix, 'lib', 'libevent.a'),
    },
  });
  copyFileSync(join(pgbouncer, 'pgbouncer'), join(folder, 'pgbouncer'));
  chmodSync(join(folder, 'pgbouncer'), 0o755);
  rmSync(work, { recursive: true });
}

async function make(source, options, { target, environment = {} }) {
  const place = { cwd: source, env: { ...process.env, ...environment } };
  await capture('./configure', ['--quiet', ...options], place);
  await capture('make', [`-j${cpus().length}`, '--silent', target], place);
}

/** It refuses to run as root, as Postgres does, so its folder belongs to the user who runs both. */
async function configure(
  runDir,
  port,
  { databaseUrl, maxPreparedStatements, poolSize = 3, users = {}, tls },
) {
  const server = new URL(databaseUrl);
  const passwords = { ...users, [decodeURIComponent(server.username)]: decodeURIComponent(server.password) };
  const files = {
    'users.txt': Object.entries(passwords)
      .map(([name, password]) => `"${name}" "${password}"\n`)
      .join(''),
    'pgbouncer.ini': `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir = ${runDir}
auth_type = scram-sha-256
auth_file = ${join(runDir, 'users.txt')}
stats_users = ${Object.keys(passwords).join(', ')}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 500
max_prepared_statements = ${maxPreparedStatements}
${tls ? tlsSettings(runDir) : ''}`,
    ...(tls && { 'tls.key': tls.key, 'tls.crt': tls.cert }),
  };
  const { uid, gid } = await serverUser();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(runDir, name), text, { mode: 0o600 });
  if (uid !== undefined)
    for (const path of ['', ...Object.keys(files)]) chownSync(join(runDir, path), uid, gid);
  chmodSync(runDir, 0o711); // its socket is for everybody who knows the password
}

function tlsSettings(runDir) {
  return `client_tls_sslmode = require
client_tls_key_file = ${join(runDir, 'tls.key')}
client_tls_cert_file = ${join(runDir, 'tls.crt')}
`;
}

/** Not detached: it is of the process group of its test step, which the run's guard ends. */
async function launch(binary, runDir) {
  const log = openSync(join(runDir, 'pgbouncer.log'), 'a');
  try {
    const options = { cwd: runDir, stdio: ['ignore', log, log], ...(await serverUser()) };
    const child = spawn(binary, [join(runDir, 'pgbouncer.ini')], options);
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return child;
  } finally {
    closeSync(log);
  }
}

async function untilReady({ child, runDir }, port) {
  let ready = false;
  await waitUntil(async () => {
    ready = await accepts(port);
    return ready || !isAlive(child.pid);
  }, 60_000);
  if (ready) return;
  throw new Error(
    `PgBouncer did not start:\n${readFileSync(join(runDir, 'pgbouncer.log'), 'utf8').slice(-3000)}`,
  );
}

function accepts(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done(true) || socket.destroy());
    socket.once('error', () => done(false));
  });
}

/** At once: what clients still do is lost, as when its machine fails. */
async function stop({ child, runDir }) {
  if (child && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(runDir, { recursive: true, force: true });
}
