// Abort signals: before, during and after a call.
import { beforeAll, describe, expect, test } from 'vitest';
import { gate, rejection, useDatabase } from './support.mjs';

const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };

/** Every call that takes a signal. */
const CALLS = [
  ['memory.store', ({ memory }, signal) => memory.store(ENTRY, { signal })],
  ['memory.retrieve', ({ memory }, signal) => memory.retrieve('ada', 'q', { signal })],
  ['memory.update', ({ memory }, signal, id) => memory.update(id, { content: 'new' }, { signal })],
  ['memory.delete', ({ memory }, signal, id) => memory.delete(id, { signal })],
  ['memory.getById', ({ memory }, signal, id) => memory.getById(id, { signal })],
  ['memory.getMany', ({ memory }, signal, id) => memory.getMany([id], { signal })],
  ['memory.getAll', ({ memory }, signal) => memory.getAll('ada', { signal })],
  ['persistence.store', ({ persistence }, signal) => persistence.store({ ...ENTRY, signal })],
  ['persistence.update', ({ persistence }, signal, id) => persistence.update({ id, content: 'new', signal })],
  ['persistence.delete', ({ persistence }, signal, id) => persistence.delete({ id, signal })],
  ['sync.checkConsistency', ({ sync }, signal) => sync.checkConsistency({ signal })],
  ['sync.repairInconsistencies', ({ sync }, signal) => sync.repairInconsistencies([], { signal })],
  ['sync.fullSync', ({ sync }, signal) => sync.fullSync({ signal })],
  ['sync.rebuildGraph', ({ sync }, signal) => sync.rebuildGraph({ signal })],
];

describe('a signal', () => {
  const database = useDatabase();
  let layer;
  let stored;

  beforeAll(async () => {
    layer = database.layer();
    stored = await layer.memory.store({ ...ENTRY, content: 'what is there' });
  });

  const count = async () => (await database.query('select count(*)::int as n from memory_entries'))[0].n;

  test.each(CALLS)('aborted before %s rejects with its reason, and nothing is done', async (_name, call) => {
    const before = await count();
    const reason = new Error('changed my mind');
    expect(await rejection(call(layer, AbortSignal.abort(reason), stored.id))).toBe(reason);
    expect(await count()).toBe(before);
    expect(await layer.memory.getMany([stored.id])).toMatchObject([
      { content: 'what is there', accessCount: 0 },
    ]);
  });

  test('whose reason is no Error rejects with it all the same', async () => {
    expect(await rejection(layer.memory.store(ENTRY, { signal: AbortSignal.abort('enough') }))).toBe(
      'enough',
    );
    const { name } = await rejection(layer.memory.store(ENTRY, { signal: AbortSignal.abort() }));
    expect(name).toBe('AbortError');
  });

  describe('aborted while the embedder hangs', () => {
    const hanging = () => {
      const asked = gate();
      const embed = () => {
        asked.open();
        return new Promise(() => {});
      };
      const embedder = { model: 'hangs', dimensions: 3, embed };
      return { ...database.layer({ embedder }), asked };
    };

    test.each([
      ['store', ({ memory }, signal) => memory.store(ENTRY, { signal })],
      ['update', ({ memory }, signal) => memory.update(stored.id, { content: 'new' }, { signal })],
      ['retrieve', ({ memory }, signal) => memory.retrieve('ada', 'q', { signal })],
      ['PersistenceService.store', ({ persistence }, signal) => persistence.store({ ...ENTRY, signal })],
    ])('rejects %s with its reason, and nothing is written', async (_name, call) => {
      const before = await count();
      const { asked, ...hung } = hanging();
      const controller = new AbortController();
      const reason = { why: 'too slow' };
      const outcome = rejection(call(hung, controller.signal));
      await asked.opened;
      controller.abort(reason);
      expect(await outcome).toBe(reason);
      expect(await count()).toBe(before);
      expect(await layer.memory.getMany([stored.id])).toMatchObject([{ content: 'what is there' }]);
    });

    test('also by AbortSignal.timeout', async () => {
      const { name } = await rejection(hanging().memory.store(ENTRY, { signal: AbortSignal.timeout(50) }));
      expect(name).toBe('TimeoutError');
    });
  });

  test('aborted after the commit changes nothing: the call has resolved', async () => {
    const controller = new AbortController();
    const { id } = await layer.memory.store(
      { ...ENTRY, content: 'committed' },
      { signal: controller.signal },
    );
    controller.abort();
    expect(await layer.memory.getById(id)).toMatchObject({ content: 'committed' });
  });

  test('aborted while a store is under way: it is there if and only if the call resolved', async () => {
    for (let round = 0; round < 40; round += 1) {
      const controller = new AbortController();
      const idempotencyKey = `race-${round}`;
      const { signal } = controller;
      const stored = layer.memory.store(
        { userId: 'racer', content: idempotencyKey },
        { idempotencyKey, signal },
      );
      setTimeout(() => controller.abort(), round / 8);
      const outcome = await stored.catch((error) => error);
      const resolved = outcome !== signal.reason;
      if (resolved) expect(outcome).toMatchObject({ content: idempotencyKey });
      const found = (await layer.memory.getAll('racer', { limit: 1000 })).some(
        ({ content }) => content === idempotencyKey,
      );
      expect({ round, found }).toEqual({ round, found: resolved });
    }
  });

  test('that never aborts holds no listener back', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    Object.assign(controller.signal, {
      addEventListener(...args) {
        listeners += 1;
        return addEventListener.apply(this, args);
      },
      removeEventListener(...args) {
        listeners -= 1;
        return removeEventListener.apply(this, args);
      },
    });
    await layer.memory.store(ENTRY, { signal: controller.signal });
    expect(listeners).toBe(0);
  });
});
