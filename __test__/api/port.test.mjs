// Export and import: what goes out comes in again, whole, once, and for nobody else.
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hardLines, hardMemory, uuid } from '../support/memories.mjs';
import { rejection, useDatabase } from './support.mjs';

const SMALL_MBOX = fileURLToPath(new URL('../fixtures/demo/small.mbox', import.meta.url));

const source = useDatabase();
const target = useDatabase();

async function exported(memory, userId, options) {
  const lines = [];
  for await (const line of memory.exportMemories(userId, options)) lines.push(line);
  return lines;
}

const trailer = (lines) => JSON.parse(lines.at(-1));
const memories = (lines) => lines.slice(1, -1).map((line) => JSON.parse(line));

/** An export of this many memories of a new user, and the user. */
let users = 0;
async function exportOf(count) {
  const userId = `writer ${++users}`;
  const { memory } = source.layer();
  const entries = Array.from({ length: count }, (_, number) => ({
    userId,
    content: `note ${number} of ${userId}`,
  }));
  await memory.storeMany(entries);
  return { userId, memory, lines: await exported(memory, userId) };
}

describe('there and back, 10,000 at once', () => {
  const [source, target] = [useDatabase(), useDatabase()];

  it('gives the same digest, with all that a memory may have', async () => {
    const { memory } = source.layer({ graphStore: 'none' });
    const stored = await memory.importMemories(hardLines(10_000), { userId: 'ada' });
    expect(stored).toMatchObject({
      read: 10_000,
      stored: 10_000,
      failed: [],
      verified: false,
      problem: 'foreign',
    });
    const lines = await exported(memory, 'ada');
    expect(trailer(lines)).toEqual({
      format: 'izzie-memory',
      count: 10_000,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });

    const copy = target.layer({ graphStore: 'none' }).memory;
    const result = await copy.importMemories(lines);
    expect(result).toEqual({
      read: 10_000,
      stored: 10_000,
      existing: 0,
      deleted: 0,
      restored: 0,
      skipped: 0,
      failed: [],
      digest: trailer(lines).digest,
      verified: true,
    });
    expect(trailer(await exported(copy, 'ada'))).toEqual(trailer(lines));
    const { id, content, importance, createdAt, conversationId, summary } = hardMemory(12);
    expect(await copy.getById(id)).toMatchObject({
      content,
      importance,
      conversationId,
      summary,
      createdAt: new Date(createdAt),
    });
  }, 480_000);
});

describe('there and back', () => {
  it('carries what JavaScript has no number or moment for', async () => {
    const { memory } = source.layer();
    await source.query(
      `insert into memory_entries (user_id, content, metadata, created_at)
       values ('precise', 'exact', '{"id": 12345678901234567890, "one": 1.0}', '2026-03-02 10:00:00.123456')`,
    );
    const lines = await exported(memory, 'precise');
    expect(lines[1]).toContain('"createdAt":"2026-03-02T10:00:00.123456Z"');
    expect(lines[1]).toContain('12345678901234567890');
    const copy = target.layer().memory;
    await copy.importMemories(lines);
    const [row] = await target.query(
      "select metadata::text, created_at::text from memory_entries where user_id = 'precise'",
    );
    expect(row).toEqual({
      metadata: '{"id": 12345678901234567890, "one": 1.0}',
      created_at: '2026-03-02 10:00:00.123456',
    });
  });

  it('gives names as they were given, whatever they are known by', async () => {
    const { memory } = source.layer();
    const person = (value) => ({ type: 'person', value });
    const same = {
      fromType: 'person',
      fromValue: 'Bob',
      toType: 'person',
      toValue: 'Robert Hall',
      relationshipType: 'SAME_AS',
    };
    await memory.store({ userId: 'names', content: 'Bob is Robert Hall' }, { relationships: [same] });
    await memory.store({ userId: 'names', content: 'Bob came' }, { entities: [person('Bob')] });
    const lines = await exported(memory, 'names');
    const came = memories(lines).find(({ content }) => content === 'Bob came');
    expect(came.entities).toMatchObject([{ value: 'Bob', normalized: 'bob' }]);
    const copy = target.layer();
    await copy.memory.importMemories(lines);
    expect(trailer(await exported(copy.memory, 'names'))).toEqual(trailer(lines));
    await copy.sync.drain();
    const [entity] = await copy.graph.searchEntities('names', 'robert');
    expect(entity.frequency).toBe(2);
  });

  it('has rows that no adoption has reached, with the entities that they name', async () => {
    const { memory } = source.layer();
    const users = ['pioneer', 'pioneer', 'pioneer', 'settler'];
    const metadata = JSON.stringify({ entities: [{ type: 'person', value: 'Ada' }] });
    for (const user of users)
      await source.query('insert into memory_entries (user_id, content, metadata) values ($1, $2, $3)', [
        user,
        'old',
        metadata,
      ]);
    await memory.store({ userId: 'pioneer', content: 'new' });
    const adopted = trailer(await exported(memory, 'pioneer'));
    await source.query("delete from izzie_memory.memory_sync where user_id = 'pioneer'");
    const whole = trailer(await exported(memory, 'pioneer'));
    await source.query(
      "delete from izzie_memory.memory_state where user_id = 'pioneer' and entities <> '[]'",
    );
    expect(adopted.count).toBe(4);
    expect(trailer(await exported(memory, 'pioneer'))).toEqual(whole);
  });

  it('leaves out entities that nobody has looked for yet, and the import looks for them', async () => {
    const { memory } = source.layer();
    await memory.store({ userId: 'late', content: 'Lunch with Grace Hopper' }, { defer: true });
    const lines = await exported(memory, 'late');
    expect(memories(lines)[0]).not.toHaveProperty('entities');
    const copy = target.layer().memory;
    await copy.importMemories(lines);
    const [found] = await copy.getAll('late');
    expect(found.entities).toMatchObject([{ type: 'person', value: 'Grace Hopper' }]);
  });
});

describe('deleted memories', () => {
  it('are in neither unless asked for, and can be restored where they come in', async () => {
    const { memory } = source.layer();
    const { id } = await memory.store(
      { userId: 'del', content: 'Old news of Ada Lovelace' },
      { entities: [{ type: 'person', value: 'Ada Lovelace' }] },
    );
    await memory.store({ userId: 'del', content: 'News' });
    await memory.delete(id);
    expect(trailer(await exported(memory, 'del')).count).toBe(1);
    const lines = await exported(memory, 'del', { includeDeleted: true });
    expect(memories(lines).find((line) => line.deleted).id).toBe(id);

    const copy = target.layer().memory;
    expect(await copy.importMemories(lines)).toMatchObject({
      read: 2,
      stored: 1,
      skipped: 1,
      verified: true,
    });
    expect(await copy.importMemories(lines, { includeDeleted: true })).toMatchObject({
      stored: 1,
      existing: 1,
    });
    expect(await copy.getById(id)).toBeNull();
    expect(trailer(await exported(copy, 'del', { includeDeleted: true }))).toEqual(trailer(lines));
    expect((await copy.restore(id)).entities).toMatchObject([{ value: 'Ada Lovelace' }]);
  });
});

describe('a file that is not what was exported', () => {
  const variants = {
    'a cut one': [(lines) => lines.slice(0, -2), 'truncated'],
    'one that ends within a line': [(lines) => [lines.join('').slice(0, -150)], 'truncated'],
    'an edited one': [(lines) => lines.map((line) => line.replace('note 2', 'note two')), 'edited'],
    'one without a line': [(lines) => lines.toSpliced(2, 1), 'edited'],
    'one with lines in another order': [
      (lines) => [lines[0], lines[2], lines[1], ...lines.slice(3)],
      'edited',
    ],
    'one with a line behind the trailer': [(lines) => [...lines, lines[1]], 'edited'],
    'two, one behind the other': [(lines) => [...lines, ...lines], 'edited'],
    'one without a header': [(lines) => lines.slice(1), 'foreign'],
  };

  it.each(Object.entries(variants))('%s is told', async (_, [change, problem]) => {
    const { lines, userId } = await exportOf(4);
    const changed = change(lines);
    const refused = target.layer().memory.importMemories(() => changed, { verifyFirst: true });
    expect(await rejection(refused)).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field: 'source', problem },
    });
    expect(await target.query('select id from memory_entries where user_id = $1', [userId])).toEqual([]);
    const result = await target.layer().memory.importMemories(changed, { userId });
    expect(result).toMatchObject({ verified: false, problem });
    expect(result.stored).toBeGreaterThan(1);
  });

  it('line ends and pieces of any size make no difference', async () => {
    const { lines } = await exportOf(3);
    const bytes = Buffer.from(lines.join('').replaceAll('\n', '\r\n'));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) =>
      bytes.subarray(n * 7, n * 7 + 7),
    );
    expect(await target.layer().memory.importMemories(pieces)).toMatchObject({ stored: 3, verified: true });
  });

  it('a newer format is refused', async () => {
    const header = '{"format":"izzie-memory","version":2,"userId":"ada"}\n';
    const error = await rejection(target.layer().memory.importMemories([header]));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'source', limit: 1 } });
  });
});

describe('again', () => {
  it('stores nothing twice, after an abort too', async () => {
    const { lines } = await exportOf(10);
    const copy = target.layer().memory;
    const abort = new AbortController();
    const seen = [];
    const onProgress = (progress) => {
      seen.push(progress);
      if (progress.stored === 4) abort.abort(new Error('enough'));
    };
    const broken = copy.importMemories(lines, { chunkSize: 2, signal: abort.signal, onProgress });
    expect((await rejection(broken)).message).toBe('enough');
    expect(seen.at(-1)).toEqual({
      read: 4,
      stored: 4,
      existing: 0,
      deleted: 0,
      restored: 0,
      skipped: 0,
      failed: 0,
      line: 5,
      bytes: expect.any(Number),
    });
    expect(await copy.importMemories(lines)).toMatchObject({
      read: 10,
      stored: 6,
      existing: 4,
      verified: true,
    });
    expect(await copy.importMemories(lines)).toMatchObject({
      read: 10,
      stored: 0,
      existing: 10,
      verified: true,
    });
  });

  it('an abort ends the waiting for a source that gives nothing', async () => {
    const abort = new AbortController();
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const waiting = target.layer().memory.importMemories(never, { signal: abort.signal });
    abort.abort(new Error('enough'));
    expect((await rejection(waiting)).message).toBe('enough');
  });

  it('what a broken source says is what the import says', async () => {
    const missing = createReadStream('/no/such/file');
    expect(await rejection(target.layer().memory.importMemories(missing))).toMatchObject({ code: 'ENOENT' });
  });
});

describe('other users', () => {
  it("a line whose id is another user's is refused, and says nothing of theirs", async () => {
    const { lines, userId, memory } = await exportOf(2);
    const mine = `${JSON.stringify({ id: uuid('free'), content: 'mine' })}\n`;
    const result = await memory.importMemories([lines[0], mine, ...lines.slice(1)], { userId: 'eve' });
    expect(result).toMatchObject({ read: 3, stored: 1, problem: 'edited' });
    expect(result.failed.map(({ line, error }) => [line, error.reason])).toEqual([
      [3, 'ID_CONFLICT'],
      [4, 'ID_CONFLICT'],
    ]);
    expect(JSON.stringify(result.failed)).not.toContain('note');
    expect(JSON.stringify(result.failed)).not.toContain(userId);
  });

  it('the userId given comes before that of file and lines', async () => {
    const { lines } = await exportOf(1);
    const copy = target.layer().memory;
    const foreign = `${JSON.stringify({ userId: 'somebody', content: 'named' })}\n`;
    await copy.importMemories(lines, { userId: 'heir' });
    await copy.importMemories([foreign], { userId: 'heir' });
    expect(await copy.getAll('heir')).toHaveLength(2);
    expect(await copy.getAll('somebody')).toEqual([]);
  });
});

describe('files of other programs', () => {
  it('are stored line by line, and each that is refused is named without its text', async () => {
    const copy = target.layer().memory;
    const line = (value) => `${JSON.stringify(value)}\n`;
    const lines = [
      line({ content: 'first', ref: 7, id: 17, importance: 9, createdAt: '2026-03-02' }),
      '{"content": "secret words"\n',
      '\n',
      line({ content: 'second', importance: 11 }),
      line({ content: 'third', metadata: { half: '\ud800 secret' } }),
      line({ content: 'fourth', entities: [{ type: 'dragon', value: 'Smaug' }] }),
      line({ content: 'fifth' }),
      line({ content: 'fifth' }),
    ];
    const result = await copy.importMemories(lines, { userId: 'foreign' });
    expect(result).toMatchObject({ read: 7, stored: 4, verified: false, problem: 'foreign' });
    expect(result.failed.map(({ line }) => line)).toEqual([2, 4, 5]);
    expect(result.failed.every(({ error }) => error.reason === 'INVALID_ARGUMENT')).toBe(true);
    expect(JSON.stringify(result.failed)).not.toContain('secret');
    expect(await copy.importMemories(lines, { userId: 'foreign' })).toMatchObject({ stored: 0, existing: 4 });
    const told = (await copy.getAll('foreign')).flatMap(({ metadata }) => metadata.entitiesRejected ?? []);
    expect(told).toEqual([{ index: 0, type: 'dragon', value: 'Smaug', reason: 'the type is unknown' }]);
    const [{ importance, createdAt }] = (await copy.getAll('foreign')).filter(
      ({ content }) => content === 'first',
    );
    expect({ importance, createdAt }).toEqual({ importance: 9, createdAt: new Date('2026-03-02') });
  });

  it('a line of an export that the core cannot take fails alone', async () => {
    const { lines, userId } = await exportOf(2);
    const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`;
    const bad = [
      `"content":"deep","metadata":{"a":${deep}}`,
      '"content":"half a pair","metadata":{"a":"\\ud800"}',
      '"content":"half a pair \\udc00"',
      '"content":"unknown","colour":"red"',
      '"content":"NUL","metadata":{"a":"\\u0000"}',
      '"content":"NUL\\u0000"',
      '"content":"number","metadata":{"a":1e999999}',
      '"content":"importance","importance":-0',
      '"content":"importance","importance":2147483648',
      '"content":"date","createdAt":"10000-01-01T00:00:00Z"',
      '"summary":"no content"',
    ].map((members, number) => `{"id":"${uuid(`bad ${number}`)}",${members}}\n`);
    const result = await target.layer().memory.importMemories([lines[0], ...bad, ...lines.slice(1)]);
    expect(result.failed.map(({ line, error }) => [line, error.reason])).toEqual(
      bad.map((_, number) => [number + 2, 'INVALID_ARGUMENT']),
    );
    expect(await target.layer().memory.getAll(userId)).toHaveLength(2);
  });

  it('mails are memories, and threads conversations', async () => {
    const copy = target.layer().memory;
    const options = { format: 'mbox', userId: 'me' };
    const result = await copy.importMemories(createReadStream(SMALL_MBOX), options);
    expect(result).toMatchObject({ read: 4, stored: 3 });
    expect(result.failed).toMatchObject([{ line: 51, error: { reason: 'INVALID_ARGUMENT' } }]);
    for (const name of ['digest', 'verified', 'problem']) expect(result).not.toHaveProperty(name);
    expect(await copy.importMemories(createReadStream(SMALL_MBOX), options)).toMatchObject({ existing: 3 });
    expect(await copy.getAll('me', { conversationId: '<first@harbour.example>' })).toHaveLength(2);
  });
});

describe('arguments', () => {
  it('a dry run reads and verifies, and stores nothing', async () => {
    const { lines, userId } = await exportOf(3);
    const copy = target.layer().memory;
    expect(await copy.importMemories(lines, { dryRun: true })).toMatchObject({
      read: 3,
      stored: 0,
      verified: true,
    });
    expect(await copy.getAll(userId)).toEqual([]);
  });

  it.each([
    ['source', ['text', {}]],
    ['source', [17, {}]],
    ['source', [[], { verifyFirst: true }]],
    ['options.format', [[], { format: 'csv' }]],
    ['options.userId', [[], { format: 'mbox' }]],
    ['options.userId', [[], { userId: 7 }]],
    ['options.dryRun', [[], { dryRun: 'yes' }]],
    ['options.chunkSize', [[], { chunkSize: 0 }]],
    ['options.colour', [[], { colour: 'red' }]],
  ])('%s that is wrong is named', async (field, [from, options]) => {
    const error = await rejection(target.layer().memory.importMemories(from, options));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field } });
  });

  it.each([
    ['userId', ['', {}]],
    ['includeDeleted', ['ada', { includeDeleted: 'yes' }]],
    ['limit', ['ada', { limit: 5 }]],
    ['options.cursor', ['ada', { cursor: 'x' }]],
  ])('of an export, %s', async (field, [userId, options]) => {
    const error = await rejection(exported(target.layer().memory, userId, options));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field } });
  });
});

describe('bounded memory', () => {
  it('no more is read than the chunk that is being stored', async () => {
    let read = 0;
    const ahead = [];
    function* lines() {
      for (const line of hardLines(60)) {
        read += 1;
        yield line;
      }
    }
    const onProgress = (progress) => ahead.push(read - progress.read);
    await target.layer().memory.importMemories(lines(), { userId: 'slow', chunkSize: 10, onProgress });
    expect(ahead).toHaveLength(7);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(1);
  });

  it('an export reads a page when it is asked for its first memory', async () => {
    const { memory, userId } = await exportOf(250);
    const seen = [];
    const lines = memory.exportMemories(userId, {
      onProgress: ({ done, total }) => seen.push([done, total]),
    });
    for (let count = 0; count < 101; count += 1) await lines.next();
    expect(seen).toEqual([]);
    await lines.next();
    expect(seen).toEqual([[100, 250]]);
    for await (const _ of lines);
    expect(seen).toEqual([
      [100, 250],
      [200, 250],
      [250, 250],
    ]);
  });
});
