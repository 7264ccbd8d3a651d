import { readLines, TOO_LONG } from './lines.mjs';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}/;

/**
 * What a reader yields for each line or mail: an entry to store, or what is wrong with it.
 * @typedef {{ userId: string, conversationId?: string, content: string, createdAt?: Date,
 *             metadata?: Record<string, unknown> }} Entry
 * @typedef {{ line: number, end: number } & ({ entry: Entry } | { error: string })} Item
 */

/**
 * @param {string} path
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {AsyncGenerator<Item>}
 */
export async function* readJsonl(path, { signal } = {}) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const { number, bytes, end } of readLines(path, signal)) {
    const result = bytes === null ? { error: TOO_LONG } : parseLine(bytes, decoder);
    if (result) yield { line: number, end, ...result };
  }
}

/** @returns {{ entry: Entry } | { error: string } | null} null for a blank line */
function parseLine(bytes, decoder) {
  let text;
  try {
    text = decoder.decode(bytes); // drops a byte order mark, too
  } catch {
    return { error: 'not UTF-8' };
  }
  if (text.trim() === '') return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: `not JSON: ${error.message}` };
  }
  const error = complaint(value);
  return error ? { error } : { entry: toEntry(value) };
}

/** Only what would make an entry out of something else is checked here; limits are the package's to enforce. */
function complaint(value) {
  if (!isObject(value)) return 'not a JSON object';
  if (!isText(value.userId)) return 'userId is missing or no text';
  if (!isText(value.content)) return 'content is missing or no text';
  if (isGiven(value.conversationId) && !isText(value.conversationId)) return 'conversationId is no text';
  if (isGiven(value.createdAt) && !isDate(value.createdAt)) return 'createdAt is no ISO 8601 date';
  if (isGiven(value.metadata) && !isObject(value.metadata)) return 'metadata is no JSON object';
  return null;
}

function toEntry({ userId, conversationId, content, createdAt, metadata }) {
  return {
    userId,
    content,
    conversationId: conversationId ?? undefined,
    createdAt: isGiven(createdAt) ? new Date(createdAt) : undefined,
    metadata: metadata ?? undefined,
  };
}

const isGiven = (value) => value !== undefined && value !== null;
const isText = (value) => typeof value === 'string' && value.trim() !== '';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isDate = (value) =>
  typeof value === 'string' && ISO_DATE.test(value) && !Number.isNaN(Date.parse(value));
