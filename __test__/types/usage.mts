// What compiles, and what must not.
import {
  type BackfillResult,
  type ConflictResolver,
  type ConflictSide,
  configure,
  createMemoryLayer,
  DEFAULT_PERSISTENCE_CONFIG,
  EnhancedMemoryService,
  type Entity,
  type FoundInconsistency,
  type GraphEntity,
  type GraphPath,
  GraphStoreError,
  graphService,
  type HealthReport,
  type ImportProgress,
  type ImportResult,
  type IzzieMemoryConfig,
  type MemoryEntry,
  enhancedMemoryService as memory,
  metrics,
  type OwedToModel,
  type Page,
  PersistenceError,
  type PersistenceResult,
  PersistenceService,
  type Progress,
  type QueueItem,
  type ReembedResult,
  type RelationType,
  type StoredRow,
  type StoreManyOptions,
  SyncError,
  type SyncOutcome,
  SyncService,
  shutdown,
  syncService,
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
    since: new Date(),
    until: '2030-01-01T00:00:00Z',
    metadata: { source: 'chat' },
    entities: [{ value: 'Grace' }, { type: 'company', value: 'Acme' }],
    explain: true,
  });
  const words: number | undefined = found[0]?.explain?.words;
  const page: Page<MemoryEntry> = await memory.search('ada', 'lunch', { limit: 5, cursor: null });
  await memory.list('ada', { since: new Date(), cursor: page.nextCursor });
  for await (const each of memory.iterate('ada', { pageSize: 50, signal })) void each.id;
  await memory.update(stored.id, { summary: null }, { expectedRevision: stored.revision });
  await memory.delete(stored.id, { hard: true, cascadeGraph: false, userId: 'ada', expectedRevision: 3 });
  await new EnhancedMemoryService().getMany([stored.id]);
  void [copies, found, words];
  return memory.getById(stored.id);
}

export async function ported(file: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ImportResult> {
  for await (const line of memory.exportMemories('ada', { includeDeleted: true, signal })) void line.length;
  const onProgress = ({ read, line, bytes }: ImportProgress) => console.log(read, line, bytes);
  await memory.importMemories(['{"content":"x"}\n'], { userId: 'ada', dryRun: true, onProgress });
  await memory.importMemories(file, { format: 'mbox', userId: 'ada', chunkSize: 50, restore: true });
  const result = await memory.importMemories(() => memory.exportMemories('ada'), { verifyFirst: true });
  // @ts-expect-error: a path is no source
  memory.importMemories(17);
  void [result.problem === 'truncated', result.failed[0]?.error.message, result.digest?.length];
  return result;
}

export const scraped: Promise<string>[] = [metrics(), createMemoryLayer().metrics()];

export async function many(signal: AbortSignal): Promise<string[]> {
  const onProgress = ({ done, total, etaMs }: Progress) => console.log(done / total, etaMs ?? 'unknown');
  const options: StoreManyOptions = { chunkSize: 50, onProgress, signal };
  const { stored, failed } = await memory.storeMany([{ ...entry, importance: 7, embedding: [1] }], options);
  const back: MemoryEntry | null = await memory.restore('x', { userId: 'ada' });
  const { deleted, failed: kept } = await memory.deleteMany(['x'], { hard: true, signal });
  const { pending } = await memory.deleteAll('ada', { hard: false, onProgress });
  const { purged } = await memory.purgeDeleted({ olderThan: new Date(), userId: 'ada' });
  void [stored[0]?.id, failed[0]?.index, kept[0]?.error.message, back?.revision, pending, purged];
  return deleted;
}

export async function graph(signal: AbortSignal): Promise<GraphPath | null> {
  const found: GraphEntity | null = await graphService.getEntity('ada', ada, { signal });
  const top = await graphService.getTopEntities('ada', { types: ['person', 'tool'], limit: 5, signal });
  const named: GraphEntity[] = await graphService.searchEntities('ada', 'gra', { types: ['person'] });
  const related = await graphService.getRelatedEntities('ada', ada, {
    relationshipTypes: ['WORKS_WITH', 'CO_OCCURS'],
  });
  const page: Page<MemoryEntry> = await graphService.getMemoriesForEntity('ada', ada, { limit: 5 });
  const stats = await createMemoryLayer().graph.getEntityStats('ada');
  const counts: number = stats.byType.action_item + stats.relationships.OWNS;
  const path = await graphService.findPath('ada', ada, { type: 'topic', value: 'x' }, { maxDepth: 6 });
  const direction: 'out' | 'in' | 'none' | undefined = path?.steps[0]?.direction;
  const kind: RelationType | undefined = related[0]?.relationship;
  void [found?.lastSeen.getTime(), top[0]?.frequency, named, page.nextCursor, counts, direction, kind];
  return path;
}

export async function wrong(): Promise<void> {
  // @ts-expect-error: the user is missing
  await memory.store({ content: 'c' });
  // @ts-expect-error: an option that is not there
  await memory.store(entry, { importence: 7 });
  // @ts-expect-error: retrieve has no pages
  await memory.retrieve('ada', 'lunch', { cursor: 'c' });
  // @ts-expect-error: iterate has pages of its own
  memory.iterate('ada', { limit: 5 });
  // @ts-expect-error: an unknown mode
  await memory.retrieve('ada', 'lunch', { mode: 'graph' });
  // @ts-expect-error: an unknown kind of entity
  await memory.store(entry, { entities: [{ type: 'dragon', value: 'Smaug' }] });
  // @ts-expect-error: an unknown kind of relationship
  const kind: import('izzie-memory').InlineRelationshipType = 'HATES';
  // @ts-expect-error: an option of store
  await memory.update('id', { conversationId: 'c' });
  // @ts-expect-error: an option of the whole call
  await memory.storeMany([{ ...entry, signal: new AbortController().signal }]);
  // @ts-expect-error: one has to say whether for good
  await memory.deleteAll('ada');
  // @ts-expect-error: text is no Date
  await memory.purgeDeleted({ olderThan: '2026-01-02' });
  // @ts-expect-error: an option of update and delete
  await memory.getById('id', { expectedRevision: 1 });
  // @ts-expect-error: not a key of the configuration
  await configure({ databseUrl: 'postgres://x' });
  // @ts-expect-error: an embedder that there is not
  await configure({ embedder: 'remote' });
  // @ts-expect-error: an embedder without dimensions
  await configure({ embedder: { model: 'm', embed: async () => [] } });
  // @ts-expect-error: an unknown strategy
  new PersistenceService({ conflictStrategy: 'newest_wins' });
  // @ts-expect-error: a function that returns no strategy
  await configure({ persistence: { conflictStrategy: async () => 'vector' } });
  // @ts-expect-error: only what repairs meets conflicts
  await new SyncService().checkConsistency({ conflictStrategy: 'merge' });
  // @ts-expect-error: an unknown state
  await new SyncService().getQueue({ state: 'leased' });
  // @ts-expect-error: the model is the configuration's
  await new SyncService().reembed({ model: 'm' });
  // @ts-expect-error: what to give up must be named
  await new SyncService().purgeDead();
  // @ts-expect-error: frozen
  DEFAULT_PERSISTENCE_CONFIG.retryAttempts = 1;
  // @ts-expect-error: an entity is named by its type and a spelling
  await graphService.getEntity('ada', { type: 'person', name: 'Ada' });
  // @ts-expect-error: co-occurrence is no type of entity
  await graphService.getTopEntities('ada', { types: ['CO_OCCURS'] });
  // @ts-expect-error: an unknown relationship
  await graphService.getRelatedEntities('ada', ada, { relationshipTypes: ['HATES'] });
  // @ts-expect-error: a search has no pages
  await graphService.searchEntities('ada', 'x', { cursor: 'c' });
  void kind;
}

export async function persistence(): Promise<StoredRow | undefined> {
  const service = new PersistenceService({ enableGraphStore: true, graphWaitMs: 100 });
  const result: PersistenceResult<StoredRow> = await service.store({
    ...entry,
    embedding: [1],
    entities: [ada],
  });
  await service.update({ id: 'x', summary: 's', metadata: {}, userId: 'ada' });
  const gone: PersistenceResult<void> = await service.delete({ id: 'x', hard: true, cascadeGraph: true });
  const lastAccess: Date | null | undefined = result.data?.lastAccessedAt;
  void [gone, lastAccess, result.metadata?.graphWriteSuccess, result.error?.message];
  const many: PersistenceResult<StoredRow>[] = await service.storeMany([entry], { chunkSize: 1 });
  await service.update({ id: 'x', importance: 1, expectedRevision: 3 });
  void many;
  await service.close();
  return result.data;
}

export async function sync(): Promise<SyncOutcome> {
  const service = new SyncService();
  const found: FoundInconsistency[] = await service.checkConsistency({ userId: 'ada', limit: 5 });
  const throughJson = found.map((one) => ({ ...one, detectedAt: one.detectedAt.toISOString() }));
  await service.repairInconsistencies(found);
  await service.repairInconsistencies(throughJson);
  await service.repairInconsistencies(found, { conflictStrategy: 'merge' });
  const { resumed } = await service.rebuildGraph({ clearExisting: true, onProgress: ({ done }) => done });
  const { lastSync, conflicts }: { lastSync?: Date | undefined; conflicts: number | null } =
    await service.getStats();
  const { state, depth, differences } = await service.verify({ deep: true });
  if (state === 'inconclusive' && depth === 'deep') await service.deltaSync({ userId: 'ada', maxMs: 1000 });
  void [resumed, lastSync, conflicts, differences, found[0]?.fields, found[0]?.conflict];
  return service.fullSync({ dryRun: true, deep: true, conflictStrategy: decide });
}

/** After a change of the embedder's model, and for rows of other code. */
export async function models(): Promise<number> {
  const { found, embedded, extracted, failed, pending }: BackfillResult = await syncService.backfill({
    userId: 'ada',
    embed: true,
    extract: false,
    dryRun: true,
    onProgress: ({ done, total }) => done / total,
  });
  const made: ReembedResult = await syncService.reembed({ signal: new AbortController().signal });
  const { embedding, extraction }: { embedding: OwedToModel | null; extraction: OwedToModel | null } =
    await syncService.getStats();
  void [found.embed, found.extract, extracted, failed, pending, made.model, made.dimensions, made.resumed];
  return embedded + (embedding?.pending ?? 0) + (extraction?.waiting ?? 0) + (embedding?.dead ?? 0);
}

/** Ours wins unless the graph's is longer. */
const decide: ConflictResolver = async ({ vector, graph, fields, userId }, { signal }) => {
  if (signal.aborted || !fields.includes('content')) return 'manual';
  const length = (side: ConflictSide | null) => side?.content?.length ?? userId.length;
  return length(graph) > length(vector) ? 'graph_wins' : 'vector_wins';
};

/** For a cron job. */
export async function queue(): Promise<Date[]> {
  const { paid, embedded, extracted, refused, pending, dead, duration } = await syncService.drain({
    maxMs: 20_000,
    maxItems: 1000,
  });
  const attempts: Date[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<QueueItem> = await syncService.getQueue({ state: 'dead', target: 'graph', cursor });
    attempts.push(...page.items.map(({ nextAttemptAt, leasedUntil }) => leasedUntil ?? nextAttemptAt));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  const { revived } = await syncService.retryNow();
  const { purged } = await syncService.purgeDead(['x']);
  const { items } = await syncService.getConflicts({ state: 'open', userId: 'ada', limit: 10 });
  const decided: (Date | undefined)[] = items.map(({ resolvedAt }) => resolvedAt);
  await syncService.purgeConflicts({ olderThan: new Date() });
  await syncService.startAutoSync();
  await syncService.stopAutoSync();
  await syncService.switchGraph({ onProgress: console.log });
  void [paid, embedded, extracted, refused, pending, dead, duration, revived, purged, decided];
  return attempts;
}

export const model: IzzieMemoryConfig['extractor'] = {
  provider: 'openai',
  baseUrl: 'http://localhost:11434/v1',
  apiKey: 'any',
  model: 'llama3.1',
  timeoutMs: 5000,
};

export async function layers(config: IzzieMemoryConfig): Promise<string> {
  await configure({
    persistence: { enableAutoSync: true, syncIntervalMs: 60_000, conflictStrategy: decide },
  });
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
  const health: HealthReport = await layer.memory.getHealth();
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
