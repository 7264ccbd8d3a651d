import { createReadStream } from 'node:fs';
import { readJsonl } from '../lib/port/jsonl.cjs';
import { readMbox } from '../lib/port/mbox.cjs';
import { probe } from '../lib/port/probe.cjs';

/**
 * @param {string} path
 * @param {{ userId: string, signal?: AbortSignal }} options `userId` for formats that name no user
 * @returns {Promise<{ bytes: number, items: AsyncGenerator<import('../lib/port/jsonl.cjs').Item> }>}
 */
export async function readInput(path, { userId, signal }) {
  const { bytes, format } = await probe(path);
  const open = () => createReadStream(path);
  return {
    bytes,
    items:
      format === 'mbox' ? readMbox(open(), { userId, signal, first: open() }) : readJsonl(open(), { signal }),
  };
}
