'use strict';

/** Words of a query that are asked for, and answers for each of them. */
const WORDS = 12;
const ANSWERS = 5;

/** Words that name nobody. */
const COMMON = new Set(
  (
    'about after all and any are been before but can could did does every for from get had has have her him his how into ' +
    'its know last let like made many may mention mentioned more most much need our over say said she should some tell than ' +
    'that the their them then there these they this those was week were what when where which who whom whose why will with ' +
    'would year you your'
  ).split(' '),
);

/**
 * The entities of a user that a query names, the most mentioned first.
 *
 * @param {import('./services/graph.cjs').GraphService} graph
 * @param {string} userId
 * @param {string} query
 * @param {AbortSignal} [signal]
 */
async function namedIn(graph, userId, query, signal) {
  const words = wordsOf(query);
  const answers = await Promise.all(
    words.map((word) => graph.searchEntities(userId, word, { limit: ANSWERS, signal })),
  );
  const found = new Map();
  answers.forEach((entities, index) => {
    for (const entity of entities) {
      // A search also finds a text in the middle of a word, which a query does not mean.
      if (wordsIn(entity.name).includes(words[index]))
        found.set(`${entity.type} ${entity.normalized}`, entity);
    }
  });
  return [...found.values()].sort((a, b) => b.frequency - a.frequency || (a.name < b.name ? -1 : 1));
}

/** @param {string} query */
function wordsOf(query) {
  const words = wordsIn(query).filter((word) => word.length > 1 && !COMMON.has(word));
  return [...new Set(words)].slice(0, WORDS);
}

/** Without case and diacritics. @param {string} text @returns {string[]} */
function wordsIn(text) {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

module.exports = { namedIn };
