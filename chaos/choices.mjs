// What a process may do next, and how often. Half of it is done to the season's hot memories, the rest to its own.
import { withForm } from './calls.mjs';
import { newMemory } from './contents.mjs';
import { USERS } from './seasons.mjs';

/**
 * @typedef {{ random: import('./random.mjs').Random, seasons: import('./seasons.mjs').Seasons, mark: () => string,
 *   own: { id: string, userId: string }[], revisions: Map<string, number> }} Situation
 */

/**
 * Each gives `{ kind, request, season?, after? }`: calls on hot memories name their season, after which they are not
 * repeated; `after` is the call that comes next.
 */
export const CHOICES = [
  { weight: 24, make: onHot((context, hot) => ['store', put(context, hot)]) },
  { weight: 26, make: onHot((context, hot) => ['update', change(context, hot)]) },
  { weight: 10, make: onHot((context, hot) => ['update', changeAtRevision(context, hot)]) },
  { weight: 8, make: onHot((_, { id, userId }) => ['delete', { id, userId, hard: false }]) },
  { weight: 6, make: onHot((_, { id, userId }) => ['delete', { id, userId, hard: true }]) },
  { weight: 8, make: onHot((_, { id, userId }) => ['restore', { id, userId }]) },
  { weight: 3, make: onHot(deleteSeveral) },
  { weight: 3, make: onHot((context, hot) => ['trespass', trespass(context, hot)]) },
  { weight: 8, make: storeNew },
  { weight: 4, make: storeByKey },
  { weight: 5, make: storeBatch },
  { weight: 4, make: deleteOwn },
  { weight: 1, make: clearGuest },
  { weight: 1, make: upkeep },
];

function onHot(make) {
  return (context) => {
    const hot = context.random.pick(context.seasons.hot());
    const [kind, request] = make(context, hot);
    return { kind, request, season: hot.season };
  };
}

function put({ random, mark }, { id, userId }) {
  const memory = newMemory(random, mark());
  return withForm({ id, userId, memory }, memory);
}

function change({ random, mark }, { id, userId }) {
  const { summary = null, ...rest } = newMemory(random, mark());
  const updates = { ...rest, summary };
  return withForm({ id, userId, updates }, updates);
}

function changeAtRevision(context, hot) {
  return { ...change(context, hot), expectedRevision: context.revisions.get(hot.id) };
}

function deleteSeveral({ random, seasons }, { userId }) {
  const ids = random
    .some(
      seasons.hot().filter((hot) => hot.userId === userId),
      2,
    )
    .map(({ id }) => id);
  return ['deleteMany', { ids, userId, hard: random.between(0, 1) === 1 }];
}

function trespass(context, { id, userId }) {
  const other = context.random.pick(USERS.filter((user) => user !== userId));
  const { updates } = change(context, { id, userId: other });
  return { id, userId: other, updates };
}

function storeNew(context) {
  const owner = { id: context.random.uuid(), userId: context.random.pick(USERS) };
  context.own.push(owner);
  return { kind: 'store', request: put(context, owner) };
}

function storeByKey(context) {
  const { id: key, ...request } = put(context, {
    id: context.random.uuid(),
    userId: context.random.pick(USERS),
  });
  return { kind: 'store', request: { ...request, key } };
}

function storeBatch(context) {
  const userId = context.random.pick(USERS);
  const items = batch(context, userId, context.random.between(2, 12));
  context.own.push(...items.map(({ id }) => ({ id, userId })));
  return { kind: 'storeMany', request: { items } };
}

function batch(context, userId, count) {
  return Array.from({ length: count }, () => put(context, { id: context.random.uuid(), userId }));
}

/** Memories that only this process knows. */
function deleteOwn(context) {
  if (context.own.length === 0) return storeNew(context);
  const { random, own } = context;
  const { userId } = random.pick(own);
  const ids = random
    .some(
      own.filter((memory) => memory.userId === userId),
      random.between(1, 3),
    )
    .map(({ id }) => id);
  context.own = own.filter(({ id }) => !ids.includes(id));
  return { kind: 'deleteMany', request: { ids, userId, hard: random.between(0, 1) === 1 } };
}

/** A user who comes, stores and leaves with everything. */
function clearGuest(context) {
  const userId = `guest-${context.random.uuid()}`;
  const items = batch(context, userId, context.random.between(1, 8));
  const ids = items.map(({ id }) => id);
  const hard = context.random.between(0, 1) === 1;
  const purge = { kind: 'purgeDeleted', request: { ids, userId } };
  const leave = { kind: 'deleteAll', request: { ids, userId, hard }, after: hard ? undefined : purge };
  return { kind: 'storeMany', request: { items }, after: leave };
}

function upkeep({ random }) {
  return { kind: 'upkeep', request: { task: random.pick(['drain', 'fullSync', 'verify']) } };
}
