import { readFile } from 'node:fs/promises';

const SAMPLE_QUESTIONS = new URL('./sample/questions.json', import.meta.url);
const NAMES_TO_ASK_ABOUT = 5;
const HITS = 3;

/**
 * A question, and for the sample the `metadata.ref` of the memory that answers it.
 * @typedef {{ question: string, expected?: string }} Question
 */

/**
 * What was given, else the sample's own questions, else questions about the names that the file mentions most.
 *
 * @param {import('./options.mjs').Options} options
 * @param {import('./tally.mjs').Tally} tally
 * @param {string} userId
 * @returns {Promise<Question[]>}
 */
export async function chooseQuestions({ asks, isSample }, tally, userId) {
  if (asks.length > 0) return asks.map((question) => ({ question }));
  if (isSample) return JSON.parse(await readFile(SAMPLE_QUESTIONS, 'utf8'));
  const names = tally.mostMentioned(userId, NAMES_TO_ASK_ABOUT);
  return names.map((name) => ({ question: `What about ${name}?` })); // no word but the name to search for
}

/**
 * @param {{ retrieve: Function }} memoryService
 * @param {string} userId
 * @param {Question} question
 */
export async function answer(memoryService, userId, { question, expected }) {
  const found = await memoryService.retrieve(userId, question, { limit: HITS });
  const hits = found.map(({ id, score, createdAt, content, entities, metadata }) => {
    return { id, score, createdAt, content, entities: entities.map(({ value }) => value), ref: metadata.ref };
  });
  if (expected === undefined) return { question, hits };
  return { question, expected, isFound: hits.some(({ ref }) => ref === expected), hits };
}
