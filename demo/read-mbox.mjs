import { simpleParser } from 'mailparser';
import { readMessages } from './mbox-messages.mjs';

/**
 * Mails as entries: subject and text are the content, a thread is a conversation.
 *
 * @param {string} path
 * @param {{ userId: string, signal?: AbortSignal }} options
 * @returns {AsyncGenerator<import('./read-jsonl.mjs').Item>}
 */
export async function* readMbox(path, { userId, signal }) {
  for await (const { line, end, bytes, postmark, error } of readMessages(path, signal)) {
    yield { line, end, ...(error ? { error } : await parseMail(bytes, postmark, userId)) };
  }
}

/** @returns {Promise<{ entry: import('./read-jsonl.mjs').Entry } | { error: string }>} */
async function parseMail(bytes, postmark, userId) {
  let mail;
  try {
    mail = await simpleParser(bytes, { skipTextToHtml: true, skipImageLinks: true });
  } catch (error) {
    return { error: `no mail: ${error.message}` };
  }
  const content = [mail.subject, mail.text?.trim()].filter(Boolean).join('\n\n');
  if (content === '') return { error: 'mail with neither subject nor text' };
  return {
    entry: {
      userId,
      content,
      conversationId: threadOf(mail),
      createdAt: mail.date ?? postmark,
      metadata: metadataOf(mail),
    },
  };
}

/** The first mail of the thread, which every later one names first. */
function threadOf({ references, inReplyTo, messageId }) {
  return [references ?? inReplyTo ?? messageId].flat()[0];
}

function metadataOf(mail) {
  const fields = {
    source: 'email',
    from: addresses(mail.from),
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    subject: mail.subject,
    messageId: mail.messageId,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}

/** A header given twice comes as a list. */
function addresses(header) {
  return [header ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ');
}
