// Ends a step that hangs, rather than have the whole run end at the limit of the machine it runs on, and says what ran.
import { processesWithEnvironment, signal } from '../lib/process.mjs';

const MINUTE = 60_000;

/**
 * The time that tests may take to run; nothing is compiled in it. A machine as fast as the one they were written on needs
 * a quarter of it.
 */
export const LIMITS = { allMs: 75 * MINUTE, silenceMs: 25 * MINUTE, reminderMs: 5 * MINUTE };

/** Watches one step. `end()` it when the step has ended. */
export class Watch {
  /**
   * @param {object} step
   * @param {string} step.name
   * @param {string} step.mark `NAME=value` in the environment of each of its processes
   * @param {() => string[]} step.running the tests under way, as far as that is known
   * @param {() => void} step.kill ends its runner, where its processes cannot be told
   * @param {typeof LIMITS} [limits]
   * @param {(text: string) => void} [tell]
   */
  constructor(step, limits = LIMITS, tell = console.log) {
    Object.assign(this, { step, limits, tell, overdue: undefined });
    this.begun = Date.now();
    this.timers = { all: this.#expiry('all', 'it ran for') };
    this.heard();
  }

  /** The step has said something. */
  heard() {
    clearTimeout(this.timers.silence);
    clearInterval(this.timers.reminder);
    this.timers.silence = this.#expiry('silence', 'it said nothing for');
    this.timers.reminder = setInterval(() => this.#remind(), this.limits.reminderMs);
  }

  /** @returns {string | undefined} why the step was ended, if it was */
  end() {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    return this.overdue;
  }

  #expiry(which, reason) {
    const ms = this.limits[`${which}Ms`];
    return setTimeout(() => this.#expire(`${reason} ${minutes(ms)}`), ms);
  }

  #expire(reason) {
    if (this.overdue) return;
    this.overdue = `was ended because ${reason}`;
    const processes = processesWithEnvironment(this.step.mark);
    this.tell(overdueReport(this.step.name, reason, { processes, tests: this.step.running() }));
    for (const { pid } of processes) signal(pid, 'SIGKILL');
    this.step.kill();
  }

  #remind() {
    const tests = this.step.running();
    const what = tests.length > 0 ? `: ${tests.join('; ')}` : '';
    this.tell(`… ${this.step.name} has run for ${minutes(Date.now() - this.begun)}${what}`);
  }
}

/** What still runs in a step that is overdue: its tests, and each process with its command line. */
export function overdueReport(name, reason, { processes, tests }) {
  return [
    `── ${name} is overdue: ${reason} ──`,
    ...(tests.length > 0 ? ['Tests under way:', ...tests.map((test) => `  ${test}`)] : []),
    'Processes:',
    ...processes.map(({ pid, command }) => `  ${pid} ${command}`),
  ].join('\n');
}

function minutes(ms) {
  return `${Math.round(ms / 6000) / 10} min`;
}
