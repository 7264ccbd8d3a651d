// What ends up in the graph: data as it was given, counted exactly, beside what belongs to others.
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onBothGraphs, seeded, useGraph } from '../support.mjs';

/** Text that would mean something if it were taken for a statement, a path or markup. */
const NASTY = [
  `O'Brien`,
  'back`tick',
  '"quoted" \\ backslash',
  "'; drop table memory_entries; --",
  '"}) DETACH DELETE n //',
  'two\nlines\ttab',
  '$1 {{x}} %s :param',
  '\u{1f9d1}\u200d\u{1f4bb} übergröße \u0130stanbul',
  'null',
  '__proto__',
];

onBothGraphs('the %s graph', (kind) => {
  const database = useGraph(kind);
  let memory;
  let sync;
  let graph;

  beforeAll(() => {
    ({ memory, sync } = database.layer({ extractor: 'none' }));
    ({ graph } = database);
  });

  beforeEach(async () => {
    await sync.getStats();
    await database.empty();
  });

  test('holds any text as data', async () => {
    const userId = `user "' \`${NASTY[3]}`;
    const people = NASTY.map((value) => ({ type: 'person', value, context: value }));
    const relationships = NASTY.slice(1).map((toValue) => ({
      fromType: 'person',
      fromValue: NASTY[0],
      toType: 'person',
      toValue,
      relationshipType: 'FRIEND_OF',
      evidence: toValue,
    }));
    const stored = await memory.store(
      { userId, content: NASTY.join('\n'), metadata: Object.fromEntries(NASTY.map((text) => [text, text])) },
      {
        entities: people,
        relationships,
        conversationId: NASTY[1],
        summary: NASTY[2],
        idempotencyKey: NASTY[4],
      },
    );
    expect(stored.metadata.graphWriteSuccess).toBe(true);
    const back = await memory.getById(stored.id, { userId });
    expect(back).toMatchObject({
      userId,
      content: NASTY.join('\n'),
      conversationId: NASTY[1],
      summary: NASTY[2],
    });
    for (const text of NASTY) expect(Object.getOwnPropertyDescriptor(back.metadata, text)?.value).toBe(text);
    expect(new Set(back.entities.map(({ value }) => value))).toEqual(new Set(NASTY));
    expect(await graph.mentions(stored.id)).toHaveLength(NASTY.length);
    expect((await graph.relations()).map(({ evidence }) => evidence).sort()).toEqual(NASTY.slice(1).sort());
    for (const query of NASTY) await memory.retrieve(userId, query, { conversationId: NASTY[1] });
    expect(await sync.checkConsistency()).toEqual([]);
    expect(await sync.rebuildGraph({ userId, clearExisting: true })).toMatchObject({ failed: 0, pending: 0 });
    expect(await graph.mentions(stored.id)).toHaveLength(NASTY.length);
  });

  test('has an entity label for each type', async () => {
    // In Postgres the label is a part of the key, which types share; in Neo4j it is for people to look at.
    const named = {
      person: ['Ada', 'Person', 'IzziePerson'],
      company: ['Acme', 'Company', 'IzzieCompany'],
      project: ['Engine', 'Project', 'IzzieProject'],
      tool: ['Loom', 'Project', 'IzzieTool'],
      date: ['May 5', 'Topic', 'IzzieDate'],
      topic: ['Weather', 'Topic', 'IzzieTopic'],
      action_item: ['Send it', 'Topic', 'IzzieActionItem'],
      location: ['London', 'Location', 'IzzieLocation'],
    };
    const entities = Object.entries(named).map(([type, [value]]) => ({ type, value }));
    await memory.store({ userId: 'ada', content: 'c' }, { entities });
    const expected = Object.values(named).map(([value, shared, own]) => ({
      normalized: value.toLowerCase(),
      labels: [kind === 'neo4j' ? own : shared],
    }));
    expect(await graph.labels()).toEqual(expected.sort((a, b) => (a.normalized < b.normalized ? -1 : 1)));
  });

  test('counts entities exactly while many memories name them at once', async () => {
    const hot = ['A', 'B', 'C', 'D'].map((value) => ({ type: 'topic', value }));
    const stored = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        memory.store(
          { userId: 'ada', content: `memory ${index}` },
          { entities: index % 2 ? hot : [...hot].reverse() },
        ),
      ),
    );
    await Promise.all(stored.slice(0, 20).map(({ id }) => memory.delete(id, { hard: true })));
    await Promise.all(stored.slice(20, 30).map(({ id }) => memory.update(id, { entities: hot.slice(0, 1) })));
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    const frequencies = (await graph.entities()).map(({ normalized, frequency }) => [normalized, frequency]);
    expect(frequencies).toEqual([
      ['a', 40],
      ['b', 30],
      ['c', 30],
      ['d', 30],
    ]);
    expect(await sync.checkConsistency()).toEqual([]);
  });

  test('ends up equal after any mix of writes to few memories at once', async () => {
    const random = seeded(7);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const ids = Array.from({ length: 5 }, () => randomUUID());
    const entities = () =>
      ['A', 'B', 'C'].filter(() => random() < 0.5).map((value) => ({ type: 'topic', value }));
    const writes = [
      (id) => memory.store({ userId: 'ada', content: `of ${id}` }, { id, entities: entities() }),
      (id) => memory.update(id, { entities: entities(), importance: 1 + Math.floor(random() * 10) }),
      (id) => memory.delete(id, { hard: random() < 0.5 }),
      (id) => database.query('update memory_entries set summary = $2 where id = $1', [id, String(random())]),
      (id) => database.query('delete from memory_entries where id = $1', [id]),
    ];
    await Promise.all(Array.from({ length: 120 }, () => pick(writes)(pick(ids))));
    expect(await sync.fullSync()).toMatchObject({ failed: 0, pending: 0 });
    expect(await sync.checkConsistency()).toEqual([]);
    const live = await memory.getMany(ids);
    expect(await graph.memories()).toEqual(live.map(({ id }) => id).sort());
    for (const { id, entities: kept } of live) {
      expect(await graph.mentions(id)).toEqual(kept.map(({ normalized }) => normalized).sort());
    }
  });

  test('takes a memory with as many entities as are allowed, and long content', async () => {
    const entities = Array.from({ length: 200 }, (_, index) => ({ type: 'topic', value: `topic ${index}` }));
    const stored = await memory.store({ userId: 'ada', content: 'word '.repeat(18_000) }, { entities });
    expect(stored.metadata).toMatchObject({ graphWriteSuccess: true, entityCount: 200 });
    expect(await graph.mentions(stored.id)).toHaveLength(200);
    expect(await sync.checkConsistency()).toEqual([]);
  });
});

describe("Neo4j's nodes", () => {
  const database = useGraph('neo4j');

  test('carry labels of our own only; nodes of others are left alone', async () => {
    const { memory, sync } = database.layer();
    const { query } = database.neo4j;
    await query(
      `CREATE (:Memory {key: 'api-test'})<-[:MENTIONED_IN]-(:Person {name: 'Grace', userId: 'ada'})`,
    );
    try {
      const { id } = await memory.store(
        { userId: 'ada', content: 'Lunch' },
        { entities: [{ type: 'person', value: 'Grace' }], summary: 's', importance: 7 },
      );
      const [{ labels, node }] = await query(
        'MATCH (m:IzzieMemory {key: $id}) RETURN labels(m) AS labels, properties(m) AS node',
        { id },
      );
      expect(labels.sort()).toEqual(['IzzieMemory']);
      expect(node).toMatchObject({ userId: 'ada', content: 'Lunch', summary: 's', importance: 7 });
      await sync.rebuildGraph({ clearExisting: true });
      await sync.fullSync();
      await memory.delete(id, { hard: true });
      const [foreign] = await query(
        `MATCH (m:Memory {key: 'api-test'})<-[r:MENTIONED_IN]-(p:Person) RETURN properties(p) AS person, labels(p) AS labels`,
      );
      expect(foreign).toEqual({ person: { name: 'Grace', userId: 'ada' }, labels: ['Person'] });
    } finally {
      await query(`MATCH (m:Memory {key: 'api-test'}) OPTIONAL MATCH (m)--(p) DETACH DELETE m, p`);
    }
  });
});
