// What a process was about to do and what came of it, in a file that survives the process: a line before every call and
// one after it. A line that was handed to the kernel outlives a kill -9.
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * What one call does to one memory.
 * @typedef {{ id?: string, key?: string, userId: string, does: 'put' | 'update' | 'hide' | 'remove' | 'revive',
 *   form?: string, content?: string, expected?: number }} Target
 *
 * `yes`: acknowledged; `no`: certainly not done; `saw`: it was there already, as described; `unknown`: either.
 * @typedef {{ applied: 'yes' | 'no' | 'saw' | 'unknown', id?: string, revision?: number, reason?: string,
 *   unexpected?: string }} Outcome
 *
 * @typedef {{ begin: string, at: number, kind: string, targets: Target[], request?: object, season?: number,
 *   repeats?: string }} Begin
 * @typedef {{ end: string, at: number, outcomes: Outcome[], error?: Outcome }} End
 */

export class Journal {
  #file;
  #next;
  #prefix;

  constructor(path, prefix) {
    // A line that was cut off by a kill must not swallow the next one.
    if (existsSync(path) && !readFileSync(path, 'utf8').endsWith('\n')) appendFileSync(path, '\n');
    this.#prefix = prefix;
    this.#next = 0;
    this.#file = openSync(path, 'a');
  }

  /** @param {Omit<Begin, 'begin' | 'at'>} intent @returns {string} the name of the call */
  begin(intent) {
    const begin = `${this.#prefix}-${this.#next}`;
    this.#next += 1;
    this.#write({ begin, at: now(), ...intent });
    return begin;
  }

  /** @param {string} end @param {Omit<End, 'end' | 'at'>} result */
  end(end, result) {
    this.#write({ end, at: now(), ...result });
  }

  close() {
    closeSync(this.#file);
  }

  #write(record) {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
  }
}

/**
 * The calls in a journal, in the order in which they began; those without `end` were cut off.
 * @returns {{ begin: Begin, end?: End }[]}
 */
export function readCalls(path) {
  const calls = new Map();
  for (const record of readRecords(path)) {
    if (record.begin !== undefined) calls.set(record.begin, { begin: record });
    else calls.get(record.end).end = record;
  }
  return [...calls.values()];
}

function readRecords(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.endsWith('}') && isWhole(line)).map((line) => JSON.parse(line));
}

/** Not a line that a kill cut off. */
function isWhole(line) {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds of the machine's monotonic clock, the same in all its processes. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
