// Neo4j as the bare driver sees it.
import neo4jDriver from 'neo4j-driver';
import { ENTITIES, ONE_USER } from './data.mjs';
import { median, repeated } from './time.mjs';

/** The statement that the package sends, src/store/neo4j/cypher/check.rs. */
const digests = (user) => `
  MATCH (n:IzzieMemory) WHERE n.deleted = false AND n.detached = false AND n.userId ${user} AND n.bucket >= 0
    AND n.h1 IS NOT NULL AND n.h2 IS NOT NULL AND n.epoch IS NOT NULL AND n.revision IS NOT NULL
  WITH n.bucket AS bucket, n.h1 AS h1, n.h2 AS h2, n.epoch AS epochs, n.revision AS revisions
  RETURN bucket, count(*) AS count, ${['h1', 'h2', 'epochs', 'revisions']
    .map((name) => `sum(CASE WHEN ${name} >= 0 THEN ${name} % 4294967296 ELSE -1 END) AS ${name}`)
    .join(', ')}`;

const WIPE = 'MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 2000 ROWS';
const LOSE = `
  UNWIND $ids AS id MATCH (m:IzzieMemory {key: id})<-[:MENTIONED_IN]-(e:IzzieEntity)
  SET e.frequency = e.frequency - 1 WITH DISTINCT m DETACH DELETE m`;
const CREATE = `
  UNWIND $rows AS row
  CREATE (m:BareMemory {key: row.key}) SET m += row.node
  WITH m, row UNWIND row.entities AS x
  MERGE (e:BareEntity {key: x.key}) SET e += x.node
  CREATE (e)-[:MENTIONED_IN {confidence: 1.0, source: 'body'}]->(m)`;
const SCHEMA = ['BareMemory', 'BareEntity'].map(
  (label) => `CREATE CONSTRAINT ${label} IF NOT EXISTS FOR (n:${label}) REQUIRE n.key IS UNIQUE`,
);

export class BareNeo4j {
  kind = 'neo4j';
  #driver;

  constructor({ uri, user, password }) {
    this.settings = { graphStore: 'neo4j', neo4j: { uri, user, password } };
    this.#driver = neo4jDriver.driver(uri, neo4jDriver.auth.basic(user, password));
  }

  async wipe() {
    await this.#run(WIPE);
  }

  async lose(ids) {
    await this.#run(LOSE, { ids });
  }

  /** Milliseconds of the bucket query. */
  async digests(userId) {
    const statement = digests(userId ? '= $userId' : 'IS NOT NULL');
    return median(await repeated(() => this.#run(statement, { userId })));
  }

  /** Milliseconds of one plain statement that creates so many memories with their entities. */
  async create(count) {
    for (const statement of SCHEMA) await this.#run(statement);
    await this.#run('CALL db.awaitIndexes()');
    let generation = 0;
    const samples = await repeated(async () => {
      generation += 1;
      await this.#run(CREATE, { rows: bareRows(generation, count) });
    });
    return median(samples);
  }

  close() {
    return this.#driver.close();
  }

  async #run(statement, parameters) {
    const session = this.#driver.session();
    try {
      await session.run(statement, parameters);
    } finally {
      await session.close();
    }
  }
}

function bareRows(generation, count) {
  return Array.from({ length: count }, (_, n) => ({
    key: `${generation}-${n}`,
    node: {
      userId: ONE_USER,
      epoch: 1,
      revision: n,
      h1: n,
      h2: n,
      bucket: n,
      content: `Memory ${n} ${'word '.repeat(30)}`,
      importance: 5,
      createdAt: n,
      deleted: false,
      detached: false,
      relationships: 0,
    },
    entities: Array.from({ length: ENTITIES }, (_, e) => ({
      key: `${(n * 7 + e * 13) % 2000}`,
      node: { userId: ONE_USER, name: `Person ${(n * 7 + e * 13) % 2000}`, type: 'person', confidence: 1 },
    })),
  }));
}
