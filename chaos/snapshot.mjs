// What both stores hold at the end, read past the package.
import neo4jDriver from 'neo4j-driver';
import pg from 'pg';
import { formOf } from './form.mjs';

/**
 * @typedef {{ id: string, userId: string, content: string, summary: string | null, importance: number,
 *   createdAt: number, deleted: boolean, stateDeleted: boolean, epoch: number, revision: number, form: string,
 *   entities: object[], relationships: object[] }} Row  `createdAt` in microseconds
 * @typedef {{ memories: object[], entities: object[], mentions: { id: string, entity: string }[],
 *   relations: { id: string, type: string, from: string, to: string }[] }} Graph
 */

const ROWS = `
  select e.id, e.user_id as "userId", e.content, e.summary, e.importance, e.is_deleted as deleted,
    (extract(epoch from e.created_at) * 1000000)::bigint as "createdAt",
    s.deleted as "stateDeleted", s.epoch, s.revision, s.entities, s.relationships
  from public.memory_entries e join izzie_memory.memory_state s on s.memory_id = e.id`;

const SQL = {
  memories: `select memory_id as id, user_id as "userId", epoch, revision, deleted from izzie_memory.graph_memories`,
  entities: `select key, user_id as "userId", label, normalized, frequency from izzie_memory.graph_entities`,
  mentions: 'select memory_id as id, entity_key as entity from izzie_memory.graph_mentions',
  relations:
    'select memory_id as id, type, from_key as "from", to_key as "to" from izzie_memory.graph_relations',
};

const CYPHER = {
  memories: `
    MATCH (m:IzzieMemory)
    RETURN m.key AS id, m.userId AS userId, m.epoch AS epoch, m.revision AS revision, m.deleted AS deleted,
      m.content AS content, m.summary AS summary, m.importance AS importance,
      m.createdAt.epochSeconds * 1000000 + m.createdAt.microsecond AS createdAt`,
  entities: `
    MATCH (e:IzzieEntity)
    RETURN e.key AS key, e.userId AS userId, substring([l IN labels(e) WHERE l <> 'IzzieEntity'][0], 5) AS label,
      e.normalized AS normalized, e.frequency AS frequency`,
  mentions: 'MATCH (e:IzzieEntity)-[:MENTIONED_IN]->(m:IzzieMemory) RETURN m.key AS id, e.key AS entity',
  relations: `
    MATCH (a:IzzieEntity)-[r]->(b:IzzieEntity)
    RETURN r.memoryId AS id, type(r) AS type, a.key AS from, b.key AS to`,
};

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** @returns {Promise<{ rows: Row[], graph: Graph }>} */
export async function snapshot({ databaseUrl, neo4j }) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const query = async (sql) => (await client.query(sql)).rows;
  try {
    const rows = (await query(ROWS)).map((row) => ({ ...row, form: formOf(row) }));
    return { rows, graph: neo4j ? await neo4jGraph(neo4j) : await graphOf(SQL, query) };
  } finally {
    await client.end();
  }
}

async function neo4jGraph({ uri, user, password }) {
  const options = { disableLosslessIntegers: true };
  const driver = neo4jDriver.driver(uri, neo4jDriver.auth.basic(user, password), options);
  try {
    return await graphOf(CYPHER, async (cypher) => {
      const { records } = await driver.executeQuery(cypher);
      return records.map((record) => record.toObject());
    });
  } finally {
    await driver.close();
  }
}

/** One statement after the other: both servers are at rest. */
async function graphOf(statements, query) {
  const graph = {};
  for (const [part, statement] of Object.entries(statements)) graph[part] = await query(statement);
  return graph;
}
