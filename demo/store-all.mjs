/** Enough to keep a remote database busy; the embedded one takes them one after the other anyway. */
const CONCURRENCY = 8;

/** What the package refuses in an entry. Every other error concerns all entries, and ends the demo. */
const ENTRY_ERRORS = new Set(['INVALID_ARGUMENT', 'ID_CONFLICT']);

/**
 * Why the demo does not store it, as an import without options does not: a mail program marked it as deleted, as spam or as
 * its own, or an export says that it was deleted.
 *
 * @param {import('../lib/port/jsonl.cjs').Item} item
 */
export function reasonLeftOut({ leftOut, entry }) {
  return leftOut ?? (entry?.deleted ? 'deleted' : undefined);
}

/**
 * Stores entries as they are read, a few at a time.
 *
 * @param {AsyncGenerator<import('../lib/port/jsonl.cjs').Item & { idempotencyKey?: string }>} items
 * @param {{ store: Function }} memoryService
 * @param {{ tally: import('./tally.mjs').Tally, signal: AbortSignal, onProgress: (bytes: number) => void }} options
 */
export async function storeAll(items, memoryService, { tally, signal, onProgress }) {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);

  async function worker() {
    for (let next = await items.next(); !next.done && !stop.aborted; next = await items.next()) {
      await storeOne(next.value);
      onProgress(next.value.end);
    }
  }

  async function storeOne(item) {
    const { line, entry, error, idempotencyKey } = item;
    const reason = reasonLeftOut(item);
    if (reason) return tally.addBad(line, `left out: it is marked as ${reason}`);
    if (error) return tally.addBad(line, error);
    const { userId, content, metadata, id, conversationId, createdAt } = entry;
    const options = { id, idempotencyKey, conversationId, createdAt, signal: stop };
    try {
      tally.addMemory(await memoryService.store({ userId, content, metadata }, options));
    } catch (refusal) {
      if (!ENTRY_ERRORS.has(refusal.reason)) throw refusal;
      tally.addBad(line, refusal.message);
    }
  }

  // One failure stops the other workers, and none is left running when the caller hears of it.
  await Promise.all(
    Array.from({ length: CONCURRENCY }, () => worker().catch((error) => failure.abort(error))),
  );
  await items.return(); // closes the file where reading ended early
  stop.throwIfAborted();
}
