const REMOVE_SQL = `
  with gone as (
    delete from izzie_memory.graph_memories where user_id = $1 and memory_id = any($2::uuid[]) returning memory_id
  ), mentions as (
    delete from izzie_memory.graph_mentions where memory_id in (select memory_id from gone)
  ), relations as (
    delete from izzie_memory.graph_relations where memory_id in (select memory_id from gone)
  )
  select count(*)::int as removed from gone`;

const REMOVE_CYPHER = `
  MATCH (memory:IzzieMemory) WHERE memory.userId = $userId AND memory.key IN $ids
  DETACH DELETE memory`;

/** Every fifth: enough to see, spread over everything. */
export function pickVictims(ids) {
  return ids.filter((_, index) => index % 5 === 0);
}

/** The driver that the graph of this environment is damaged with. */
export function driverFor(env) {
  return env.NEO4J_URI ? 'neo4j-driver' : 'pg';
}

/**
 * Removes memories from the graph behind the package's back, over a connection of our own.
 *
 * @param {{ databaseUrl: string, env: NodeJS.ProcessEnv, userId: string, ids: string[] }} what
 * @returns {Promise<number | undefined>} how many were there to be removed; undefined without the driver, which the
 *   package itself does not need
 */
export async function removeFromGraph({ databaseUrl, env, userId, ids }) {
  const driver = await installed(driverFor(env));
  if (!driver) return undefined;
  return env.NEO4J_URI
    ? removeByCypher(driver, env, userId, ids)
    : removeBySql(driver, databaseUrl, userId, ids);
}

async function installed(name) {
  try {
    return (await import(name)).default;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

async function removeBySql(pg, databaseUrl, userId, ids) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(REMOVE_SQL, [userId, ids]);
    return rows[0].removed;
  } finally {
    await client.end();
  }
}

async function removeByCypher(neo4j, env, userId, ids) {
  const user = env.NEO4J_USER ?? env.NEO4J_USERNAME ?? 'neo4j';
  const driver = neo4j.driver(env.NEO4J_URI, neo4j.auth.basic(user, env.NEO4J_PASSWORD ?? ''));
  try {
    const { summary } = await driver.executeQuery(
      REMOVE_CYPHER,
      { userId, ids },
      { database: env.NEO4J_DATABASE },
    );
    return summary.counters.updates().nodesDeleted;
  } finally {
    await driver.close();
  }
}
