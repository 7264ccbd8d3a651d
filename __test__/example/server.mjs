// `next start` in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitUntil } from '../../scripts/lib/process.mjs';

const READY_MS = 60_000;
const STOP_MS = 20_000;

/** A server of a built app, on a free port. */
export class Server {
  /** @param {import('./support.mjs').Project} project @param {Record<string, string>} variables */
  static async start(project, variables) {
    const server = new Server(project, variables);
    if (await waitUntil(() => server.#isReady() || server.#hasExited(), READY_MS)) {
      if (!server.#hasExited()) return server;
    }
    await server.stop();
    throw new Error(`next start did not start:\n${server.output}`);
  }

  output = '';
  #process;

  constructor(project, variables) {
    const args = ['node_modules/next/dist/bin/next', 'start', '--hostname', '127.0.0.1', '--port', '0'];
    const env = project.environment(variables);
    const stdio = ['ignore', 'pipe', 'pipe'];
    this.#process = spawn(process.execPath, args, { cwd: project.folder, env, stdio });
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

  get #url() {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.output)[0];
  }

  /** The status and the body, which is parsed when it is JSON. */
  async ask(method, path, body) {
    const response = await fetch(this.#url + path, { method, body });
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
