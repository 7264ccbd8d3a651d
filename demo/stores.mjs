/**
 * A database belongs to one graph, and the default folder to the graph inside it: with Neo4j the embedded database is
 * another one, so that `npm run demo` works with and without NEO4J_URI by turns.
 */
const FOLDER_FOR_NEO4J = '.izzie-memory-neo4j';

/**
 * The stores of a run.
 *
 * @param {import('./options.mjs').Options} options
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ config: object, description: string }} the configuration of the package, and how to tell a reader
 */
export function storesFor({ folder, database }, env) {
  const graph = env.NEO4J_URI ? `graph in Neo4j at ${hostOf(env.NEO4J_URI)}` : 'graph in the same database';
  if (database !== undefined) {
    return { config: { databaseUrl: database }, description: `Postgres at ${hostOf(database)}, ${graph}` };
  }
  const embedded = folder ?? (env.NEO4J_URI ? FOLDER_FOR_NEO4J : true);
  return { config: { embedded }, description: `embedded Postgres, ${graph}` };
}

/** Never more than the host: the rest may hold a password. */
function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL';
}
