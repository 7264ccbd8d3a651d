import { open } from 'node:fs/promises';
import { readJsonl } from './read-jsonl.mjs';
import { readMbox } from './read-mbox.mjs';

const MBOX_START = 'From ';

/**
 * @param {string} path
 * @param {{ userId: string, signal?: AbortSignal }} options `userId` for formats that name no user
 * @returns {Promise<{ bytes: number, items: AsyncGenerator<import('./read-jsonl.mjs').Item> }>}
 */
export async function readInput(path, { userId, signal }) {
  const { bytes, isMbox } = await probe(path);
  return { bytes, items: isMbox ? readMbox(path, { userId, signal }) : readJsonl(path, { signal }) };
}

async function probe(path) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MBOX_START.length), position: 0 });
    const start = buffer.toString('latin1', 0, bytesRead);
    return { bytes: size, isMbox: path.endsWith('.mbox') || start === MBOX_START };
  } finally {
    await file.close();
  }
}
