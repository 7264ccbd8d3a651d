// Which tests run at a moment: the reporters here write a line when a test begins and when it has ended.
import { existsSync, readFileSync } from 'node:fs';

/** The variable that names the file, for runners that do not name it to their reporters. */
export const JOURNAL = 'IZZIE_MEMORY_TEST_JOURNAL';

const BEGUN = 'begun';
const ENDED = 'ended';

export const begun = (name) => line(BEGUN, name);
export const ended = (name) => line(ENDED, name);

const line = (event, name) => `${event} ${name.replaceAll('\n', ' ')}\n`;

/** The tests that have begun and not ended, in that order. Those of one name are one. */
export function underWay(file) {
  if (!existsSync(file)) return [];
  const running = new Set();
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const [event, name] = [text.slice(0, BEGUN.length), text.slice(BEGUN.length + 1)];
    if (event === BEGUN) running.add(name);
    if (event === ENDED) running.delete(name);
  }
  return [...running];
}
