// Two users of the package and the application's own graph writer in one Neo4j: they share nothing, counts are exact,
// deletion is complete, whoever comes first.
import { enhancedMemoryService, graphService, syncService } from 'izzie-memory';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { saveMail } from './app/functions/process-mail.ts';
import { GraphWriter } from './app/lib/graph/writer.ts';
import { deliver, entity, settle, useApplication } from './support.mjs';

const PEOPLE = [entity('person', 'John Doe'), entity('company', 'Acme Corp'), entity('topic', 'budget')];
const OURS = 'm:IzzieMemory OR m:IzzieEntity OR m:IzzieBeat';
const mail = (id, userId) => ({
  id,
  userId,
  subject: `Mail ${id}`,
  body: 'John Doe of Acme Corp on the budget',
});

const application = useApplication();
let writer;

beforeAll(() => {
  const { uri, user, password } = application.database.neo4j.credentials;
  writer = new GraphWriter(uri, user, password);
});

afterEach(async () => {
  await writer.clear();
  await writer.uninitialize();
  for (const userId of ['ada', 'bob']) await enhancedMemoryService.deleteAll(userId, { hard: true });
  await settle();
});

afterAll(() => writer?.close());

const number = async (cypher, parameters) =>
  Number(Object.values((await writer.run(cypher, parameters))[0])[0]);
const theirs = () => number(`MATCH (m) WHERE NOT (${OURS}) RETURN count(m)`);
const crossing = () =>
  number(`MATCH (m)--(n) WHERE (${OURS}) AND NOT (${OURS.replaceAll('m:', 'n:')}) RETURN count(*)`);
const TOMBSTONE = ['bucket', 'deleted', 'detached', 'epoch', 'h1', 'h2', 'key', 'revision', 'userId'];
const LIVE = 'n:IzzieEntity OR (n:IzzieMemory AND NOT n.deleted)';
const nodesOf = (userId) =>
  number(`MATCH (n) WHERE (${LIVE}) AND n.userId = $userId RETURN count(n)`, { userId });
/** A deleted memory leaves its place in the order of writes, for a day: nothing of what it said, and no edge. */
const expectTombstones = async (userId) => {
  const left = await writer.run(
    `MATCH (n {userId: $userId}) WHERE n:IzzieMemory AND n.deleted
     UNWIND keys(n) AS key
     RETURN collect(DISTINCT key) AS keys, count { (n)--() } AS edges`,
    { userId },
  );
  for (const { keys, edges } of left) {
    expect(Number(edges)).toBe(0);
    expect(keys.sort()).toEqual(TOMBSTONE);
  }
};
const shared = () =>
  number(
    'MATCH (m:IzzieMemory|IzzieEntity)--(n:IzzieMemory|IzzieEntity) WHERE m.userId <> n.userId RETURN count(*)',
  );
const frequencyOf = async (userId, { type, value }) =>
  (await graphService.getEntity(userId, { type, value }))?.frequency ?? 0;

/** The memories of both users, and the same mails in the application's own graph. */
async function bothWrite({ first }) {
  const mails = [
    mail('a1', 'ada'),
    mail('a2', 'ada'),
    mail('a3', 'ada'),
    mail('b1', 'bob'),
    mail('b2', 'bob'),
  ];
  const ours = async () => {
    for (const one of mails) await saveMail({ mail: one, entities: PEOPLE });
    await settle();
  };
  const own = async () => {
    for (const one of mails) await writer.write({ mail: one, entities: PEOPLE });
  };
  for (const write of first === 'ours' ? [ours, own] : [own, ours]) await write();
}

describe.each(['ours', 'theirs'])('%s first', (first) => {
  test('counts are exact on both sides, and nothing joins them', async () => {
    await writer.initialize();
    await bothWrite({ first });
    for (const one of PEOPLE) {
      expect(await frequencyOf('ada', one), one.value).toBe(3);
      expect(await frequencyOf('bob', one), one.value).toBe(2);
    }
    expect(await crossing()).toBe(0);
    expect(await shared(), 'edges between nodes of two users').toBe(0);
    expect(await nodesOf('ada'), 'three memories, three entities').toBe(6);
    expect(await nodesOf('bob')).toBe(5);
    expect(await theirs(), 'five mails, three entities').toBe(8);
    const [john] = await writer.run('MATCH (n:Person {normalized: $name}) RETURN n.frequency AS frequency', {
      name: 'john_doe',
    });
    expect(Number(john.frequency)).toBe(5);
    expect(await number('MATCH (:Person)-[r:MENTIONED_IN]->(:Email) RETURN count(r)')).toBe(5);
    expect(await syncService.getStats()).toMatchObject({
      vectorStoreCount: 5,
      graphStoreCount: 5,
      syncPercentage: 100,
    });
    expect(await syncService.verify({ deep: true })).toMatchObject({ state: 'consistent', differences: 0 });
  });

  test('a user who is deleted is gone, and the others and the application’s nodes stay', async () => {
    await bothWrite({ first });
    const before = await theirs();
    await enhancedMemoryService.deleteAll('bob', { hard: true });
    await settle();
    const live = await application.database.query('select id::text from memory_entries order by 1');
    expect(await application.database.graph.memories()).toEqual(live.map(({ id }) => id));
    expect(live).toHaveLength(3);
    const expectBobGone = async () => {
      expect(await nodesOf('bob')).toBe(0);
      await expectTombstones('bob');
      for (const one of PEOPLE) expect(await frequencyOf('bob', one)).toBe(0);
      for (const one of PEOPLE) expect(await frequencyOf('ada', one)).toBe(3);
      expect(await theirs()).toBe(before);
      expect(await crossing()).toBe(0);
    };
    await expectBobGone();
    await syncService.rebuildGraph({ clearExisting: true });
    await settle();
    await expectBobGone();
  });
});

test('the application removes nodes by its labels: none of ours goes', async () => {
  await bothWrite({ first: 'ours' });
  const ours = () => number(`MATCH (m) WHERE ${OURS} RETURN count(m)`);
  const before = await ours();
  await writer.clear();
  expect(await ours()).toBe(before);
  expect(await theirs()).toBe(0);
  for (const one of PEOPLE) expect(await frequencyOf('ada', one)).toBe(3);
  expect(await syncService.verify({ deep: true })).toMatchObject({ state: 'consistent' });
});

test('uniqueness of the application’s names does not touch ours', async () => {
  await writer.run(
    'CREATE CONSTRAINT app_person_name_unique IF NOT EXISTS FOR (n:Person) REQUIRE n.name IS UNIQUE',
  );
  try {
    await bothWrite({ first: 'theirs' });
    expect(await frequencyOf('ada', PEOPLE[0])).toBe(3);
    expect(await frequencyOf('bob', PEOPLE[0])).toBe(2);
    expect(await syncService.getStats()).toMatchObject({ dead: 0, pending: 0 });
  } finally {
    await writer.run('DROP CONSTRAINT app_person_name_unique IF EXISTS');
  }
});

test('edges of others at a node of ours do not count, are reported by the deep check, and go with the node', async () => {
  await bothWrite({ first: 'ours' });
  await writer.run(`MATCH (e:IzzieEntity {userId: 'bob', name: 'John Doe'})
    CREATE (e)-[:MENTIONED_IN]->(:Email {id: 'forged'}), (e)-[:KNOWS]->(:Person {normalized: 'stranger'})`);
  expect(await frequencyOf('bob', PEOPLE[0])).toBe(2);
  expect(await syncService.verify({ deep: true })).toMatchObject({ differences: 0, foreignEdges: 2 });
  await saveMail({ mail: mail('b3', 'bob'), entities: PEOPLE });
  await deliver();
  expect(await frequencyOf('bob', PEOPLE[0])).toBe(3);
  await enhancedMemoryService.deleteAll('bob', { hard: true });
  await deliver();
  expect(await nodesOf('bob')).toBe(0);
  await syncService.rebuildGraph({ clearExisting: true });
  expect(await nodesOf('bob')).toBe(0);
  expect(await number("MATCH (n) WHERE n.id = 'forged' OR n.normalized = 'stranger' RETURN count(n)")).toBe(
    2,
  );
});

test('an entity of ours that the application took away shows in the ordinary check, and is repaired', async () => {
  await bothWrite({ first: 'ours' });
  await writer.run("MATCH (e:IzzieEntity {userId: 'bob', name: 'John Doe'}) DETACH DELETE e");
  expect(await syncService.verify()).toMatchObject({ state: 'divergent' });
  await settle();
  expect(await frequencyOf('bob', PEOPLE[0])).toBe(2);
});
