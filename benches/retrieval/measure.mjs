// Stores the conversations and asks their questions: for every mode the turns found, in order, and the time it took.
import { bm25 } from './bm25.mjs';

export const REFERENCE = 'bm25 (reference)';
export const MODES = ['text', 'vector', 'hybrid'];
export const DEPTHS = [5, 10, 20];
const DEEPEST = Math.max(...DEPTHS);
const CHUNK = 200;

/** `[{mode, answers: [{conversation, category, evidence, found: [turn], ms}]}]`, the reference first. */
export async function measure(memory, conversations, progress) {
  const answers = new Map([REFERENCE, ...MODES].map((mode) => [mode, []]));
  for (const conversation of conversations) {
    progress(`${conversation.id}: storing ${conversation.memories.length} memories`);
    const turnOf = await storeAll(memory, conversation);
    const reference = referenceOf(conversation);
    for (const mode of MODES) {
      progress(`${conversation.id}: ${conversation.questions.length} questions, ${mode}`);
      const given = await askAll(memory, conversation, mode, turnOf);
      if (given) answers.get(mode).push(...given);
      else progress(`${conversation.id}: ${mode} is left out, no embedder is configured`);
    }
    for (const question of conversation.questions)
      answers.get(REFERENCE).push(await answer(conversation, question, async () => reference(question.text)));
  }
  return [...answers]
    .filter(([, given]) => given.length > 0)
    .map(([mode, given]) => ({ mode, answers: given }));
}

/** Undefined where the mode needs an embedder and there is none. */
async function askAll(memory, conversation, mode, turnOf) {
  const ask = async ({ text }) => {
    const found = await memory.retrieve(conversation.id, text, { mode, limit: DEEPEST });
    return found.map(({ id }) => turnOf.get(id));
  };
  const answers = [];
  try {
    for (const question of conversation.questions)
      answers.push(await answer(conversation, question, () => ask(question)));
  } catch (error) {
    if (mode === 'vector' && error.reason === 'NOT_CONFIGURED') return undefined;
    throw error;
  }
  return answers;
}

/** Which turn a memory's id stands for. */
async function storeAll(memory, { id: userId, memories }) {
  const entries = memories.map(({ turn, content, conversationId, createdAt, speaker }) => ({
    userId,
    content,
    conversationId,
    createdAt,
    metadata: { speaker, turn },
  }));
  const { stored, failed } = await memory.storeMany(entries, { chunkSize: CHUNK });
  if (failed.length > 0) throw failed[0].error;
  return new Map(stored.map(({ id, metadata }) => [id, metadata.turn]));
}

function referenceOf({ memories }) {
  const rank = bm25(memories.map(({ content }) => content));
  return (query) =>
    rank(query)
      .slice(0, DEEPEST)
      .map((index) => memories[index].turn);
}

async function answer({ id: conversation }, { category, evidence }, ask) {
  const started = performance.now();
  const found = await ask();
  return { conversation, category, evidence, found, ms: performance.now() - started };
}
