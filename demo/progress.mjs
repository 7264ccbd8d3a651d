import { createRequire } from 'node:module';

const { createProgress: createBar } = createRequire(import.meta.url)('../lib/cli/progress.cjs');

/** How often a log, which no bar can be drawn in, hears of a long import. */
const LOG_EVERY = 500;

/**
 * A progress bar on a terminal, elsewhere a line now and then. The bar measures bytes of the file, because a stream
 * does not know how many entries are still to come.
 *
 * @param {number} totalBytes
 * @param {NodeJS.WriteStream} [stream]
 * @returns {{ update(bytes: number, stored: number): void, stop(): void }}
 */
export function createProgress(totalBytes, stream = process.stderr) {
  if (!stream.isTTY) return new Log(stream);
  const bar = createBar('Storing', stream);
  return {
    update: (bytes, stored) => bar.update({ done: bytes, total: totalBytes, note: `${stored} memories` }),
    stop: () => bar.stop(),
  };
}

class Log {
  #stream;
  #logged = 0;

  constructor(stream) {
    this.#stream = stream;
  }

  update(_bytes, stored) {
    if (stored - this.#logged < LOG_EVERY) return;
    this.#logged = stored;
    this.#stream.write(`${stored} memories stored\n`);
  }

  stop() {}
}
