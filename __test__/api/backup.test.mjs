// A backup comes in again: whatever a row can hold goes out and comes back as it was, and what cannot is told beforehand.

import { describe, expect, it } from 'vitest';
import seal from '../../lib/port/seal.cjs';
import { uuid } from '../support/memories.mjs';
import { rejection, useDatabase } from './support.mjs';

const database = useDatabase();

async function exported(memory, userId, options) {
  const lines = [];
  for await (const line of memory.exportMemories(userId, options)) lines.push(line);
  return lines;
}

const nested = (levels) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const people = (count) =>
  JSON.stringify({
    entities: Array.from({ length: count }, (_, n) => ({ type: 'person', value: `Nr ${n}` })),
  });
const long = 'n'.repeat(500);

/** Rows as other code can write them: columns as SQL texts. */
const ROWS = {
  'content at the limit': { content: 'w'.repeat(100_000) },
  'content over the limit': { content: 'é'.repeat(60_000) },
  'content of megabytes': { content: 'so many words '.repeat(75_000) },
  'no content': { content: '' },
  'blank content': { content: ' \n\t' },
  'content of odd characters': { content: '\u0001\u2028\uffff\ufeff 👩‍👩‍👧 \\ud800 "\\u0000" \r\n' },
  'an empty summary': { summary: '' },
  'a summary over the limit': { summary: 's'.repeat(20_001) },
  'metadata at the limit': { metadata: `{"x":"${'y'.repeat(99_992)}"}` },
  'metadata over the limit': { metadata: `{"x":"${'y'.repeat(300_000)}"}` },
  'metadata deeper than JSON parsers go': { metadata: nested(140) },
  'metadata as deep as it may be': { metadata: nested(1000) },
  'numbers of any length': {
    metadata: '{"n":[1e400,-1.50,0.1000000000000000000001,123456789012345678901234567890]}',
  },
  'keys that results have': { metadata: '{"importance":3,"deleted":true,"created":false,"userId":"x","":0}' },
  'metadata that is a list': { metadata: '[1,{"entities":[{"type":"person","value":"Ada"}]}]' },
  'metadata that is a text': { metadata: '"text"' },
  'metadata that is null': { metadata: 'null' },
  'no metadata': { metadata: null },
  'the importance 0': { importance: 0 },
  'the importance 11': { importance: 11 },
  'the least importance': { importance: -2147483648 },
  'the highest importance': { importance: 2147483647 },
  'no importance': { importance: null },
  'entities at the limit': { metadata: people(200) },
  'entities over the limit': { metadata: people(201) },
  'thousands of entities': { metadata: people(1000) },
  'no entities': { metadata: '{"entities":[]}' },
  'odd entities': {
    metadata: JSON.stringify({
      entities: [
        { type: 'person', value: `${long} too long`, source: 'calendar', context: 'c'.repeat(3000) },
        {
          type: 'action_item',
          value: 'Ship it',
          priority: 'urgent',
          assignee: ['Ann', 'Bo'],
          deadline: 'May',
        },
        {
          type: 'company',
          value: 'IBM Corp.',
          normalized: 'international_business_machines',
          confidence: -0,
        },
        { type: 'person', value: ' ' },
        { type: 'dragon', value: 'Smaug' },
        17,
      ],
    }),
  },
  'the first moment': { created_at: '0001-01-01' },
  'the last moment': { created_at: '9999-12-31 23:59:59.999999' },
  'a moment before': { created_at: '0044-03-15 BC' },
  'a moment after': { created_at: '99999-01-01' },
  'no end of time': { created_at: 'infinity' },
  'a conversation': { conversation_id: '00000000-0000-0000-0000-000000000000' },
  'neither live nor deleted': { is_deleted: null },
  'a deleted memory': { is_deleted: true, importance: 0 },
};

async function insert(userId, rows) {
  for (const [name, row] of Object.entries(rows)) {
    const columns = { id: uuid(`${userId} ${name}`), user_id: userId, content: name, ...row };
    const names = Object.keys(columns);
    await database.query(
      `insert into memory_entries (${names}) values (${names.map((_, place) => `$${place + 1}`)})`,
      Object.values(columns),
    );
  }
}

/** The rows as SQL has them. Nobody can tell a metadata of null from an empty one, or no importance from the default. */
const rowsOf = (userId) =>
  database.query(
    `select id, content, summary, coalesce(nullif(metadata, 'null'), '{}')::text as metadata, conversation_id,
       coalesce(importance, 5) as importance, coalesce(is_deleted, false) as is_deleted,
       izzie_memory.calendar(created_at)::text as created_at
     from memory_entries where user_id = $1 order by id`,
    [userId],
  );

async function emptied(memory, userId) {
  await memory.deleteAll(userId, { hard: true });
  expect(await rowsOf(userId)).toEqual([]);
}

describe('rows of other code, at and over each limit', () => {
  it('come in again as they were, also where entities are taken at their word', async () => {
    const { memory } = database.layer({ strictEntities: true });
    const options = { includeDeleted: true, verifyFirst: true };
    await insert('other code', ROWS);
    await database.query("delete from izzie_memory.memory_sync where user_id = 'other code'");
    const rows = await rowsOf('other code');
    const reads = await memory.getAll('other code');
    const lines = await exported(memory, 'other code', { includeDeleted: true });
    expect(JSON.parse(lines.at(-1))).not.toHaveProperty('unimportable');

    await emptied(memory, 'other code');
    const result = await memory.importMemories(() => lines, options);
    const told = result.failed.map(({ line, error }) => [lines[line - 1].slice(0, 120), error.message]);
    expect(told).toEqual([]);
    expect(result).toMatchObject({ stored: Object.keys(ROWS).length, verified: true });
    expect(await rowsOf('other code')).toEqual(rows);
    const byId = (list) => new Map(list.map(({ id, metadata, entities }) => [id, { metadata, entities }]));
    // What was left out of what other code gave is not given again.
    const { entitiesRejected, ...metadata } = byId(reads).get(uuid('other code odd entities')).metadata;
    expect(entitiesRejected).toHaveLength(3);
    const again = byId(await memory.getAll('other code'));
    expect(again.get(uuid('other code odd entities')).metadata).toEqual(metadata);
    expect(again.get(uuid('other code thousands of entities')).entities).toHaveLength(1000);
    expect((await exported(memory, 'other code', { includeDeleted: true })).slice(1)).toEqual(lines.slice(1));
  }, 120_000);

  it('do so where nobody has looked for their entities yet', async () => {
    const { memory } = database.layer();
    const { 'content over the limit': content, 'metadata as deep as it may be': deep } = ROWS;
    await insert('owed', { content, deep });
    const rows = await rowsOf('owed');
    const lines = await exported(memory, 'owed');
    expect(lines.filter((line) => line.includes('"entities"'))).toEqual([]);
    await emptied(memory, 'owed');
    expect(await memory.importMemories(lines)).toMatchObject({ stored: 2, failed: [] });
    expect(await rowsOf('owed')).toEqual(rows);
  });
});

it('a memory of our own comes in again with all the entities that its relationships brought', async () => {
  const { memory } = database.layer();
  const nr = (n) => ({ type: 'person', value: `Nr ${n}` });
  const relationships = Array.from({ length: 200 }, (_, n) => ({
    fromType: 'person',
    fromValue: `Boss ${n}`,
    toType: 'company',
    toValue: `Firm ${n}`,
    relationshipType: 'WORKS_FOR',
  }));
  const entities = Array.from({ length: 200 }, (_, n) => nr(n));
  const { id } = await memory.store({ userId: 'own', content: 'all of them' }, { entities, relationships });
  const lines = await exported(memory, 'own');
  await emptied(memory, 'own');
  expect(await memory.importMemories(() => lines, { verifyFirst: true })).toMatchObject({ stored: 1 });
  expect((await memory.getById(id)).entities).toHaveLength(600);
  expect((await exported(memory, 'own')).slice(1)).toEqual(lines.slice(1));
});

describe('what cannot come in again', () => {
  it('is told by the export, and by verifyFirst and a dry run before anything is stored', async () => {
    const { memory } = database.layer();
    await insert('huge', {
      long: { content: 'x'.repeat(17 * 1024 * 1024) },
      deep: { metadata: nested(1001) },
      plain: {},
    });
    const seen = [];
    const onProgress = ({ done, unimportable }) => seen.push([done, unimportable]);
    const lines = await exported(memory, 'huge', { onProgress });
    expect(seen).toEqual([[3, 2]]);
    expect(JSON.parse(lines.at(-1))).toMatchObject({ count: 3, unimportable: 2 });
    const lineOf = (name) => 1 + lines.findIndex((line) => line.includes(uuid(`huge ${name}`)));
    const refused = [
      [lineOf('long'), 'longer than 16 MiB'],
      [lineOf('deep'), 'metadata: is nested deeper than 1000 levels'],
    ].sort(([one], [other]) => one - other);
    const told = (failed) => failed.map(({ line, error }) => [line, error.message]).sort(([a], [b]) => a - b);

    await emptied(memory, 'huge');
    const error = await rejection(memory.importMemories(() => lines, { verifyFirst: true }));
    expect(error).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { field: 'source', problem: 'refused' },
    });
    expect(told(error.details.failed)).toEqual(refused);
    for (const [line, problem] of refused) expect(error.message).toContain(`line ${line}: ${problem}`);
    const dry = await memory.importMemories(lines, { dryRun: true });
    expect(told(dry.failed)).toEqual(refused);
    expect(dry).toMatchObject({ stored: 0, verified: false, problem: 'unread' });
    expect(await rowsOf('huge')).toEqual([]);
    const result = await memory.importMemories(lines);
    expect(result).toMatchObject({ read: 3, stored: 1, verified: false, problem: 'unread' });
    expect(told(result.failed)).toEqual(refused);
  }, 120_000);

  it('is told by line, five by the message', async () => {
    const { memory } = database.layer();
    const sealed = new seal.Seal();
    const lines = Array.from({ length: 7 }, (_, n) => `{"id":"${uuid(n)}","content":"half \\udc00"}`);
    for (const line of lines) sealed.add(line);
    const file = [seal.header('broken'), ...lines.map((line) => line), sealed.trailer(0)].map(
      (line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`,
    );
    const error = await rejection(memory.importMemories(() => file, { verifyFirst: true }));
    expect(error.details.failed.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(error.message).toMatch(/line 6: [^;]+; and 2 more\)$/);
  });
});

describe('the limits of a call', () => {
  it('hold for the lines of other programs, and a dry run says which are beyond them', async () => {
    const { memory } = database.layer();
    const lines = [
      { content: 'w'.repeat(100_001) },
      { content: 'fine' },
      { content: 'x', importance: 0 },
      { content: 'x', metadata: { y: 'y'.repeat(100_000) } },
      { content: 'x', ...JSON.parse(people(201)) },
      { content: 'x', summary: 's'.repeat(20_001) },
    ].map((line) => `${JSON.stringify({ id: uuid(`beyond ${line.content}`), ...line })}\n`);
    const dry = await memory.importMemories(lines, { userId: 'limits', dryRun: true });
    const fields = dry.failed.map(({ line, error }) => [line, error.details.field]);
    expect(fields).toEqual([
      [1, 'content'],
      [3, 'importance'],
      [4, 'metadata'],
      [5, 'entities'],
      [6, 'summary'],
    ]);
    const result = await memory.importMemories(lines, { userId: 'limits' });
    expect(result.failed.map(({ line, error }) => [line, error.details.field])).toEqual(fields);
    expect(await rowsOf('limits')).toHaveLength(1);
  });
});
