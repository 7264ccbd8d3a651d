'use strict';

const { addressTexts } = require('./address-text.cjs');

/** More of them are not told one by one. */
const MAX_PEOPLE = 500;
const MAX_NOTES = 50;
/** What each field may take of the limit for metadata, so that all together stay below it. */
const SHARES = { from: 1 / 16, to: 1 / 4, cc: 1 / 8, subject: 1 / 8, messageId: 1 / 32, attachments: 1 / 4 };
const PEOPLE = /** @type {const} */ (['from', 'to', 'cc']);

/**
 * The metadata of a mail, in at most `limit` bytes as JSON. `shortened`: the fields of which there is more in the mail; how
 * many people and attachments it has is then in `toCount` and its like.
 *
 * @param {import('./mime.cjs').Parsed} parsed
 * @param {number} limit
 * @returns {{ metadata: Record<string, any>, shortened: string[] }}
 */
function metadataOf({ mail, people, notes }, limit) {
  const shortened = [];
  const metadata = { source: 'email' };
  const put = (name, value, { count = 0, isWhole = true }) => {
    if (value && value.length > 0) metadata[name] = value;
    if (isWhole) return;
    shortened.push(name);
    if (count > 0) metadata[`${name === 'attachments' ? 'attachment' : name}Count`] = count;
  };
  const share = (name) => Math.max(2, Math.floor(limit * SHARES[name]));
  for (const name of PEOPLE) {
    const { text, ...rest } = peopleIn(people[name], share(name));
    put(name, text, rest);
  }
  for (const name of /** @type {const} */ (['subject', 'messageId'])) {
    const whole = wellFormed(mail[name] ?? '');
    const text = cut(whole, share(name));
    put(name, text, { isWhole: text === whole });
  }
  const told = firstOf(notes.map(wellFormedNote), MAX_NOTES, share('attachments'));
  put('attachments', told, { count: notes.length, isWhole: told.length === notes.length });
  return { metadata, shortened };
}

/** @param {import('./mime.cjs').People} people @param {number} bytes */
function peopleIn({ list, raw }, bytes) {
  const whole = wellFormed(addressTexts(list).join(', ') || raw);
  const each = addressTexts(list.flatMap((entry) => entry.group ?? entry)).map(wellFormed);
  if (each.length <= MAX_PEOPLE && sizeOf(whole) <= bytes) return { text: whole };
  const first = firstOf(each, MAX_PEOPLE, bytes);
  const text = first.length > 0 ? first.join(', ') : cut(whole, bytes);
  return { text, count: each.length, isWhole: false };
}

/** As many as fit in so many bytes as JSON. @template T @param {T[]} list @param {number} most @param {number} bytes */
function firstOf(list, most, bytes) {
  let count = 0;
  for (let left = bytes - 2; count < Math.min(list.length, most); count += 1) {
    left -= sizeOf(list[count]) + 2;
    if (left < 0) break;
  }
  return list.slice(0, count);
}

/** @param {string} text @param {number} bytes as JSON */
function cut(text, bytes) {
  if (sizeOf(text) <= bytes) return text;
  let short = text.slice(0, bytes);
  while (short !== '' && sizeOf(short) > bytes) short = short.slice(0, Math.floor(short.length * 0.9));
  return short.replace(/[\ud800-\udbff]$/, '');
}

const sizeOf = (value) => Buffer.byteLength(JSON.stringify(value));

const wellFormedNote = (note) => ({ ...note, ...(note.name && { name: wellFormed(note.name) }) });

/** As it can be stored. @param {string} text */
function wellFormed(text) {
  return /** @type {any} */ (text).toWellFormed().replaceAll('\0', '');
}

module.exports = { metadataOf, wellFormed };
