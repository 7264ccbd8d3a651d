import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { readJsonl } from '../lib/port/jsonl.cjs';
import { readMbox } from '../lib/port/mbox.cjs';

const MBOX_START = 'From ';

/**
 * @param {string} path
 * @param {{ userId: string, signal?: AbortSignal }} options `userId` for formats that name no user
 * @returns {Promise<{ bytes: number, items: AsyncGenerator<import('../lib/port/jsonl.cjs').Item> }>}
 */
export async function readInput(path, { userId, signal }) {
  const { bytes, isMbox } = await probe(path);
  const file = createReadStream(path);
  return { bytes, items: isMbox ? readMbox(file, { userId, signal }) : readJsonl(file, { signal }) };
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
