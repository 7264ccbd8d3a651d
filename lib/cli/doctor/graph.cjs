'use strict';

const { error, failure, ok, warning } = require('./verdict.cjs');

const KINDS = { neo4j: 'Neo4j', postgres: 'the same Postgres' };

/**
 * @param {any} facts what the core's operation `inspect` answers
 * @returns {import('./verdict.cjs').Check[]}
 */
function checkGraph({ graph }) {
  if (!graph) return [ok('graph', 'none is configured')];
  // Where its tables are missing, the check of the schema says so.
  if (graph.kind === 'postgres' && graph.reached.error) return [];
  if (graph.reached.error) return [failure('graph', graph.reached.error, reachAdvice(graph.reached.error))];
  const kept = ok('graph', `kept in ${KINDS[graph.kind]}`);
  return [kept, ...checkConstraints(graph), ...checkForeignConstraints(graph), ...checkOwner(graph)];
}

function reachAdvice({ message }) {
  if (/refused the sign-in/.test(message)) return 'Correct NEO4J_USER and NEO4J_PASSWORD.';
  return 'Is Neo4j running, and is NEO4J_URI right (bolt://host:7687; neo4j+s:// for Aura)? Memories stay owed until it is back.';
}

function checkConstraints({ kind, missingSchema, belonging }) {
  // Whether they should be there already, only the database knows.
  if (kind === 'postgres' || !missingSchema || !belonging) return [];
  if (missingSchema.error)
    return [failure('constraints', missingSchema.error, reachAdvice(missingSchema.error))];
  const missing = missingSchema.found;
  if (missing.length === 0) return [ok('constraints', 'all constraints and indexes are there')];
  if (belonging.found === 'unclaimed') return [ok('constraints', 'made with the first write')];
  const found = `Neo4j lacks ${missing.join(', ')}`;
  return [
    warning('constraints', found, 'They are made before the next write: run npx izzie-memory sync full'),
  ];
}

/** They can refuse what is written to the graph. Constraints on labels of others cannot: no node of ours carries them. */
function checkForeignConstraints({ foreignConstraints }) {
  if (!foreignConstraints || foreignConstraints.error || foreignConstraints.found.length === 0) return [];
  const found = `other programs constrain what izzie-memory writes to Neo4j: ${foreignConstraints.found.join('; ')}`;
  const advice =
    'A memory that breaks one is refused and stays owed. Drop each that you do not need: DROP CONSTRAINT <name>.';
  return [warning('foreign constraints', found, advice)];
}

const OWNERS = {
  ours: () => ok('graph owner', 'the graph belongs to this database'),
  unclaimed: () => ok('graph owner', 'the graph is new; it belongs to this database from the first write on'),
  wiped: () =>
    warning(
      'graph owner',
      'the graph was wiped: this database has written to it, and it is empty',
      'The next sync writes it anew: run npx izzie-memory sync full',
    ),
  ahead: () =>
    warning(
      'graph owner',
      'the graph has seen later writes than this database: the database was restored to the past',
      'The next sync brings the graph back in step: run npx izzie-memory sync full',
    ),
  foreign: () =>
    error(
      'graph owner',
      'the graph belongs to another database (a branch or a restored copy counts as another)',
      'Give this database a Neo4j (or a Neo4j database, NEO4J_DATABASE) of its own; nothing is written to this one.',
    ),
};

function checkOwner({ kind, registered, belonging }) {
  if (registered && registered !== kind) {
    const found = `this database belongs to a graph in ${KINDS[registered]}, ${KINDS[kind]} is configured here`;
    const set =
      registered === 'neo4j' ? 'Set NEO4J_URI' : "Leave NEO4J_URI out, or set graphStore: 'postgres'";
    return [
      error(
        'graph owner',
        found,
        `${set} as the other instances do, or move with syncService.switchGraph().`,
      ),
    ];
  }
  if (!belonging || kind === 'postgres') return [];
  if (belonging.error) return [failure('graph owner', belonging.error, reachAdvice(belonging.error))];
  return [OWNERS[belonging.found]()];
}

module.exports = { checkGraph };
