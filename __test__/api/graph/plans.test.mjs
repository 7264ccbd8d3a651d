// Questions to the graph read what belongs to the user, however much others have: by keys, or by an index that begins
// with the user. Looked at in the plans of the very statements that are sent.
import { readdirSync, readFileSync } from 'node:fs';
import neo4jDriver from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProxy } from '../../support/proxy.mjs';
import { useGraph } from '../support.mjs';

const ANN = { type: 'person', value: 'Ann' };
const BOB = { type: 'person', value: 'Bob' };
const LEADS = {
  fromType: 'person',
  fromValue: 'Ann',
  toType: 'person',
  toValue: 'Bob',
  relationshipType: 'LEADS',
};

async function askEverything({ graph, memory }) {
  const { id } = await memory.store(
    { userId: 'ada', content: 'x' },
    { entities: [ANN], relationships: [LEADS] },
  );
  await memory.store({ userId: 'ada', content: 'y' }, { entities: [BOB, { type: 'tool', value: 'Axe' }] });
  await graph.getEntity('ada', ANN);
  await graph.searchEntities('ada', 'an');
  await graph.getTopEntities('ada');
  await graph.getRelatedEntities('ada', ANN);
  await graph.getMemoriesForEntity('ada', ANN);
  expect(await graph.findPath('ada', ANN, { type: 'tool', value: 'axe' })).toMatchObject({
    steps: [{ relationship: 'LEADS', memoryIds: [id] }, { relationship: 'CO_OCCURS' }],
  });
  await graph.getEntityStats('ada');
}

describe('in Neo4j', () => {
  const database = useGraph('neo4j');
  let proxy;
  let driver;
  const sent = new Set();

  beforeAll(async () => {
    const { credentials, query } = database.neo4j;
    proxy = await startProxy(credentials.uri);
    proxy.tap = (from, piece) => {
      if (from === 'client') for (const text of statements(piece)) sent.add(text);
    };
    driver = neo4jDriver.driver(
      credentials.uri,
      neo4jDriver.auth.basic(credentials.user, credentials.password),
    );
    const layer = database.layer({ neo4j: { ...credentials, uri: proxy.url(credentials.uri) } });
    await layer.graph.getTopEntities('ada'); // makes the indexes
    await query(
      `UNWIND range(1, 5000) AS n
       CREATE (:IzzieEntity {key: 'e' + n, userId: 'u' + n % 50, type: 'person', frequency: 1, normalized: 'ann ' + n})
         -[:MENTIONED_IN]->(:IzzieMemory {key: 'm' + n, userId: 'u' + n % 50, deleted: false, detached: false,
           bucket: 1, h1: 1, h2: 1, epoch: 1, revision: 1})`,
    );
    // The planner goes by samples, which the server takes when it likes: other tests have left it theirs.
    await query('CALL db.prepareForReplanning()');
    sent.clear();
    await askEverything(layer);
  });
  afterAll(async () => {
    await driver?.close();
    await proxy?.close();
  });

  test('every question starts at keys or at the user', async () => {
    const questions = [...sent].filter((text) => text.includes('$userId') && !text.includes('MERGE'));
    expect(questions.length).toBeGreaterThan(10);
    for (const text of questions) {
      const { summary } = await driver.executeQuery(`EXPLAIN ${text}`, PARAMETERS);
      const found = starts(summary.plan);
      expect(found.length, text).toBeGreaterThan(0);
      for (const { operator, details } of found) {
        expect(operator, text).toMatch(/^Node(Unique)?IndexSeek/);
        expect(details, text).toMatch(/userId = \$userId|key = (key|\$key|\$start|\$end|r\.memoryId)/);
      }
    }
  });
});

/** Of each kind one, for the planner looks at their types. */
const PARAMETERS = {
  userId: 'ada',
  keys: ['k'],
  key: 'k',
  start: 'k',
  end: 'k',
  relationship: 'LEADS',
  types: ['person'],
  unfolded: 'x',
  wanted: { types: ['person'], relationships: ['LEADS'], searches: [], unfolded: 'x' },
  at: null,
  id: null,
  limit: neo4jDriver.int(20),
};

/** The operators by which a plan gets at nodes. */
function starts(plan) {
  const operator = plan.operatorType.replace(/@.*/, '');
  const own = /Scan|Seek/.test(operator) ? [{ operator, details: String(plan.arguments.Details) }] : [];
  return [...own, ...plan.children.flatMap(starts)];
}

/** The Cypher of the RUN messages in what a Bolt client says: a structure B3 10, then the text with its length. */
function statements(piece) {
  const RUN = Buffer.from([0xb3, 0x10]);
  const found = [];
  for (let at = piece.indexOf(RUN); at !== -1; at = piece.indexOf(RUN, at + 2)) {
    const marker = piece[at + 2];
    const size = { 208: 1, 209: 2, 210: 4 }[marker] ?? 0;
    const length = size === 0 ? marker - 0x80 : piece.readUIntBE(at + 3, size);
    found.push(piece.toString('utf8', at + 3 + size, at + 3 + size + length));
  }
  return found;
}

describe('in Postgres', () => {
  const database = useGraph('postgres');
  const folder = new URL('../../../src/store/postgres_graph/queries/', import.meta.url);

  beforeAll(async () => {
    await askEverything(database.layer());
    await database.query(`
      insert into izzie_memory.graph_memories (memory_id, user_id, epoch, revision, h1, h2, bucket, deleted, detached)
      select gen_random_uuid(), 'u' || n % 50, 1, 1, 1, 1, 1, false, n % 100 = 0 from generate_series(1, 5000) n`);
    await database.query(`
      insert into izzie_memory.graph_entities
        (key, user_id, label, normalized, name, type, frequency, confidence, first_seen, last_seen)
      select 'e' || n, 'u' || n % 50, 'Person', 'ann ' || n, 'Ann', 'person', 1, 1, 0, 0 from generate_series(1, 5000) n`);
    await database.query(`
      insert into izzie_memory.graph_mentions (memory_id, entity_key, user_id, confidence, source, extracted_at)
      select g.memory_id, 'e' || n, g.user_id, 1, 'body', 0
      from (select *, row_number() over () as r from izzie_memory.graph_memories) g, generate_series(g.r, g.r + 3) n`);
    await database.query(`
      insert into izzie_memory.graph_relations (memory_id, type, from_key, to_key, user_id, confidence, evidence)
      select g.memory_id, 'LEADS', 'e' || g.r, 'e' || g.r + 1, g.user_id, 1, ''
      from (select *, row_number() over () as r from izzie_memory.graph_memories) g`);
    await database.query('analyze');
  });

  const PAIR = ['ada', 'k', 'l'];
  const QUESTIONS = {
    entities: ['ada', ['k']],
    partly_detached: ['ada'],
    top_entities: ['ada', ['person', 'tool'], 20],
    search_entities: ['ada', '[{"type": "person", "texts": ["a"], "words": [" a"]}]', '[^a-z]', 20],
    unfolded_entities: ['ada', ['person'], '[^a-z]'],
    stated_relations: ['ada', 'k', ['person'], ['LEADS'], 20],
    co_occurrences: ['ada', 'k', ['person'], 20],
    memories_of: ['ada', 'k', null, null, 20],
    neighbours: ['ada', ['k'], 100_000],
    stating_memories: [...PAIR, 'LEADS', 10],
    shared_memories: [...PAIR, 10],
    type_counts: ['ada'],
    relationship_counts: ['ada'],
  };

  test.each(Object.entries(QUESTIONS))('%s starts at keys or at the user', async (name, parameters) => {
    const sql = readFileSync(new URL(`${name}.sql`, folder), 'utf8');
    const rows = await database.query(`explain ${sql}`, parameters);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('Index');
    expect(plan).not.toMatch(/Seq Scan/);
  });

  test('no question was left out', () => {
    const asked = readFileSync(new URL('../queries.rs', folder), 'utf8').matchAll(/queries\/(\w+)\.sql/g);
    expect(Object.keys(QUESTIONS).sort()).toEqual([...asked].map(([, name]) => name).sort());
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(Object.keys(QUESTIONS).map((name) => `${name}.sql`)),
    );
  });
});
