// A server of the app in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { waitUntil } from '../../scripts/lib/process.mjs';
import { NEXT } from './app.mjs';

const READY_MS = 240_000;
const STOP_MS = 60_000;

export const TOKEN = 'the token of these tests';
export const CRON_SECRET = 'the secret of these tests';

/** A server of an app, on a free port. */
export class Server {
  /**
   * @param {import('./support.mjs').Project} project
   * @param {Record<string, string>} variables
   * @param {'start' | 'dev'} [command] `start` needs a build
   */
  static start(project, variables, command = 'start') {
    const args = [NEXT, command, '--hostname', '127.0.0.1', '--port', '0'];
    return Server.#run(project, { args, cwd: project.folder, variables });
  }

  /** The app with nothing but the files that its build has traced, as it is deployed: a build with `output: 'standalone'`. */
  static async startDeployed(project, variables) {
    const address = { HOSTNAME: '127.0.0.1', PORT: String(await freePort()) };
    const cwd = project.path('.next', 'standalone');
    return Server.#run(project, { args: ['server.js'], cwd, variables: { ...address, ...variables } });
  }

  static async #run(project, command) {
    const server = new Server(project, command);
    if (await waitUntil(() => server.#isReady() || server.#hasExited(), READY_MS)) {
      if (!server.#hasExited()) return server;
    }
    await server.stop();
    throw new Error(`${command.args.join(' ')} did not start:\n${server.output}`);
  }

  output = '';
  #process;

  constructor(project, { args, cwd, variables }) {
    const env = project.environment({ PERSISTENCE_TOKEN: TOKEN, CRON_SECRET, ...variables });
    this.#process = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
  }

  #isReady() {
    return /Ready in/.test(this.output);
  }

  #hasExited() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get url() {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.output)[0];
  }

  /** With the token, unless other headers are given. */
  fetch(method, path, body, headers = { authorization: `Bearer ${TOKEN}` }) {
    return fetch(this.url + path, { method, body, headers });
  }

  /** The status and the body, which is parsed when it is JSON. */
  async ask(method, path, body, headers) {
    const response = await this.fetch(method, path, body, headers);
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: isJson ? await response.json() : await response.text() };
  }

  /** As a supervisor does it; whether the server went by itself. */
  async stop() {
    if (this.#hasExited()) return true;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    const [, signal] = await exited;
    clearTimeout(timer);
    return signal !== 'SIGKILL';
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
