'use strict';

const { htmlToText } = require('./html-text.cjs');
const { readMessages } = require('./mbox-messages.cjs');

/**
 * Mails as entries: subject and text are the content, a thread is a conversation.
 *
 * @param {import('./lines.cjs').Source} source
 * @param {{ userId: string, signal?: AbortSignal }} options
 * @returns {AsyncGenerator<import('./jsonl.cjs').Item>}
 */
async function* readMbox(source, { userId, signal }) {
  for await (const { line, end, bytes, postmark, error } of readMessages(source, signal)) {
    yield { line, end, ...(error ? { error } : await parseMail(bytes, postmark, userId)) };
  }
}

/** @returns {Promise<{ entry: import('./jsonl.cjs').Entry } | { error: string }>} */
async function parseMail(bytes, postmark, userId) {
  const { default: PostalMime } = require('postal-mime');
  let mail;
  try {
    mail = await PostalMime.parse(bytes);
  } catch (error) {
    return { error: `no mail: ${/** @type {Error} */ (error).message}` };
  }
  const content = [mail.subject, textOf(mail)].filter(Boolean).join('\n\n');
  if (content === '') return { error: 'mail with neither subject nor text' };
  return {
    entry: {
      userId,
      content,
      conversationId: threadOf(mail),
      createdAt: dateOf(mail) ?? postmark,
      metadata: metadataOf(mail),
    },
  };
}

/** Mails without a plain part are there for their HTML. @param {import('postal-mime').Email} mail */
function textOf({ text, html }) {
  const plain = text?.trim();
  if (plain || !html) return plain;
  return htmlToText(html);
}

/** The first mail of the thread, which every later one names first. @param {import('postal-mime').Email} mail */
function threadOf({ references, inReplyTo, messageId }) {
  return (references ?? inReplyTo ?? messageId)?.trim().split(/\s+/)[0] || undefined;
}

/** A header that is no date is given as it stands. @param {import('postal-mime').Email} mail */
function dateOf({ date }) {
  const read = new Date(date ?? '');
  return Number.isNaN(read.getTime()) ? undefined : read;
}

function metadataOf(mail) {
  const fields = {
    source: 'email',
    from: addresses([mail.from ?? []].flat()),
    to: addresses(mail.to ?? []),
    cc: addresses(mail.cc ?? []),
    subject: mail.subject,
    messageId: mail.messageId,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}

function addresses(list) {
  return list.map(addressText).join(', ');
}

function addressText({ name, address, group }) {
  if (group) return `${name}: ${addresses(group)};`;
  return name ? `"${name}" <${address}>` : address;
}

module.exports = { readMbox };
