// The retrieval bench counts right: on a small conversation of our own, through the package.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bm25, terms } from '../../benches/retrieval/bm25.mjs';
import { parseDate } from '../../benches/retrieval/dataset.mjs';
import { score } from '../../benches/retrieval/report.mjs';

const BENCH = fileURLToPath(new URL('../../benches/retrieval.mjs', import.meta.url));
const run = promisify(execFile);

const CONVERSATION = {
  id: 'garden',
  turns: [
    {
      id: 'A1',
      session: 1,
      date: '9:05 am on 3 March, 2024',
      speaker: 'Ira',
      text: 'What did you plant by the wall?',
    },
    {
      id: 'A2',
      session: 1,
      date: '9:05 am on 3 March, 2024',
      speaker: 'Noa',
      text: 'Figs, and two rows of leeks.',
    },
    {
      id: 'B1',
      session: 2,
      date: '12:30 pm on 9 April, 2024',
      speaker: 'Noa',
      text: 'My sister bought a telescope.',
    },
    {
      id: 'B2',
      session: 2,
      date: '12:30 pm on 9 April, 2024',
      speaker: 'Ira',
      text: 'Look at mine.',
      caption: 'a brass telescope on a balcony',
    },
  ],
  questions: [
    { question: 'What grows by the wall?', evidence: ['A2'], category: 4 },
    { question: 'Who has a brass telescope?', evidence: ['B2'], category: 4 },
    { question: 'Who owns telescopes?', evidence: ['B1', 'B2'], category: 1 },
    { question: 'Which car does Ira drive?', evidence: ['A1'], category: 5 },
  ],
};

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'izzie-bench-'));
  await writeFile(join(folder, 'garden.json'), JSON.stringify({ conversations: [CONVERSATION] }));
});
after(() => rm(folder, { recursive: true, force: true }));

test('prints what each mode recalls', async () => {
  const environment = { ...process.env };
  delete environment.DATABASE_URL;
  const { stdout, stderr } = await run(process.execPath, [BENCH, folder, '--json'], { env: environment });
  const { answerable, all, conversations } = JSON.parse(stdout);
  assert.match(stderr, /garden: storing 4 memories/);
  assert.deepEqual(Object.keys(conversations), ['garden']);
  assert.equal(answerable.hybrid.questions, 3);
  assert.equal(all.hybrid.questions, 4);
  assert.equal(answerable.hybrid.recall['5'], 100);
  assert.equal(answerable.text.mrr.toFixed(3), answerable['bm25 (reference)'].mrr.toFixed(3));
  assert.equal(answerable.text.recall['5'].toFixed(1), '66.7', 'what grows by the wall shares no word');
  for (const { p50, p95 } of Object.values(answerable)) assert.ok(p50 > 0 && p95 >= p50);
});

test('is skipped without data, and refuses a file that is not there', async () => {
  const { stdout } = await run(process.execPath, [BENCH, await mkdtemp(join(folder, 'empty-'))]);
  assert.match(stdout, /^skipped/);
  await assert.rejects(run(process.execPath, [BENCH, join(folder, 'none.json')]), { code: 1 });
});

test('recall and reciprocal rank', () => {
  const found = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const { recall, mrr, questions } = score([
    { evidence: ['b', 'f'], found, ms: 1 },
    { evidence: ['x'], found, ms: 2 },
    { evidence: [], found, ms: 3 },
  ]);
  assert.equal(questions, 2);
  assert.deepEqual(recall, { 5: 25, 10: 50, 20: 50 });
  assert.equal(mrr, 0.25);
});

test('the reference stems, drops stop words and prefers rare ones', () => {
  assert.deepEqual(terms('What were the planted figs?'), ['plant', 'fig']);
  const rank = bm25(['red boat', 'red car', 'a green boat with red sails']);
  assert.deepEqual(rank('boats'), [0, 2]);
  assert.deepEqual(rank('red cars'), [1, 0, 2]);
  assert.deepEqual(rank('submarine'), []);
});

test('dates of sessions', () => {
  assert.equal(parseDate('12:05 am on 3 March, 2024').toISOString(), '2024-03-03T00:05:00.000Z');
  assert.equal(parseDate('12:30 pm on 9 April, 2024').toISOString(), '2024-04-09T12:30:00.000Z');
  assert.throws(() => parseDate('yesterday'), /no date/);
});
