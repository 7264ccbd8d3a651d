'use strict';

const { configOf } = require('./config.cjs');
const { loadEnvFiles } = require('./env-files.cjs');
const { createProgress } = require('./progress.cjs');

/**
 * What a command works with: the layer of its options, where its output goes, and the signal that Ctrl-C aborts.
 */
class Context {
  #options;
  #layer;

  /** @param {Record<string, any>} options @param {AbortSignal} signal */
  constructor(options, signal) {
    this.#options = options;
    this.signal = signal;
    this.folder = process.cwd();
    this.isJson = Boolean(options.json);
  }

  /** The package's configuration, as options, configuration file and `.env` files say. */
  async config() {
    loadEnvFiles(this.folder, process.env);
    return configOf(this.#options, this.folder);
  }

  /** The layer, opened at the first use: `--help` and wrong arguments need no addon. */
  async layer() {
    if (!this.#layer) {
      const config = await this.config();
      this.#layer = require('../layer.cjs').createMemoryLayer(config);
    }
    return this.#layer;
  }

  /**
   * The result of a command on stdout: as JSON where `--json` asks for it, else as text.
   *
   * @param {unknown} result
   * @param {string} text
   */
  print(result, text) {
    process.stdout.write(this.isJson ? `${JSON.stringify(result)}\n` : `${text}\n`);
  }

  /** Something for people, beside the result. @param {string} text */
  note(text) {
    process.stderr.write(`${text}\n`);
  }

  /**
   * Does work with a progress bar on stderr, where that is a terminal.
   *
   * @template T
   * @param {string} label
   * @param {(onProgress: (progress: { done: number, total: number, note?: string }) => void) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async withProgress(label, work) {
    const progress = createProgress(label);
    try {
      return await work((step) => progress.update(step));
    } finally {
      progress.stop();
    }
  }

  async close() {
    await this.#layer?.close();
  }
}

module.exports = { Context };
