// The processes, each of which is started again as soon as it is gone.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** A call under way may wait for a server; after that, a process that does not end is a fault. */
const STOP_LIMIT_MS = 120_000;

export class Fleet {
  #settings;
  #members;
  #stopping = false;
  kills = 0;
  /** What no kill of ours explains. */
  faults = [];

  /** @param {{ processes: number, folder: string, run: object, layer: object }} settings */
  constructor(settings) {
    this.#settings = settings;
    this.#members = Array.from({ length: settings.processes }, (_, index) => ({ index, generation: 0 }));
    for (const member of this.#members) this.#start(member);
  }

  get journals() {
    return this.#members.map(({ index }) => this.#journal(index));
  }

  /** Kills one of them. */
  kill(index) {
    const { child } = this.#members[index];
    if (hasEnded(child)) return;
    child.killed9 = true;
    this.kills += 1;
    child.kill('SIGKILL');
  }

  /** Lets everyone finish what is under way. */
  async stop() {
    this.#stopping = true;
    await Promise.all(this.#members.map((member) => this.#stopMember(member)));
  }

  async #stopMember({ index, child }) {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.send('stop', () => {}); // it may be gone already
    const limit = setTimeout(() => {
      this.faults.push(`process ${index} did not end`);
      child.killed9 = true;
      child.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  #start(member) {
    const { index, generation } = member;
    const { run, layer } = this.#settings;
    const assignment = { index, generation, run, layer, journal: this.#journal(index) };
    const child = fork(WORKER, [JSON.stringify(assignment)]);
    member.child = child;
    child.once('exit', (code, signal) => {
      if (!child.killed9 && (code !== 0 || !this.#stopping))
        this.faults.push(`process ${index} ended by itself (${signal ?? code})`);
      if (this.#stopping) return;
      member.generation += 1;
      this.#start(member);
    });
  }

  #journal(index) {
    return join(this.#settings.folder, `process-${index}.jsonl`);
  }
}

const hasEnded = ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null;
