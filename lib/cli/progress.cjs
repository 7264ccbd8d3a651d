'use strict';

const cliProgress = require('cli-progress');

const FORMAT = '{label} [{bar}] {percentage} % | {note} | {eta_formatted} left';

/**
 * A progress bar on a terminal. It begins with the first update, so that nothing is drawn for work that fails at once.
 */
class Bar {
  #label;
  #bar;
  #furthest = 0;
  #started = false;

  /** @param {string} label @param {NodeJS.WriteStream} stream */
  constructor(label, stream) {
    this.#label = label;
    const options = { format: FORMAT, stream, hideCursor: true };
    this.#bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
  }

  /**
   * Parts of the work may finish out of order: the bar never goes back. The total may grow.
   *
   * @param {{ done: number, total: number, note?: string }} progress
   */
  update({ done, total, note = `${done} of ${total}` }) {
    this.#furthest = Math.max(this.#furthest, done);
    const payload = { label: this.#label, note };
    if (!this.#started) this.#bar.start(total, this.#furthest, payload);
    this.#started = true;
    this.#bar.setTotal(total);
    this.#bar.update(this.#furthest, payload);
  }

  stop() {
    if (this.#started) this.#bar.stop();
  }
}

/** Draws nothing. */
const SILENT = Object.freeze({ update() {}, stop() {} });

/**
 * @param {string} label
 * @param {NodeJS.WriteStream} [stream]
 * @returns {{ update(progress: { done: number, total: number, note?: string }): void, stop(): void }}
 */
function createProgress(label, stream = process.stderr) {
  return stream.isTTY ? new Bar(label, stream) : SILENT;
}

module.exports = { createProgress };
