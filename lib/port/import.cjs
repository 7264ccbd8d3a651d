'use strict';

const { checkItems, chunkSizeOf, storeItem, storeItems } = require('../batch.cjs');
const { objectOf } = require('../checks.cjs');
const { fromEnvelope, invalid, PersistenceError } = require('../errors.cjs');
const { checkOnProgress } = require('../progress.cjs');
const { checkSignal } = require('../signals.cjs');
const { readJsonl } = require('./jsonl.cjs');
const { withKeys } = require('./keys.cjs');
const { readMbox } = require('./mbox.cjs');
const { SealCheck } = require('./seal.cjs');

const OPTIONS = [
  'userId',
  'format',
  'includeDeleted',
  'includeSpam',
  'restore',
  'verifyFirst',
  'dryRun',
  'chunkSize',
  'onProgress',
  'signal',
];

const MAY_BEGIN_A_MAIL =
  'begins with "From " and may begin a mail; it was left in the text of the mail before it';

/** Lines that would be refused are told by the error's message up to here; its details have all. */
const MAX_TOLD = 5;

/** Bounds what a chunk of large memories holds in memory. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** @typedef {ReturnType<typeof checkedOptions>} ImportOptions */
/** @typedef {Extract<import('./jsonl.cjs').Item, { entry: any }> & { idempotencyKey?: string }} Readable */

/**
 * Stores the memories of a file while it is read. Documented in index.d.ts.
 *
 * @param {import('../handle.cjs').Handle} handle
 * @param {unknown} source
 * @param {unknown} given
 */
async function importMemories(handle, source, given) {
  const options = checkedOptions(given, handle.batchLimit);
  const open = opener(source, options);
  if (options.verifyFirst) await mustComeInWhole(handle, open(), options);
  const seal = new SealCheck();
  const run = new Import(handle, options);
  const first = options.format === 'mbox' && typeof source === 'function' ? open() : undefined;
  const { limits } = handle;
  const items = withKeys(read(open(), seal, { ...options, first, limits }), (item) => !run.leavesOut(item));
  for await (const item of items) await run.take(item);
  await run.flush();
  // Nothing seals an mbox.
  return {
    ...run.counts,
    failed: run.failed,
    ...(options.format === 'jsonl' ? seal.outcome() : run.ofMails),
  };
}

function checkedOptions(given, batchLimit) {
  const options = objectOf(given, OPTIONS, 'options');
  const { userId, format = 'jsonl' } = options;
  if (format !== 'jsonl' && format !== 'mbox') throw invalid('options.format', "must be 'jsonl' or 'mbox'");
  if (userId !== undefined && typeof userId !== 'string') throw invalid('options.userId', 'must be a string');
  if (format === 'mbox' && !userId) throw invalid('options.userId', 'is missing, and an mbox names no user');
  const verifyFirst = flag(options, 'verifyFirst');
  if (format === 'mbox' && verifyFirst) throw invalid('options.verifyFirst', 'an mbox has no digest');
  return {
    userId,
    format,
    verifyFirst,
    includeDeleted: flag(options, 'includeDeleted'),
    includeSpam: flag(options, 'includeSpam'),
    restore: flag(options, 'restore'),
    dryRun: flag(options, 'dryRun'),
    chunkSize: chunkSizeOf(options.chunkSize, batchLimit),
    onProgress: checkOnProgress(options.onProgress, 'options.onProgress'),
    signal: checkSignal(options.signal, 'options.signal'),
  };
}

function flag(options, name) {
  const { [name]: value = false } = options;
  if (typeof value !== 'boolean') throw invalid(`options.${name}`, 'must be a boolean');
  return value;
}

/** What opens the source, each time it is called where the caller gave a function. */
function opener(source, { verifyFirst }) {
  if (typeof source === 'function') return () => checkedSource(source());
  if (verifyFirst) throw invalid('source', 'must be a function that opens it, for it is read twice');
  const once = checkedSource(source);
  return () => once;
}

/** @returns {import('./lines.cjs').Source} */
function checkedSource(source) {
  const isObject = typeof source === 'object' && source !== null;
  if (isObject && (source[Symbol.asyncIterator] || source[Symbol.iterator])) return source;
  throw invalid('source', 'must be a stream, or something else that gives text or bytes in pieces');
}

function read(source, seal, { format, userId, signal, first, limits }) {
  return format === 'jsonl'
    ? readJsonl(source, { userId, seal, signal })
    : readMbox(source, { userId, signal, first, limits });
}

/** Refuses what is no whole export, and one of which a line would be refused. */
async function mustComeInWhole(handle, source, options) {
  const seal = new SealCheck();
  const rehearsal = new Import(handle, { ...options, dryRun: true, onProgress: undefined });
  for await (const item of read(source, seal, options)) await rehearsal.take(item);
  await rehearsal.flush();
  const { verified, problem } = seal.outcome();
  if (!verified && problem !== 'unread')
    throw invalid('source', `is no whole export (${problem})`, { problem });
  const { failed } = rehearsal;
  if (failed.length > 0) throw invalid('source', refusal(failed), { problem: 'refused', failed });
}

/** @param {{ line: number, error: Error }[]} failed */
function refusal(failed) {
  const told = failed.slice(0, MAX_TOLD).map(({ line, error }) => `line ${line}: ${error.message}`);
  const more = failed.length > MAX_TOLD ? `; and ${failed.length - MAX_TOLD} more` : '';
  return `has lines that would be refused (${told.join('; ')}${more})`;
}

/** One import under way. */
class Import {
  counts = { read: 0, stored: 0, existing: 0, deleted: 0, restored: 0, skipped: 0 };
  /** @type {{ line: number, error: Error }[]} */
  failed = [];
  ofMails = {
    /** @type {{ line: number, reason: import('./mail-marks.cjs').LeftOut }[]} */
    leftOut: [],
    /** @type {{ line: number, problem: string }[]} */
    unclear: [],
    /** @type {{ line: number, memories: number }[]} */
    split: [],
    /** @type {{ line: number, fields: string[] }[]} */
    shortened: [],
    undecoded: 0,
    datesGuessed: 0,
  };
  #handle;
  #options;
  /** @type {Readable[]} */
  #chunk = [];
  #chunkBegins = 0;
  #end = 0;
  #line = 0;

  /** @param {import('../handle.cjs').Handle} handle @param {ImportOptions} options */
  constructor(handle, options) {
    this.#handle = handle;
    this.#options = options;
  }

  /** @param {import('./jsonl.cjs').Item & { idempotencyKey?: string }} item */
  async take(item) {
    this.#line = item.line;
    this.#end = item.end;
    if (!item.isMore) this.counts.read += 1;
    for (const line of item.unclear ?? []) this.ofMails.unclear.push({ line, problem: MAY_BEGIN_A_MAIL });
    const reason = this.leavesOut(item);
    if (item.error !== undefined && !reason) this.#fail(item.line, unreadable(item.error, item.line));
    else if (!reason) this.#accept(/** @type {Readable} */ (item));
    else if (!item.isMore) this.#leaveOut(item.line, reason);
    if (this.#isFull()) await this.flush();
  }

  /** Why it is not imported, unless it was asked for. @param {import('./jsonl.cjs').Item} item */
  leavesOut({ leftOut, entry }) {
    const { includeDeleted, includeSpam } = this.#options;
    if (leftOut === 'internal') return leftOut;
    if (leftOut === 'spam') return includeSpam ? undefined : leftOut;
    return includeDeleted ? undefined : (leftOut ?? (entry?.deleted && 'deleted'));
  }

  #leaveOut(line, reason) {
    this.counts.skipped += 1;
    this.ofMails.leftOut.push({ line, reason });
  }

  #accept(item) {
    this.#tell(item);
    this.#chunk.push(item);
  }

  /** What is not as it is in the mail. @param {Readable} item */
  #tell({ line, undecoded, dateGuessed, parts, shortened }) {
    const told = this.ofMails;
    if (undecoded) told.undecoded += 1;
    if (dateGuessed) told.datesGuessed += 1;
    if (parts) told.split.push({ line, memories: parts });
    if (shortened) told.shortened.push({ line, fields: shortened });
  }

  #isFull() {
    return this.#chunk.length >= this.#options.chunkSize || this.#end - this.#chunkBegins >= CHUNK_BYTES;
  }

  /** Stores, or checks, what has come together. A store that fails ends the import; a line that is refused does not. */
  async flush() {
    const { signal, onProgress, restore, dryRun } = this.#options;
    signal?.throwIfAborted();
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#chunkBegins = this.#end;
    const items = chunk.map((item) => toStoreItem(this.#handle, item, restore));
    const outcomes = await (dryRun ? checkItems : storeItems)(this.#handle, items, { signal });
    const sound = chunk.flatMap(({ entry, line }, place) => {
      const { error, write, memory } = outcomes[place];
      if (error) this.#fail(line, error);
      return error ? [] : [{ entry, line, write, memory }];
    });
    if (!dryRun) await this.#stored(sound);
    onProgress?.({ ...this.counts, failed: this.failed.length, line: this.#line, bytes: this.#end });
  }

  /** @param {{ entry: import('./jsonl.cjs').Entry, line: number, write?: any, memory?: any }[]} items */
  async #stored(items) {
    const deleted = new Map();
    for (const { entry, line, write, memory } of items) {
      this.counts[countOf(write, memory, entry)] += 1;
      if (entry.deleted) deleted.set(memory.id, line);
    }
    if (deleted.size > 0) await this.#delete(deleted);
  }

  /** @param {Map<string, number>} lines by id */
  async #delete(lines) {
    const args = { ids: [...lines.keys()] };
    const { failed } = await this.#handle.call({ op: 'deleteMany', args, signal: this.#options.signal });
    for (const { id, error } of failed) this.#fail(lines.get(id), fromEnvelope(error));
  }

  #fail(line, error) {
    this.failed.push({ line, error });
  }
}

/** @param {string} problem @param {number} line */
function unreadable(problem, line) {
  return new PersistenceError(problem, 'INVALID_ARGUMENT', { field: 'source', line });
}

/**
 * As what it counts. A memory that is marked deleted, and is so in the file, is as the file has it.
 *
 * @param {any} write
 * @param {any} memory
 * @param {import('./jsonl.cjs').Entry} entry
 */
function countOf(write, memory, entry) {
  if (write.created) return 'stored';
  if (write.restored) return 'restored';
  return memory.isDeleted && !entry.deleted ? 'deleted' : 'existing';
}

/** @param {import('../handle.cjs').Handle} handle @param {Readable} item @param {boolean} restores */
function toStoreItem(handle, { entry: { deleted, ...entry }, json, idempotencyKey }, restores) {
  const restore = (restores && !deleted) || undefined;
  if (json === undefined) return storeItem(handle, { ...entry, idempotencyKey, restore });
  const added = `"userId":${JSON.stringify(entry.userId)}${restore ? ',"restore":true' : ''}`;
  const memory = `{${added},${json.slice(1)}`;
  return { json: `{"memory":${memory},"exported":true}`, embedding: new Float32Array() };
}

module.exports = { importMemories };
