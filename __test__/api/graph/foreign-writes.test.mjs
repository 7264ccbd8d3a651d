// Rows that other code writes into the application's table, before and after the package came.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onBothGraphs, rejection, useGraph } from '../support.mjs';

const APPLICATION = ['izzie2-schema.sql', 'app-rows.sql'].map((name) =>
  readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8'),
);

/** Of the fixture. */
const [PATTERNS, NOTE, MOTH, FORGOTTEN] = [1, 2, 3, 4].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

const COLUMNS = `select table_name, column_name, data_type, column_default, is_nullable from information_schema.columns
  where table_schema = 'public' order by 1, ordinal_position`;

onBothGraphs("the application's own table, with the %s graph", (kind) => {
  let columns;
  const database = useGraph(kind, {
    before: async (query) => {
      for (const sql of APPLICATION) await query(sql);
      columns = await query(COLUMNS);
    },
  });
  let asked = 0;
  let memory;
  let sync;
  let graph;
  let sql;

  beforeAll(() => {
    const embed = async (texts) => {
      asked += 1;
      return texts.map(() => [1, 0, 0]);
    };
    const extract = async () => {
      asked += 1;
      return {};
    };
    const layer = database.layer({
      embedder: { model: 'paid', dimensions: 3, embed },
      extractor: { extract },
    });
    ({ memory, sync } = layer);
    ({ graph, query: sql } = database);
  });

  afterAll(() => {
    expect(asked, 'rows of other code must not cost anything').toBe(0);
  });

  const insert = async (userId, content, metadata = null) =>
    (
      await sql('insert into memory_entries (user_id, content, metadata) values ($1, $2, $3) returning id', [
        userId,
        content,
        metadata,
      ])
    )[0].id;

  test('is as it was', async () => {
    expect(await sql(COLUMNS)).toEqual(columns);
  });

  test('what was there before is found and reaches the graph with its entities', async () => {
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await graph.memories()).toEqual([PATTERNS, NOTE, MOTH]);
    expect(await graph.mentions(PATTERNS)).toEqual(['charles babbage']);
    expect((await memory.retrieve('ada', 'algebraic pattern', { mode: 'text' })).map(({ id }) => id)).toEqual(
      [PATTERNS],
    );
    expect(await memory.getById(PATTERNS)).toMatchObject({
      content: 'the engine weaves algebraic patterns',
      importance: 5,
      entities: [{ type: 'person', value: 'Charles Babbage', confidence: 0.9 }],
    });
    expect(await memory.getById(FORGOTTEN)).toBeNull();
    expect(await sync.checkConsistency()).toEqual([]);
  });

  test('a row inserted, updated and deleted by SQL reaches the graph', async () => {
    const id = await insert('alan', 'a machine', { entities: [{ type: 'tool', value: 'Bombe' }] });
    expect(await sync.getStats()).toMatchObject({ pending: 1 });
    expect(await sync.fullSync()).toMatchObject({ pending: 0, failed: 0 });
    expect(await graph.memories()).toContain(id);
    expect(await graph.mentions(id)).toEqual(['bombe']);
    const before = await memory.getById(id);

    await sql(`update memory_entries set content = 'a computer', metadata = $2 where id = $1`, [
      id,
      { entities: [{ type: 'tool', value: 'Pilot ACE' }] },
    ]);
    await sync.fullSync();
    expect(await graph.mentions(id)).toEqual(['pilot ace']);
    const after = await memory.getById(id);
    expect(after).toMatchObject({ content: 'a computer' });
    expect(after.revision).toBeGreaterThan(before.revision);
    expect((await memory.retrieve('alan', 'computer', { mode: 'text' })).map((found) => found.id)).toEqual([
      id,
    ]);
    expect(await memory.retrieve('alan', 'machine', { mode: 'text' })).toEqual([]);

    await sql('update memory_entries set is_deleted = true where id = $1', [id]);
    await sync.fullSync();
    expect(await graph.memories()).not.toContain(id);
    await sql('update memory_entries set is_deleted = false where id = $1', [id]);
    await sync.fullSync();
    expect(await graph.memories()).toContain(id);
    await sql('delete from memory_entries where id = $1', [id]);
    await sync.fullSync();
    expect(await graph.memories()).not.toContain(id);
    expect(await sync.checkConsistency()).toEqual([]);
  });

  test('columns that the graph does not hold owe nothing', async () => {
    await sync.fullSync();
    const owed = () =>
      sql(`select * from izzie_memory.memory_sync where target not in ('embedding', 'extraction')`);
    await sql('update memory_entries set access_count = access_count + 1, last_accessed_at = now()');
    await sql(`update memory_entries set metadata = '{"note": 1}' where id = $1`, [NOTE]);
    expect(await owed()).toEqual([]);
    await sql('update memory_entries set importance = 9 where id = $1', [NOTE]);
    expect(await owed()).toMatchObject([{ memory_id: NOTE }]);
    await sync.fullSync();
  });

  test('garbage in metadata.entities hinders no write', async () => {
    const garbage = [
      { entities: 'text' },
      {
        entities: [
          1,
          null,
          'x',
          [],
          {},
          { type: 'person' },
          { type: 'dragon', value: 'S' },
          { type: 'tool', value: '' },
        ],
      },
      {
        entities: [
          { type: 'person', value: 'Ada', confidence: 'much' },
          { type: 'person', value: { a: 1 } },
        ],
      },
      [1, 2],
      'text',
    ];
    for (const metadata of garbage) await insert('alan', 'garbage', JSON.stringify(metadata));
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await sync.checkConsistency()).toEqual([]);
    expect(await memory.getAll('alan')).toHaveLength(garbage.length);
  });

  test('whatever the columns allow can be read and mirrored', async () => {
    await sql(`insert into memory_entries
      (user_id, content, summary, importance, access_count, is_deleted, created_at, updated_at, last_accessed_at) values
      ('grace', '', '', 0, -1, null, 'infinity', '-infinity', 'infinity'),
      ('grace', 'ancient', null, null, null, false, '4713-01-01 BC', now(), null),
      ('grace', 'far', null, -5, 2147483647, false, '294276-12-31', '294276-12-31', '294276-12-31'),
      ('grace', repeat('long ', 100000), null, 99, 0, false, now(), now(), now())`);
    await sql(`insert into memory_entries (user_id, content, metadata) values
      ('grace', 'a number beyond all computers', '{"n": 1e400, "m": 1e-400}'),
      ('grace', 'a deep thought', (repeat('[', 1000) || repeat(']', 1000))::jsonb)`);
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await sync.checkConsistency()).toEqual([]);
    const all = await memory.getAll('grace');
    expect(all).toHaveLength(7);
    for (const { id, createdAt, updatedAt } of all) {
      expect(createdAt).toBeInstanceOf(Date);
      expect(updatedAt).toBeInstanceOf(Date);
      expect((await memory.getById(id)).id).toBe(id);
    }
    expect(
      (await memory.retrieve('grace', 'ancient', { mode: 'text' })).map(({ content }) => content),
    ).toEqual(['ancient']);
    expect((await memory.getStats('grace')).total).toBe(7);
    await sql(`delete from memory_entries where user_id = 'grace'`);
  });

  test('deleting a user by SQL takes the memories out of the graph', async () => {
    await sql(`insert into users (id, email) values ('guest', 'guest@example.org')`);
    const id = await insert('guest', 'passing through');
    const own = await memory.store(
      { userId: 'guest', content: 'stored by the package' },
      { extractEntities: false, embedding: [1, 0, 0] },
    );
    await sync.fullSync();
    expect(await graph.memories()).toEqual(expect.arrayContaining([id, own.id]));
    await sql(`delete from users where id = 'guest'`);
    await sync.fullSync();
    const left = await graph.memories();
    expect(left).not.toContain(id);
    expect(left).not.toContain(own.id);
    expect(await sql('select * from izzie_memory.memory_vectors where memory_id = $1', [own.id])).toEqual([]);
  });

  test('a role without rights on our schema can write the table', async () => {
    const role = `app_${database.url.slice(-12)}`;
    await sql(`create role ${role} login password 'app'`);
    try {
      await sql(`grant usage on schema public to ${role}`);
      await sql(
        `grant select, insert, update, delete, truncate on memory_entries, users, conversations to ${role}`,
      );
      const url = new URL(database.url);
      Object.assign(url, { username: role, password: 'app' });
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      await expect(client.query('select * from izzie_memory.memory_state')).rejects.toThrow(
        /permission denied/,
      );
      const { rows } = await client.query(
        `insert into memory_entries (user_id, content) values ('alan', 'by the app'), ('alan', 'and gone') returning id`,
      );
      await client.query(`update memory_entries set content = 'by the app, twice' where id = $1`, [
        rows[0].id,
      ]);
      await client.query('delete from memory_entries where id = $1', [rows[1].id]);
      await client.end();
      await sync.fullSync();
      expect(await memory.getById(rows[0].id)).toMatchObject({ content: 'by the app, twice' });
      expect(await graph.memories()).toContain(rows[0].id);
      expect(await graph.memories()).not.toContain(rows[1].id);
    } finally {
      await sql(`drop owned by ${role}`);
      await sql(`drop role ${role}`);
    }
  });

  test('a user or conversation that the application does not know is refused by name', async () => {
    const given = { embedding: [1, 0, 0], entities: [] };
    const user = await rejection(memory.store({ userId: 'nobody', content: 'c' }, given));
    expect(user).toMatchObject({
      name: 'PersistenceError',
      code: 'INVALID_ARGUMENT',
      details: { field: 'userId' },
    });
    const conversationId = '3f2c0c6e-6b1c-4b53-9c36-0d3a3b1f3a10';
    const conversation = await rejection(
      memory.store({ userId: 'ada', content: 'c' }, { ...given, conversationId }),
    );
    expect(conversation).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'conversationId' } });
  });

  test('truncating the table empties the graph', async () => {
    await sql('truncate memory_entries');
    await sync.fullSync();
    expect(await graph.memories()).toEqual([]);
    expect(await graph.entities()).toEqual([]);
    expect(await sync.checkConsistency()).toEqual([]);
    expect(await sync.getStats()).toMatchObject({ vectorStoreCount: 0, graphStoreCount: 0, pending: 0 });
  });
});
