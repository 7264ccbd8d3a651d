// A reporter of `node --test` that keeps the journal, see journal.mjs.
import { begun, ended } from './journal.mjs';

/** In the order in which tests begin, unlike `test:start`. */
const LINES = { 'test:dequeue': begun, 'test:complete': ended };

export default async function* keepJournal(events) {
  for await (const { type, data } of events) if (Object.hasOwn(LINES, type)) yield LINES[type](data.name);
}
