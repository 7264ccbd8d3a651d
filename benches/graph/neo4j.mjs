// What the methods ask of Neo4j, as somebody who knows the graph would ask it with the official driver.
import neo4jDriver from 'neo4j-driver';
import { TYPES, USER } from './data.mjs';

const WIPE = 'MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS';
const OF_TYPE = `
  UNWIND $types AS type
  MATCH (e:IzzieEntity)
  WHERE e.userId = $userId AND e.type = type AND e.frequency > 0 AND e.normalized IS NOT NULL`;
const ENTITY = 'RETURN e.name, e.type, e.normalized, e.frequency, e.confidence, e.firstSeen, e.lastSeen';
const LIVE = 'm.userId = $userId AND m.deleted = false AND m.detached = false';

const QUESTIONS = {
  entity: [`MATCH (e:IzzieEntity {key: $key}) ${ENTITY}`],
  search: [
    `${OF_TYPE} AND e.normalized CONTAINS $name
     WITH e ORDER BY e.normalized STARTS WITH $name DESC, e.frequency DESC LIMIT $limit ${ENTITY}`,
    `${OF_TYPE} AND e.normalized =~ '.*[^a-z0-9 ].*' ${ENTITY}`,
  ],
  top: [
    `UNWIND $types AS type
     CALL {
       WITH type MATCH (e:IzzieEntity)
       WHERE e.userId = $userId AND e.type = type AND e.frequency > 0 AND e.normalized IS NOT NULL
       RETURN e ORDER BY e.userId DESC, e.type DESC, e.frequency DESC LIMIT $limit
     }
     WITH e ORDER BY e.frequency DESC LIMIT $limit ${ENTITY}`,
  ],
  related: [
    `MATCH (:IzzieEntity {key: $key})-[r:ASSOCIATED_WITH]-(e:IzzieEntity)
     WITH e, count(r) AS weight ORDER BY weight DESC LIMIT $limit ${ENTITY}, weight`,
    `MATCH (:IzzieEntity {key: $key})-[:MENTIONED_IN]->(m:IzzieMemory) WHERE ${LIVE}
     MATCH (m)<-[:MENTIONED_IN]-(e:IzzieEntity)
     WITH e, count(*) AS weight ORDER BY weight DESC LIMIT $limit ${ENTITY}, weight`,
  ],
  memories: [
    `MATCH (:IzzieEntity {key: $key})-[r:MENTIONED_IN]->(m:IzzieMemory) WHERE ${LIVE}
     RETURN m.key, r.extractedAt AS at ORDER BY at DESC LIMIT $limit`,
  ],
  stats: [
    `${OF_TYPE} RETURN type, count(*), sum(e.frequency)`,
    `MATCH (e:IzzieEntity) WHERE e.userId = $userId AND e.key > ''
     MATCH (e)-[r:ASSOCIATED_WITH]->(:IzzieEntity) RETURN type(r), count(*)`,
  ],
};

export class Neo4jFloor {
  kind = 'neo4j';
  #session;
  #driver;

  constructor({ uri, user, password }) {
    this.settings = { graphStore: 'neo4j', neo4j: { uri, user, password } };
    this.#driver = neo4jDriver.driver(uri, neo4jDriver.auth.basic(user, password));
    this.#session = this.#driver.session();
  }

  async wipe() {
    await this.#session.run(WIPE);
  }

  /** A function that asks what the method asks, one statement after the other. */
  async asking(question, { name, normalized } = {}) {
    const { records } = await this.#session.run(
      `${OF_TYPE} AND e.normalized = $normalized RETURN e.key AS key`,
      { userId: USER, types: TYPES, normalized: normalized ?? '' },
    );
    const parameters = {
      userId: USER,
      types: TYPES,
      key: records[0]?.get('key') ?? null,
      name: name?.toLowerCase() ?? null,
      limit: neo4jDriver.int(20),
    };
    return async () => {
      for (const statement of QUESTIONS[question]) await this.#session.run(statement, parameters);
    };
  }

  async close() {
    await this.#session.close();
    await this.#driver.close();
  }
}
