// A look into both graph stores, and a hand in them, past the package.

import { randomUUID } from 'node:crypto';

/** Removes what the package has in Neo4j, its binding to a database included. */
export const WIPE = 'MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat DETACH DELETE n';

/** @param {(sql: string, parameters?: unknown[]) => Promise<any[]>} query */
export function postgresGraph(query) {
  const column = async (sql, parameters) => (await query(sql, parameters)).map(({ value }) => value);
  return {
    /** Ids of the memories it holds, detached ones included. */
    memories: () =>
      column(
        'select memory_id as value from izzie_memory.graph_memories where not deleted order by memory_id::text',
      ),
    /** The entities that are mentioned. */
    entities: () =>
      query(`select user_id as "userId", type, normalized, frequency::int from izzie_memory.graph_entities
             where frequency > 0 order by user_id, type, normalized`),
    /** Of each name, the labels that its entity has beside what all have. */
    labels: () =>
      query('select normalized, array[label] as labels from izzie_memory.graph_entities order by normalized'),
    /** Names of the entities that a memory mentions. */
    mentions: (id) =>
      column(
        `select e.normalized as value from izzie_memory.graph_mentions m
         join izzie_memory.graph_entities e on e.key = m.entity_key where m.memory_id = $1 order by 1`,
        [id],
      ),
    relations: () =>
      query(`select r.type, a.normalized as "from", b.normalized as "to", r.confidence, r.evidence
             from izzie_memory.graph_relations r join izzie_memory.graph_entities a on a.key = r.from_key
             join izzie_memory.graph_entities b on b.key = r.to_key order by 1, 2, 3`),
    /** Empties it, without a trace. */
    clear: () =>
      query(`truncate izzie_memory.graph_memories, izzie_memory.graph_entities, izzie_memory.graph_mentions,
               izzie_memory.graph_relations`),
    /** Loses a memory: its node and all that hangs on it. */
    lose: (id) =>
      query(
        `with m as (delete from izzie_memory.graph_mentions where memory_id = $1)
         delete from izzie_memory.graph_memories where memory_id = $1`,
        [id],
      ),
    /** Changes a memory's node, without changing its revision. */
    damage: (id) => query('update izzie_memory.graph_memories set h1 = h1 # 1 where memory_id = $1', [id]),
    /** Takes a mention away, as somebody would by hand: the entity's count goes with it. */
    unmention: (id, name) =>
      query(
        `with gone as (
           delete from izzie_memory.graph_mentions m using izzie_memory.graph_entities e
           where m.memory_id = $1 and m.entity_key = e.key and e.normalized = $2 returning e.key)
         update izzie_memory.graph_entities e set frequency = frequency - 1 from gone where e.key = gone.key`,
        [id, name],
      ),
    /** Has a memory mention an entity that its user has already. */
    mention: (id, name) =>
      query(
        `with made as (
           insert into izzie_memory.graph_mentions
           select s.memory_id, e.key, s.user_id, 1, 'body', null, 0
           from izzie_memory.graph_memories s join izzie_memory.graph_entities e on e.user_id = s.user_id
           where s.memory_id = $1 and e.normalized = $2 returning entity_key)
         update izzie_memory.graph_entities e set frequency = frequency + 1 from made where e.key = made.entity_key`,
        [id, name],
      ),
    /** Adds the node of a memory that never was; resolves to its id. */
    async invent(userId) {
      const id = randomUUID();
      await query(
        `insert into izzie_memory.graph_memories (memory_id, user_id, epoch, revision, h1, h2, bucket, deleted, detached)
         values ($1, $2, 1, 1, 1, 1, izzie_memory.bucket($1), false, false)`,
        [id, userId],
      );
      return id;
    },
  };
}

/** @param {(cypher: string, parameters?: object) => Promise<any[]>} query */
export function neo4jGraph(query) {
  const column = async (cypher, parameters) => (await query(cypher, parameters)).map(({ value }) => value);
  return {
    memories: () => column('MATCH (m:IzzieMemory) WHERE NOT m.deleted RETURN m.key AS value ORDER BY value'),
    entities: () =>
      query(`MATCH (e:IzzieEntity) WHERE e.frequency > 0
             RETURN e.userId AS userId, e.type AS type, e.normalized AS normalized, e.frequency AS frequency
             ORDER BY userId, type, normalized`),
    labels: () =>
      query(`MATCH (e:IzzieEntity) RETURN e.normalized AS normalized, [l IN labels(e) WHERE l <> 'IzzieEntity'] AS labels
             ORDER BY normalized`),
    mentions: (id) =>
      column(
        'MATCH (e:IzzieEntity)-[:MENTIONED_IN]->(:IzzieMemory {key: $id}) RETURN e.normalized AS value ORDER BY value',
        { id },
      ),
    relations: () =>
      query(`MATCH (a:IzzieEntity)-[r]->(b:IzzieEntity)
             RETURN type(r) AS type, a.normalized AS from, b.normalized AS to, r.confidence AS confidence,
               r.evidence AS evidence ORDER BY type, from, to`),
    clear: () => query('MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity DETACH DELETE n'),
    lose: (id) => query('MATCH (m:IzzieMemory {key: $id}) DETACH DELETE m', { id }),
    damage: (id) => query('MATCH (m:IzzieMemory {key: $id}) SET m.h1 = m.h1 + 1', { id }),
    unmention: (id, name) =>
      query(
        `MATCH (e:IzzieEntity {normalized: $name})-[r:MENTIONED_IN]->(:IzzieMemory {key: $id}) DELETE r
         SET e.frequency = e.frequency - 1`,
        { id, name },
      ),
    mention: (id, name) =>
      query(
        `MATCH (m:IzzieMemory {key: $id}), (e:IzzieEntity {userId: m.userId, normalized: $name})
         CREATE (e)-[:MENTIONED_IN {confidence: 1.0, source: 'body', extractedAt: 0}]->(m)
         SET e.frequency = e.frequency + 1`,
        { id, name },
      ),
    async invent(userId) {
      const id = randomUUID();
      await query(
        `CREATE (:IzzieMemory {key: $id, userId: $userId, epoch: 1, revision: 1, h1: 1, h2: 1, bucket: 1,
           content: 'invented', deleted: false, detached: false})`,
        { id, userId },
      );
      return id;
    },
  };
}
