'use strict';

const path = require('node:path');
const { objectOf, optionalText } = require('./checks.cjs');
const { encode } = require('./encode.cjs');
const { PersistenceError, invalid } = require('./errors.cjs');
const { resolveEmbedder, resolveExtractor } = require('./models.cjs');
const { checkPersistenceConfig, forCore } = require('./persistence-config.cjs');

const KEYS = [
  'databaseUrl',
  'directUrl',
  'embedded',
  'neo4j',
  'graphStore',
  'embedder',
  'extractor',
  'persistence',
  'limits',
  'strictEntities',
  'pool',
  'logger',
];
const NEO4J_KEYS = ['uri', 'user', 'password', 'database'];
const LIMIT_KEYS = ['contentBytes', 'metadataBytes', 'entities', 'batch', 'queryBytes'];
const POOL_KEYS = ['max', 'acquireTimeoutMs', 'preparedStatements'];

const IN_MEMORY = 'memory://';

/** @typedef {Record<string, string | undefined>} Environment */

/**
 * What a layer runs with. `settings` is plain data: two layers are equal when its text is.
 * @typedef {{
 *   settings: Record<string, any> & { databaseUrl?: string, embeddedFolder?: string },
 *   callbacks: { embed?: Function, extract?: Function, resolve?: Function },
 *   logger?: { info?: (message: string) => void },
 * }} Resolved
 */

/**
 * The part that needs no environment, so that a wrong key is refused where it was written.
 *
 * @param {unknown} config
 * @returns {Record<string, any>} a copy: it is used later, when the caller may have changed theirs
 */
function checkConfig(config) {
  const checked = objectOf(config, KEYS, '');
  objectOf(checked.neo4j, NEO4J_KEYS, 'neo4j');
  objectOf(checked.limits, LIMIT_KEYS, 'limits');
  objectOf(checked.pool, POOL_KEYS, 'pool');
  checkPersistenceConfig(checked.persistence, 'persistence');
  if (checked.logger !== undefined) checkLogger(checked.logger);
  if (checked.databaseUrl !== undefined && checked.embedded) {
    throw invalid('embedded', 'cannot be combined with databaseUrl');
  }
  return { ...checked };
}

function checkLogger(logger) {
  const isLogger = typeof logger === 'object' && logger !== null;
  if (!isLogger) throw invalid('logger', 'must be an object with an info function, such as console');
}

/**
 * Explicit settings before the environment, the environment before defaults. A pure function of both.
 *
 * @param {Record<string, any>} config checked
 * @param {Environment} env
 * @returns {Resolved}
 */
function resolveConfig(config, env) {
  const { model: embedder, callback: embed } = resolveEmbedder(config.embedder, env);
  const { model: extractor, callback: extract } = resolveExtractor(config.extractor, env);
  const { settings: persistence, resolve } = forCore(config.persistence);
  const { limits, pool, graphStore, strictEntities } = config;
  const settings = {
    ...resolveDatabase(config, env),
    neo4j: resolveNeo4j(config.neo4j ?? {}, env),
    graphStore,
    embedder,
    extractor,
    persistence: plain(persistence),
    limits: limits && plain(limits),
    strictEntities,
    pool: pool && plain(pool),
  };
  return {
    settings: JSON.parse(encode(settings)),
    callbacks: { embed, extract, resolve },
    logger: config.logger,
  };
}

/** What is said, keys in one order, nothing where nothing is said: equal settings have equal texts. */
function plain(object) {
  const said = Object.entries(object).filter(([, value]) => value !== undefined);
  return said.length === 0 ? undefined : Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param {Record<string, any>} config @param {Environment} env */
function resolveDatabase({ databaseUrl, directUrl, embedded }, env) {
  const meant = embedded !== undefined && embedded !== false;
  if (meant) return { embeddedFolder: folderOf(embedded, env) };
  const direct = optionalText(directUrl, 'directUrl');
  const own = optionalText(databaseUrl, 'databaseUrl');
  // The environment's direct URL belongs to its database: a migration must not go to another one.
  if (own !== undefined) return { databaseUrl: own, directUrl: direct };
  const databaseOfEnv = fromEnv(env, 'DATABASE_URL');
  if (databaseOfEnv !== undefined) {
    const directOfEnv = fromEnv(env, 'DATABASE_DIRECT_URL', 'DATABASE_URL_UNPOOLED');
    return { databaseUrl: databaseOfEnv, directUrl: direct ?? directOfEnv };
  }
  if (embedded !== false && embeddedByDefault(env)) return { embeddedFolder: folderOf(true, env) };
  throw new PersistenceError(
    'No database is configured: set DATABASE_URL or databaseUrl, or embedded to keep the data in a folder.',
    'NOT_CONFIGURED',
  );
}

/** Data must not end up in a folder of a production server or of a build machine unless somebody said so. */
function embeddedByDefault(env) {
  if (fromEnv(env, 'IZZIE_MEMORY_DIR') !== undefined) return true;
  return env.NODE_ENV !== 'production' && env.NEXT_PHASE !== 'phase-production-build';
}

/** `true` leaves the place to the environment, then to the embedded store. */
function folderOf(embedded, env) {
  const folder = embedded === true ? fromEnv(env, 'IZZIE_MEMORY_DIR') : optionalText(embedded, 'embedded');
  if (folder === IN_MEMORY) return folder;
  return folder === undefined ? require('./embedded/folder.cjs').resolveFolder() : path.resolve(folder);
}

/** @param {Record<string, any>} neo4j @param {Environment} env */
function resolveNeo4j({ uri, user, password, database }, env) {
  const resolvedUri = optionalText(uri, 'neo4j.uri') ?? fromEnv(env, 'NEO4J_URI');
  if (resolvedUri === undefined) return undefined;
  // An empty password is one: a server without authentication takes any.
  const resolvedPassword = password ?? env.NEO4J_PASSWORD;
  if (resolvedPassword === undefined) throw invalid('neo4j.password', 'missing; set it or NEO4J_PASSWORD');
  return {
    uri: resolvedUri,
    user: optionalText(user, 'neo4j.user') ?? fromEnv(env, 'NEO4J_USER', 'NEO4J_USERNAME') ?? 'neo4j',
    password: resolvedPassword,
    database: optionalText(database, 'neo4j.database') ?? fromEnv(env, 'NEO4J_DATABASE'),
  };
}

/** The first of the variables that is set; an empty one counts as not set. */
function fromEnv(env, ...names) {
  const name = names.find((candidate) => env[candidate]);
  return name && env[name];
}

module.exports = { checkConfig, resolveConfig };
