// The layer that the exported services share: configured once, shut down, used again. And layers beside it.
import * as api from 'izzie-memory';
import { enhancedMemoryService as fromSubpath } from 'izzie-memory/memory/enhanced';
import { afterEach, describe, expect, test } from 'vitest';
import { gate, rejection, tableEmbedder, useDatabase } from './support.mjs';

const ENTRY = { userId: 'ada', content: 'Lunch with Grace' };
const { enhancedMemoryService, persistenceService, syncService } = api;

describe('the default layer', () => {
  const database = useDatabase();
  const config = (more) => ({ databaseUrl: database.url, graphStore: 'postgres', embedder: 'none', ...more });

  afterEach(() => api.shutdown());

  test('serves all exported services, by whatever path they were imported', async () => {
    await api.configure(config());
    const stored = await enhancedMemoryService.store(ENTRY);
    expect((await persistenceService.store({ ...ENTRY, id: stored.id })).data.id).toBe(stored.id);
    expect((await new api.EnhancedMemoryService().getById(stored.id)).id).toBe(stored.id);
    expect((await fromSubpath.getMany([stored.id]))[0].id).toBe(stored.id);
    expect(await syncService.checkConsistency()).toEqual([]);
    expect(await new api.SyncService().getStats()).toMatchObject({ pending: 0 });
  });

  test('may be configured again before its first use', async () => {
    await api.configure({ databaseUrl: 'postgres://127.0.0.1:1/none' });
    await api.configure(config());
    expect((await enhancedMemoryService.store(ENTRY)).metadata.created).toBe(true);
  });

  test('in use takes equal settings and refuses others', async () => {
    await api.configure(config());
    await enhancedMemoryService.getAll('ada');
    await api.configure(config());
    await api.configure({ ...config(), limits: undefined, neo4j: undefined });
    for (const other of [
      { limits: { batch: 5 } },
      { graphStore: 'none' },
      { databaseUrl: 'postgres://127.0.0.1:1/x' },
    ]) {
      const error = await rejection(api.configure(config(other)));
      expect(error).toBeInstanceOf(api.PersistenceError);
      expect(error).toMatchObject({
        code: 'ALREADY_CONFIGURED',
        reason: 'ALREADY_CONFIGURED',
        retryable: false,
      });
    }
    expect((await enhancedMemoryService.store(ENTRY)).metadata.created).toBe(true);
  });

  test('takes the functions of equal settings', async () => {
    const embedder = (vector) => tableEmbedder({ [ENTRY.content]: vector, q: [1, 0, 0] });
    await api.configure(config({ embedder: embedder([0, 1, 0]) }));
    await enhancedMemoryService.getAll('ada');
    await api.configure(config({ embedder: embedder([1, 0, 0]) }));
    await enhancedMemoryService.store({ ...ENTRY, userId: 'reloaded' });
    const [found] = await enhancedMemoryService.retrieve('reloaded', 'q', { mode: 'vector' });
    expect(found.similarity).toBeCloseTo(1, 6);
    await database.query('delete from memory_entries');
    await database.query('delete from izzie_memory.memory_vectors');
  });

  test('with a wrong configuration says so at once, and keeps the old one', async () => {
    await api.configure(config());
    expect(await rejection(api.configure({ databseUrl: 'x' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'databseUrl' },
    });
    expect((await enhancedMemoryService.store(ENTRY)).metadata.created).toBe(true);
  });

  test('shut down closes its connections, and starts anew with the next call', async () => {
    await api.configure(config());
    const open = async () =>
      (
        await database.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
        )
      )[0].n;
    const { id } = await enhancedMemoryService.store(ENTRY);
    expect(await open()).toBeGreaterThan(0);
    await api.shutdown();
    await expect.poll(open).toBe(0);
    await api.shutdown();
    expect((await enhancedMemoryService.getById(id)).id).toBe(id);
    await api.shutdown();
    await api.configure(config({ limits: { batch: 1 } }));
    expect(await rejection(enhancedMemoryService.getMany([id, id]))).toMatchObject({ details: { limit: 1 } });
  });

  test('shut down while a call is under way rejects it with CLOSED, and tells its embedder', async () => {
    const asked = gate();
    const embed = (_texts, { signal }) => {
      asked.open(signal);
      return new Promise(() => {});
    };
    await api.configure(config({ embedder: { model: 'hangs', dimensions: 3, embed } }));
    const outcome = rejection(enhancedMemoryService.store(ENTRY));
    const signal = await asked.opened;
    expect(signal.aborted).toBe(false);
    await api.shutdown();
    expect(await outcome).toMatchObject({ name: 'PersistenceError', code: 'CLOSED', reason: 'CLOSED' });
    expect(signal.reason).toMatchObject({ reason: 'CLOSED' });
  });

  test('is closed by the last of its services', async () => {
    await api.configure(config());
    const [a, b] = [new api.PersistenceService(), new api.PersistenceService()];
    await a.store(ENTRY);
    await b.store(ENTRY);
    await a.close();
    expect((await b.store(ENTRY)).success).toBe(true);
    await b.close();
    expect((await a.store(ENTRY)).success, 'a later call takes hold again').toBe(true);
    await a.close();
  });
});

describe('createMemoryLayer', () => {
  const database = useDatabase();

  test('closed, rejects every call with CLOSED', async () => {
    const layer = database.layer();
    await layer.memory.store(ENTRY);
    await layer.close();
    await layer.close();
    for (const call of [
      () => layer.memory.store(ENTRY),
      () => layer.memory.getAll('ada'),
      () => layer.sync.getStats(),
      () => layer.migrate(),
    ]) {
      expect(await rejection(call())).toMatchObject({ code: 'CLOSED', reason: 'CLOSED', retryable: false });
    }
    expect(await rejection(layer.persistence.store(ENTRY))).toMatchObject({ reason: 'CLOSED' });
    expect(await layer.memory.getHealth()).toMatchObject({
      status: 'unhealthy',
      reasons: [{ code: 'CLOSED' }],
    });
  });

  test('never used, is closed without a connection', async () => {
    const layer = api.createMemoryLayer({ databaseUrl: 'postgres://127.0.0.1:1/none' });
    await layer.close();
  });

  test('is disposed of by Symbol.asyncDispose', async () => {
    const layer = database.layer();
    await layer.memory.getAll('ada');
    const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
    await layer[dispose]();
    expect(await rejection(layer.memory.getAll('ada'))).toMatchObject({ code: 'CLOSED' });
  });

  test('keeps its connections when one of its services is closed', async () => {
    const layer = database.layer();
    await layer.persistence.store(ENTRY);
    await layer.persistence.close();
    expect((await layer.memory.store(ENTRY)).metadata.created).toBe(true);
  });

  test('has its own settings beside another one', async () => {
    const strict = database.layer({ limits: { contentBytes: 5 } });
    const lax = database.layer();
    expect(await rejection(strict.memory.store(ENTRY))).toMatchObject({ details: { limit: 5 } });
    expect((await lax.memory.store(ENTRY)).metadata.created).toBe(true);
  });
});
