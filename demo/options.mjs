import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @param {{ usage: string, folder: string }} caller how it is called, and where its embedded database lies by default
 */
export const helpOf = ({ usage, folder }) => `${usage}

Stores e-mails and notes, answers questions about them, damages the graph and repairs it.

FILE            JSON Lines, {userId, conversationId?, content, createdAt?, metadata?} a line (other fields are
                ignored), or an mbox. Without FILE: a sample of some 60 e-mails and notes with five questions.

--ask TEXT      ask this instead; may be repeated
--user ID       who the mails of an mbox belong to (default: me), and whose memories are asked and damaged
                (default: the user with the most lines)
--folder DIR    folder of the embedded database (default: ${folder})
--database URL  use this Postgres, which needs pgvector, instead of the embedded one, and bring its schema up to date
--json          print one JSON object on stdout instead of text
--help          print this

With NEO4J_URI (and NEO4J_USER, NEO4J_PASSWORD) in the environment the graph is kept there. DATABASE_URL is not
read, so that no sample is stored where an app keeps its memories.
Exit code: 0, 1 when nothing could be read or something is not as promised, 2 for a wrong option, 130 after Ctrl-C.
`;

/** Of `npm run demo`. */
export const HELP = helpOf({
  usage: 'npm run demo [-- FILE] [options]',
  folder: '.izzie-memory beside package.json',
});

/** Where the shipped sample lies. */
export const SAMPLE_FILE = fileURLToPath(new URL('./sample/inbox.jsonl', import.meta.url));

/**
 * @typedef {{ file: string, isSample: boolean, asks: string[], user?: string, folder?: string, database?: string,
 *             json: boolean, help: boolean }} Options
 */

/**
 * @param {string[]} argv
 * @returns {Options}
 * @throws {TypeError} on an option that does not exist
 */
export function parseOptions(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      ask: { type: 'string', multiple: true, default: [] },
      user: { type: 'string' },
      folder: { type: 'string' },
      database: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (positionals.length > 1) throw new TypeError(`one FILE at a time, not ${positionals.length}`);
  if (values.folder !== undefined && values.database !== undefined) {
    throw new TypeError('--folder and --database exclude each other');
  }
  const [file] = positionals;
  const { ask: asks, ...rest } = values;
  return { ...rest, asks, file: file ?? SAMPLE_FILE, isSample: file === undefined };
}
