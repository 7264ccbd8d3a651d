// An abort rejects with the caller's reason, unless the write was committed first.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';

const { MEMORY, WRITE, loadFacade, rejection } = createRequire(import.meta.url)('./fake-native.cjs');
const STORED = { memory: MEMORY, write: WRITE };
const ENTRY = { userId: 'ada', content: 'c' };
const URL = 'postgres://db/app';

/** The addon waits for a cancel, then ends as it is told. */
function waitingAddon(end) {
  return async (_request, _embedding, callId, layer) => {
    while (!layer.cancelled.includes(callId)) await sleep(1);
    return end();
  };
}

async function serviceOn(answer) {
  const facade = loadFacade({ answer });
  await facade.configure({ databaseUrl: URL });
  return { ...facade, memory: facade.enhancedMemoryService, persistence: facade.persistenceService };
}

describe('an abort', () => {
  test('before the call writes nothing and rejects with the reason', async () => {
    const { memory, persistence, layers } = await serviceOn(() => STORED);
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    await expect(memory.store(ENTRY, { signal })).rejects.toBe(reason);
    await expect(persistence.store({ ...ENTRY, signal })).rejects.toBe(reason);
    expect(layers.flatMap((layer) => layer.requests)).toEqual([]);
  });

  test('in time cancels the call and rejects with the reason', async () => {
    const aborted = () => {
      throw rejection('PersistenceError', 'ABORTED');
    };
    const { memory, persistence, layers } = await serviceOn(waitingAddon(aborted));
    for (const call of [
      (signal) => memory.store(ENTRY, { signal }),
      (signal) => memory.retrieve('ada', 'lunch', { signal }),
      (signal) => memory.getById(MEMORY.id, { signal }),
      (signal) => persistence.delete({ id: MEMORY.id, signal }),
    ]) {
      await expect(call(AbortSignal.timeout(5))).rejects.toMatchObject({ name: 'TimeoutError' });
    }
    expect(layers[0].cancelled).toEqual([1, 2, 3, 4]);
  });

  test('after the commit resolves', async () => {
    const { memory } = await serviceOn(waitingAddon(() => STORED));
    const entry = await memory.store(ENTRY, { signal: AbortSignal.timeout(5) });
    expect(entry.id).toBe(MEMORY.id);
  });

  test('does not hide another failure', async () => {
    const failed = () => {
      throw rejection('VectorStoreError', 'OUTCOME_UNKNOWN');
    };
    const { memory, persistence } = await serviceOn(waitingAddon(failed));
    await expect(memory.store(ENTRY, { signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      reason: 'OUTCOME_UNKNOWN',
    });
    await expect(persistence.store({ ...ENTRY, signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      reason: 'OUTCOME_UNKNOWN',
    });
  });

  test('ends the waiting for a store that is still opening', async () => {
    const openEmbedded = () => new Promise(() => {});
    const { createMemoryLayer } = loadFacade({ openEmbedded });
    const { memory } = createMemoryLayer({ embedded: '/data', logger: {} });
    const call = memory.store(ENTRY, { signal: AbortSignal.timeout(5) });
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('leaves no listener on the signal', async () => {
    const { memory } = await serviceOn(() => STORED);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await memory.store(ENTRY, { signal });
    expect(added).toHaveBeenCalled();
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, l]) => l));
  });
});

test('one signal may belong to any number of calls at once', async () => {
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning);
  process.on('warning', onWarning);
  const aborted = () => {
    throw rejection('PersistenceError', 'ABORTED');
  };
  const { memory, layers } = await serviceOn(waitingAddon(aborted));
  const controller = new AbortController();
  const calls = Array.from({ length: 100 }, () => memory.store(ENTRY, { signal: controller.signal }));
  const outcomes = Promise.allSettled(calls);
  await vi.waitFor(() => expect(layers[0]?.requests).toHaveLength(100), { timeout: 60_000 });
  controller.abort(new Error('enough'));
  for (const { reason } of await outcomes) expect(reason).toBe(controller.signal.reason);
  expect(layers[0].cancelled).toHaveLength(100);
  process.removeListener('warning', onWarning);
  expect(warnings).toEqual([]);
});

test.each([[null], ['signal'], [{}], [new AbortController()]])('%o is no signal', async (signal) => {
  const { memory } = await serviceOn(() => STORED);
  await expect(memory.store(ENTRY, { signal })).rejects.toMatchObject({
    reason: 'INVALID_ARGUMENT',
    details: { field: 'options.signal' },
  });
});
