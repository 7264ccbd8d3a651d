'use strict';

const { decodedWords } = require('./header-text.cjs');

/**
 * Why a mail is left out of an import: what a mail program marked as deleted, expunged, spam or thrown away, and what is not
 * a mail but the program's own data. People who import their mail mean what they see in their folders.
 *
 * @typedef {'deleted' | 'spam' | 'trash' | 'internal'} LeftOut
 */

/** Mozilla's flags: expunged, but not compacted yet; deleted on the IMAP server. */
const MOZILLA_EXPUNGED = 0x0008;
const MOZILLA_IMAP_DELETED = 0x0020_0000;
/** Evolution's flags, in hexadecimal behind the number of the mail. */
const EVOLUTION = /^[\da-f]+-([\da-f]+)/i;
const EVOLUTION_DELETED = 0x02;
const EVOLUTION_JUNK = 0x80;

/** What Gmail calls the two in the languages of its users, as Takeout writes them. */
const SPAM_LABELS = new Set(
  'spam|junk|junk e-mail|courrier indésirable|correo no deseado|posta indesiderata|lixo eletrônico|спам|垃圾邮件|垃圾郵件|迷惑メール|스팸|스팸함|สแปม'.split(
    '|',
  ),
);
const TRASH_LABELS = new Set(
  'trash|bin|deleted items|papierkorb|corbeille|papelera|cestino|lixeira|lixo|reciclagem|prullenbak|kosz|koš|papirkurv|papirkorg|papperskorg|papperskorgen|roskakori|çöp kutusu|çöp|корзина|кошик|כלי האשפה|אשפה|المهملات|已删除邮件|垃圾桶|ゴミ箱|휴지통|ถังขยะ'.split(
    '|',
  ),
);
const SPAM_KEYWORD = /(?:^|[\s,"])\$?junk(?=$|[\s,"])/i;
const SPAM_VERDICT = /^\s*(?:yes|spam)\b/i;
const DELETED_KEYWORD = /\\deleted\b/i;
/** A label with a comma in it is quoted. */
const LABEL = /"[^"]*"|[^,"][^,]*/g;
const INTERNAL = /^DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA/;

/**
 * @param {Map<string, string>} headers
 * @returns {LeftOut | undefined}
 */
function leftOutOf(headers) {
  const header = (name) => headers.get(name) ?? '';
  if (INTERNAL.test(header('subject'))) return 'internal';
  if (isDeleted(header)) return 'deleted';
  const labels = labelsOf(header('x-gmail-labels'));
  if (labels.some((label) => TRASH_LABELS.has(label))) return 'trash';
  if (labels.some((label) => SPAM_LABELS.has(label)) || isSpam(header)) return 'spam';
  return undefined;
}

function isDeleted(header) {
  const status = /^[a-z]*d/i.test(header('status').trim()) || /^[a-z]*d/i.test(header('x-status').trim());
  return (
    status ||
    (hex(header('x-mozilla-status')) & MOZILLA_EXPUNGED) !== 0 ||
    (hex(header('x-mozilla-status2')) & MOZILLA_IMAP_DELETED) !== 0 ||
    (evolution(header) & EVOLUTION_DELETED) !== 0 ||
    DELETED_KEYWORD.test(header('x-keywords'))
  );
}

function isSpam(header) {
  const flagged = ['x-spam-flag', 'x-spam-status', 'x-spam', 'x-bogosity'].some((name) =>
    SPAM_VERDICT.test(header(name)),
  );
  const keyword = SPAM_KEYWORD.test(header('x-keywords')) || SPAM_KEYWORD.test(header('x-mozilla-keys'));
  return flagged || keyword || (evolution(header) & EVOLUTION_JUNK) !== 0;
}

const evolution = (header) => hex(EVOLUTION.exec(header('x-evolution'))?.[1] ?? '');

const hex = (text) => Number.parseInt(text.trim(), 16) || 0;

function labelsOf(value) {
  const labels = decodedWords(value)
    .match(LABEL)
    ?.map((label) => label.trim().replace(/^"|"$/g, '').normalize('NFC').toLowerCase());
  return labels ?? [];
}

module.exports = { leftOutOf };
