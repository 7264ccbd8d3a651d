// Is the graph what the rows say? Both are read past the package; the rules are stated once more here.

const LABELS = { person: 'Person', company: 'Company', project: 'Project', location: 'Location' };
/** What a node holds of its row. A graph inside Postgres does not hold all of it. */
const PROPERTIES = ['userId', 'epoch', 'revision', 'content', 'summary', 'importance', 'createdAt'];

/**
 * @param {import('./snapshot.mjs').Row[]} rows
 * @param {import('./snapshot.mjs').Graph} graph
 * @returns {{ kind: 'divergent' | 'frequency' | 'misplaced' | 'doubled', id: string, details: string }[]}
 */
export function compare(rows, graph) {
  return [
    ...compareMemories(rows, graph),
    ...compareLinks(rows, graph),
    ...compareEntities(graph),
    ...doubled(graph),
  ];
}

function compareMemories(rows, { memories }) {
  const live = new Map(rows.filter((row) => !row.deleted).map((row) => [row.id, row]));
  const nodes = new Map(memories.filter((node) => !node.deleted).map((node) => [node.id, node]));
  const missing = [...live.keys()].filter((id) => !nodes.has(id));
  const extra = [...nodes.keys()].filter((id) => !live.has(id));
  const both = [...live.keys()].filter((id) => nodes.has(id));
  return [
    ...missing.map((id) => divergent(id, 'it has no node')),
    ...extra.map((id) => divergent(id, 'its node has no live row')),
    ...both.flatMap((id) => differing(live.get(id), nodes.get(id))),
  ];
}

function differing(row, node) {
  const fields = PROPERTIES.filter((name) => node[name] !== undefined && node[name] !== row[name]);
  return fields.map((name) =>
    divergent(row.id, `${name} is ${short(node[name])} in the graph, ${short(row[name])} in Postgres`),
  );
}

/** Mentions and relationships, as sorted lists of text. */
function compareLinks(rows, { entities, mentions, relations }) {
  const names = new Map(entities.map((entity) => [entity.key, nameOf(entity)]));
  const held = new Map();
  const add = (id, text) => held.set(id, [...(held.get(id) ?? []), text]);
  for (const { id, entity } of mentions) add(id, `mentions ${names.get(entity)}`);
  for (const { id, type, from, to } of relations) add(id, `${names.get(from)} ${type} ${names.get(to)}`);
  const live = rows.filter((row) => !row.deleted);
  const known = new Set(live.map(({ id }) => id));
  const strays = [...held.keys()].filter((id) => !known.has(id));
  return [
    ...strays.map((id) => divergent(id, 'mentions or relationships of a memory that is not there')),
    ...live.flatMap((row) => differingLinks(row, held.get(row.id) ?? [])),
  ];
}

function differingLinks(row, held) {
  const wanted = wantedLinks(row).sort();
  const found = held.sort();
  if (wanted.join('\n') === found.join('\n')) return [];
  return [divergent(row.id, `the graph holds [${found.join('; ')}] for [${wanted.join('; ')}]`)];
}

function wantedLinks({ userId, entities, relationships }) {
  const name = (type, normalized) => nameOf({ userId, label: LABELS[type], normalized });
  return [
    ...entities.map(({ type, normalized }) => `mentions ${name(type, normalized)}`),
    ...relationships.map(
      (edge) =>
        `${name(edge.fromType, edge.fromNormalized)} ${edge.relationshipType} ${name(edge.toType, edge.toNormalized)}`,
    ),
  ];
}

function compareEntities({ memories, entities, mentions }) {
  const owners = new Map(memories.map(({ id, userId }) => [id, userId]));
  const counts = new Map();
  for (const { entity } of mentions) counts.set(entity, (counts.get(entity) ?? 0) + 1);
  const owned = new Map(entities.map(({ key, userId }) => [key, userId]));
  return [
    ...entities
      .filter(({ key, frequency }) => frequency !== (counts.get(key) ?? 0))
      .map((entity) => ({
        kind: 'frequency',
        id: nameOf(entity),
        details: `says ${entity.frequency}, has ${counts.get(entity.key) ?? 0} mentions`,
      })),
    ...mentions
      .filter(({ id, entity }) => owners.get(id) !== owned.get(entity))
      .map(({ id, entity }) => ({
        kind: 'misplaced',
        id,
        details: `a memory of ${owners.get(id)} mentions an entity of ${owned.get(entity)}`,
      })),
  ];
}

function doubled({ memories, entities }) {
  return [...repeated(memories.map(({ id }) => id)), ...repeated(entities.map(nameOf))].map((id) => ({
    kind: 'doubled',
    id,
    details: 'there are several nodes of it',
  }));
}

/** Those that are in the list more than once. */
export function repeated(list) {
  const seen = new Set();
  return [...new Set(list.filter((item) => seen.has(item) || !seen.add(item)))];
}

const nameOf = ({ userId, label, normalized }) => `${userId}/${label}/${normalized}`;
const divergent = (id, details) => ({ kind: 'divergent', id, details });
const short = (value) => String(value).slice(0, 40);
