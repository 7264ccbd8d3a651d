'use strict';

const { createHash } = require('node:crypto');

/**
 * Adds to each entry without an id the key under which a later run finds it again. Two equal entries of a file are two memories: the
 * number of the occurrence is part of the key, which is why the keys are made in the order of the file. What is left out is
 * not counted, for it may be gone from the file the next time. A mail that has an id is one mail, however often it is there.
 *
 * @param {AsyncIterable<import('./jsonl.cjs').Item>} items
 * @param {(item: import('./jsonl.cjs').Item) => boolean} isImported
 */
async function* withKeys(items, isImported) {
  const occurrences = new Map();
  for await (const item of items) {
    if (item.entry && !item.entry.id && isImported(item)) {
      const digest = sha256(item.identity ?? identity(item.entry));
      const occurrence = item.isUnique ? 1 : (occurrences.get(digest) ?? 0) + 1;
      occurrences.set(digest, occurrence);
      yield { ...item, idempotencyKey: occurrence === 1 ? digest : sha256([digest, occurrence]) };
    } else {
      yield item;
    }
  }
}

/** @param {import('./jsonl.cjs').Entry} entry */
function identity({ userId, conversationId, createdAt, content }) {
  return [userId, conversationId ?? null, createdAt?.toISOString() ?? null, content];
}

function sha256(parts) {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

module.exports = { withKeys };
