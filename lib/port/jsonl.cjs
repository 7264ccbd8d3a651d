'use strict';

const { isoDate } = require('./dates.cjs');
const { readLines } = require('./line-reader.cjs');
const { TOO_LONG } = require('./lines.cjs');
const { SealCheck } = require('./seal.cjs');

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** How the line of a deleted memory ends in an export. */
const DELETED = ',"deleted":true}';

/**
 * What a reader yields for each line or mail: an entry to store, or what is wrong with it. `json` is an export's line as
 * `store` takes it: numbers that JavaScript cannot hold stay what they are.
 * @typedef {{ userId: string, content: string, id?: string, conversationId?: string, createdAt?: Date,
 *             metadata?: Record<string, unknown>, importance?: any, summary?: any, entities?: any,
 *             relationships?: any, deleted?: boolean }} Entry
 * Of a mail also `identity`, what its key is made of, and `isUnique`, whether no other mail has it; `leftOut`, why it is not imported unless asked for; `undecoded`, whether
 * some of its text could not be decoded; `unclear`, lines of which it could not be told whether they begin a mail; `dateGuessed`,
 * whether its own date could not be read; `parts`, of how many items it is the first, which the others, `isMore`, follow;
 * `shortened`, the members of its metadata that are not whole.
 * @typedef {{ identity?: unknown[], isUnique?: boolean, leftOut?: import('./mail-marks.cjs').LeftOut, undecoded?: boolean, unclear?: number[],
 *   dateGuessed?: boolean, parts?: number, isMore?: boolean, shortened?: string[] }} OfMail
 * @typedef {{ line: number, end: number } & OfMail & ({ entry: Entry, json?: string, error?: undefined } | { entry?: undefined, error: string })} Item
 */

/**
 * @param {import('./lines.cjs').Source} source
 * @param {{ userId?: string, seal?: SealCheck, signal?: AbortSignal }} [options] `userId` before what the file says
 * @returns {AsyncGenerator<Item>}
 */
async function* readJsonl(source, { userId, seal = new SealCheck(), signal } = {}) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const lines of readLines(source, signal))
    for (const line of lines) {
      const item = itemOf(line, userId, seal, decoder);
      if (item) yield item;
    }
}

/** @param {import('./lines.cjs').Line} line @returns {Item | undefined} */
function itemOf({ number, bytes, end }, userId, seal, decoder) {
  const parsed = bytes === null ? { error: TOO_LONG } : parse(bytes, decoder);
  if (!parsed || seal.takes(parsed.value)) return undefined;
  seal.add(bytes ?? '');
  return { line: number, end, ...(parsed.error ? { error: parsed.error } : toItem(parsed, userId, seal)) };
}

/** @returns {any} `text` and its `value`, or an `error`; null for a blank line */
function parse(bytes, decoder) {
  let text;
  try {
    text = decoder.decode(bytes).trim(); // drops a byte order mark, too
  } catch {
    return { error: 'not UTF-8' };
  }
  if (text === '') return null;
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return { error: 'not JSON' }; // What the parser says may hold the memory's text.
  }
}

/** @returns {{ entry: Entry, json?: string } | { error: string }} */
function toItem({ text, value }, userId, seal) {
  const owner = userId ?? value?.userId ?? seal.userId;
  const error = complaint(value, owner, seal.isOurs);
  if (error) return { error };
  const entry = toEntry(value, owner);
  return seal.isOurs && value.userId === undefined ? { entry, json: asStored(text, entry) } : { entry };
}

/** @param {string} text @param {Entry} entry */
function asStored(text, { userId, deleted }) {
  const members = deleted && text.endsWith(DELETED) ? `${text.slice(0, -DELETED.length)}}` : text;
  return `{"userId":${JSON.stringify(userId)},${members.slice(1)}`;
}

/** Only what would make an entry out of something else is checked here; limits are the core's to enforce. */
function complaint(value, owner, isOurs) {
  if (!isObject(value)) return 'not a JSON object';
  if (!isText(owner)) return 'userId is missing or no text';
  // A row of other code may hold nothing but blanks.
  const isContent = isOurs ? typeof value.content === 'string' : isText(value.content);
  if (!isContent) return 'content is missing or no text';
  if (isGiven(value.conversationId) && !isText(value.conversationId)) return 'conversationId is no text';
  if (isGiven(value.createdAt) && !isoDate(value.createdAt)) return 'createdAt is no ISO 8601 date';
  if (isGiven(value.metadata) && !isObject(value.metadata)) return 'metadata is no JSON object';
  return null;
}

/** Members that other programs may mean otherwise are passed on as they are, for the core to check. */
function toEntry(value, userId) {
  return {
    userId,
    content: value.content,
    id: UUID.test(value.id) ? value.id : undefined,
    conversationId: value.conversationId ?? undefined,
    createdAt: isGiven(value.createdAt) ? isoDate(value.createdAt) : undefined,
    metadata: value.metadata ?? undefined,
    importance: value.importance ?? undefined,
    summary: value.summary ?? undefined,
    entities: value.entities ?? undefined,
    relationships: value.relationships ?? undefined,
    deleted: value.deleted === true || undefined,
  };
}

const isGiven = (value) => value !== undefined && value !== null;
const isText = (value) => typeof value === 'string' && value.trim() !== '';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

module.exports = { readJsonl };
