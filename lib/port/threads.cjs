'use strict';

const { createHash } = require('node:crypto');

/** Longest conversation id, in bytes (src/input/fields.rs). */
const MAX_ID_BYTES = 255;
/** A mail that names more ids than that is not believed. */
const MAX_IDS = 1000;
const ID = /<([^<>]*)>/g;
/** What is quoted, or a comment, unless it is within an id. */
const QUOTED = /<[^<>]*>|"[^"]*"|\([^()]*\)/g;

/**
 * Conversations out of the ids that mails name. Mails whose ids meet are of one conversation, in whatever order they come;
 * it is named after the mail that answers none. What Gmail says of a mail (`X-GM-THRID`) counts more than its ids.
 */
class Threads {
  /** Of each id its number. */
  #numbers = new Map();
  /** @type {string[]} */
  #ids = [];
  /** Whether an id answers another. @type {boolean[]} */
  #answers = [];
  /** @type {number[]} */
  #parents = [];
  /** @type {(Conversation | undefined)[]} */
  #conversations = [];
  /** The ids that mails have themselves. */
  #own = new Set();
  /** Numbers of mails that perhaps answer one with this id. @type {Map<string, number[]>} */
  #waiting = new Map();

  /**
   * @param {Map<string, string>} headers
   * @returns {number | undefined} what to ask for the conversation by; none where the mail names no id
   */
  add(headers) {
    const { ids, own, perhaps } = idsOf(headers);
    const known = perhaps.filter((id) => this.#own.has(id));
    const [first, ...rest] = ids.length > 0 ? ids : known;
    if (first === undefined) return undefined;
    const number = this.#number(first);
    for (const id of rest) this.#answer(this.#number(id), number);
    if (own === undefined) return number;
    this.#own.add(own);
    const ownNumber = this.#number(own);
    for (const id of perhaps) this.#mayAnswer(ownNumber, id);
    for (const answer of this.#waiting.get(own) ?? []) this.#answer(answer, ownNumber);
    this.#waiting.delete(own);
    return number;
  }

  /** @param {number} answer @param {number} number */
  #answer(answer, number) {
    this.#answers[answer] = true;
    this.#join(number, answer);
  }

  /** What may be an address is an id where a mail has it. @param {number} answer @param {string} id */
  #mayAnswer(answer, id) {
    if (this.#own.has(id)) this.#answer(answer, this.#number(id));
    else if (this.#waiting.has(id)) this.#waiting.get(id)?.push(answer);
    else this.#waiting.set(id, [answer]);
  }

  /**
   * The conversation of a mail. From then on it keeps its name.
   *
   * @param {number | undefined} number
   * @returns {string | undefined}
   */
  conversationOf(number) {
    if (number === undefined) return undefined;
    const conversation = this.#conversations[this.#root(number)];
    if (!conversation) return undefined;
    conversation.name ??= this.#nameOf(conversation);
    return conversationId(conversation.name);
  }

  /** Of several beginnings the least, for the order of a file is no matter. @param {Conversation} conversation */
  #nameOf({ beginnings, least }) {
    const ids = beginnings.filter((number) => !this.#answers[number]).map((number) => this.#ids[number]);
    return ids.length > 0 ? ids.reduce(lesser) : least;
  }

  /** @param {string} id @returns {number} */
  #number(id) {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#ids.length;
    this.#numbers.set(id, number);
    this.#ids.push(id);
    this.#answers.push(false);
    this.#parents.push(number);
    this.#conversations.push({ beginnings: [number], least: id, name: undefined });
    return number;
  }

  #root(number) {
    let root = number;
    while (this.#parents[root] !== root) root = this.#parents[root];
    for (let at = number; at !== root; ) [at, this.#parents[at]] = [this.#parents[at], root];
    return root;
  }

  /** The conversation with more beginnings takes in the other. */
  #join(one, other) {
    const [a, b] = [this.#root(one), this.#root(other)];
    if (a === b) return;
    const beginningsOf = (number) => this.#conversations[number]?.beginnings.length ?? 0;
    const [to, from] = beginningsOf(a) >= beginningsOf(b) ? [a, b] : [b, a];
    const [kept, gone] = [this.#conversations[to], this.#conversations[from]];
    if (!kept || !gone) return;
    for (const number of gone.beginnings) if (!this.#answers[number]) kept.beginnings.push(number);
    kept.least = lesser(kept.least, gone.least);
    kept.name ??= gone.name;
    this.#parents[from] = to;
    this.#conversations[from] = undefined;
  }
}

/** @typedef {{ beginnings: number[], least: string, name: string | undefined }} Conversation */

/** @param {string} a @param {string} b */
const lesser = (a, b) => [a, b].sort()[0];

/**
 * The ids that a mail names, the oldest first, its own last; and those that are perhaps addresses.
 *
 * @param {Map<string, string>} headers
 */
function idsOf(headers) {
  const [own] = idsIn(headers.get('message-id') ?? '', false).sure;
  const ends = own === undefined ? [] : [own];
  const thread = headers.get('x-gm-thrid')?.trim();
  if (thread) return { ids: [`x-gm-thrid:${thread}`, ...ends], own, perhaps: [] };
  const references = idsIn(headers.get('references') ?? '', true);
  const answered = idsIn(headers.get('in-reply-to') ?? '', true);
  const notPeople = (ids) => ids.filter((id) => !isAddress(id, headers));
  const ids = [...new Set([...references.sure, ...notPeople(answered.sure), ...ends])];
  const perhaps = [...references.perhaps, ...answered.perhaps].filter((id) => !ids.includes(id));
  return { ids, own, perhaps: notPeople(perhaps) };
}

/**
 * In brackets, or without them where there is nothing else. People's programs wrote sentences there once ("Your message of
 * Monday", "Message from Ann Lee <ann@example.com>"): in these an id may stand anywhere, and an address as well.
 */
function idsIn(value, mayBeProse) {
  const plain = value.replace(QUOTED, (piece) => (piece[0] === '<' ? piece : ' '));
  const bracketed = [...plain.matchAll(ID)]
    .map((found) => ({ id: cleaned(found[1]), at: found.index, end: found.index + found[0].length }))
    .filter(({ id }) => id !== '')
    .slice(0, MAX_IDS);
  const prose = plain
    .replace(ID, ' ')
    .replace(/[\s,;]+/g, ' ')
    .trim();
  if (bracketed.length === 0) return { sure: bareIds(prose, mayBeProse), perhaps: [] };
  const isProse = mayBeProse && /[a-z]{2}/i.test(prose);
  const isSure = (found) => !isProse || isNoAddress(found.id) || standsAsId(plain, found);
  return {
    sure: bracketed.filter(isSure).map(({ id }) => id),
    perhaps: bracketed.filter((found) => !isSure(found)).map(({ id }) => id),
  };
}

/** At the beginning of a sentence, or at its end unless the sentence ends with who wrote. */
function standsAsId(text, { at, end }) {
  if (text.slice(0, at).trim() === '') return !/^\s*(?:wrote|writes|said)\b/i.test(text.slice(end));
  const before = text.slice(text.lastIndexOf('>', at - 1) + 1, at);
  return /^[\s.,;]*$/.test(text.slice(end)) && !/\b(?:from|by)\b/i.test(before);
}

/** Of a host that no mail goes to, or with such numbers as programs count by. @param {string} id */
function isNoAddress(id) {
  const [, local = '', host = ''] = /^(.*)@([^@]*)$/.exec(id) ?? [];
  return !host.includes('.') || /[$/=!]/.test(local) || (local.match(/\d/g) ?? []).length >= 6;
}

function bareIds(text, mayBeProse) {
  const words = text.split(' ').filter(Boolean);
  const areIds = words.every((word) => /^[^\s@'’]+@[^\s@'’]+$/.test(word));
  if (mayBeProse ? !areIds : words.length !== 1) return [];
  return words.map(cleaned).slice(0, MAX_IDS);
}

/** White space within comes from folding. */
const cleaned = (id) => id.replace(/\s+/g, '');

/** "Message from Ann <ann@example.com>" names who wrote, not what. */
function isAddress(id, headers) {
  const named = ['from', 'to', 'cc']
    .map((name) => headers.get(name) ?? '')
    .join(' ')
    .toLowerCase();
  return named.includes(`${id.toLowerCase()}>`) || named.split(/[\s,]+/).includes(id.toLowerCase());
}

function conversationId(id) {
  const name = id.startsWith('x-gm-thrid:') ? id : `<${Buffer.from(id, 'latin1').toString('utf8')}>`;
  if (Buffer.byteLength(name) <= MAX_ID_BYTES) return name.replaceAll('\0', '');
  return `<sha256:${createHash('sha256').update(id).digest('hex')}>`;
}

module.exports = { Threads };
