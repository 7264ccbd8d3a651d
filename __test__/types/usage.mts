// What compiles, and what must not.
import {
  configure,
  createMemoryLayer,
  DEFAULT_PERSISTENCE_CONFIG,
  EnhancedMemoryService,
  type Entity,
  GraphStoreError,
  type HealthCheck,
  type IzzieMemoryConfig,
  type MemoryEntry,
  type MemoryRow,
  enhancedMemoryService as memory,
  PersistenceError,
  type PersistenceResult,
  PersistenceService,
  SyncError,
  type SyncInconsistency,
  type SyncResult,
  SyncService,
  shutdown,
  VectorStoreError,
} from 'izzie-memory';

const entry = { userId: 'ada', content: 'Lunch with Grace' };
const ada: Entity = { type: 'person', value: 'Ada' };

export async function enhanced(signal: AbortSignal): Promise<MemoryEntry | null> {
  const stored: MemoryEntry = await memory.store({ ...entry, metadata: { any: [1, { thing: null }] } });
  const { created, entityCount, topic } = stored.metadata;
  const copies: [boolean | undefined, number | undefined, unknown] = [created, entityCount, topic];
  await memory.store(entry, {
    id: stored.id,
    idempotencyKey: 'mail-7',
    conversationId: 'conv-456',
    importance: undefined,
    createdAt: '2026-01-02T03:04:05Z',
    entities: [ada],
    relationships: [
      {
        fromType: 'person',
        fromValue: 'Ada',
        toType: 'company',
        toValue: 'R',
        relationshipType: 'WORKS_FOR',
      },
    ],
    embedding: new Float32Array(3),
    defer: true,
    signal,
  });
  // A result may be written back as it is.
  await memory.update(stored.id, { metadata: stored.metadata }, { userId: 'ada', signal });
  const found: MemoryEntry[] = await memory.retrieve('ada', 'lunch', {
    mode: 'text',
    threshold: 0,
    limit: 1,
  });
  await memory.delete(stored.id, { hard: true, cascadeGraph: false, userId: 'ada' });
  await new EnhancedMemoryService().getMany([stored.id]);
  void [copies, found];
  return memory.getById(stored.id);
}

export async function wrong(): Promise<void> {
  // @ts-expect-error: the user is missing
  await memory.store({ content: 'c' });
  // @ts-expect-error: an option that is not there
  await memory.store(entry, { importence: 7 });
  // @ts-expect-error: options of a later version
  await memory.retrieve('ada', 'lunch', { since: new Date() });
  // @ts-expect-error: an unknown mode
  await memory.retrieve('ada', 'lunch', { mode: 'graph' });
  // @ts-expect-error: an unknown kind of entity
  await memory.store(entry, { entities: [{ type: 'date', value: 'today' }] });
  // @ts-expect-error: an unknown kind of relationship
  const kind: import('izzie-memory').InlineRelationshipType = 'HATES';
  // @ts-expect-error: an option of store
  await memory.update('id', { conversationId: 'c' });
  // @ts-expect-error: a method of a later version
  await memory.storeMany([entry]);
  // @ts-expect-error: not a key of the configuration
  await configure({ databseUrl: 'postgres://x' });
  // @ts-expect-error: an embedder of a later version
  await configure({ embedder: 'local' });
  // @ts-expect-error: an embedder without dimensions
  await configure({ embedder: { model: 'm', embed: async () => [] } });
  // @ts-expect-error: a key of a later version
  new PersistenceService({ conflictStrategy: 'manual' });
  // @ts-expect-error: frozen
  DEFAULT_PERSISTENCE_CONFIG.retryAttempts = 1;
  // @ts-expect-error: a service of a later version
  createMemoryLayer().graph;
  void kind;
}

export async function persistence(): Promise<MemoryRow | undefined> {
  const service = new PersistenceService({ enableGraphStore: true, graphWaitMs: 100 });
  const result: PersistenceResult<MemoryRow> = await service.store({
    ...entry,
    embedding: [1],
    entities: [ada],
  });
  await service.update({ id: 'x', summary: 's', metadata: {}, userId: 'ada' });
  const gone: PersistenceResult<void> = await service.delete({ id: 'x', hard: true, cascadeGraph: true });
  const lastAccess: Date | null | undefined = result.data?.lastAccessedAt;
  void [gone, lastAccess, result.metadata?.graphWriteSuccess, result.error?.message];
  await service.close();
  return result.data;
}

export async function sync(): Promise<SyncResult> {
  const service = new SyncService();
  const found: SyncInconsistency[] = await service.checkConsistency({ userId: 'ada', limit: 5 });
  const throughJson = found.map((one) => ({ ...one, detectedAt: one.detectedAt.toISOString() }));
  await service.repairInconsistencies(found);
  await service.repairInconsistencies(throughJson);
  await service.rebuildGraph({ clearExisting: true });
  const lastSync: Date | undefined = (await service.getStats()).lastSync;
  void lastSync;
  return service.fullSync({ dryRun: true });
}

export async function layers(config: IzzieMemoryConfig): Promise<string> {
  await configure({});
  await using layer = createMemoryLayer({
    ...config,
    embedder: {
      model: 'm',
      dimensions: 2,
      embed: async (texts, { signal }) => (signal.aborted ? [] : texts.map(() => [1, 2])),
    },
    extractor: {
      extract: async ({ content, summary }) => ({ entities: [{ type: 'topic', value: summary ?? content }] }),
    },
    logger: console,
  });
  const { applied } = await layer.migrate();
  const health: HealthCheck = await layer.memory.getHealth();
  await shutdown();
  return applied.join() + health.status;
}

/** A caller's own switch over the reasons. */
export function advice(error: unknown): string {
  if (!(error instanceof PersistenceError)) return 'not ours';
  if (error instanceof VectorStoreError || error instanceof GraphStoreError || error instanceof SyncError) {
    return error.code;
  }
  switch (error.reason) {
    case 'OUTCOME_UNKNOWN':
      return 'repeat with the same id';
    case 'MY_OWN':
      return String(error.details?.why);
    default:
      return error.retryable ? 'later' : error.toJSON().message;
  }
}

export const ours: PersistenceError[] = [
  new PersistenceError('m', 'MY_OWN', { why: 1 }),
  new VectorStoreError('m', { a: 1 }, { reason: 'TIMEOUT', retryable: true, cause: new Error('c') }),
  new GraphStoreError('m'),
  new SyncError('m'),
];
