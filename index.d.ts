/// <reference lib="esnext.disposable" />

/**
 * Memory persistence for AI assistants. Postgres with pgvector is the truth; a graph of the memories' entities is kept
 * in step with it.
 *
 * ```ts
 * import { enhancedMemoryService } from 'izzie-memory';
 *
 * await enhancedMemoryService.store({ userId: 'ada', content: 'Lunch with Grace Hopper from Remington Rand' });
 * const [best] = await enhancedMemoryService.retrieve('ada', 'whom did I have lunch with?');
 * ```
 *
 * Rules for everything below:
 * - Every method is asynchronous and rejects with a {@link PersistenceError} or one of its subclasses; only
 *   {@link PersistenceService} resolves with failures instead. What is wrong with the arguments is found before
 *   anything is written (`reason: 'INVALID_ARGUMENT'`, `details.field` names the argument).
 * - An option that is `undefined` is one that was not given. Unknown options are refused by name.
 * - Every method that takes a `signal` rejects with `signal.reason` when it aborts, unless the write was already
 *   committed: then it resolves.
 * - Times are in milliseconds and their names end in `Ms`.
 * - Any call may reject with `SCHEMA_OUTDATED`: the tables of a database of one's own are made by
 *   {@link MemoryLayer.migrate}, never by the way.
 *
 * @packageDocumentation
 */

// ── memories ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A memory, as {@link EnhancedMemoryService} returns it. */
export interface MemoryEntry {
  /** UUID. */
  id: string;
  userId: string;
  content: string;
  summary?: string;
  /** 1 to 10. */
  importance: number;
  /** How often `getById` returned it. */
  accessCount: number;
  conversationId?: string;
  /** Rises with every change, in the whole database; not consecutive. */
  revision: number;
  entities: Entity[];
  /** Cosine similarity to the query, -1 to 1. Missing where none was computed. */
  similarity?: number;
  /** What the results of `retrieve` are ordered by, highest first. Comparable within one result only. */
  score?: number;
  /** The caller's metadata, and copies of what else is known of the memory. */
  metadata: MemoryMetadata;
  createdAt: Date;
  updatedAt: Date;
}

/**
 * The caller's metadata, and copies for code that looks for them there. The copies are never stored: these eight keys
 * are taken out of the top level of any metadata that is written, so a result may be written back as it is. They cannot
 * be used for metadata of one's own.
 */
export interface MemoryMetadata extends Record<string, unknown> {
  importance?: number;
  accessCount?: number;
  summary?: string;
  similarity?: number;
  entityCount?: number;
  /** After a write: it is in Postgres. */
  vectorWriteSuccess?: boolean;
  /** After a write: `true` it is in the graph, `false` it is owed to the graph. Missing: there is no graph. */
  graphWriteSuccess?: boolean;
  /** After `store`: `false` when the id or idempotency key was there already and nothing was written. */
  created?: boolean;
}

/** The kinds of entities. */
export type EntityType = 'person' | 'company' | 'project' | 'topic' | 'location' | 'tool' | 'action_item';

/** Somebody or something that a memory mentions. */
export interface Entity {
  type: EntityType;
  /** As it was written. */
  value: string;
  /**
   * By what equal entities are known, per user and type.
   * @default made from `value`: lower case, single spaces
   */
  normalized?: string;
  /**
   * 0 to 1.
   * @default 1
   */
  confidence?: number;
  /**
   * Where it was found.
   * @default 'body'
   */
  source?: 'metadata' | 'body' | 'subject';
  /** The text around it. */
  context?: string;
  /** Of an action item. */
  assignee?: string;
  /** Of an action item; text, as it was found. */
  deadline?: string;
  /** Of an action item. */
  priority?: 'low' | 'medium' | 'high';
}

/** The kinds of relationships between entities. */
export type InlineRelationshipType =
  | 'WORKS_WITH'
  | 'REPORTS_TO'
  | 'WORKS_FOR'
  | 'LEADS'
  | 'WORKS_ON'
  | 'EXPERT_IN'
  | 'LOCATED_IN'
  | 'FRIEND_OF'
  | 'FAMILY_OF'
  | 'MARRIED_TO'
  | 'SIBLING_OF'
  | 'SAME_AS'
  | 'PARTNERS_WITH'
  | 'COMPETES_WITH'
  | 'OWNS'
  | 'RELATED_TO'
  | 'DEPENDS_ON'
  | 'PART_OF'
  | 'SUBTOPIC_OF'
  | 'ASSOCIATED_WITH';

/** A relationship between two entities that a memory states. Ends that are not among its entities are added to them. */
export interface InlineRelationship {
  fromType: EntityType;
  fromValue: string;
  toType: EntityType;
  toValue: string;
  relationshipType: InlineRelationshipType;
  /**
   * 0 to 1.
   * @default 1
   */
  confidence?: number;
  /** The words that say so. */
  evidence?: string;
}

/** What to store. */
export interface NewMemory {
  /** Whose memory it is; no other user ever sees it. At most 255 bytes. */
  userId: string;
  /** Not empty; at most `limits.contentBytes` bytes of UTF-8. */
  content: string;
  /** Any JSON object of at most `limits.metadataBytes` bytes. A Date becomes an ISO string. @default {} */
  metadata?: Record<string, unknown>;
}

/** Options of {@link EnhancedMemoryService.store}. */
export interface StoreOptions {
  /** UUID of the memory. Storing the same id again returns what is there. @default a new one */
  id?: string;
  /**
   * Any text of at most 1000 bytes, unique per user. Storing under the same key again returns what is there. Not
   * together with `id`.
   */
  idempotencyKey?: string;
  /** Any text of at most 255 bytes. */
  conversationId?: string;
  /** 1 to 10. @default 5 */
  importance?: number;
  summary?: string;
  /** When it happened. @default now */
  createdAt?: Date | string;
  /** Whether to look for entities in the content; not done when `entities` are given. @default true */
  extractEntities?: boolean;
  /** The entities the content mentions, instead of looking for them. */
  entities?: Entity[];
  relationships?: InlineRelationship[];
  /** The embedding of the content, instead of computing it. Its length must fit the embedder or be 1536. */
  embedding?: number[] | Float32Array;
  /**
   * Commit now. The projection stays owed until the next sync call; the embedding and the extraction stay owed until a
   * version that pays such debts (not 0.1). @default false
   */
  defer?: boolean;
  signal?: AbortSignal;
}

/** Options of {@link EnhancedMemoryService.retrieve}. */
export interface RetrieveOptions {
  /** At most this many results, 1 to 1000. @default 10 */
  limit?: number;
  /**
   * Lowest cosine similarity, -1 to 1. In mode `'vector'` a strict cut; in `'hybrid'` it limits what the vector side
   * admits; ignored without an embedder (health then says so). @default none
   */
  threshold?: number;
  conversationId?: string;
  /** Lowest importance, 1 to 10. */
  minImportance?: number;
  /**
   * `'text'` ranks by words (BM25), `'vector'` by embeddings, `'hybrid'` by both. Hybrid falls back to text when there
   * is no embedder or it fails; vector rejects then. @default 'hybrid'
   */
  mode?: RetrieveMode;
  signal?: AbortSignal;
}

export type RetrieveMode = 'hybrid' | 'vector' | 'text';

/** The name the options of `retrieve` had in the TypeScript layer. */
export type SearchOptions = RetrieveOptions;

/** What to change in a memory. Members that are missing stay as they are. */
export interface MemoryUpdates {
  /** Embedded and, unless told otherwise, searched for entities anew. */
  content?: string;
  /** `null` removes it. */
  summary?: string | null;
  /** Replaces all metadata. */
  metadata?: Record<string, unknown>;
  /** Replaces the given keys and keeps the others. Not together with `metadata`. */
  metadataPatch?: Record<string, unknown>;
  /** 1 to 10. */
  importance?: number;
  /** Replaces the entities. */
  entities?: Entity[];
  /** Replaces the relationships. */
  relationships?: InlineRelationship[];
  /** Whether to look for entities in new content; not done when `entities` are given. @default true */
  extractEntities?: boolean;
}

/** Last argument of the methods that take an id. */
export interface Call {
  /** Limits the call to this user's memories: another user's id behaves like one that does not exist. */
  userId?: string;
  signal?: AbortSignal;
}

/** Options of {@link EnhancedMemoryService.delete}. */
export interface DeleteOptions extends Call {
  /** Remove the row instead of marking it deleted. @default false */
  hard?: boolean;
  /** Remove it from the graph too. `false` keeps its node there, detached. @default true */
  cascadeGraph?: boolean;
}

/** Options of {@link EnhancedMemoryService.getAll}. */
export interface GetAllOptions {
  /** At most this many, 1 to 1000; the newest first. @default 100 */
  limit?: number;
  conversationId?: string;
  signal?: AbortSignal;
}

/** What {@link EnhancedMemoryService.getStats} returns. */
export interface MemoryStats {
  total: number;
  /** Number of memories per conversation; those without one are not in it. */
  byConversation: Record<string, number>;
  /** 0 when there are none. */
  avgImportance: number;
  totalAccesses: number;
}

/** Stores memories with their entities and finds them again. All objects of this class share one layer. */
export class EnhancedMemoryService {
  constructor();

  /**
   * Embeds the content, finds its entities, writes it to Postgres and, within `graphWaitMs`, to the graph. Resolves
   * when it is durable in Postgres; `metadata.graphWriteSuccess` says whether the graph has it already.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`
   * @throws {PersistenceError} `ID_CONFLICT`: the id or idempotency key is taken by other content or another user
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`: nothing was written
   * @throws {VectorStoreError} `OUTCOME_UNKNOWN`: repeat with the same `id` or `idempotencyKey`
   * @throws {GraphStoreError} `ROLLED_BACK`: only with `rollbackOnPartialFailure`
   */
  store(entry: NewMemory, options?: StoreOptions): Promise<MemoryEntry>;

  /**
   * The user's memories that fit a query best, best first. Deleted ones are never among them.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`
   * @throws {PersistenceError} `EMBEDDING_FAILED`, `NOT_CONFIGURED` (no embedder): only with `mode: 'vector'`
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`
   */
  retrieve(userId: string, query: string, options?: RetrieveOptions): Promise<MemoryEntry[]>;

  /**
   * Changes a memory; `null` when there is none of this id.
   *
   * @throws as {@link store}
   */
  update(id: string, updates: MemoryUpdates, call?: Call): Promise<MemoryEntry | null>;

  /**
   * Deletes a memory. Deleting what is not there is no error.
   *
   * @throws as {@link store}
   */
  delete(id: string, options?: DeleteOptions): Promise<void>;

  /** `null` when there is none of this id, or it is deleted. Counts as an access. */
  getById(id: string, call?: Call): Promise<MemoryEntry | null>;

  /** Those of the ids that exist, in the order of the ids. At most `limits.batch` ids. */
  getMany(ids: string[], call?: Call): Promise<MemoryEntry[]>;

  /** The user's memories, the newest first. */
  getAll(userId: string, options?: GetAllOptions): Promise<MemoryEntry[]>;

  getStats(userId: string): Promise<MemoryStats>;

  /** Never rejects; answers in bounded time. */
  getHealth(): Promise<HealthCheck>;
}

/** The service of the default layer, which {@link configure} and the environment set up. */
export const enhancedMemoryService: EnhancedMemoryService;

// ── persistence ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * How a write went. `success` tells whether it is in Postgres; when the graph could not take it in time, `success` is
 * `true`, `graphWriteSuccess` is `false` and `error` says why it is still owed.
 */
export interface PersistenceResult<T = unknown> {
  success: boolean;
  data?: T;
  error?: Error;
  metadata?: {
    vectorWriteSuccess?: boolean;
    /** `true` applied, `false` owed or, with `success: false`, not done. Missing: there is no graph. */
    graphWriteSuccess?: boolean;
    timestamp: Date;
    /** Milliseconds. */
    duration?: number;
  };
}

/** A memory as its row in Postgres, without the embedding. */
export interface MemoryRow {
  id: string;
  userId: string;
  conversationId: string | null;
  content: string;
  summary: string | null;
  /** The caller's keys only. */
  metadata: Record<string, unknown>;
  importance: number;
  accessCount: number;
  lastAccessedAt: Date | null;
  isDeleted: boolean;
  createdAt: Date;
  updatedAt: Date;
  revision: number;
}

/** What {@link PersistenceService.store} takes: a memory and its options in one object. */
export interface MemoryStorageRequest extends NewMemory, StoreOptions {}

/** What {@link PersistenceService.update} takes. */
export interface MemoryUpdateRequest extends MemoryUpdates, Call {
  id: string;
  /** The embedding of the new content, instead of computing it. */
  embedding?: number[] | Float32Array;
}

/** What {@link PersistenceService.delete} takes. */
export interface MemoryDeletionRequest extends DeleteOptions {
  id: string;
}

/** How a service persists. */
export interface PersistenceConfig {
  /** `false`: memories are stored without an embedding and found by their text. @default true */
  enableVectorStore: boolean;
  /** `false`: nothing is written or owed to the graph, and health does not count it. @default true */
  enableGraphStore: boolean;
  /** Kept for the type's sake: `true` is refused in this version. @default false */
  enableAutoSync: boolean;
  /** Kept for the type's sake: without effect while `enableAutoSync` cannot be set. @default undefined */
  syncIntervalMs?: number;
  /**
   * Undo the write to Postgres when the graph does not take it: `store` leaves no row, `update` puts the old content
   * back under a new revision, `delete` restores. Readers may see the memory in between. @default false
   */
  rollbackOnPartialFailure: boolean;
  /** How often the graph may refuse a memory for good before it is put aside. @default 3 */
  retryAttempts: number;
  /** First delay between attempts; it grows exponentially, with jitter. @default 1000 */
  retryDelayMs: number;
  /** The longest that a write waits for the graph. @default 500 */
  graphWaitMs: number;
}

/** The defaults. Frozen. */
export const DEFAULT_PERSISTENCE_CONFIG: Readonly<PersistenceConfig>;

/**
 * Writes memories to both stores and reports on each. Its writes resolve with `success: false` and the error, bad
 * arguments included; they reject for one thing only, the caller's own `signal`.
 *
 * Making one is cheap: all objects share one layer and its connections, which open with the first call.
 */
export class PersistenceService {
  /**
   * @param config what is missing comes from the layer's `persistence`, then from
   *   {@link DEFAULT_PERSISTENCE_CONFIG}
   * @throws {PersistenceError} `INVALID_ARGUMENT`: an unknown key, or `enableAutoSync: true`
   */
  constructor(config?: Partial<PersistenceConfig>);

  /** Stores a memory, see {@link EnhancedMemoryService.store}. */
  store(request: MemoryStorageRequest): Promise<PersistenceResult<MemoryRow>>;

  /** Changes a memory. When there is none of this id, `error.reason` is `NOT_FOUND` and there is no `data`. */
  update(request: MemoryUpdateRequest): Promise<PersistenceResult<MemoryRow>>;

  /** Deletes a memory. Deleting what is not there succeeds. */
  delete(request: MemoryDeletionRequest): Promise<PersistenceResult<void>>;

  /** Never rejects; answers in bounded time. */
  getHealth(): Promise<HealthCheck>;

  /**
   * Gives back this object's hold on the shared connections; the last holder's closes them. Every service object holds
   * them from its first call on. A later call takes hold again. In a layer of {@link createMemoryLayer} it does
   * nothing: close the layer.
   */
  close(): Promise<void>;
}

/** The service of the default layer. */
export const persistenceService: PersistenceService;

// ── health ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The state of both stores. */
export interface StorageStatus {
  vectorStore: StoreStatus;
  graphStore: StoreStatus;
}

export interface StoreStatus {
  /** It is configured and answers. */
  available: boolean;
  /** It can be used. */
  healthy: boolean;
  lastCheck: Date;
  error?: string;
}

export interface HealthCheck {
  /** `degraded`: Postgres answers, the graph is away or not ours. `unhealthy`: Postgres does not answer. */
  status: 'healthy' | 'degraded' | 'unhealthy';
  stores: StorageStatus;
  /** When a `fullSync` or `rebuildGraph` over all users last completed. */
  lastSync?: Date;
  /** Counts of all users. */
  metrics: {
    totalMemories: number;
    vectorStoreCount: number;
    graphStoreCount: number;
    /** Share of the memories that the graph holds in their newest form, 0 to 100. */
    syncPercentage: number;
  };
  /** What limits the service, for example lexical search for want of an embedder. */
  reasons: HealthReason[];
}

export interface HealthReason {
  /** Stable. */
  code: string;
  /** For people; may change. */
  message: string;
}

// ── sync ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One memory that Postgres and the graph differ in, though nothing is owed. */
export interface SyncInconsistency {
  memoryId: string;
  /** `missing_in_vector`: the graph has a memory that Postgres has not, or has deleted. */
  issue: 'missing_in_graph' | 'missing_in_vector' | 'metadata_mismatch';
  details: string;
  detectedAt: Date;
}

/** What a sync call did. */
export interface SyncResult {
  /** Memories that were compared; of `repairInconsistencies` and `rebuildGraph`, that were owed. */
  totalChecked: number;
  /** The differences found, repaired or not. */
  inconsistencies: SyncInconsistency[];
  repaired: number;
  /** Memories that the graph refused. */
  failed: number;
  /** Milliseconds. */
  duration: number;
  /** Memories still owed to the graph afterwards. */
  pending: number;
}

export interface SyncStats {
  /** Memories in Postgres, of all users, without deleted ones. */
  vectorStoreCount: number;
  /** Memories in the graph. */
  graphStoreCount: number;
  /** Share of the memories that the graph holds in their newest form, 0 to 100. */
  syncPercentage: number;
  /** When a `fullSync` or `rebuildGraph` over all users last completed. */
  lastSync?: Date;
  /** Memories owed to the graph. */
  pending: number;
  /** Memories that the graph refused for good. */
  dead: number;
}

export interface SyncOptions {
  /** Only this user's memories. @default all users */
  userId?: string;
  /** At most this many differences are returned or repaired; all memories are compared anyway. @default none */
  limit?: number;
  signal?: AbortSignal;
}

export interface FullSyncOptions extends SyncOptions {
  /** Report the differences, repair nothing. @default false */
  dryRun?: boolean;
}

export interface RebuildOptions {
  /** Only this user's memories. @default all users */
  userId?: string;
  /** Write at most this many before the call returns; `pending` tells the rest. @default none */
  limit?: number;
  /** Remove what this package has in the graph (of that user) first. @default false */
  clearExisting?: boolean;
  signal?: AbortSignal;
}

/**
 * Finds and repairs what differs between Postgres and the graph. Postgres is right. An aborted call stops between
 * batches; what it repaired stays repaired.
 */
export class SyncService {
  constructor();

  /**
   * The differences that are not merely owed.
   *
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`: of either store
   * @throws {SyncError} `NOT_CONFIGURED`: there is no graph
   * @throws {SyncError} `GRAPH_STORE_MISMATCH`: the graph belongs to another database
   */
  checkConsistency(options?: SyncOptions): Promise<SyncInconsistency[]>;

  /**
   * Brings the graph's side of these memories up to date. The list may come from JSON, with dates as text.
   *
   * @throws as {@link checkConsistency}
   */
  repairInconsistencies(
    inconsistencies: readonly (Omit<SyncInconsistency, 'detectedAt'> & { detectedAt: Date | string })[],
    options?: { signal?: AbortSignal },
  ): Promise<SyncResult>;

  /** Checks and repairs in one. @throws as {@link checkConsistency} */
  fullSync(options?: FullSyncOptions): Promise<SyncResult>;

  /** Writes all memories to the graph anew, without calling a model. @throws as {@link checkConsistency} */
  rebuildGraph(options?: RebuildOptions): Promise<SyncResult>;

  /** Counts of all users. @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`: of either store */
  getStats(): Promise<SyncStats>;
}

/** The service of the default layer. */
export const syncService: SyncService;

// ── set-up ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Settings. What is missing comes from the environment, read at the first use, then from the defaults; an empty
 * variable counts as missing.
 */
export interface IzzieMemoryConfig {
  /** Postgres, possibly through a pooler. Environment: `DATABASE_URL`. */
  databaseUrl?: string;
  /**
   * The same database without a pooler, for migrations. Environment: `DATABASE_DIRECT_URL`,
   * `DATABASE_URL_UNPOOLED`, where `databaseUrl` comes from the environment too.
   * @default databaseUrl
   */
  directUrl?: string;
  /**
   * Use the embedded database: `true`, a folder, or `'memory://'` for one that ends with the process. `false`: never.
   * Environment: `IZZIE_MEMORY_DIR`, a folder. Not together with `databaseUrl`.
   * @default with no database configured: true outside production and outside a Next.js build. The folder is
   *   `.izzie-memory` beside the nearest package.json.
   */
  embedded?: boolean | string;
  /** Used when it has a `uri`. */
  neo4j?: Neo4jConfig;
  /**
   * Where the graph is kept. `'auto'`: Neo4j when it is configured, else in Postgres.
   * @default 'auto'
   */
  graphStore?: 'auto' | 'neo4j' | 'postgres' | 'none';
  /**
   * Makes embeddings.
   * @default the OpenAI-compatible one when `OPENROUTER_API_KEY` or `OPENAI_API_KEY` is set, else 'none': memories are
   *   then found by their text
   */
  embedder?: EmbedderCallback | OpenAIEmbedder | 'none';
  /** Finds entities. `'local'`: offline rules. @default 'local' */
  extractor?: ExtractorCallback | 'local' | 'none';
  /** Defaults of all services of the layer. */
  persistence?: Partial<PersistenceConfig>;
  limits?: Partial<Limits>;
  pool?: Partial<PoolConfig>;
  /** Told what would otherwise go to stderr: where the embedded database lies. `{}` silences it. */
  logger?: Logger;
}

export interface Neo4jConfig {
  /** `bolt://`, `neo4j://`, with `+s` for TLS. Environment: `NEO4J_URI`. */
  uri?: string;
  /** Environment: `NEO4J_USER`, `NEO4J_USERNAME`. @default 'neo4j' */
  user?: string;
  /** Environment: `NEO4J_PASSWORD`. May be empty, but must be given. */
  password?: string;
  /** Environment: `NEO4J_DATABASE`. @default the server's default */
  database?: string;
}

/** An embedder of one's own. */
export interface EmbedderCallback {
  /** Names the embedding space: embeddings of different models are never compared. */
  model: string;
  /** Length of every embedding it returns. */
  dimensions: number;
  /**
   * One embedding per text, in order.
   * @param options.signal aborted when the layer closes
   */
  embed(texts: string[], options: { signal: AbortSignal }): Promise<(number[] | Float32Array)[]>;
}

/** A service that speaks OpenAI's `/embeddings`. */
export interface OpenAIEmbedder {
  provider: 'openai';
  /** @default OpenRouter's, or OpenAI's when the key comes from `OPENAI_API_KEY` */
  baseUrl?: string;
  /** Environment: `OPENROUTER_API_KEY`, `OPENAI_API_KEY`. */
  apiKey?: string;
  /** @default 'text-embedding-3-small' */
  model?: string;
  /** @default 1536 */
  dimensions?: number;
}

/** An extractor of one's own. */
export interface ExtractorCallback {
  /**
   * The entities and relationships of a memory.
   * @param options.signal aborted when the layer closes
   */
  extract(input: ExtractionInput, options: { signal: AbortSignal }): Promise<Extraction>;
}

export interface ExtractionInput {
  content: string;
  summary: string | null;
  metadata: Record<string, unknown>;
}

export interface Extraction {
  entities?: Entity[];
  relationships?: InlineRelationship[];
}

/** Upper limits of input; what is over them is refused with the limit in the message. */
export interface Limits {
  /** Bytes of UTF-8 of a memory's content. @default 100000 */
  contentBytes: number;
  /** Bytes of a memory's metadata as JSON. @default 100000 */
  metadataBytes: number;
  /** Entities, and relationships, of a memory. @default 200 */
  entities: number;
  /** Ids of one `getMany`. @default 1000 */
  batch: number;
  /** Bytes of UTF-8 of a query. @default 10000 */
  queryBytes: number;
}

export interface PoolConfig {
  /** Connections to Postgres for calls; the embedded database has one. @default 5 */
  max: number;
  /** How long a call waits for a free connection. @default 10000 */
  acquireTimeoutMs: number;
}

/** Such as `console`. */
export interface Logger {
  info?(message: string): void;
}

/**
 * Sets up the default layer, which the exported services use. Before the first use it may be called again; afterwards
 * equal settings are accepted (their functions replace the old ones) and others are refused.
 *
 * @throws {PersistenceError} `INVALID_ARGUMENT`: an unknown key or a value of the wrong kind
 * @throws {PersistenceError} `ALREADY_CONFIGURED`
 */
export function configure(config: IzzieMemoryConfig): Promise<void>;

/**
 * Closes the default layer; calls under way are rejected with `CLOSED`. The next call starts it anew with the settings
 * of {@link configure}. A program need not call it to end.
 */
export function shutdown(): Promise<void>;

/**
 * A layer of its own, beside the default one. Nothing is opened before the first call; layers with equal connection
 * settings share their connections.
 *
 * @throws {PersistenceError} `INVALID_ARGUMENT`, at once: an unknown key or a value of the wrong kind
 */
export function createMemoryLayer(config?: IzzieMemoryConfig): MemoryLayer;

export interface MemoryLayer extends AsyncDisposable {
  readonly memory: EnhancedMemoryService;
  readonly persistence: PersistenceService;
  readonly sync: SyncService;
  /** Creates or updates the tables; the embedded database does this by itself. Safe to run in several processes. */
  migrate(): Promise<{ applied: string[] }>;
  /** Ends the layer: later calls are rejected with `CLOSED`. */
  close(): Promise<void>;
}

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Why a call failed. Stable: code may depend on it. */
export type ErrorReason =
  /** Nothing is configured that could serve the call: no database (production, a build), no graph or no embedder. */
  | 'NOT_CONFIGURED'
  /** configure() was called with other settings after the first use. */
  | 'ALREADY_CONFIGURED'
  /** An argument is missing, of the wrong kind or over a limit; details name the field and the limit. */
  | 'INVALID_ARGUMENT'
  /** There is no such memory for this user. */
  | 'NOT_FOUND'
  /** The id or idempotency key is taken by other content or another user. */
  | 'ID_CONFLICT'
  /** The embedding's length fits no embedding space; details hold both numbers. */
  | 'DIMENSION_MISMATCH'
  /** The database schema is behind or ahead of this version; run migrate(). */
  | 'SCHEMA_OUTDATED'
  /** A store cannot be reached. */
  | 'UNAVAILABLE'
  /** A store did not answer in time; nothing was acknowledged. */
  | 'TIMEOUT'
  /** The connection was lost during the commit; repeat with the same id, it cannot be stored twice. */
  | 'OUTCOME_UNKNOWN'
  /** No connection became free in time. */
  | 'OVERLOADED'
  /** The caller's signal aborted the call before it committed. */
  | 'ABORTED'
  /** The layer was closed. */
  | 'CLOSED'
  /** This instance is configured for another graph than the one this database belongs to. */
  | 'GRAPH_STORE_MISMATCH'
  /** The graph store refused the statement for good. */
  | 'GRAPH_REJECTED'
  /** The graph write failed and rollbackOnPartialFailure undid the vector write. */
  | 'ROLLED_BACK'
  /** The graph write failed, but a newer write had replaced this one, so it was left in place. */
  | 'ROLLBACK_SUPERSEDED'
  /** The embedder failed where an embedding was indispensable (mode 'vector'). */
  | 'EMBEDDING_FAILED'
  /** Postgres refused the statement; details hold its SQLSTATE. */
  | 'STATEMENT_REJECTED'
  /** A bug in this package (a Rust panic included); the process is intact. */
  | 'INTERNAL';

/** Text that editors complete with the known reasons. */
type Text<Known extends string> = Known | (string & {});

export interface PersistenceErrorOptions {
  /** @default the code */
  reason?: Text<ErrorReason>;
  /** @default false */
  retryable?: boolean;
  cause?: unknown;
}

/** The class of all errors of this package. `instanceof` also holds across copies of the package and realms. */
export class PersistenceError extends Error {
  constructor(
    message: string,
    code: string,
    details?: Record<string, unknown>,
    options?: PersistenceErrorOptions,
  );
  /** Of the subclasses always the same, otherwise the reason. */
  readonly code: Text<ErrorReason>;
  /** Why. Stable, unlike the message. */
  readonly reason: Text<ErrorReason>;
  readonly details?: Record<string, unknown>;
  /** Whether the same call may succeed later, without a change by the caller. */
  readonly retryable: boolean;
  toJSON(): {
    name: string;
    message: string;
    code: string;
    reason: string;
    details?: Record<string, unknown>;
    retryable: boolean;
  };
}

/** Postgres. `code` is `'VECTOR_STORE_ERROR'`. */
export class VectorStoreError extends PersistenceError {
  constructor(message: string, details?: Record<string, unknown>, options?: PersistenceErrorOptions);
}

/** The graph. `code` is `'GRAPH_STORE_ERROR'`. */
export class GraphStoreError extends PersistenceError {
  constructor(message: string, details?: Record<string, unknown>, options?: PersistenceErrorOptions);
}

/** Keeping both in step. `code` is `'SYNC_ERROR'`. */
export class SyncError extends PersistenceError {
  constructor(message: string, details?: Record<string, unknown>, options?: PersistenceErrorOptions);
}
