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
 * - Every method is asynchronous and rejects with a {@link PersistenceError} or one of its subclasses. What is wrong with
 *   the arguments is found before anything is written (`reason: 'INVALID_ARGUMENT'`, `details.field` names the argument).
 * - An option that is `undefined` is one that was not given. Unknown options are refused by name.
 * - Every method that takes a `signal` rejects with `signal.reason` when it aborts, unless the write was already
 *   committed: then it resolves. Work in many steps stops between two of them; the steps that were done stay done.
 * - An `onProgress` that throws, or whose promise rejects, does not disturb the call: its first failure is told as a
 *   process warning (`code: 'ON_PROGRESS_FAILED'`). It is not called any more once the call has ended.
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
  summary?: string | undefined;
  /** 1 to 10. */
  importance: number;
  /** How often `getById` returned it. */
  accessCount: number;
  conversationId?: string | undefined;
  /** Rises with every change, in the whole database; not consecutive. */
  revision: number;
  entities: Entity[];
  /** Only where the content is longer than the embedder takes. */
  embeddingPieces?: EmbeddingPieces | undefined;
  /** Cosine similarity to the query, -1 to 1. Missing where none was computed. */
  similarity?: number | undefined;
  /** What the results of `retrieve` are ordered by, highest first. Comparable within one result only. */
  score?: number | undefined;
  /** What the score is the sum of, where `explain` asked for it. */
  explain?: ScoreParts | undefined;
  /** The caller's metadata, and copies of what else is known of the memory. */
  metadata: MemoryMetadata;
  createdAt: Date;
  updatedAt: Date;
}

/**
 * How a content was embedded that is longer than the embedder takes: in pieces, its embedding is their mean, by length. Told
 * once the embedding is there.
 */
export interface EmbeddingPieces {
  /** How many; at most 64 for a service, 1,024 for the offline model. */
  count: number;
  /** Bytes of the content (UTF-8, without white space around it) that they hold. The rest is found by its words only. */
  bytes: number;
}

/**
 * The caller's metadata, and copies for code that looks for them there. The copies are never stored: these eleven keys
 * are taken out of the top level of any metadata that is written, so a result may be written back as it is. They cannot
 * be used for metadata of one's own.
 */
export interface MemoryMetadata extends Record<string, unknown> {
  importance?: number | undefined;
  accessCount?: number | undefined;
  summary?: string | undefined;
  similarity?: number | undefined;
  entityCount?: number | undefined;
  /** After a write: it is in Postgres. */
  vectorWriteSuccess?: boolean | undefined;
  /** After a write: `true` it is in the graph, `false` it is owed to the graph. Missing: there is no graph. */
  graphWriteSuccess?: boolean | undefined;
  /** After `store`: `false` when the id or idempotency key was there already and nothing was written. */
  created?: boolean | undefined;
  /**
   * After `store`: `true` when what was there already is marked deleted, so that no read returns it; `restore: true` brings
   * it back.
   */
  deleted?: boolean | undefined;
  /** Which of the entities that were given or found are left out, since they cannot be understood; at most 51. */
  entitiesRejected?: Rejection[] | undefined;
  /** Which of the relationships. */
  relationshipsRejected?: Rejection[] | undefined;
}

/** An entity or a relationship that was left out. */
export interface Rejection {
  /** Its place in the list that was given. After fifty, that of the first of those that `reason` counts. */
  index: number;
  /** The beginning of its type, where that is a text. */
  type?: string | undefined;
  /** The beginning of its value, of a relationship that of `fromValue`, where that is a text. */
  value?: string | undefined;
  reason: string;
}

/** The kinds of entities: those of the application, and tools. */
export type EntityType =
  | 'person'
  | 'company'
  | 'project'
  | 'date'
  | 'topic'
  | 'location'
  | 'tool'
  | 'action_item';

/**
 * Somebody or something that a memory mentions. Entities often come from a language model, so what is not as documented here
 * costs no memory: it is kept as far as it can be understood (a confidence outside of 0 to 1 is bounded, a text cut at its
 * limit, another source or priority kept, another key ignored), and else left out and told in
 * {@link MemoryMetadata.entitiesRejected}. With `strictEntities` it is an error.
 */
export interface Entity {
  type: EntityType;
  /** As it was written; what people see. At most 500 characters. */
  value: string;
  /**
   * The name by which equal entities are known, per user and label, in any spelling: `john_doe`, `john-doe` and `John Doe` are
   * one. It may be the fuller name of a short value ("Bob", `robert_smith`). What was stored has the name that all names of
   * the entity go to: lower case, without diacritics, titles, legal suffixes and the word "project", hyphens and
   * underscores as spaces.
   * @default made from `value`
   */
  normalized?: string | undefined;
  /**
   * 0 to 1.
   * @default 1
   */
  confidence?: number | undefined;
  /**
   * Where it was found; another text of at most 100 characters is kept.
   * @default 'body'
   */
  source?: 'metadata' | 'body' | 'subject' | (string & {}) | undefined;
  /** The text around it. At most 2,000 characters. */
  context?: string | undefined;
  /** Of an action item. */
  assignee?: string | undefined;
  /** Of an action item; text, as it was found. */
  deadline?: string | undefined;
  /** Of an action item; another text of at most 100 characters is kept. */
  priority?: 'low' | 'medium' | 'high' | (string & {}) | undefined;
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

/**
 * A relationship between two entities that a memory states. Ends that are not among its entities are added to them. What is
 * not as documented here is treated as of an {@link Entity}.
 */
export interface InlineRelationship {
  fromType: EntityType;
  fromValue: string;
  toType: EntityType;
  toValue: string;
  /** `SAME_AS` between two names of one type makes them one entity of the user. */
  relationshipType: InlineRelationshipType;
  /**
   * 0 to 1. `SAME_AS` counts always with 1; with less, at least 0.5, while neither name has another such partner.
   * @default 1
   */
  confidence?: number | undefined;
  /** The words that say so. */
  evidence?: string | undefined;
}

/** What to store. */
export interface NewMemory {
  /** Whose memory it is; no other user ever sees it. At most 255 bytes. */
  userId: string;
  /** Not empty; at most `limits.contentBytes` bytes of UTF-8. */
  content: string;
  /** Any JSON object of at most `limits.metadataBytes` bytes. A Date becomes an ISO string. @default {} */
  metadata?: Record<string, unknown> | undefined;
}

/** Options of {@link EnhancedMemoryService.store}. */
export interface StoreOptions {
  /** UUID of the memory. Storing the same id again returns what is there, deleted or not. @default a new one */
  id?: string | undefined;
  /**
   * Any text of at most 1000 bytes, unique per user. Storing under the same key again returns what is there. Not
   * together with `id`.
   */
  idempotencyKey?: string | undefined;
  /** Any text of at most 255 bytes. */
  conversationId?: string | undefined;
  /** 1 to 10. @default 5 */
  importance?: number | undefined;
  summary?: string | undefined;
  /** When it happened. @default now */
  createdAt?: Date | string | undefined;
  /** Whether to look for entities in the content; not done when `entities` are given. @default true */
  extractEntities?: boolean | undefined;
  /** The entities the content mentions, instead of looking for them. */
  entities?: Entity[] | undefined;
  relationships?: InlineRelationship[] | undefined;
  /**
   * Reject the call where one of `entities` or `relationships` is not as documented, instead of keeping what can be understood.
   * @default {@link IzzieMemoryConfig.strictEntities}
   */
  strictEntities?: boolean | undefined;
  /**
   * Where the memory is there already and marked deleted: bring it back as it was, in the same transaction.
   * @default false
   */
  restore?: boolean | undefined;
  /** The embedding of the content, instead of computing it. Its length must fit the embedder or be 1536. */
  embedding?: number[] | Float32Array | undefined;
  /**
   * Commit now. Projection, embedding and extraction stay owed until auto-sync or {@link SyncService.drain} pays them.
   * @default false
   */
  defer?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** How far work is. */
export interface Progress {
  /** Memories done. */
  done: number;
  /** Memories in all. Grows when others write meanwhile. */
  total: number;
  /** Milliseconds left at the pace so far. Missing before there is one. */
  etaMs?: number | undefined;
}

/** One memory of a `storeMany`: it and its options in one object. */
export interface BatchEntry extends NewMemory, Omit<StoreOptions, 'signal'> {}

/** Options of {@link EnhancedMemoryService.storeMany} and {@link PersistenceService.storeMany}. */
export interface StoreManyOptions {
  /** Memories per transaction, 1 to `limits.batch`. @default 100, or `limits.batch` where that is less */
  chunkSize?: number | undefined;
  /** Called after each chunk. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Heeded between and within chunks; a chunk that was committed stays. */
  signal?: AbortSignal | undefined;
}

/** What {@link EnhancedMemoryService.storeMany} returns. */
export interface StoreManyResult {
  /** In the order of the entries, without those that failed. */
  stored: MemoryEntry[];
  /** `index` is the place among the entries. */
  failed: { index: number; error: Error }[];
}

/** Options of {@link EnhancedMemoryService.retrieve}. */
export interface RetrieveOptions {
  /** At most this many results, 1 to 1000. @default 10 */
  limit?: number | undefined;
  /**
   * Lowest cosine similarity, -1 to 1. In mode `'vector'` a strict cut; in `'hybrid'` it limits what the vector side
   * admits; ignored without an embedder (health then says so). @default none
   */
  threshold?: number | undefined;
  conversationId?: string | undefined;
  /** Lowest importance, 1 to 10. */
  minImportance?: number | undefined;
  /** Made at this time or later (`createdAt`). A Date or ISO 8601 text. */
  since?: Date | string | undefined;
  /** Made before this time. */
  until?: Date | string | undefined;
  /** What the metadata contains (JSON containment, as Postgres' `@>`): `{ source: 'chat', tags: ['work'] }`. */
  metadata?: Record<string, unknown> | undefined;
  /** Only memories that mention all of these; without a type, as any type. */
  entities?: readonly EntityFilter[] | undefined;
  /**
   * `'text'` finds memories that hold words of the query and ranks them by BM25; `'vector'` ranks by cosine similarity
   * alone; `'hybrid'` by all that {@link ScoreParts} names. Hybrid does without similarity when there is no embedder or
   * it fails; vector rejects then. @default 'hybrid'
   */
  mode?: RetrieveMode | undefined;
  /** Whether each result says what its score is made of. @default false */
  explain?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** An entity by any spelling of its name that comes to the same, of one type or of any. */
export interface EntityFilter {
  type?: EntityType | undefined;
  value: string;
}

/** Options of {@link EnhancedMemoryService.search}. */
export interface SearchPageOptions extends RetrieveOptions {
  /** `nextCursor` of the page before, with the same query and options. */
  cursor?: string | null | undefined;
}

/** Options of {@link EnhancedMemoryService.list}. */
export interface ListOptions {
  /** At most this many of one page, 1 to 1000. @default 100 */
  limit?: number | undefined;
  conversationId?: string | undefined;
  /** Made at this time or later (`createdAt`). A Date or ISO 8601 text. */
  since?: Date | string | undefined;
  /** Made before this time. */
  until?: Date | string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | null | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link EnhancedMemoryService.iterate}. */
export interface IterateOptions extends Omit<ListOptions, 'limit' | 'cursor'> {
  /** Memories read at a time, 1 to 1000. @default 100 */
  pageSize?: number | undefined;
}

export type RetrieveMode = 'hybrid' | 'vector' | 'text';

/** The parts of a score. They add up to it; a part that the mode does not look at is 0. */
export interface ScoreParts {
  /**
   * BM25 (Robertson & Zaragoza, 2009) of the query's words, with the user's own document frequencies. In `'text'` as it
   * is; in `'hybrid'` over the memory and its neighbours of the conversation, 0 to 1: 1 is the best of the results.
   */
  words: number;
  /** The query names who said it: `metadata.speaker`, or what stands before the first colon of a line of a chat. */
  speaker: number;
  /** In `'vector'` the cosine; in `'hybrid'` its place between the user's least and most similar memory, weighted. */
  similarity: number;
  /** It mentions an entity that the query names, or one that belongs to it. */
  entities: number;
  /** It was made at the time that the query speaks of. */
  time: number;
  /** How much is said. */
  substance: number;
  /** It does not end with a question. */
  statement: number;
  importance: number;
  /** How new it is. */
  recency: number;
}

/** Options of {@link EnhancedMemoryService.exportMemories}. */
export interface ExportOptions {
  /** Soft-deleted memories too, marked `"deleted":true`. @default false */
  includeDeleted?: boolean | undefined;
  /** Called after each page of 100. `total` is what there was at the beginning. */
  onProgress?: ((progress: ExportProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** How far an export is. */
export interface ExportProgress extends Progress {
  /**
   * Memories so far that {@link EnhancedMemoryService.importMemories} will refuse: their line is longer than 16 MiB, or their
   * metadata nested deeper than 1,000 levels. Only other code can have put them there.
   */
  unimportable: number;
}

/** Text (UTF-8) or bytes in pieces that may end anywhere: a stream of Node, what `exportMemories` gives, an array. */
export type ImportSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** Options of {@link EnhancedMemoryService.importMemories}. */
export interface ImportOptions {
  /**
   * Whose memories they become, whatever the file says. An mbox names nobody: required then.
   * @default a line's `userId`, else that of the export
   */
  userId?: string | undefined;
  /** @default 'jsonl' */
  format?: 'jsonl' | 'mbox' | undefined;
  /**
   * Lines marked deleted are stored and deleted, also where their memory is there and live. They are skipped otherwise.
   * Of an mbox: mails that the mail program marked deleted or expunged, or keeps in the trash, are stored like the others.
   * @default false
   */
  includeDeleted?: boolean | undefined;
  /** Of an mbox: mails marked as spam are stored like the others. @default false */
  includeSpam?: boolean | undefined;
  /**
   * What is there already and marked deleted: bring it back as it was, as {@link StoreOptions.restore} does. Not of lines that
   * are marked deleted themselves. @default false
   */
  restore?: boolean | undefined;
  /**
   * Reads the source twice and refuses it before anything is stored, unless it is a whole export of which no line would be
   * refused (`details.problem` `'refused'`, `details.failed`); what only the database knows, such as an id of another user's,
   * is not found out. It must be a function then. @default false
   */
  verifyFirst?: boolean | undefined;
  /** Reads and checks as an import does, and stores nothing: `failed` has what would be refused before Postgres is asked. @default false */
  dryRun?: boolean | undefined;
  /** Memories per transaction, 1 to `limits.batch`. @default 100, or `limits.batch` where that is less */
  chunkSize?: number | undefined;
  /** Called after each chunk. */
  onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Heeded between and within chunks; a chunk that was committed stays. */
  signal?: AbortSignal | undefined;
}

/** How it goes with the lines, or the mails, of an import. */
export interface ImportCounts {
  /** Memories, or mails, met, those that failed included. */
  read: number;
  /** Newly stored. */
  stored: number;
  /**
   * Were there already, under the same id or key, and were left as they are; a mail may be in a file twice. Also a line marked
   * deleted whose memory is marked deleted.
   */
  existing: number;
  /** Were there already, but are marked deleted, so that no read returns them; `restore: true` brings them back. */
  deleted: number;
  /** Were there already and marked deleted, and were brought back by `restore: true`. */
  restored: number;
  /** Marked deleted, or as spam, and not asked for. */
  skipped: number;
}

/** How far an import is. */
export interface ImportProgress extends ImportCounts {
  failed: number;
  /** The last line that was read, from 1. */
  line: number;
  /** Bytes of the source up to its end. */
  bytes: number;
}

/** What {@link EnhancedMemoryService.importMemories} returns. */
export interface ImportResult extends ImportCounts {
  /** What was not stored, by its line; of an mbox, the line on which the mail begins. */
  failed: { line: number; error: Error }[];
  /**
   * Of an mbox: the mails that count as `skipped`, by the line on which they begin. `'deleted'`: `Status` or `X-Status` with
   * D, `X-Mozilla-Status` expunged, `X-Mozilla-Status2` deleted on the server; `'trash'` and `'spam'`: the labels of Gmail,
   * spam also by `X-Spam-Flag`, `X-Spam-Status` and the keyword Junk; `'internal'`: what a mail program keeps for itself.
   */
  leftOut?: { line: number; reason: 'deleted' | 'trash' | 'spam' | 'internal' }[] | undefined;
  /** Of an mbox: lines that begin with "From " of which it could not be told whether they begin a mail. They are text. */
  unclear?: { line: number; problem: string }[] | undefined;
  /**
   * Of an mbox: mails with bytes in their text that no character set explains. What can be read is stored; the part is among
   * `metadata.attachments`, with the number of these bytes as `undecoded`.
   */
  undecoded?: number | undefined;
  /**
   * Of an mbox: mails whose header `Date` is missing, or is none that can be read (in other languages than English, a day that
   * does not exist). `createdAt` is then the date of the `From ` line, else that of the first `Received`, else the time of the import.
   */
  datesGuessed?: number | undefined;
  /**
   * Of an mbox: mails whose text is over `limits.contentBytes`. Each is several memories, cut between paragraphs, lines or words,
   * with `part` and `parts` in their metadata; `read` counts the mail, `stored` its memories.
   */
  split?: { line: number; memories: number }[] | undefined;
  /**
   * Of an mbox: mails whose metadata is not whole. Of `from`, `to` and `cc` the first 500 at most are kept, of `attachments` the
   * first 50, of all members what is within their share of `limits.metadataBytes`; `toCount` and its like are how many there are.
   */
  shortened?: { line: number; fields: string[] }[] | undefined;
  /** SHA-256 (hex) of the lines as in an export, whoever wrote them; none of an mbox. */
  digest?: string | undefined;
  /** Whether this is an export, whole and unchanged; none of an mbox, which nothing seals. */
  verified?: boolean | undefined;
  /**
   * Why not: no header, so that it is another program's and was read as such (`'foreign'`), no trailer (`'truncated'`), lines, count and digest do not fit together
   * (`'edited'`), or a line is longer than 16 MiB, so that the digest is not known (`'unread'`).
   */
  problem?: 'foreign' | 'truncated' | 'edited' | 'unread' | undefined;
}

/** The name the options of `retrieve` had in the TypeScript layer. */
export type SearchOptions = RetrieveOptions;

/** What to change in a memory. Members that are missing stay as they are. */
export interface MemoryUpdates {
  /** Embedded and, unless told otherwise, searched for entities anew. */
  content?: string | undefined;
  /** `null` removes it. */
  summary?: string | null | undefined;
  /** Replaces all metadata. */
  metadata?: Record<string, unknown> | undefined;
  /** Replaces the given keys and keeps the others. Not together with `metadata`. */
  metadataPatch?: Record<string, unknown> | undefined;
  /** 1 to 10. */
  importance?: number | undefined;
  /** Replaces the entities. */
  entities?: Entity[] | undefined;
  /** Replaces the relationships. */
  relationships?: InlineRelationship[] | undefined;
  /** Whether to look for entities in new content; not done when `entities` are given. @default true */
  extractEntities?: boolean | undefined;
}

/** Last argument of the methods that take an id. */
export interface Call {
  /** Limits the call to this user's memories: another user's id behaves like one that does not exist. */
  userId?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Last argument of {@link EnhancedMemoryService.update}. */
export interface UpdateCall extends Call {
  /** Change the memory only if this is still its `revision`, else reject with `REVISION_CONFLICT`. @default any */
  expectedRevision?: number | undefined;
  /**
   * Reject the call where one of the entities or relationships is not as documented.
   * @default {@link IzzieMemoryConfig.strictEntities}
   */
  strictEntities?: boolean | undefined;
}

/** Options of {@link EnhancedMemoryService.delete}. */
export interface DeleteOptions extends Omit<UpdateCall, 'strictEntities'> {
  /** Remove the row instead of marking it deleted. @default false */
  hard?: boolean | undefined;
  /** Remove it from the graph too. `false` keeps its node there, detached. @default true */
  cascadeGraph?: boolean | undefined;
}

/** Options of {@link EnhancedMemoryService.deleteMany}. */
export interface DeleteManyOptions extends Call {
  /** As in {@link DeleteOptions}. @default false */
  hard?: boolean | undefined;
  /** As in {@link DeleteOptions}. @default true */
  cascadeGraph?: boolean | undefined;
}

/** What {@link EnhancedMemoryService.deleteMany} returns. An id that nothing was found under is in neither list. */
export interface DeleteManyResult {
  /** Ids. */
  deleted: string[];
  failed: { id: string; error: Error }[];
}

/** Options of {@link EnhancedMemoryService.deleteAll}. */
export interface DeleteAllOptions {
  /**
   * `false` marks the memories deleted, for {@link EnhancedMemoryService.restore} to bring back. `true` removes their
   * rows, those that were marked before, the nodes that `cascadeGraph: false` left and the user's conflicts too.
   */
  hard: boolean;
  /** A memory counts once for its row, and once more where Neo4j has to forget it. */
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What {@link EnhancedMemoryService.deleteAll} returns. */
export interface DeleteAllResult {
  /** Memories deleted by this call. */
  deleted: number;
  /** Of them, those that the graph has yet to forget: it was away. Sync pays this like any other debt. */
  pending: number;
  /** Edges that other programs had hung at the user's entities in Neo4j and that went with them, where there were any. */
  foreignEdges?: number | undefined;
}

/** Options of {@link EnhancedMemoryService.purgeDeleted}. */
export interface PurgeDeletedOptions {
  /** Memories that were marked deleted before this moment are removed. */
  olderThan: Date;
  /** Only this user's memories. @default all users */
  userId?: string | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link EnhancedMemoryService.getAll}. */
export interface GetAllOptions {
  /** At most this many, any number; the newest first. More than 1000 are read page by page. @default 100 */
  limit?: number | undefined;
  conversationId?: string | undefined;
  signal?: AbortSignal | undefined;
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
   * Stores many memories, chunk by chunk, in their order. What is wrong with one of them is told in `failed` and harms no
   * other. When a store fails, the entries of its chunk and all after it are in `failed` with that error; give them an
   * `id` or `idempotencyKey`, and repeating them stores none twice.
   *
   * An abort rejects with `signal.reason`; the chunks before it are committed and stay.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`: `entries` is no array, or an option is wrong
   */
  storeMany(entries: readonly BatchEntry[], options?: StoreManyOptions): Promise<StoreManyResult>;

  /**
   * The user's memories that fit a query best, best first. Deleted ones are never among them.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`
   * @throws {PersistenceError} `EMBEDDING_FAILED`, `EMBEDDING_SPACE_MISMATCH`, `NOT_CONFIGURED` (no embedder): only with
   *   `mode: 'vector'`
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`
   */
  retrieve(userId: string, query: string, options?: RetrieveOptions): Promise<MemoryEntry[]>;

  /**
   * {@link retrieve} in pages, for as many results as there are. While nothing changes, pages neither repeat nor miss a
   * result.
   *
   * @throws as {@link retrieve}
   */
  search(userId: string, query: string, options?: SearchPageOptions): Promise<Page<MemoryEntry>>;

  /**
   * Changes a memory; `null` when there is none of this id.
   *
   * @throws as {@link store}
   * @throws {PersistenceError} `REVISION_CONFLICT`: it is not at `expectedRevision`; nothing was written. `details` are
   *   `{ id, expected, actual, current }`, `current` being the memory as it is now, with dates as text
   */
  update(id: string, updates: MemoryUpdates, call?: UpdateCall): Promise<MemoryEntry | null>;

  /**
   * Deletes a memory. Deleting what is not there is no error.
   *
   * @throws as {@link update}
   */
  delete(id: string, options?: DeleteOptions): Promise<void>;

  /**
   * Deletes many memories, any number, each once. An abort rejects with `signal.reason` and leaves the rest; a store
   * that fails puts what is left into `failed`.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`
   */
  deleteMany(ids: readonly string[], options?: DeleteManyOptions): Promise<DeleteManyResult>;

  /**
   * Deletes all memories of a user from both stores, page by page. A call that was aborted or failed is finished by the
   * next one.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`: `hard` is missing
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`: the pages before it stay deleted, and the one under way may be; call it again
   */
  deleteAll(userId: string, options: DeleteAllOptions): Promise<DeleteAllResult>;

  /**
   * Brings a memory back that was deleted without `hard`, under a new revision, into the graph too. `null` when there is
   * no deleted memory of this id.
   *
   * @throws as {@link store}
   */
  restore(id: string, call?: Call): Promise<MemoryEntry | null>;

  /**
   * Removes memories for good that were deleted without `hard` long enough ago. An aborted call keeps what it removed.
   *
   * @returns how many
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`
   */
  purgeDeleted(options: PurgeDeletedOptions): Promise<{ purged: number }>;

  /** `null` when there is none of this id, or it is deleted. Counts as an access. */
  getById(id: string, call?: Call): Promise<MemoryEntry | null>;

  /** Those of the ids that exist, in the order of the ids. At most `limits.batch` ids. */
  getMany(ids: string[], call?: Call): Promise<MemoryEntry[]>;

  /** The user's memories, the newest first. */
  getAll(userId: string, options?: GetAllOptions): Promise<MemoryEntry[]>;

  /**
   * The user's memories in pages, the newest first. A memory that is stored or deleted meanwhile may be in a later page
   * or not; no other is left out or comes twice.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`
   */
  list(userId: string, options?: ListOptions): Promise<Page<MemoryEntry>>;

  /** All of {@link list}, read page by page as it is consumed: `for await (const memory of service.iterate('ada'))`. */
  iterate(userId: string, options?: IterateOptions): AsyncGenerator<MemoryEntry, void, void>;

  /**
   * A user's memories as JSON Lines, read a page at a time as they are consumed. Each text is one line with its line feed.
   *
   * - The first line is a header: `format` (`'izzie-memory'`), `version`, `userId`, `exportedAt`.
   * - Then one memory a line, by id: `id`, `content`, `summary`, `importance`, `conversationId`, `createdAt`, `metadata`,
   *   `entities` and `relationships` as they were given (missing while their extraction is owed), `deleted`.
   *   A row of other code may have metadata that is no object; it is in the line as it is.
   * - The last is a trailer: `format`, `count` of the memories, `unimportable` of those that an import will refuse, where there
   *   are any ({@link ExportProgress}), `digest`: SHA-256 (hex) of their lines in this order, each with its line feed. The same memories give the same digest, also under another user and in another database.
   *
   * Embeddings, revisions, access counts and `updatedAt` are not in it. A memory that is stored, changed or deleted
   * meanwhile is in it as it was before or after; no other is left out or comes twice.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`
   */
  exportMemories(userId: string, options?: ExportOptions): AsyncGenerator<string, void, void>;

  /**
   * Stores the memories of a file while it is read; holds a chunk of it at a time. Reads what {@link exportMemories}
   * wrote, other JSON Lines (`content`, and as in {@link BatchEntry} `userId`, `id` if it is a UUID, `conversationId`,
   * `createdAt`, `importance`, `summary`, `metadata`, `entities`, `relationships`; other members are passed over) and
   * mailboxes in the mbox format, where a mail is a memory and a thread a conversation. A date without a zone is UTC.
   *
   * A mail begins at a `From ` line that headers follow, in any of the forms that mail programs write, with any line ends; a
   * file that begins with headers is one, too (`.eml`). Subject and text are the content; `from`, `to`, `cc`, `subject`,
   * `messageId` and `attachments` (name, type and bytes of what is no text) are metadata. A mail that is attached, also one that
   * is shown in the text, is an attachment, called by its subject: what it says is not its forwarder's. Names in headers are read
   * also where nobody quoted their commas (`Smith, Bob <bob@acme.com>`); a header that is no list of addresses is kept as it is.
   * `createdAt` is the header `Date`; where there is none that can be read, the date of the `From ` line, else that of the first
   * `Received`, else the time of the import, counted in `datesGuessed`. Text is read in the
   * declared character set, or in the one that the bytes look like where they contradict it. A thread is what the ids in
   * `Message-ID`, `In-Reply-To` and `References` hold together, or what Gmail says it is (`X-GM-THRID`). A source that is a
   * function is opened twice, and threads are known whole; of another, 5,000 mails at most are read ahead for them.
   *
   * Doing it again stores nothing twice, so an import that broke off is begun anew: a line with an id keeps it; others get
   * one made of user, conversation, date and content, and of their place among equal ones. Of a mail it is made of user,
   * message id, the header `Date` and content: twice in a file, it is one memory; without a message id, of user, date,
   * content and place. A line that is refused is told in `failed` (`INVALID_ARGUMENT`; `ID_CONFLICT`: the id is another user's, or stands for other content), and the others
   * are stored. The lines of an export, below its header, may be beyond `limits` and the other bounds of {@link store} (importance
   * 1 to 10, no empty content, 20,000 bytes of summary, `strictEntities`): what other code has put into the table comes in
   * again as it was. What no row can hold is refused. A line is at most 16 MiB, a mail at most 64 MiB. Memories are embedded, and searched for entities where
   * the line has none, as {@link store} does it.
   *
   * @param source or a function that opens it
   * @throws {PersistenceError} `INVALID_ARGUMENT`: also an export of a newer version, and what `verifyFirst` refuses
   *   (`details.problem`)
   * @throws {VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`: the chunks before are stored
   */
  importMemories(source: ImportSource | (() => ImportSource), options?: ImportOptions): Promise<ImportResult>;

  getStats(userId: string): Promise<MemoryStats>;

  /** Never rejects; answers in bounded time. */
  getHealth(): Promise<HealthReport>;
}

/** The service of the default layer, which {@link configure} and the environment set up. */
export const enhancedMemoryService: EnhancedMemoryService;

// ── memory, as the older service had it ──────────────────────────────────────────────────────────────────────────────

/** Configuration of a {@link MemoryService}. */
export interface MemoryServiceConfig {
  /** `false`: nothing is written to the graph or searched there. @default true */
  enableGraph?: boolean | undefined;
  /** `false`: memories are stored without an embedding and found by their text. @default true */
  enableVectorPersistence?: boolean | undefined;
  /** Taken and not used: the extractor is the layer's, see {@link IzzieMemoryConfig.extractor}. */
  llmModel?: string | undefined;
}

/** Options of {@link MemoryService.hybridSearch}. */
export interface HybridSearchOptions extends RetrieveOptions {
  /** Look for the entities that the query names, too. @default true */
  includeGraph?: boolean | undefined;
}

/** What {@link MemoryService.hybridSearch} returns. */
export interface HybridSearchResult {
  /** As `retrieve` returns them. */
  memories: MemoryEntry[];
  /** The user's entities that the query names, the most mentioned first. */
  graphResults: GraphEntity[];
  /** `memories`, then those that mention these entities and are not among them. */
  combined: MemoryEntry[];
  metadata: {
    /** How many `memories`. */
    vectorResults: number;
    /** How many `graphResults`. */
    graphResults: number;
    /** How many `combined`. */
    combinedResults: number;
    /** Why the graph was not searched, where it did not answer. */
    graphUnavailable?: HealthReason | undefined;
  };
}

/**
 * The service that `lib/memory` of the application has beside the enhanced one: the same memories with fewer methods.
 * New code takes {@link EnhancedMemoryService}.
 */
export class MemoryService {
  /** @throws {PersistenceError} `INVALID_ARGUMENT`: an unknown key or a value of the wrong kind */
  constructor(config?: MemoryServiceConfig);

  /** @throws as {@link EnhancedMemoryService.store} */
  store(entry: NewMemory, options?: StoreOptions): Promise<MemoryEntry>;

  /** @throws as {@link EnhancedMemoryService.retrieve} */
  retrieve(userId: string, query: string, options?: RetrieveOptions): Promise<MemoryEntry[]>;

  /**
   * {@link retrieve}, and beside it the entities that the query names with the memories that mention them. While the graph
   * is away the search goes on without it.
   *
   * @throws as {@link EnhancedMemoryService.retrieve}
   */
  hybridSearch(userId: string, query: string, options?: HybridSearchOptions): Promise<HybridSearchResult>;

  /** The user's memories, the newest first. */
  getAll(userId: string, options?: GetAllOptions): Promise<MemoryEntry[]>;

  /** `null` when there is none of this id, or it is deleted. Counts as an access. */
  getById(id: string): Promise<MemoryEntry | null>;

  getStats(userId: string): Promise<MemoryStats>;

  /**
   * Deletes a memory. Deleting what is not there is no error.
   *
   * @param hard remove the row instead of marking it deleted. @default false
   */
  delete(id: string, hard?: boolean): Promise<void>;
}

/** The service of the default layer. */
export const memoryService: MemoryService;

// ── persistence ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * How a write went. When the graph could not take it in time, `success` is `true`, `graphWriteSuccess` is `false` and
 * `error` says why the graph does not have it yet. `success` is `false` only for an `update` of an id that is not there
 * and for one memory of a `storeMany`; every other write that wrote nothing rejects.
 */
export interface PersistenceResult<T = unknown> {
  success: boolean;
  data?: T | undefined;
  error?: Error | undefined;
  metadata?:
    | {
        vectorWriteSuccess?: boolean | undefined;
        /** `true` applied, `false` owed or, with `success: false`, not done. Missing: there is no graph. */
        graphWriteSuccess?: boolean | undefined;
        timestamp: Date;
        /** Milliseconds. */
        duration?: number | undefined;
        /** As in {@link MemoryMetadata}. */
        deleted?: boolean | undefined;
        entitiesRejected?: Rejection[] | undefined;
        relationshipsRejected?: Rejection[] | undefined;
      }
    | undefined;
}

/** A memory as its row in Postgres. What the package returns is a {@link StoredRow}. */
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
  revision?: number | undefined;
  /** As in {@link MemoryEntry}. */
  embeddingPieces?: EmbeddingPieces | undefined;
  /** For rows that other code makes; what the package returns has none. */
  embedding?: number[] | Float32Array | null | undefined;
}

/** A {@link MemoryRow} as the package returns it. */
export interface StoredRow extends MemoryRow {
  revision: number;
  embedding?: undefined;
}

/** What {@link PersistenceService.store} takes: a memory and its options in one object. */
export interface MemoryStorageRequest extends NewMemory, StoreOptions {}

/** What {@link PersistenceService.update} takes. */
export interface MemoryUpdateRequest extends MemoryUpdates, UpdateCall {
  id: string;
  /** The embedding of the new content, instead of computing it. */
  embedding?: number[] | Float32Array | undefined;
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
  /**
   * Start {@link SyncService.startAutoSync} with the first call; afterwards it is started and stopped by hand only.
   * @default false
   */
  enableAutoSync: boolean;
  /** Between two checks of auto-sync; at least 1000. @default 300000 */
  syncIntervalMs?: number | undefined;
  /**
   * What auto-sync, `fullSync` and `repairInconsistencies` do about conflicts. A function is for the layer's
   * configuration and for single calls; that of one service cannot have it.
   * @default 'vector_wins'
   */
  conflictStrategy?: ConflictStrategy | ConflictResolver | undefined;
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
  graphWaitMs?: number | undefined;
}

/** The defaults. Frozen. */
export const DEFAULT_PERSISTENCE_CONFIG: Readonly<Required<PersistenceConfig>>;

/**
 * Writes memories to both stores and reports on each. `store`, `update` and `delete` reject whenever nothing was written;
 * they resolve with `success: true`, `graphWriteSuccess: false` and `error` where only the graph lags behind.
 *
 * ```ts
 * try {
 *   const { data, metadata } = await persistenceService.store(request);
 * } catch (error) {
 *   if (error instanceof VectorStoreError) console.error(error.reason, error.details);
 * }
 * ```
 *
 * Making one is cheap: all objects share one layer and its connections, which open with the first call.
 */
export class PersistenceService {
  /**
   * @param config what is missing comes from the layer's `persistence`, then from
   *   {@link DEFAULT_PERSISTENCE_CONFIG}
   * @throws {PersistenceError} `INVALID_ARGUMENT`: an unknown key, or a function as `conflictStrategy`
   */
  constructor(config?: Partial<PersistenceConfig>);

  /** Stores a memory. @throws as {@link EnhancedMemoryService.store} */
  store(request: MemoryStorageRequest): Promise<PersistenceResult<StoredRow>>;

  /**
   * Stores many memories, see {@link EnhancedMemoryService.storeMany}: one result for each entry, in their order. What
   * was not stored has `success: false` and its `error`.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`: `entries` is no array, or an option is wrong
   */
  storeMany(
    entries: readonly BatchEntry[],
    options?: StoreManyOptions,
  ): Promise<PersistenceResult<StoredRow>[]>;

  /**
   * Changes a memory. When there is none of this id it resolves with `success: false`, an `error` whose reason is
   * `NOT_FOUND`, and no `data`.
   *
   * @throws as {@link EnhancedMemoryService.update}
   */
  update(request: MemoryUpdateRequest): Promise<PersistenceResult<StoredRow>>;

  /** Deletes a memory. Deleting what is not there succeeds. @throws as {@link EnhancedMemoryService.delete} */
  delete(request: MemoryDeletionRequest): Promise<PersistenceResult<void>>;

  /** Never rejects; answers in bounded time. */
  getHealth(): Promise<HealthReport>;

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
  error?: string | undefined;
}

export interface HealthCheck {
  /** `degraded`: Postgres answers, the graph is away or not ours. `unhealthy`: Postgres does not answer. */
  status: 'healthy' | 'degraded' | 'unhealthy';
  stores: StorageStatus;
  /** When a check of all users (of auto-sync, `fullSync` or `rebuildGraph`) last completed. */
  lastSync?: Date | undefined;
  /** Counts of all users. `null`: the store that knows did not answer. */
  metrics: {
    totalMemories: number | null;
    vectorStoreCount: number | null;
    graphStoreCount: number | null;
    /** Share of the memories that the graph holds in their newest form, 0 to 100. */
    syncPercentage: number | null;
  };
  /** What limits the service, for example lexical search for want of an embedder. */
  reasons?: HealthReason[] | undefined;
}

/** A {@link HealthCheck} as the package returns it. */
export interface HealthReport extends HealthCheck {
  reasons: HealthReason[];
}

export interface HealthReason {
  /**
   * Stable: the `reason` of an error, or `READ_ONLY`, `MISSING_PRIVILEGES` (of the role), `TRIGGERS_DISABLED`, `RULES` (on
   * `memory_entries`), `NO_EMBEDDER`, `DEAD_LETTERS` (refused for good by a graph or a model).
   */
  code: string;
  /** For people; may change. */
  message: string;
}

// ── sync ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * One page of a list. `nextCursor`, which is opaque, fetches the next one with the same options; `null`: there is none.
 */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** One memory that Postgres and the graph differ in, though nothing is owed. */
export interface SyncInconsistency {
  memoryId: string;
  /** `missing_in_vector`: the graph has a memory that Postgres has not, or has deleted. */
  issue: 'missing_in_graph' | 'missing_in_vector' | 'metadata_mismatch';
  details: string;
  detectedAt: Date;
  /**
   * Somebody changed the graph: the node has the memory's revision but other properties, or belongs to no memory that
   * ever was. Otherwise the graph has merely fallen behind, and Postgres is right whatever the strategy.
   */
  conflict?: boolean | undefined;
  /**
   * What differs, as far as it was read back: without `deep`, of conflicts only. Of the memory: `'userId'`, `'content'`, `'summary'`,
   * `'importance'`, `'createdAt'`, `'mentions'`, `'relationships'`, `'labels'`, `'digest'`, `'bucket'`. Of the entities
   * it mentions: `'entities'`, `'labels'`, `'frequency'`.
   */
  fields?: string[] | undefined;
}

/** A {@link SyncInconsistency} as the package returns it. */
export interface FoundInconsistency extends SyncInconsistency {
  conflict: boolean;
  fields: string[];
}

/** A difference to repair: a {@link SyncInconsistency}, or one that went through JSON. */
export type ReportedInconsistency = Omit<SyncInconsistency, 'detectedAt'> & { detectedAt: Date | string };

/**
 * Who wins a conflict, which is a difference that somebody caused in the graph. The loser's side is kept in the conflict
 * log, see {@link SyncService.getConflicts}.
 *
 * - `'vector_wins'`: Postgres. The memory is written to the graph anew; a node without a memory is removed.
 * - `'graph_wins'`: the graph. The memory gets a new revision with what its node holds; a node without a memory becomes
 *   one, if its user is known.
 * - `'latest_wins'`: the graph, where the node's `updatedAt` (a date-time, its ISO text or milliseconds) is later than the
 *   memory's; else Postgres.
 * - `'merge'`: the memory gets a new revision with the entities and relationships of both. For everything else Postgres
 *   is right.
 * - `'manual'`: nobody. Nothing is changed, and the conflict stays listed as open until a later call decides it.
 *
 * No strategy brings back what was deleted.
 */
export type ConflictStrategy = 'vector_wins' | 'graph_wins' | 'latest_wins' | 'merge' | 'manual';

/**
 * Decides conflicts one by one. One that fails, or returns something else, leaves its conflict undecided: nothing is
 * changed, and the memory counts among `failed`.
 *
 * @param options.signal aborted when the layer closes
 */
export type ConflictResolver = (
  conflict: Conflict,
  options: { signal: AbortSignal },
) => ConflictStrategy | Promise<ConflictStrategy>;

/** Members that may be missing or null: somebody edited them. */
type Loose<T> = { [K in keyof T]?: T[K] | null };

/**
 * What one side of a conflict holds of the memory, as JSON. What is not of the kind that it should be is null, and so is
 * what that graph does not hold: the one in Postgres has entities and relationships only.
 */
export interface ConflictSide {
  userId: string;
  content: string | null;
  summary: string | null;
  importance: number | null;
  createdAt: string | null;
  entities: Loose<Entity>[];
  relationships: Loose<InlineRelationship>[];
}

/** A conflict to decide. */
export interface Conflict {
  memoryId: string;
  userId: string;
  /** In what the sides differ, see {@link SyncInconsistency.fields}. */
  fields: string[];
  /** What Postgres holds; `null`: there is no such memory. */
  vector: ConflictSide | null;
  /** What the graph holds. */
  graph: ConflictSide | null;
  detectedAt: Date;
}

/** An entry of the conflict log. */
export interface ConflictEntry extends Conflict {
  id: string;
  /** Which strategy decided, or did not. */
  strategy: string;
  /** Who won. */
  outcome: 'vector' | 'graph' | 'merged' | 'open';
  /** Missing while it is open. */
  resolvedAt?: Date | undefined;
}

/** What a sync call did. */
export interface SyncResult {
  /** Memories that were compared; of `repairInconsistencies`, `deltaSync` and `rebuildGraph`, that were owed. */
  totalChecked: number;
  /** The differences found, repaired or not. */
  inconsistencies: SyncInconsistency[];
  repaired: number;
  /** Memories that the graph refused, or whose conflict could not be decided. */
  failed: number;
  /** Conflicts that were left open, for somebody to decide. */
  conflicts?: number | undefined;
  /** Milliseconds. */
  duration: number;
  /** Memories still owed to the graph afterwards. */
  pending?: number | undefined;
  /** Of `rebuildGraph`: whether it went on where an earlier one had stopped. */
  resumed?: boolean | undefined;
  /**
   * Edges that other programs have hung at nodes of this package in Neo4j, where there are any: those that a `deep` check
   * met and left, or those that went with nodes that `rebuildGraph({ clearExisting: true })` or `switchGraph` removed.
   */
  foreignEdges?: number | undefined;
}

/** A {@link SyncResult} as the package returns it. */
export interface SyncOutcome extends SyncResult {
  inconsistencies: FoundInconsistency[];
  conflicts: number;
  pending: number;
}

/** What {@link SyncService.verify} found. */
export interface Verdict {
  /**
   * - `'divergent'`: something differs that is not merely owed, or the graph has refused it for good
   * - `'inconclusive'`: nothing is known to differ, but something is still owed
   * - `'consistent'`: neither
   */
  state: 'consistent' | 'divergent' | 'inconclusive';
  /** What the verdict speaks for, see {@link CheckOptions.deep}. */
  depth: 'digest' | 'deep';
  /** Memories compared. */
  checked: number;
  /** Memories still owed to the graph. */
  pending: number;
  /** Memories that differ. */
  differences: number;
  /**
   * Edges that other programs have hung at nodes of this package in Neo4j, where a `deep` check met any. They count
   * nowhere, are no difference, and go with the node they hang at.
   */
  foreignEdges?: number | undefined;
  /** Milliseconds. */
  duration: number;
}

/** Something that is owed for a memory. */
export interface QueueItem {
  memoryId: string;
  userId: string;
  /** To whom: the graph, or the memory's own embedding or extraction. */
  target: 'graph' | 'embedding' | 'extraction';
  /** `dead`: refused `retryAttempts` times, and put aside until the memory changes or `retryNow`. */
  state: 'pending' | 'dead';
  /** The memory's revision that is owed. */
  revision: number;
  /** How often it was refused. An outage counts as no attempt. */
  attempts: number;
  nextAttemptAt: Date;
  /** Somebody is at work on it; after this moment, anybody else may be. */
  leasedUntil?: Date | undefined;
  lastError?: string | undefined;
  owedAt: Date;
}

/** What {@link SyncService.drain} did. */
export interface DrainResult {
  /** Debts that were paid: to the graph, `embedded` and `extracted`. */
  paid: number;
  embedded: number;
  extracted: number;
  /** Debts that the graph or a model refused. */
  refused: number;
  /** Debts that are left and that this instance can pay. Those of a model that did not answer are among them. */
  pending: number;
  /** Debts that were put aside, in all. */
  dead: number;
  /** Milliseconds. */
  duration: number;
}

/** What memories are owed by their embedder or extractor, as this instance sees it. */
export interface OwedToModel {
  /** It pays these by itself: auto-sync and `drain`. */
  pending: number;
  /**
   * It does not pay these: there is no such model here or (embeddings) it is not the stored one's, or the model is a paid
   * one and other code wrote the content, which waits for {@link SyncService.backfill}.
   */
  waiting: number;
  /** The model refused them for good; see {@link SyncService.getQueue}. */
  dead: number;
}

/** Options of {@link SyncService.backfill}. */
export interface BackfillOptions extends SyncCall {
  /** Make embeddings. @default where there is an embedder of the stored model */
  embed?: boolean | undefined;
  /** Extract entities and relationships. @default where there is an extractor */
  extract?: boolean | undefined;
  /** Only this user's memories. @default all users */
  userId?: string | undefined;
  /** Count, and call no model. @default false */
  dryRun?: boolean | undefined;
}

/** What {@link SyncService.backfill} did. */
export interface BackfillResult {
  embedded: number;
  extracted: number;
  /** Memories that a model refused. */
  failed: number;
  /** What is left of the memories that lack something. */
  pending: number;
  /** Milliseconds. */
  duration: number;
  /** What was counted before any model was called. */
  found: { embed: number; extract: number };
}

/** What {@link SyncService.reembed} did. */
export interface ReembedResult {
  /** The embedder's model and length, now those of the stored embeddings. */
  model: string;
  dimensions: number;
  embedded: number;
  /** Memories that the embedder refused; they are owed. */
  failed: number;
  /** Whether it went on where an earlier one had stopped. */
  resumed: boolean;
  /** Milliseconds. */
  duration: number;
}

/**
 * Counts of all users. `null`, never 0, stands for what is not known because the store that knows did not answer;
 * `unavailable` names it.
 */
export interface SyncStats {
  /** Memories in Postgres, of all users, without deleted ones. */
  vectorStoreCount: number | null;
  /** Memories in the graph; 0 where there is no graph. */
  graphStoreCount: number | null;
  /** Share of the memories that the graph holds in their newest form, 0 to 100; 100 where there is no graph. */
  syncPercentage: number | null;
  /** When a check of all users (of auto-sync, `fullSync` or `rebuildGraph`) last completed. */
  lastSync?: Date | undefined;
  /** Memories owed to the graph. Postgres knows them, so they are told while the graph is away. */
  pending: number | null;
  /** Memories that the graph refused for good. */
  dead: number | null;
  /** Conflicts that are open. */
  conflicts: number | null;
  embedding: OwedToModel | null;
  extraction: OwedToModel | null;
  /** The stores that did not answer, and why. Missing while all do. */
  unavailable?: UnavailableStores | undefined;
}

/** The stores that did not answer, and why: `code` is a reason such as `UNAVAILABLE` or `TIMEOUT`. */
export interface UnavailableStores {
  vectorStore?: HealthReason | undefined;
  graphStore?: HealthReason | undefined;
}

/** What all long sync calls take. */
export interface SyncCall {
  /** Called ten times a second at most. */
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link SyncService.verify}. */
export interface VerifyOptions extends SyncCall {
  /** Only this user's memories. @default all users, as for an empty text */
  userId?: string | undefined;
  /** See {@link CheckOptions.deep}. @default false */
  deep?: boolean | undefined;
}

/** Options of {@link SyncService.checkConsistency}. */
export interface CheckOptions extends SyncCall {
  /** Only this user's memories. @default all users, as for an empty text */
  userId?: string | undefined;
  /** At most this many differences are returned or repaired; all memories are compared anyway. @default none */
  limit?: number | undefined;
  /**
   * Read the graph back and compare it field by field, see {@link SyncInconsistency.fields}. It takes as long as reading
   * all of it. `false` compares the digests that both stores keep of each memory, which a change by hand leaves as they
   * were. What neither compares: an entity's own name, confidence and first and last mention (they come from all its
   * mentions, past ones included), and nodes and relationships that are not this package's.
   * @default false
   */
  deep?: boolean | undefined;
}

/** The name {@link CheckOptions} had before there were others. */
export type SyncOptions = CheckOptions;

/** Options of {@link SyncService.repairInconsistencies}. */
export interface RepairOptions extends SyncCall {
  /** @default the configuration's */
  conflictStrategy?: ConflictStrategy | ConflictResolver | undefined;
}

/** Options of {@link SyncService.fullSync}. */
export interface FullSyncOptions extends CheckOptions, RepairOptions {
  /** Report the differences, repair nothing. @default false */
  dryRun?: boolean | undefined;
}

/** Options of {@link SyncService.rebuildGraph}. */
export interface RebuildOptions extends SyncCall {
  /** Only this user's memories. @default all users, as for an empty text */
  userId?: string | undefined;
  /** Write at most this many before the call returns; `pending` tells the rest. @default none */
  limit?: number | undefined;
  /** Remove what this package has in the graph (of that user) first. @default false */
  clearExisting?: boolean | undefined;
}

/** Options of {@link SyncService.deltaSync}. */
export interface DeltaSyncOptions extends SyncCall {
  /** Only this user's memories. @default all users, as for an empty text */
  userId?: string | undefined;
  /** Begin nothing new after this time. @default none */
  maxMs?: number | undefined;
}

/** Options of {@link SyncService.drain}. */
export interface DrainOptions {
  /** Begin nothing new after this time. @default none */
  maxMs?: number | undefined;
  /** Pay at most this many debts. @default none */
  maxItems?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link SyncService.getQueue}. */
export interface QueueOptions {
  /** @default both */
  state?: 'pending' | 'dead' | undefined;
  /** @default all */
  target?: 'graph' | 'embedding' | 'extraction' | undefined;
  /** @default all users, as for an empty text */
  userId?: string | undefined;
  /** Items of a page, 1 to 1000. @default 100 */
  limit?: number | undefined;
  /** `nextCursor` of the page before. @default the first page */
  cursor?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link SyncService.getConflicts}. */
export interface ConflictOptions {
  /** @default both */
  state?: 'open' | 'resolved' | undefined;
  /** @default all users, as for an empty text */
  userId?: string | undefined;
  /** Items of a page, 1 to 1000. @default 100 */
  limit?: number | undefined;
  /** `nextCursor` of the page before. @default the first page */
  cursor?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link SyncService.purgeConflicts}. */
export interface PurgeConflictsOptions {
  /** @default all users */
  userId?: string | undefined;
  /** Only conflicts that were resolved before this moment. @default all resolved ones */
  olderThan?: Date | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Keeps the graph in step with Postgres, which is right wherever they differ, unless a {@link ConflictStrategy} says
 * otherwise. An aborted call stops between batches; what it did stays done.
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
  checkConsistency(options?: CheckOptions): Promise<FoundInconsistency[]>;

  /** The same as a verdict, which says what it speaks for. @throws as {@link checkConsistency} */
  verify(options?: VerifyOptions): Promise<Verdict>;

  /**
   * Brings the graph's side of these memories up to date, and decides their conflicts. The list may come from JSON, with
   * dates as text.
   *
   * @throws as {@link checkConsistency}
   */
  repairInconsistencies(
    inconsistencies: readonly ReportedInconsistency[],
    options?: RepairOptions,
  ): Promise<SyncOutcome>;

  /** Checks and repairs in one. @throws as {@link checkConsistency} */
  fullSync(options?: FullSyncOptions): Promise<SyncOutcome>;

  /**
   * Writes to the graph what is owed, and compares nothing: its cost grows with what has changed, not with what is
   * there. It calls no model; {@link drain} does.
   *
   * @throws as {@link checkConsistency}
   */
  deltaSync(options?: DeltaSyncOptions): Promise<SyncOutcome>;

  /**
   * Writes all memories to the graph anew, without calling a model. One that was stopped in the middle goes on there
   * when it is called again with the same options.
   *
   * @throws as {@link checkConsistency}
   */
  rebuildGraph(options?: RebuildOptions): Promise<SyncOutcome>;

  /**
   * Makes the graph that is configured here the one this database belongs to, and writes all memories to it. Until then,
   * an instance that is configured for another graph only notes what it owes (`GRAPH_STORE_MISMATCH`). Instances that
   * still have the old configuration then do the same. The old graph keeps what it holds.
   *
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`, `NOT_CONFIGURED`
   */
  switchGraph(options?: SyncCall): Promise<SyncOutcome>;

  /**
   * Pays what is owed, to the graph and by the models, in bounded time: for cron jobs and serverless functions, where
   * nothing runs between two requests. Several at once share the work. Resolves when nothing is left that can be paid
   * now, or a bound is reached. A model that does not answer leaves its debts `pending`, without counting an attempt; a
   * graph that cannot be reached rejects, after the models' part. Content that other code wrote is sent to free models
   * only.
   *
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`: of either store
   * @throws {SyncError} `GRAPH_STORE_MISMATCH`: the graph belongs to another database
   */
  drain(options?: DrainOptions): Promise<DrainResult>;

  /**
   * Gives memories the embeddings and extractions that they lack: of rows that were there before this package or that
   * other code wrote, which a paid model gets from no other call, and of memories that were stored without an embedding.
   * The first call of `onProgress` (`done: 0`) and `dryRun` tell how many there are before any model is called. Several
   * at once share the work; one that was stopped leaves nothing behind, and the next one does the rest. What was
   * extracted is owed to the graph, as of any write.
   *
   * @throws {PersistenceError} `EMBEDDING_FAILED`: the embedder does not answer; what was done stays done
   * @throws {PersistenceError} `NOT_CONFIGURED`, `EMBEDDING_SPACE_MISMATCH`: `embed: true` without an embedder of the
   *   stored model
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  backfill(options?: BackfillOptions): Promise<BackfillResult>;

  /**
   * Makes the configured embedder's model the one of the stored embeddings, all of them made anew. It may cost one
   * embedding per memory. The former ones stay in use until the new ones are complete, so that search goes on: for
   * instances with the former embedder as before, for those with the new one by text. After the switch the former
   * embeddings of this package are removed, never the application's column; that begins 10 seconds later, when no
   * process searches them any more.
   *
   * One at a time: a second call waits for the first. One that was stopped or killed is gone on with by the next call, of
   * any process; one to another model gives it up. Once the database holds no embedding, a new model needs no call.
   *
   * @throws {PersistenceError} `EMBEDDING_FAILED`: the embedder does not answer; the next call goes on
   * @throws {PersistenceError} `NOT_CONFIGURED`: there is no embedder
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  reembed(options?: SyncCall): Promise<ReembedResult>;

  /** What is owed, a page at a time. @throws {SyncError} `UNAVAILABLE`, `TIMEOUT` */
  getQueue(options?: QueueOptions): Promise<Page<QueueItem>>;

  /**
   * Has what was put aside tried again; of the memories that are named, what waits for its next attempt too.
   *
   * @param ids memories; @default all that have something put aside
   * @returns how many debts that are
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  retryNow(ids?: readonly string[]): Promise<{ revived: number }>;

  /**
   * Gives up what was put aside for these memories; others are left alone. A check will find that they differ.
   *
   * @returns how many debts that were
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  purgeDead(ids: readonly string[]): Promise<{ purged: number }>;

  /**
   * Pays in the background what is owed, as soon as it is, and checks all memories every `syncIntervalMs`. It runs once
   * for all layers of the process that share their connections, and of all processes on a database one checks; when that
   * ends, another takes over. Starting it twice changes nothing.
   *
   * It never keeps Node alive. {@link stopAutoSync} ends it, and the close of the last layer on its connections. While it
   * runs, SIGTERM and SIGINT stop it first, which takes 5 s at most (main thread only); then the signal takes its course:
   * to the program's own listeners where there are some, else it ends the process.
   *
   * @throws {PersistenceError} `INVALID_ARGUMENT`: `syncIntervalMs` is below 1000
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  startAutoSync(): Promise<void>;

  /** Ends it, within 5 s; other processes may go on at once. Stopping what does not run is no error. */
  stopAutoSync(): Promise<void>;

  /**
   * The conflict log, a page at a time. Entries go with their memory when it is removed for good.
   *
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  getConflicts(options?: ConflictOptions): Promise<Page<ConflictEntry>>;

  /**
   * Removes resolved conflicts from the log; open ones stay.
   *
   * @returns how many
   * @throws {SyncError} `UNAVAILABLE`, `TIMEOUT`
   */
  purgeConflicts(options?: PurgeConflictsOptions): Promise<{ purged: number }>;

  /**
   * Counts of all users. Answers within a few seconds, whatever the stores do: what is not known is `null`, and
   * `unavailable` says why.
   *
   * @throws {PersistenceError} `NOT_CONFIGURED`, `INVALID_ARGUMENT` of the configuration, `CLOSED`
   */
  getStats(): Promise<SyncStats>;
}

/** The service of the default layer. */
export const syncService: SyncService;

// ── graph ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An entity by its type and any spelling of its name, or of another name that memories say it has (`SAME_AS`):
 * `{ type: 'person', value: 'Dr. José García' }`.
 */
export interface EntityReference {
  type: EntityType;
  value: string;
}

/** An entity as the graph knows it from all of the user's memories. */
export interface GraphEntity {
  /** What the first memory to mention it said; a tool and a project of one name are one entity, as are a topic and an action item. */
  type: EntityType;
  /** As the first memory to mention it wrote it. */
  name: string;
  /** By what it is known. As `value` of an {@link EntityReference} it names this entity. */
  normalized: string;
  /** Memories that mention it, at least 1. */
  frequency: number;
  /** The highest of all mentions, 0 to 1. */
  confidence: number;
  /** When the first of its memories was made (`createdAt`). */
  firstSeen: Date;
  /** When the last of them was. Both include memories that were deleted since. */
  lastSeen: Date;
}

/** What joins two entities: a relationship that memories state, or that a memory mentions both. */
export type RelationType = InlineRelationshipType | 'CO_OCCURS';

/** An entity at the other end of a relation. */
export interface RelatedEntity {
  entity: GraphEntity;
  relationship: RelationType;
  /** `out`: from the entity that was asked about to this one. `none`: `CO_OCCURS` has no direction. */
  direction: 'out' | 'in' | 'none';
  /** Memories that support it. */
  weight: number;
  /** The highest of the statements, 0 to 1. Missing for `CO_OCCURS`. */
  confidence?: number | undefined;
}

/** A shortest way between two entities. */
export interface GraphPath {
  /** From the first to the last. */
  entities: GraphEntity[];
  /** One less than there are entities; none where both ends are the same. */
  steps: PathStep[];
}

/** One step of a {@link GraphPath}. */
export interface PathStep {
  /** Place in {@link GraphPath.entities}. */
  from: number;
  /** Place in {@link GraphPath.entities}. */
  to: number;
  /** The stated relationship with the most memories, else `CO_OCCURS`. */
  relationship: RelationType;
  /** `in`: it is stated of `to`, and points at `from`. */
  direction: 'out' | 'in' | 'none';
  /** Memories that support it, the newest first, at most 10. */
  memoryIds: string[];
}

/** What {@link GraphService.getEntityStats} returns. */
export interface EntityStats {
  /** Entities. */
  total: number;
  /** Entities of every type, also those that are 0. */
  byType: Record<EntityType, number>;
  /** Mentions: an entity in a memory counts once. */
  mentions: number;
  /** Different relationships of every type, also those that are 0, however many memories state them. */
  relationships: Record<InlineRelationshipType, number>;
}

/** Options of the methods that have no others. */
export interface GraphCall {
  signal?: AbortSignal | undefined;
}

/** Options of {@link GraphService.searchEntities} and {@link GraphService.getTopEntities}. */
export interface EntityListOptions extends GraphCall {
  /** Only entities of these types. @default all types */
  types?: readonly EntityType[] | undefined;
  /** At most this many, 1 to 1000. @default 20 */
  limit?: number | undefined;
}

/** Options of {@link GraphService.getRelatedEntities}. */
export interface RelatedEntitiesOptions extends EntityListOptions {
  /** Only relations of these types. @default all types and `CO_OCCURS` */
  relationshipTypes?: readonly RelationType[] | undefined;
}

/** Options of {@link GraphService.getMemoriesForEntity}. */
export interface EntityMemoriesOptions extends GraphCall {
  /** At most this many on the page, 1 to 1000. @default 20 */
  limit?: number | undefined;
  /** `nextCursor` of the page before. @default the first page */
  cursor?: string | undefined;
}

/** Options of {@link GraphService.findPath}. */
export interface FindPathOptions extends GraphCall {
  /** Most steps, 1 to 6. @default 4 */
  maxDepth?: number | undefined;
}

/**
 * Asks the graph about the entities of one user's memories; the answers are the same on both graphs. Another user's
 * entities are never met.
 *
 * Only live memories count, and an entity that none of them mentions is not there. What is still owed to the graph is
 * not in it yet ({@link MemoryMetadata.graphWriteSuccess}); the graph in Postgres has
 * every write of this package at once, and rows that other code wrote from the next sync on.
 *
 * Every method throws:
 * - {@link PersistenceError} `INVALID_ARGUMENT`
 * - {@link GraphStoreError} `NOT_CONFIGURED`: there is no graph
 * - {@link GraphStoreError} `GRAPH_STORE_MISMATCH`: the graph belongs to another database
 * - {@link GraphStoreError} `UNAVAILABLE`, `TIMEOUT`: Neo4j cannot be reached, or took too long
 * - {@link VectorStoreError} `UNAVAILABLE`, `TIMEOUT`, `OVERLOADED`: of Postgres
 */
export class GraphService {
  constructor();

  /** One entity; `null`: no memory of the user mentions it. */
  getEntity(userId: string, entity: EntityReference, options?: GraphCall): Promise<GraphEntity | null>;

  /**
   * Entities whose name has the text in it, or what the text normalises to as a name, whatever the case and the
   * diacritics: equal ones first, then those that begin with it, those in which a word begins with it, then all others;
   * of these, the most mentioned first, then by name. No character is a wildcard. Looks at the name that an entity is known
   * by ({@link GraphEntity.normalized}). Its cost grows with the user's entities of these types.
   *
   * @param text 1 to 500 characters
   */
  searchEntities(userId: string, text: string, options?: EntityListOptions): Promise<GraphEntity[]>;

  /**
   * The most mentioned entities; those mentioned equally often by name. In Neo4j its cost grows with the user's entities of
   * these types.
   */
  getTopEntities(userId: string, options?: EntityListOptions): Promise<GraphEntity[]>;

  /**
   * What belongs to an entity: relationships that memories state, then `CO_OCCURS` with all that is mentioned together
   * with it; each with the most memories first, then by name. An entity appears once per type of relation and direction.
   * Its cost grows with the memories that mention the entity. Empty when there is no such entity.
   */
  getRelatedEntities(
    userId: string,
    entity: EntityReference,
    options?: RelatedEntitiesOptions,
  ): Promise<RelatedEntity[]>;

  /** The memories that mention an entity, the newest first (`createdAt`), a page at a time. */
  getMemoriesForEntity(
    userId: string,
    entity: EntityReference,
    options?: EntityMemoriesOptions,
  ): Promise<Page<MemoryEntry>>;

  /**
   * A shortest way from one entity to another, each step being a stated relationship, in either direction, or a memory
   * that mentions both. Of several the same is always taken: from the first step on, stated relationships before
   * `CO_OCCURS`, then by name. `null`: there is none of at most `maxDepth` steps, or no such entity.
   *
   * Searches from both ends, for 10 s and over 100,000 entities at most.
   *
   * @throws {GraphStoreError} `TIMEOUT`: the search met one of these bounds
   */
  findPath(
    userId: string,
    from: EntityReference,
    to: EntityReference,
    options?: FindPathOptions,
  ): Promise<GraphPath | null>;

  /** Counts of the user's graph. Its cost grows with all of the user's entities. */
  getEntityStats(userId: string, options?: GraphCall): Promise<EntityStats>;
}

/** The service of the default layer. */
export const graphService: GraphService;

// ── set-up ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Settings. What is missing comes from the environment, read at the first use, then from the defaults; an empty
 * variable counts as missing.
 */
export interface IzzieMemoryConfig {
  /** Postgres, possibly through a pooler. Environment: `DATABASE_URL`. */
  databaseUrl?: string | undefined;
  /**
   * The same database without a pooler, for migrations. Environment: `DATABASE_DIRECT_URL`,
   * `DATABASE_URL_UNPOOLED`, where `databaseUrl` comes from the environment too.
   * @default databaseUrl
   */
  directUrl?: string | undefined;
  /**
   * Use the embedded database: `true`, a folder, or `'memory://'` for one that ends with the process. `false`: never.
   * Environment: `IZZIE_MEMORY_DIR`, a folder. Not together with `databaseUrl`.
   * @default with no database configured: true outside production and outside a Next.js build. The folder is
   *   `.izzie-memory` beside the nearest package.json.
   */
  embedded?: boolean | string | undefined;
  /** Used when it has a `uri`. */
  neo4j?: Neo4jConfig | undefined;
  /**
   * Where the graph is kept. `'auto'`: Neo4j when it is configured, else in Postgres.
   * @default 'auto'
   */
  graphStore?: 'auto' | 'neo4j' | 'postgres' | 'none' | undefined;
  /**
   * Makes embeddings. `'local'`: the offline model that comes with the package, English, 256 dimensions. `'none'`: memories
   * are found by their text.
   * @default the OpenAI-compatible one when `OPENROUTER_API_KEY` or `OPENAI_API_KEY` is set, else 'local'
   */
  embedder?: EmbedderCallback | OpenAIEmbedder | 'local' | 'none' | undefined;
  /** Finds entities. `'local'`: offline rules. A language model is asked only if it is named here. @default 'local' */
  extractor?: ExtractorCallback | OpenAIExtractor | 'local' | 'none' | undefined;
  /** Defaults of all services of the layer. */
  persistence?: Partial<PersistenceConfig> | undefined;
  limits?: Partial<Limits> | undefined;
  /**
   * Entities and relationships that are not as documented reject the call that gives them, and fail the extraction that finds
   * them, instead of being kept as far as they can be understood.
   * @default false
   */
  strictEntities?: boolean | undefined;
  pool?: Partial<PoolConfig> | undefined;
  /** Told what would otherwise go to stderr: where the embedded database lies. `{}` silences it. */
  logger?: Logger | undefined;
}

export interface Neo4jConfig {
  /** `bolt://`, `neo4j://`, with `+s` for TLS. Environment: `NEO4J_URI`. */
  uri?: string | undefined;
  /** Environment: `NEO4J_USER`, `NEO4J_USERNAME`. @default 'neo4j' */
  user?: string | undefined;
  /** Environment: `NEO4J_PASSWORD`. May be empty, but must be given. */
  password?: string | undefined;
  /** Environment: `NEO4J_DATABASE`. @default the server's default */
  database?: string | undefined;
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
  baseUrl?: string | undefined;
  /** Environment: `OPENROUTER_API_KEY`, `OPENAI_API_KEY`. */
  apiKey?: string | undefined;
  /** @default 'text-embedding-3-small' */
  model?: string | undefined;
  /** @default 1536 */
  dimensions?: number | undefined;
  /** Texts in one request. @default 128 */
  batchSize?: number | undefined;
  /** For one request; it is repeated within twice that. @default 10000 */
  timeoutMs?: number | undefined;
}

/** An extractor of one's own. */
export interface ExtractorCallback {
  /**
   * The entities and relationships of a memory.
   * @param options.signal aborted when the layer closes
   */
  extract(input: ExtractionInput, options: { signal: AbortSignal }): Promise<Extraction>;
}

/**
 * A language model behind a service that speaks OpenAI's `/chat/completions`. It is sent content, summary and the mail
 * headers among the metadata (`from`, `to`, `cc`, `bcc`, `sender`, `reply-to`, `subject`); long contents in pieces of
 * 24,000 bytes. What it names is kept only where the memory contains it; an answer that breaks the rules is sent back
 * once, then the extraction is owed.
 */
export interface OpenAIExtractor {
  provider: 'openai';
  /** @default OpenRouter's, or OpenAI's when the key comes from `OPENAI_API_KEY` */
  baseUrl?: string | undefined;
  /** Environment: `OPENROUTER_API_KEY`, `OPENAI_API_KEY`. */
  apiKey?: string | undefined;
  /** @default 'gpt-4o-mini' */
  model?: string | undefined;
  /** For one request, in milliseconds; with its repetitions it may take twice that. @default 30000 */
  timeoutMs?: number | undefined;
}

export interface ExtractionInput {
  content: string;
  summary: string | null;
  metadata: Record<string, unknown>;
}

export interface Extraction {
  entities?: Entity[] | undefined;
  relationships?: InlineRelationship[] | undefined;
}

/** Upper limits of input; what is over them is refused with the limit in the message. */
export interface Limits {
  /** Bytes of UTF-8 of a memory's content. @default 100000 */
  contentBytes: number;
  /** Bytes of a memory's metadata as JSON. @default 100000 */
  metadataBytes: number;
  /** Entities, and relationships, of a memory. @default 200 */
  entities: number;
  /** Ids of one `getMany`; memories of one chunk of `storeMany`. @default 1000 */
  batch: number;
  /** Bytes of UTF-8 of a query. @default 10000 */
  queryBytes: number;
}

export interface PoolConfig {
  /** Connections to Postgres for calls; the embedded database has one. @default 5 */
  max: number;
  /** How long a call waits for a free connection. @default 10000, and 60000 in the embedded store, which has one for all */
  acquireTimeoutMs: number;
  /**
   * Whether connections keep statements prepared. `'on'`: one round trip a statement; wrong behind a pooler in
   * transaction mode that does not keep track of them (PgBouncer with `max_prepared_statements = 0`), where it can give
   * other statements' rows. `'off'`: each statement in a transaction of its own, four round trips. `'auto'` finds out.
   * @default 'auto'
   */
  preparedStatements: 'auto' | 'on' | 'off';
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

/** {@link MemoryLayer.metrics} of the default layer. */
export function metrics(): Promise<string>;

/**
 * A layer of its own, beside the default one. Nothing is opened before the first call; layers with equal connection
 * settings share their connections.
 *
 * @throws {PersistenceError} `INVALID_ARGUMENT`, at once: an unknown key or a value of the wrong kind
 */
export function createMemoryLayer(config?: IzzieMemoryConfig): MemoryLayer;

export interface MigrateOptions {
  /**
   * Write nothing; tell in `sql` what would be done.
   * @default false
   */
  dryRun?: boolean | undefined;
  /** Is told how many rows have been adopted. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the call; what was done stays. */
  signal?: AbortSignal | undefined;
}

export interface Migrated {
  /** The migrations that were missing, in order, such as `0001 tables`. */
  applied: string[];
  adopted: {
    /** Rows that were given their state. */
    rows: number;
    /** Rows that others had locked for a minute: the next sync call meets them again. With `dryRun`: all that have no state. */
    pending: number;
    /** Rows that our tables refuse. They stay as they are, without a state, and are tried again by the next call. */
    failed: { id: string; error: PersistenceError }[];
  };
  /** With `dryRun`: a script for psql that does the same. Empty where there is nothing to do. */
  sql?: string | undefined;
}

export interface MemoryLayer extends AsyncDisposable {
  readonly memory: EnhancedMemoryService;
  readonly persistence: PersistenceService;
  readonly sync: SyncService;
  readonly graph: GraphService;
  /**
   * What Prometheus reads: text in the exposition format 0.0.4 (`text/plain; version=0.0.4`). Counters and histograms are of
   * this process, since it opened the stores, and of all layers that share these connections; the cache is the layer's own.
   * What the stores hold is looked up at each call, of all users, and is the same in every process: `max`, not `sum`.
   *
   * A store that does not answer within two seconds costs the gauges that come from it, and is named in
   * `izzie_memory_scrape_errors`; the call does not reject for it. No label names a user, a memory or an address.
   *
   * @throws {PersistenceError} `CLOSED`; the configuration's own errors
   */
  metrics(): Promise<string>;
  /**
   * Creates or updates the tables, then adopts the rows that an application's `memory_entries` has already: they get their
   * state and are owed to the graph, in pages that lock their rows for some tens of milliseconds. The embedded database
   * does this by itself. Goes to `directUrl`.
   *
   * Safe to run in several processes, and to be killed: the next call goes on where this one stopped, and so does every
   * sync call. No paid model is called.
   *
   * @throws {VectorStoreError} `TIMEOUT`: others held a lock on `memory_entries` for a minute, and nothing was done.
   *   `STATEMENT_REJECTED`: a right is missing, or `memory_entries` has other columns; the message names them.
   *   `SCHEMA_OUTDATED`: the database is newer than this version
   */
  migrate(options?: MigrateOptions): Promise<Migrated>;
  /** Ends the layer: later calls are rejected with `CLOSED`. */
  close(): Promise<void>;
}

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Why a call failed. Stable: code may depend on it. */
export type ErrorReason =
  /** Nothing is configured that could serve the call: no database (production, a build), no way to it without a pooler (migrate), no graph or no embedder. */
  | 'NOT_CONFIGURED'
  /** configure() was called with other settings after the first use. */
  | 'ALREADY_CONFIGURED'
  /** An argument is missing, of the wrong kind or over a limit; details name the field and the limit. */
  | 'INVALID_ARGUMENT'
  /** There is no such memory for this user. */
  | 'NOT_FOUND'
  /** The id or idempotency key is taken by other content or another user. */
  | 'ID_CONFLICT'
  /** The memory is at another revision than expected; details hold the current row. */
  | 'REVISION_CONFLICT'
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
  /** The stored vectors are of another model than the embedder's, and the call needs one that compares (mode 'vector', backfill); reembed() changes the model. */
  | 'EMBEDDING_SPACE_MISMATCH'
  /** The embedder failed where an embedding was indispensable (mode 'vector'). */
  | 'EMBEDDING_FAILED'
  /** The extractor failed; the memory is kept, its extraction owed (never thrown, seen in the queue). */
  | 'EXTRACTION_FAILED'
  /** Postgres refused the statement; details hold its SQLSTATE. */
  | 'STATEMENT_REJECTED'
  /** A bug in this package (a Rust panic included); the process is intact. */
  | 'INTERNAL';

/** Text that editors complete with the known reasons. */
type Text<Known extends string> = Known | (string & {});

export interface PersistenceErrorOptions {
  /** @default the code */
  reason?: Text<ErrorReason> | undefined;
  /** @default false */
  retryable?: boolean | undefined;
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
  readonly details?: Record<string, unknown> | undefined;
  /** Whether the same call may succeed later, without a change by the caller. */
  readonly retryable: boolean;
  toJSON(): {
    name: string;
    message: string;
    code: string;
    reason: string;
    details?: Record<string, unknown> | undefined;
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
