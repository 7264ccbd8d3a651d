import cliProgress from 'cli-progress';

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
  return stream.isTTY ? new Bar(totalBytes, stream) : new Log(stream);
}

class Bar {
  #bar;
  #furthest = 0;

  constructor(totalBytes, stream) {
    const format = 'Storing [{bar}] {percentage} % | {stored} memories | {eta_formatted} left';
    this.#bar = new cliProgress.SingleBar(
      { format, stream, hideCursor: true },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(totalBytes, 0, { stored: 0 });
  }

  /** Entries finish out of order: the bar never goes back. */
  update(bytes, stored) {
    this.#furthest = Math.max(this.#furthest, bytes);
    this.#bar.update(this.#furthest, { stored });
  }

  stop() {
    this.#bar.stop();
  }
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
