'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { databaseUrl } = require('./address.cjs');
const { UnavailableError } = require('./errors.cjs');
const { HostThread } = require('./host-thread.cjs');
const { isAlive } = require('./liveness.cjs');
const { currentLock } = require('./lock.cjs');
const { PulseWatch, pulsePath } = require('./pulse.cjs');

const JOIN_MS = 45_000;
const HOST_SILENT_MS = 30_000;
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * This process' part in a shared folder: it hosts the database, or it is the guest of a process that does,
 * ready to take its place.
 */
class Member {
  /**
   * @param {string} folder
   * @returns {Promise<Member>} when the database can be reached
   */
  static async join(folder) {
    const member = new Member(folder);
    await member.#join({ keepAlive: true });
    return member;
  }

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  folder;
  /** Stays the same whoever hosts. */
  databaseUrl = '';
  /** @type {HostThread | null} */
  #host = null;
  /** @type {PulseWatch | null} */
  #watch = null;
  #closing = false;
  /** @type {Promise<void>} */
  #rejoining = Promise.resolve();

  /** @returns {'host' | 'guest'} */
  get role() {
    return this.#host ? 'host' : 'guest';
  }

  async close() {
    this.#closing = true;
    this.#watch?.stop();
    await this.#rejoining;
    await this.#host?.close();
  }

  /** @param {{ keepAlive: boolean }} options */
  async #join(options) {
    const deadline = Date.now() + JOIN_MS;
    while (!this.#closing) {
      const lock = currentLock(this.folder);
      const joined =
        lock && (await isAlive(lock)) ? await this.#follow(lock, options) : await this.#lead(options);
      if (joined) return;
      if (Date.now() > deadline) throw new UnavailableError(inUse(this.folder, lock));
      await sleep(PAUSE_MS * (1 + Math.random()), undefined, { ref: options.keepAlive });
    }
  }

  /**
   * @param {import('./lock.cjs').Lock} lock
   * @param {{ keepAlive: boolean }} options
   */
  async #follow(lock, { keepAlive }) {
    const watch = new PulseWatch(pulsePath(lock.address, lock.id));
    this.#watch = watch;
    if (!keepAlive) watch.unref();
    const state = await watch.whenReady(HOST_SILENT_MS);
    if (state === 'silent') {
      watch.stop();
      throw new UnavailableError(inUse(this.folder, lock));
    }
    if (state === 'ended') return false;
    watch.unref();
    this.#joined(databaseUrl(lock.address, lock.password), watch.ended);
    return true;
  }

  /** @param {{ keepAlive: boolean }} options */
  async #lead(options) {
    const host = await HostThread.start(this.folder, options);
    if (!host) return false;
    this.#host = host;
    this.#joined(host.databaseUrl, host.ended);
    return true;
  }

  /**
   * @param {string} url
   * @param {Promise<void>} ended
   */
  #joined(url, ended) {
    if (this.databaseUrl && this.databaseUrl !== url) {
      process.emitWarning(`the embedded database in ${this.folder} had to change its address: restart`);
    }
    this.databaseUrl = url;
    ended.then(() => {
      this.#host = null;
      this.#watch = null;
      if (!this.#closing) this.#rejoining = this.#rejoin();
    });
  }

  /** The host is gone: another guest takes its place, or we do. Nothing of it keeps the process alive. */
  async #rejoin() {
    for (let pause = PAUSE_MS; !this.#closing; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#join({ keepAlive: false });
      } catch (error) {
        if (pause === PAUSE_MS) process.emitWarning(/** @type {Error} */ (error));
        await sleep(pause, undefined, { ref: false });
      }
    }
  }
}

/**
 * @param {string} folder
 * @param {import('./lock.cjs').Lock | null} lock
 */
function inUse(folder, lock) {
  const host = lock ? `process ${lock.pid} on ${lock.machine.split(' ')[0]}` : 'another process';
  return (
    `the embedded database in ${folder} is hosted by ${host}, which does not answer: ` +
    'continue or end that process, or choose another folder with IZZIE_MEMORY_DIR'
  );
}

module.exports = { Member };
