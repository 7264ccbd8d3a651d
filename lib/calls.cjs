'use strict';

const { progress } = require('./decode.cjs');
const { PersistenceError } = require('./errors.cjs');

/** The number under which the core asks about conflicts that auto-sync meets, which belong to no call. */
const BACKGROUND = 0;

/** @typedef {{ onProgress?: Function, resolve?: Function }} CallFunctions what a call brought along */

/** The calls under way, by the numbers under which the addon speaks of them. */
class Calls {
  #lastId = BACKGROUND;
  /** @type {Map<number, CallFunctions>} */
  #underWay = new Map();

  /**
   * @param {CallFunctions} functions
   * @returns {number} 32 bits, which is what the addon takes
   */
  begin(functions) {
    this.#lastId = (this.#lastId + 1) >>> 0 || BACKGROUND + 1;
    this.#underWay.set(this.#lastId, functions);
    return this.#lastId;
  }

  /** @param {number} id */
  end(id) {
    this.#underWay.delete(id);
  }

  ids() {
    return this.#underWay.keys();
  }

  /**
   * Word of a call that has ended meanwhile has nobody left to hear it.
   *
   * @param {number} id
   * @param {string} json
   */
  progress(id, json) {
    this.#underWay.get(id)?.onProgress?.(progress(JSON.parse(json)));
  }

  /**
   * Who decides the conflicts of a call: its own function, else the layer's.
   *
   * @param {number} id
   * @param {Function | undefined} ofLayer
   * @returns {Function}
   */
  resolver(id, ofLayer) {
    const call = id === BACKGROUND ? {} : this.#underWay.get(id);
    const resolve = call && (call.resolve ?? ofLayer);
    if (resolve) return resolve;
    throw new PersistenceError('Nobody is left to decide the conflict.', 'ABORTED');
  }
}

module.exports = { Calls };
