// The evaluation data: conversations of dated sessions, and questions with the turns that answer them.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE_THE_PROJECT = fileURLToPath(new URL('../../../shared/eval', import.meta.url));
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** The files named, folders among them opened; without any, those beside the project that are there. */
export async function findFiles(named) {
  const found = await Promise.all(
    (named.length > 0 ? named : [BESIDE_THE_PROJECT]).map(async (path) => {
      const isFolder = await stat(path).then(
        (status) => status.isDirectory(),
        (error) => {
          if (named.length === 0 && error.code === 'ENOENT') return undefined;
          throw error;
        },
      );
      if (isFolder === undefined) return [];
      return isFolder ? await jsonFiles(path) : [path];
    }),
  );
  return found.flat();
}

async function jsonFiles(folder) {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

/** `[{id, memories: [{turn, content, conversationId, createdAt, speaker}], questions: [{text, evidence, category}]}]` */
export async function readConversations(files) {
  const parsed = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
  return parsed.flatMap(({ conversations }) =>
    conversations.map(({ id, turns, questions }) => ({
      id,
      memories: turns.map((turn) => memoryOf(id, turn)),
      questions: questions.map(({ question, evidence, category }) => ({
        text: question,
        evidence,
        category,
      })),
    })),
  );
}

/** A caption is what the chat shows of a photo, so it is part of the memory, in every mode and in the reference. */
function memoryOf(id, { id: turn, session, date, speaker, text, caption }) {
  return {
    turn,
    content: `${speaker}: ${text}${caption ? ` [photo: ${caption}]` : ''}`,
    conversationId: `${id}-session-${session}`,
    createdAt: parseDate(date),
    speaker,
  };
}

/** `1:56 pm on 8 May, 2023`, taken as UTC. */
export function parseDate(text) {
  const parts = /^(\d{1,2}):(\d{2}) (am|pm) on (\d{1,2}) (\w+), (\d{4})$/.exec(text);
  const month = parts ? MONTHS.indexOf(parts[5]) : -1;
  if (month < 0) throw new Error(`no date as in "1:56 pm on 8 May, 2023": ${text}`);
  const [, hour, minute, half, day, , year] = parts;
  return new Date(Date.UTC(year, month, day, (hour % 12) + (half === 'pm' ? 12 : 0), minute));
}
