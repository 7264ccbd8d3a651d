// Neo4j as the bare driver sees it.
import neo4jDriver from 'neo4j-driver';
import { median, repeated, timed } from './time.mjs';

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
/** What is lost, written again as plainly as it can be: the same nodes, mentions and properties, no version looked at. */
const CREATE = `
  UNWIND $rows AS row
  CREATE (m:IzzieMemory) SET m = row.node
  WITH m, row UNWIND row.mentions AS x
  MERGE (e:IzzieEntity {key: x.key}) SET e += x.entity
  CREATE (e)-[r:MENTIONED_IN]->(m) SET r = x.mention`;
const WANTED = `
  select p.projection, array(
    select izzie_memory.entity_key(s.user_id, izzie_memory.entity_label(e ->> 'type'), e ->> 'normalized')
    from jsonb_array_elements(s.entities) e) as keys
  from izzie_memory.projections p
  join izzie_memory.memory_state s on s.memory_id = p.memory_id
  where p.memory_id = any ($1)`;

const SAMPLES = 7;

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

  /** Milliseconds of one plain statement that writes these memories with their entities where they are missing. */
  async create(ids, query) {
    const rows = (await query(WANTED, [ids])).map(bareRow);
    const samples = [];
    for (let n = 0; n < SAMPLES; n += 1) {
      await this.lose(ids);
      samples.push(await timed(() => this.#run(CREATE, { rows })));
    }
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

function bareRow({ projection, keys }) {
  const { memoryId, userId, content, summary, createdAt, deleted, detached, entities } = projection;
  const at = neo4jDriver.types.DateTime.fromStandardDate(new Date(createdAt / 1000));
  const whole = (name) => [name, neo4jDriver.int(projection[name])];
  const numbers = Object.fromEntries(['epoch', 'revision', 'h1', 'h2', 'bucket', 'importance'].map(whole));
  const relationships = neo4jDriver.int(0);
  return {
    node: {
      key: memoryId,
      userId,
      content,
      summary,
      createdAt: at,
      deleted,
      detached,
      relationships,
      ...numbers,
    },
    mentions: entities.map(({ type, value, normalized, confidence, source }, place) => ({
      key: keys[place],
      entity: { userId, name: value, normalized, type, confidence, firstSeen: at, lastSeen: at },
      mention: { confidence, source, extractedAt: at },
    })),
  };
}
