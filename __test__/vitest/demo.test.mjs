import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, demoJson, RUN_LIMIT_MS, startDemo, TEST_LIMIT_MS } from '../support/demo.mjs';

const SMALL_MBOX = fileURLToPath(new URL('../fixtures/demo/small.mbox', import.meta.url));

let folder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'izzie-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** On an embedded store in our folder. */
const inFolder = (...args) => ['--folder', join(folder, 'store'), ...args];

async function fileOf(name, lines) {
  const path = join(folder, name);
  await writeFile(path, lines.join('\n'));
  return path;
}

describe('the sample, twice on one folder', () => {
  let first;
  let second;
  beforeAll(async () => {
    first = await demoJson(inFolder());
    second = await demoJson(inFolder());
  }, TEST_LIMIT_MS);

  it('stores every line once', () => {
    expect(first).toMatchObject({ code: 0, failures: [], stored: 63, created: 63, known: 0, bad: [] });
    expect(second).toMatchObject({ code: 0, failures: [], stored: 63, created: 0, known: 63, bad: [] });
    expect(second.stats.vectorStoreCount).toBe(63);
  });

  it('finds the expected memory of each question among the first three, in both runs', () => {
    for (const { questions } of [first, second]) {
      expect(questions).toHaveLength(5);
      for (const { question, expected, hits } of questions) {
        expect(hits.length, question).toBeLessThanOrEqual(3);
        expect(
          hits.map(({ ref }) => ref),
          question,
        ).toContain(expected);
      }
    }
  });

  it('shows who works for whom, then who appears together, the strongest first', () => {
    const { relations } = first;
    const employers = new Map(
      relations.filter(({ kind }) => kind === 'WORKS_FOR').map(({ fromName, toName }) => [fromName, toName]),
    );
    expect(employers.get('Ingrid Solberg')).toBe('Hallberg Foods AB');
    const together = relations.filter(({ kind }) => kind === 'CO_OCCURS').map(({ weight }) => weight);
    expect(together.length).toBeGreaterThan(0);
    expect(together).toEqual(together.toSorted((a, b) => b - a));
    expect(second.relations).toEqual(relations);
  });

  it('finds exactly the memories it removed from the graph, and repairs them', () => {
    for (const { drift, stats } of [first, second]) {
      expect(drift).toMatchObject({ memories: 63, removed: 13, found: { missing_in_graph: 13 }, left: 0 });
      expect(drift.repair).toMatchObject({ repaired: 13, failed: 0, pending: 0 });
      expect(stats).toMatchObject({ syncPercentage: 100, graphStoreCount: 63, pending: 0, dead: 0 });
    }
  });

  it('prints a health without complaints: the offline model embeds', () => {
    expect(first.health).toMatchObject({ status: 'healthy', stores: { graphStore: { healthy: true } } });
    expect(first.health.reasons).toEqual([]);
  });

  it('ends within the minute it promises', () => {
    expect(first.durationMs).toBeLessThan(RUN_LIMIT_MS);
  });
});

describe('other files', () => {
  it(
    'reports bad lines and stores the rest',
    async () => {
      const file = await fileOf('bad.jsonl', [
        JSON.stringify({ userId: 'ada', content: 'The bridge opens on Friday.' }),
        '{"userId": "ada"',
        JSON.stringify({ userId: 'ada', content: 'x'.repeat(5 * 1024 * 1024) }),
        JSON.stringify({ userId: 'ada', content: 'The bridge opens on Friday.' }),
      ]);
      const result = await demoJson(inFolder(file, '--ask', 'When does the bridge open?'));
      expect(result).toMatchObject({ code: 0, stored: 2, created: 2, users: ['ada'] });
      expect(result.bad.map(({ line }) => line)).toEqual([2, 3]);
      expect(result.questions[0].hits.map(({ content }) => content)).toContain('The bridge opens on Friday.');
    },
    TEST_LIMIT_MS,
  );

  it(
    'reads an mbox for the user named',
    async () => {
      const result = await demoJson(
        inFolder(SMALL_MBOX, '--user', 'rene', '--ask', 'Who needs a crane driver?'),
      );
      expect(result).toMatchObject({ code: 0, stored: 3, users: ['rene'], bad: [{ line: 51 }] });
      expect(result.questions[0].hits[0].content).toMatch(/^Kranführer gesucht for the Øresund crane/);
    },
    TEST_LIMIT_MS,
  );

  it(
    'fails when nothing can be read',
    async () => {
      const file = await fileOf('nothing.jsonl', ['nothing', 'here']);
      const result = await demoJson(inFolder(file));
      expect(result).toMatchObject({ code: 1, ok: false, stored: 0, bad: [{ line: 1 }, { line: 2 }] });
      expect(await demo(inFolder(join(folder, 'missing')))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ENOENT'),
      });
    },
    TEST_LIMIT_MS,
  );

  it('explains itself, and refuses options it does not know', async () => {
    expect(await demo(inFolder('--help'))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--ask'),
    });
    expect(await demo(inFolder('--database', 'postgres://127.0.0.1/x'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exclude each other'),
    });
    expect(await demo(inFolder('--hlep'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--hlep'),
    });
  });
});

describe('Ctrl-C', () => {
  it(
    'stops, keeps what was stored, and the next run goes on',
    async () => {
      const lines = Array.from({ length: 1500 }, (_, i) =>
        JSON.stringify({ userId: 'bea', content: `Note number ${i}.` }),
      );
      const file = await fileOf('many.jsonl', lines);
      const child = startDemo(inFolder(file, '--json'));
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.stderr.setEncoding('utf8').on('data', (text) => {
        if (text.includes('500 memories stored')) child.kill('SIGINT');
      });
      expect(await ended).toBe(130);
      const next = await demoJson(inFolder(file, '--ask', 'note 7'));
      expect(next).toMatchObject({ code: 0, stored: 1500 });
      expect(next.known).toBeGreaterThanOrEqual(500);
      expect(next.created).toBeGreaterThan(0);
    },
    TEST_LIMIT_MS,
  );
});
