// What the answers are worth: evidence recall@k, mean reciprocal rank of the first evidence, time per question.
import { DEPTHS } from './measure.mjs';

/** Multi-hop, temporal, open-domain, single-hop; 5 are questions that the conversation does not answer. */
const ANSWERABLE = [1, 2, 3, 4];
const COLUMNS = [...DEPTHS.map((k) => `R@${k}`), 'MRR', 'p50 ms', 'p95 ms'];

/** `{answerable, all, conversations: {id: …}}`, each `{mode: {questions, recall: {k}, mrr, p50, p95}}`; recall in %. */
export function asJson(results) {
  const conversations = [...new Set(results.flatMap(({ answers }) => answers.map((a) => a.conversation)))];
  return {
    answerable: scores(results, isAnswerable),
    all: scores(results, () => true),
    conversations: Object.fromEntries(
      conversations.map((id) => [id, scores(results, (a) => isAnswerable(a) && a.conversation === id)]),
    ),
  };
}

export function asTable(results) {
  const { answerable, all, conversations } = asJson(results);
  return [
    table('categories 1–4', answerable),
    table('all categories', all),
    ...Object.entries(conversations).map(([id, modes]) => table(`${id}, categories 1–4`, modes)),
  ].join('\n\n');
}

const isAnswerable = ({ category }) => ANSWERABLE.includes(category);

function scores(results, wanted) {
  return Object.fromEntries(results.map(({ mode, answers }) => [mode, score(answers.filter(wanted))]));
}

/** A question without evidence has nothing to recall and is left out. */
export function score(answers) {
  const asked = answers.filter(({ evidence }) => evidence.length > 0);
  const times = asked.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return {
    questions: asked.length,
    recall: Object.fromEntries(DEPTHS.map((k) => [k, 100 * mean(asked.map((a) => recall(a, k)))])),
    mrr: mean(asked.map(reciprocalRank)),
    p50: at(0.5),
    p95: at(0.95),
  };
}

function recall({ evidence, found }, k) {
  const first = new Set(found.slice(0, k));
  return evidence.filter((turn) => first.has(turn)).length / evidence.length;
}

function reciprocalRank({ evidence, found }) {
  const rank = found.findIndex((turn) => evidence.includes(turn));
  return rank < 0 ? 0 : 1 / (rank + 1);
}

function mean(values) {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function table(title, modes) {
  const rows = Object.entries(modes).map(([mode, { recall, mrr, p50, p95 }]) => {
    const cells = [
      ...DEPTHS.map((k) => recall[k].toFixed(1)),
      mrr.toFixed(3),
      p50?.toFixed(1),
      p95?.toFixed(1),
    ];
    return [mode.padEnd(16), ...cells.map((cell) => (cell ?? '-').padStart(8))].join('');
  });
  const { questions } = Object.values(modes)[0];
  const head = ['mode'.padEnd(16), ...COLUMNS.map((name) => name.padStart(8))].join('');
  return [`${title} (${questions} questions)`, head, ...rows].join('\n');
}
