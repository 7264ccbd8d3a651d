const EXCERPT_LENGTH = 90;
const BAD_LINES_SHOWN = 20;

/** Shows the steps of the demo to a reader. */
export class TextPrinter {
  #out;
  #hasAnswers = false;

  /** @param {NodeJS.WritableStream} out */
  constructor(out) {
    this.#out = out;
  }

  stores(description) {
    this.#line(`Stores: ${description}\n`);
  }

  stored({ file, stored, created, known, users, bad }, elapsedMs) {
    const owners = users.length > 3 ? `${users.length} users` : users.join(', ') || 'nobody';
    this.#line(
      `Stored ${plural(stored, 'memory', 'memories')} of ${file} for ${owners} in ${seconds(elapsedMs)}`,
    );
    this.#line(`  ${created} new in this run, ${known} known from an earlier one`);
    if (bad.length > 0) this.#badLines(bad);
  }

  #badLines(bad) {
    this.#line(`  ${plural(bad.length, 'entry', 'entries')} could not be used:`);
    for (const { line, message } of bad.slice(0, BAD_LINES_SHOWN)) this.#line(`    line ${line}: ${message}`);
    if (bad.length > BAD_LINES_SHOWN) this.#line(`    and ${bad.length - BAD_LINES_SHOWN} more`);
  }

  answer({ question, expected, hits }) {
    if (!this.#hasAnswers) this.#heading('Questions');
    this.#hasAnswers = true;
    this.#line(`  ${question}`);
    if (hits.length === 0) this.#line('      nothing found');
    for (const hit of hits) this.#hit(hit, expected !== undefined && hit.ref === expected);
    this.#line('');
  }

  #hit({ score, createdAt, content, entities }, isExpected) {
    const mark = isExpected ? '>' : ' ';
    this.#line(`    ${mark} ${score.toFixed(2)}  ${day(createdAt)}  ${excerpt(content)}`);
    if (entities.length > 0) this.#line(`                        [${entities.join(', ')}]`);
  }

  noQuestions() {
    this.#heading('Questions');
    this.#line('  No names were found in this file to ask about. Ask with --ask "…".');
  }

  relations(relations) {
    this.#heading('Strongest relations in the graph');
    if (relations.length === 0) this.#line('  none');
    for (const { fromName, toName, kind, weight } of relations) {
      this.#line(`  ${String(weight).padStart(4)} x  ${fromName}  ${kind}  ${toName}`);
    }
  }

  drift({ userId, memories, removed, found, repair, left }) {
    const issues = Object.entries(found).map(([issue, count]) => `${count} ${issue}`);
    this.#heading('Drift');
    this.#line(
      `  removed from the graph behind the layer's back: ${removed} of ${memories} memories of ${userId}`,
    );
    this.#line(`  found by checkConsistency: ${issues.join(', ') || 'nothing'}`);
    this.#line(`  repaired: ${repair.repaired}, failed: ${repair.failed}, left: ${left}`);
  }

  noDrift(driver) {
    this.#heading('Drift');
    this.#line(
      `  Not shown: to remove something past the package it needs a driver. Run npm install ${driver}.`,
    );
  }

  stats({ vectorStoreCount, graphStoreCount, syncPercentage }) {
    const counts = [graphStoreCount, vectorStoreCount, syncPercentage].map((count) => count ?? 'unknown');
    this.#line(`  in step: ${counts[0]} of ${counts[1]} memories, ${counts[2]} %`);
  }

  health({ status, stores, reasons = [] }) {
    this.#heading('Health');
    this.#line(
      `  ${status} (vector store ${state(stores.vectorStore)}, graph store ${state(stores.graphStore)})`,
    );
    for (const { code, message } of reasons) this.#line(`  ${code}: ${message}`);
  }

  finish({ failures, durationMs }) {
    this.#line(`\nDone in ${seconds(durationMs)}`);
    for (const failure of failures) this.#line(`NOT AS PROMISED: ${failure}`);
  }

  #heading(text) {
    this.#line(`\n${text}\n`);
  }

  #line(text) {
    this.#out.write(`${text}\n`);
  }
}

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const day = (date) => date.toISOString().slice(0, 10);
const state = ({ available, healthy }) => (healthy ? 'healthy' : available ? 'unwell' : 'not available');

function excerpt(content) {
  const characters = [...content.replaceAll(/\s+/g, ' ').trim()];
  if (characters.length <= EXCERPT_LENGTH) return characters.join('');
  return `${characters.slice(0, EXCERPT_LENGTH - 1).join('')}…`;
}
