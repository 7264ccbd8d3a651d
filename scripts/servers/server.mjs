// What Postgres and Neo4j have in common as test servers: a run folder of their own, a port, a password, a process.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { capture, descendants, isAlive, processTable, signal, waitUntil } from '../lib/process.mjs';

export const DOCKER_ADVICE =
  'or start both with `docker compose up -d --wait` (docker-compose.yml says how to point the tests at them)';

/** One server in one run folder; its subclasses know how to install, start and stop it. */
export class Server {
  constructor(runDir) {
    this.runDir = resolve(runDir);
    this.stateFile = join(this.runDir, 'server.json');
  }

  /** Port and password, chosen at the first start and kept for later ones: clients find a restarted server again. */
  get state() {
    return JSON.parse(readFileSync(this.stateFile, 'utf8'));
  }

  /** Installs the server if need be and starts it; returns when it accepts connections. */
  async start() {
    if (await this.pid()) return;
    await this.resolve();
    if (existsSync(this.stateFile)) return this.launch();
    await this.firstStart();
  }

  /** Another process may take the chosen port before the server binds it: then another one is tried. */
  async firstStart(attempts = 3) {
    rmSync(this.runDir, { recursive: true, force: true }); // what an interrupted first start left
    mkdirSync(this.runDir, { recursive: true, mode: 0o711 });
    const state = { port: await freePort(), password: randomBytes(12).toString('hex') };
    try {
      await this.initialize(state);
      writeFileSync(this.stateFile, JSON.stringify(state), { mode: 0o600 });
      await this.launch();
    } catch (error) {
      await this.wipe();
      if (attempts > 1 && !(await isFree(state.port))) return this.firstStart(attempts - 1);
      throw error;
    }
  }

  /** The server's process, if it runs and is the one of this run folder. */
  async pid() {
    const pid = this.recordedPid();
    if (!pid || !isAlive(pid)) return undefined;
    const owned = (await processTable()).some(
      (entry) => entry.pid === pid && entry.command.includes(this.runDir),
    );
    return owned ? pid : undefined;
  }

  /** Ends it at once, as a crash of the machine would; returns when neither it nor its children are left. */
  async kill9() {
    const pid = await this.pid();
    if (!pid) throw new Error('not running');
    const family = [pid, ...(await descendants(pid))];
    signal(pid, 'SIGKILL');
    // Postgres' children notice the death by themselves; its next start refuses while one of them lives.
    if (!(await allGone(family, 10_000))) {
      for (const member of family) signal(member, 'SIGKILL');
      if (!(await allGone(family, 5000))) throw new Error(`processes survived SIGKILL: ${family.join(', ')}`);
    }
  }

  /** Sends a signal and waits for the end; kills when it takes too long. */
  async end(name, timeoutMs) {
    const pid = await this.pid();
    if (!pid) return;
    const family = [pid, ...(await descendants(pid))];
    signal(pid, name);
    if (await allGone(family, timeoutMs)) return;
    await this.kill9();
  }

  /** Stops it without ceremony and removes its data. */
  async wipe() {
    await this.discard();
    rmSync(this.runDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const allGone = (pids, timeoutMs) => waitUntil(() => !pids.some(isAlive), timeoutMs);

/** A free port below the range from which the system gives ports to outgoing connections. */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port found between 20000 and 32000');
}

function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}

/** Postgres and PgBouncer refuse to run as root; then they run as nobody. */
export async function serverUser() {
  if (process.getuid() !== 0) return {};
  const [uid, gid] = await Promise.all([capture('id', ['-u', 'nobody']), capture('id', ['-g', 'nobody'])]);
  return { uid: Number(uid), gid: Number(gid) };
}
