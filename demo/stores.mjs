/**
 * A database belongs to one graph, and the default folder to the graph inside it: with Neo4j the embedded database is
 * another one, so that `npm run demo` works with and without NEO4J_URI by turns.
 */
const FOLDER_FOR_NEO4J = '.izzie-memory-neo4j';

/**
 * @param {import('./options.mjs').Options} options
 * @param {NodeJS.ProcessEnv} env
 * @returns {object} the configuration of the package; what it does not name comes from the environment
 */
export function storesFor({ folder }, env) {
  if (folder !== undefined) return { embedded: folder };
  if (env.NEO4J_URI && !env.DATABASE_URL) return { embedded: FOLDER_FOR_NEO4J };
  return {};
}
