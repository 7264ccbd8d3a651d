'use strict';

const { mailDate } = require('./dates.cjs');
const { inPieces } = require('./long-text.cjs');
const { headersOf } = require('./mail-headers.cjs');
const { leftOutOf } = require('./mail-marks.cjs');
const { metadataOf, wellFormed } = require('./mail-metadata.cjs');
const { readMessages } = require('./mbox-messages.cjs');
const { parseMime } = require('./mime.cjs');
const { isReadable } = require('./text-lines.cjs');
const { Threads } = require('./threads.cjs');

/** So many mails, and characters of them, are read ahead for the threads of a source that can be read once only. */
const MAX_AHEAD = 5000;
const MAX_AHEAD_LENGTH = 8 * 1024 * 1024;
/** Bytes of a memory. @typedef {{ contentBytes: number, metadataBytes: number }} Limits */
/** @type {Limits} */
const UNLIMITED = { contentBytes: Infinity, metadataBytes: Infinity };

/**
 * Mails as entries: subject and text are the content, a thread is a conversation. A mail whose text is over the limit is
 * several entries, one behind the other.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {{ userId: string, signal?: AbortSignal, first?: import('./lines.cjs').Source, limits?: Limits }} options `first`: the
 *   same source, opened once more. It is read through before, so that threads are known whole, in whatever order their mails lie.
 * @returns {AsyncGenerator<import('./jsonl.cjs').Item>}
 */
async function* readMbox(source, { userId, signal, first, limits = UNLIMITED }) {
  const threads = new Threads();
  if (first)
    for await (const { bytes } of readMessages(first, signal)) if (bytes) threadOf(headersOf(bytes), threads);
  const ahead = new Ahead(threads, first === undefined);
  for await (const message of readMessages(source, signal)) {
    for (const item of inParts(await itemOf(message, { userId, threads, limits }), limits)) ahead.push(item);
    yield* ahead.taken(false);
  }
  yield* ahead.taken(true);
}

/** Items that wait for later mails of their threads. */
class Ahead {
  #threads;
  #waits;
  #items = [];
  #length = 0;

  constructor(threads, waits) {
    this.#threads = threads;
    this.#waits = waits;
  }

  push(item) {
    this.#items.push(item);
    this.#length += item.entry?.content.length ?? 0;
  }

  *taken(all) {
    const isFull = this.#items.length >= MAX_AHEAD || this.#length >= MAX_AHEAD_LENGTH;
    if (!all && this.#waits && !isFull) return;
    for (const { thread, ...item } of this.#items.splice(0)) {
      const conversationId = item.entry && this.#threads.conversationOf(thread);
      yield conversationId ? { ...item, entry: { ...item.entry, conversationId } } : item;
    }
    this.#length = 0;
  }
}

/** Spam says that it belongs to threads of others. */
function threadOf(headers, threads) {
  return leftOutOf(headers) === 'spam' ? undefined : threads.add(headers);
}

/**
 * @param {import('./mbox-messages.cjs').RawMessage} message
 * @param {{ userId: string, threads: Threads, limits: Limits }} context
 */
async function itemOf({ line, end, bytes, postmark, error, unclear }, { userId, threads, limits }) {
  const place = { line, end, ...(unclear.length > 0 && { unclear }) };
  if (!bytes) return { ...place, error };
  const headers = headersOf(bytes);
  const thread = threadOf(headers, threads);
  const leftOut = leftOutOf(headers);
  return {
    ...place,
    thread,
    ...(leftOut && { leftOut }),
    ...(await parseMail(bytes, headers, { postmark, userId, limits })),
  };
}

async function parseMail(bytes, headers, { postmark, userId, limits }) {
  let parsed;
  try {
    parsed = await parseMime(bytes);
  } catch (error) {
    return { error: `cannot be read as a mail: ${/** @type {Error} */ (error).message}` };
  }
  const { mail, text, notes } = parsed;
  const content = wellFormed(
    [mail.subject, isReadable(text) ? text.trim() : ''].filter(isReadable).join('\n\n'),
  );
  if (content === '') return { error: 'mail with neither subject nor text' };
  const written = dateOf(headers);
  const createdAt = written ?? postmark ?? receivedAt(headers);
  const { metadata, shortened } = metadataOf(parsed, limits.metadataBytes);
  const entry = { userId, content, createdAt, metadata };
  const undecoded = notes.some((note) => note.undecoded);
  const isUnique = Boolean(mail.messageId);
  // Not the conversation: it is known better once more mails are there. Nor the postmark, which each program writes anew.
  const date = isUnique ? written : createdAt;
  const identity = ['mail', userId, mail.messageId ?? null, date?.toISOString() ?? null, content];
  return {
    entry,
    identity,
    isUnique,
    ...(undecoded && { undecoded }),
    ...(shortened.length > 0 && { shortened }),
    ...(!written && { dateGuessed: true }),
  };
}

const dateOf = (headers) => mailDate(headers.get('date'));
const receivedAt = (headers) => mailDate(headers.get('received')?.replace(/^.*;/, ''));

/** One item for each piece of the content. What is told of the mail is told with the first. @param {any} item @param {Limits} limits */
function inParts(item, { contentBytes }) {
  const contents = item.entry ? inPieces(item.entry.content, contentBytes) : [];
  if (contents.length < 2) return [item];
  const { line, end, thread, leftOut, isUnique, entry, identity } = item;
  const more = { line, end, thread, isUnique, isMore: true, ...(leftOut && { leftOut }) };
  return contents.map((content, at) => ({
    ...(at === 0 ? { ...item, parts: contents.length } : more),
    entry: { ...entry, content, metadata: { ...entry.metadata, part: at + 1, parts: contents.length } },
    identity: [...identity.slice(0, -1), content, at],
  }));
}

module.exports = { readMbox };
