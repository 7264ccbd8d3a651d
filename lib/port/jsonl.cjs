'use strict';

const { isoDate } = require('./dates.cjs');
const { readLines } = require('./line-reader.cjs');
const { TOO_LONG } = require('./lines.cjs');
const { SealCheck } = require('./seal.cjs');

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * What a reader yields for each line or mail: an entry to store, or what is wrong with it. `json` is the line of an export,
 * which goes to the core as it is: it may have numbers that JavaScript cannot hold. Its entry has only what is needed here.
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
  if (bytes === null) seal.addUnread();
  else seal.add(bytes);
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
  const isExported = isExportedLine(value, seal);
  const error = isExported ? ownerComplaint(owner) : complaint(value, owner);
  if (error) return { error };
  if (!isExported) return { entry: toEntry(value, owner) };
  const { id, content, deleted } = value;
  return { entry: { userId: owner, id, content, deleted: deleted === true || undefined }, json: text };
}

/** Whether an export has lines like it; the limits of other programs' do not hold for it. */
function isExportedLine(value, seal) {
  return seal.isOurs && isObject(value) && UUID.test(value.id) && value.userId === undefined;
}

function ownerComplaint(owner) {
  return isText(owner) ? null : 'userId is missing or no text';
}

/** Only what would make an entry out of something else is checked here; limits are the core's to enforce. */
function complaint(value, owner) {
  if (!isObject(value)) return 'not a JSON object';
  const ofOwner = ownerComplaint(owner);
  if (ofOwner) return ofOwner;
  if (!isText(value.content)) return 'content is missing or no text';
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
