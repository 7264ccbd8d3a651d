'use strict';

const { addresses } = require('./address-text.cjs');
const { mailDate } = require('./dates.cjs');
const { headersOf } = require('./mail-headers.cjs');
const { leftOutOf } = require('./mail-marks.cjs');
const { readMessages } = require('./mbox-messages.cjs');
const { parseMime } = require('./mime.cjs');
const { isReadable } = require('./text-lines.cjs');
const { Threads } = require('./threads.cjs');

/** So many mails, and characters of them, are read ahead for the threads of a source that can be read once only. */
const MAX_AHEAD = 5000;
const MAX_AHEAD_LENGTH = 8 * 1024 * 1024;
/** More parts are not told one by one. */
const MAX_NOTES = 50;

/**
 * Mails as entries: subject and text are the content, a thread is a conversation.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {{ userId: string, signal?: AbortSignal, first?: import('./lines.cjs').Source }} options `first`: the same source,
 *   opened once more. It is read through before, so that threads are known whole, in whatever order their mails lie.
 * @returns {AsyncGenerator<import('./jsonl.cjs').Item>}
 */
async function* readMbox(source, { userId, signal, first }) {
  const threads = new Threads();
  if (first)
    for await (const { bytes } of readMessages(first, signal)) if (bytes) threadOf(headersOf(bytes), threads);
  const ahead = new Ahead(threads, first === undefined);
  for await (const message of readMessages(source, signal)) {
    ahead.push(await itemOf(message, userId, threads));
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

/** @param {import('./mbox-messages.cjs').RawMessage} message @param {string} userId @param {Threads} threads */
async function itemOf({ line, end, bytes, postmark, error, unclear }, userId, threads) {
  const place = { line, end, ...(unclear.length > 0 && { unclear }) };
  if (!bytes) return { ...place, error };
  const headers = headersOf(bytes);
  const thread = threadOf(headers, threads);
  const leftOut = leftOutOf(headers);
  return {
    ...place,
    thread,
    ...(leftOut && { leftOut }),
    ...(await parseMail(bytes, headers, postmark, userId)),
  };
}

async function parseMail(bytes, headers, postmark, userId) {
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
  const entry = { userId, content, createdAt, metadata: metadataOf(mail, notes) };
  const undecoded = notes.some((note) => note.undecoded);
  const isUnique = Boolean(mail.messageId);
  // Not the conversation: it is known better once more mails are there. Nor the postmark, which each program writes anew.
  const date = isUnique ? written : createdAt;
  const identity = ['mail', userId, mail.messageId ?? null, date?.toISOString() ?? null, content];
  return { entry, identity, isUnique, ...(undecoded && { undecoded }) };
}

const dateOf = (headers) => mailDate(headers.get('date'));
const receivedAt = (headers) => mailDate(headers.get('received')?.replace(/^.*;/, ''));

function metadataOf(mail, notes) {
  const fields = {
    source: 'email',
    from: addresses([mail.from ?? []].flat()),
    to: addresses(mail.to ?? []),
    cc: addresses(mail.cc ?? []),
    subject: mail.subject,
    messageId: mail.messageId,
  };
  const given = Object.entries(fields).filter(([, value]) => value);
  const texts = given.map(([name, value]) => [name, wellFormed(value)]);
  const attachments = notes
    .slice(0, MAX_NOTES)
    .map((note) => ({ ...note, ...(note.name && { name: wellFormed(note.name) }) }));
  return { ...Object.fromEntries(texts), ...(notes.length > 0 && { attachments }) };
}

/** As it can be stored. @param {string} text */
function wellFormed(text) {
  return /** @type {any} */ (text).toWellFormed().replaceAll('\0', '');
}

module.exports = { readMbox };
