// The calls that a process makes: what each announces, how it is made, and what its answer says of each memory.
import { expectedForm } from './contents.mjs';

/** Of these a caller may rely on that nothing was written. */
const CERTAINLY_NOT = ['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED', 'ID_CONFLICT', 'REVISION_CONFLICT'];

/**
 * By kind: `targets(request)` what it does, `make(layer, request)` the call, resolving to one outcome per target;
 * `repeatable`: made again when nobody knows what came of it; `paged`: may have done a part when it fails.
 * Requests are plain JSON, so that a call that was cut off can be repeated from the journal.
 */
export const CALLS = {
  store: {
    repeatable: true,
    targets: (request) => [putTarget(request)],
    make: async ({ memory }, request) => {
      const { entry, options } = storeArguments(request);
      return [stored(await memory.store(entry, options))];
    },
  },
  storeMany: {
    repeatable: true,
    targets: ({ items }) => items.map(putTarget),
    make: async ({ memory }, { items }) => {
      const entries = items.map(storeArguments).map(({ entry, options }) => ({ ...entry, ...options }));
      const { stored: done, failed } = await memory.storeMany(entries, { chunkSize: 4 });
      const byId = new Map(done.map((entry) => [entry.id, stored(entry)]));
      const byIndex = new Map(failed.map(({ index, error }) => [index, failure(error)]));
      return items.map(({ id }, index) => byId.get(id) ?? byIndex.get(index));
    },
  },
  update: {
    targets: ({ id, userId, form, expectedRevision }) => [
      { id, userId, does: 'update', form, expected: expectedRevision },
    ],
    make: async ({ memory }, { id, userId, expectedRevision, updates }) => [
      changed(await memory.update(id, updates, { userId, expectedRevision })),
    ],
  },
  restore: {
    targets: ({ id, userId }) => [{ id, userId, does: 'revive' }],
    make: async ({ memory }, { id, userId }) => [changed(await memory.restore(id, { userId }))],
  },
  delete: {
    targets: ({ id, userId, hard }) => [deleteTarget(id, userId, hard)],
    make: async ({ memory }, { id, userId, hard }) => {
      await memory.delete(id, { userId, hard });
      return [{ applied: 'yes' }];
    },
  },
  deleteMany: {
    targets: ({ ids, userId, hard }) => ids.map((id) => deleteTarget(id, userId, hard)),
    make: async ({ memory }, { ids, userId, hard }) => {
      const { failed } = await memory.deleteMany(ids, { userId, hard });
      const errors = new Map(failed.map(({ id, error }) => [id, error]));
      return ids.map((id) => (errors.has(id) ? failure(errors.get(id)) : { applied: 'yes' }));
    },
  },
  deleteAll: {
    repeatable: true,
    paged: true,
    targets: ({ ids, userId, hard }) => ids.map((id) => deleteTarget(id, userId, hard)),
    make: async ({ memory }, { ids, userId, hard }) => {
      await memory.deleteAll(userId, { hard });
      return ids.map(() => ({ applied: 'yes' }));
    },
  },
  /** After a soft `deleteAll` of the same user. */
  purgeDeleted: {
    repeatable: true,
    paged: true,
    targets: ({ ids, userId }) => ids.map((id) => deleteTarget(id, userId, true)),
    make: async ({ memory }, { ids, userId }) => {
      await memory.purgeDeleted({ olderThan: new Date(), userId });
      return ids.map(() => ({ applied: 'yes' }));
    },
  },
  /** Somebody who knows the id of another user's memory. */
  trespass: {
    targets: () => [],
    make: async ({ memory }, { id, userId, updates }) => {
      const seen = [
        await memory.getById(id, { userId }),
        await memory.update(id, updates, { userId }),
        await memory.restore(id, { userId }),
      ];
      await memory.delete(id, { userId, hard: true });
      if (seen.some((entry) => entry !== null))
        throw new Error(`${userId} reached the memory ${id} of another user`);
      return [];
    },
  },
  /** What cron jobs and the scheduler do, in the middle of the writes. */
  upkeep: {
    targets: () => [],
    make: async ({ sync }, { task }) => {
      if (task === 'drain') await sync.drain({ maxMs: 500 });
      else if (task === 'fullSync') await sync.fullSync();
      else await sync.verify();
      return [];
    },
  },
};

/** What an error of such a call says of a memory; `unexpected` is a fault of the package. */
export function failure(error, { paged } = {}) {
  if (CERTAINLY_NOT.includes(error.reason))
    return { applied: paged ? 'unknown' : 'no', reason: error.reason };
  if (error.reason === 'OUTCOME_UNKNOWN') return { applied: 'unknown', reason: error.reason };
  return { applied: 'unknown', reason: error.reason, unexpected: String(error.stack ?? error) };
}

/** What a row will be if this request is carried out, besides the content by which it is known. */
export const withForm = (request, memory) => ({ ...request, form: expectedForm(memory) });

function putTarget({ id, key, memory, userId, form }) {
  return { id, key, userId, does: 'put', form, content: memory.content };
}

function deleteTarget(id, userId, hard) {
  return { id, userId, does: hard ? 'remove' : 'hide' };
}

function storeArguments({ id, key, userId, memory: { content, ...options } }) {
  return { entry: { userId, content }, options: { ...options, id, idempotencyKey: key } };
}

function stored({ id, revision, metadata }) {
  return { applied: metadata.created ? 'yes' : 'saw', id, revision };
}

function changed(entry) {
  return entry ? { applied: 'yes', revision: entry.revision } : { applied: 'no' };
}
