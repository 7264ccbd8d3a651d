import { basename } from 'node:path';
import { TextPrinter } from './text-printer.mjs';

/**
 * Collects what the demo saw, judges it, and shows it: as text step by step, or as one JSON object at the end.
 *
 * @param {import('./options.mjs').Options} options
 */
export function createReport({ file, json }) {
  return new Report(basename(file), json);
}

class Report {
  #startedAt = performance.now();
  /** Absent when the result is printed as JSON. */
  #print;
  #result;

  constructor(file, json) {
    this.#print = json ? undefined : new TextPrinter(process.stdout);
    this.#result = { ok: true, failures: [], file, questions: [] };
  }

  /** @param {string} description */
  stores(description) {
    this.#result.stores = description;
    this.#print?.stores(description);
  }

  /** @param {import('./tally.mjs').Tally} tally */
  stored(tally) {
    const { stored, created, users } = tally;
    const bad = tally.bad.toSorted((a, b) => a.line - b.line);
    Object.assign(this.#result, { stored, created, known: stored - created, users, bad });
    this.#print?.stored(this.#result, this.#elapsed());
  }

  answer(answer) {
    this.#result.questions.push(answer);
    this.#print?.answer(answer);
    if (answer.isFound === false) this.broken(`"${answer.question}" did not find ${answer.expected}`);
  }

  /** Neither asked nor anything to ask about. */
  noQuestions() {
    this.#print?.noQuestions();
  }

  relations(relations) {
    this.#result.relations = relations;
    this.#print?.relations(relations);
  }

  /** Nothing could be removed past the package. */
  noDrift(driver) {
    this.#print?.noDrift(driver);
  }

  drift({ userId, memories, victims, removed, found, repair, left }) {
    const drift = { userId, memories, removed, found: countByIssue(found), repair, left: left.length };
    this.#result.drift = drift;
    this.#print?.drift(drift);
    if (removed !== victims.length) this.broken(`the graph held ${removed} of ${victims.length} memories`);
    const foundIds = found.map(({ memoryId }) => memoryId).sort();
    if (foundIds.join() !== victims.join()) this.broken('the differences found are not the memories removed');
    if (left.length > 0) this.broken(`${left.length} differences are left after the repair`);
  }

  stats(stats) {
    this.#result.stats = stats;
    this.#print?.stats(stats);
  }

  health(health) {
    this.#result.health = health;
    this.#print?.health(health);
    if (health.status === 'unhealthy') this.broken('the stores are unhealthy');
  }

  /** Something is not as the package promises. */
  broken(failure) {
    this.#result.ok = false;
    this.#result.failures.push(failure);
  }

  /** @returns {boolean} whether everything was as promised */
  finish() {
    this.#result.durationMs = Math.round(this.#elapsed());
    if (this.#print) this.#print.finish(this.#result);
    else process.stdout.write(`${JSON.stringify(this.#result)}\n`);
    return this.#result.ok;
  }

  #elapsed() {
    return performance.now() - this.#startedAt;
  }
}

function countByIssue(inconsistencies) {
  const counts = {};
  for (const { issue } of inconsistencies) counts[issue] = (counts[issue] ?? 0) + 1;
  return counts;
}
