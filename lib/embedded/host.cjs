'use strict';

const crypto = require('node:crypto');
const path = require('node:path');
const address = require('./address.cjs');
const { Database } = require('./database.cjs');
const { UnavailableError, cannotOpen } = require('./errors.cjs');
const { removeFile } = require('./listen.cjs');
const {
  HEARTBEAT_MS,
  beat,
  endHeartbeat,
  isAlive,
  machineIdentity,
  processStart,
} = require('./liveness.cjs');
const { claim, currentLock, isOwned, outdatedLocks } = require('./lock.cjs');
const { Pulse, pulsePath } = require('./pulse.cjs');
const { Relay } = require('./relay.cjs');

/*
 * Hosting a database: everything here runs in one worker thread, so that nothing of it outlives the rest.
 * The order is what keeps two hosts apart: the pulse starts before the lock can be seen, and stops after the
 * database has let go of its files.
 */

const FAREWELL_MS = 2_000;

class Host {
  /**
   * @param {string} folder
   * @returns {Promise<Host | null>} `null` when the folder has a living host already
   */
  static async inFolder(folder) {
    const previous = currentLock(folder);
    if (previous && (await isAlive(previous))) return null;
    const content = await lockContent(folder, previous);
    const pulse = new Pulse();
    await pulse.start(pulsePath(content.address, content.id));
    const generation = (previous?.generation ?? 0) + 1;
    if (!claim(folder, generation, content)) {
      pulse.stop();
      removePulseFile(content);
      return null;
    }
    const host = new Host(content.address, content.password, pulse);
    host.#watchOver(/** @type {import('./lock.cjs').Lock} */ (currentLock(folder)));
    await host.#serve(path.join(folder, 'data'));
    return host;
  }

  /** @returns {Promise<Host>} */
  static async inMemory() {
    const host = new Host(await address.privateAddress(), newPassword(), null);
    await host.#serve(null);
    return host;
  }

  /**
   * @param {import('./address.cjs').Address} at
   * @param {string} password
   * @param {Pulse | null} pulse
   */
  constructor(at, password, pulse) {
    this.#address = at;
    this.#password = password;
    this.#pulse = pulse;
  }

  #address;
  #password;
  #pulse;
  /** @type {import('./lock.cjs').Lock | null} */
  #lock = null;
  /** @type {NodeJS.Timeout | undefined} */
  #heartbeat;
  /** @type {Database | undefined} */
  #database;
  /** @type {Relay | undefined} */
  #relay;

  /** The directory of a database in memory: nobody needs it after this process. */
  get scratchDir() {
    return !this.#lock && 'socketDir' in this.#address ? this.#address.socketDir : null;
  }

  get databaseUrl() {
    return address.databaseUrl(this.#address, this.#password);
  }

  /** Ends the database in order. Afterwards another process may take over. */
  async close() {
    await this.#relay?.close(FAREWELL_MS);
    await this.#database?.close();
    clearInterval(this.#heartbeat);
    if (this.#lock) endHeartbeat(this.#lock);
    this.#pulse?.stop();
  }

  /** @param {string | null} dataDir */
  async #serve(dataDir) {
    this.#database = await openDatabase(dataDir);
    this.#relay = new Relay({
      database: this.#database,
      password: this.#password,
      version: await this.#database.version(),
      assertOwnership: () => this.#assertOwnership(),
      onBroken: abandon,
    });
    await this.#relay.listen(this.#address);
    this.#pulse?.announceReady();
  }

  /** @param {import('./lock.cjs').Lock} lock */
  #watchOver(lock) {
    this.#lock = lock;
    for (const old of outdatedLocks(lock)) {
      removePulseFile(old);
      removeFile(old.file);
    }
    this.#heartbeat = setInterval(() => beat(lock), HEARTBEAT_MS);
  }

  /**
   * A second guard: a host whose pulse had vanished can have been succeeded while it lives, and a folder can
   * be deleted under it.
   */
  #assertOwnership() {
    if (!this.#lock || isOwned(this.#lock)) return;
    throw new Error(`${this.#lock.file} no longer stands for its host: the folder was deleted or taken over`);
  }
}

/**
 * The address and the password go from host to host: clients everywhere reconnect with what they have.
 *
 * @param {string} folder
 * @param {import('./lock.cjs').Lock | null} previous
 * @returns {Promise<import('./lock.cjs').LockContent>}
 */
async function lockContent(folder, previous) {
  return {
    id: crypto.randomBytes(8).toString('hex'),
    pid: process.pid,
    processStart: processStart(process.pid),
    machine: machineIdentity(),
    startedAt: new Date().toISOString(),
    address: await address.usableAddress(folder, previous?.address),
    password: previous?.password ?? newPassword(),
  };
}

function newPassword() {
  return crypto.randomBytes(24).toString('hex');
}

/** @param {import('./lock.cjs').LockContent} content */
function removePulseFile(content) {
  if (!address.ON_WINDOWS) removeFile(pulsePath(content.address, content.id));
}

/** @param {string | null} dataDir */
async function openDatabase(dataDir) {
  try {
    return await Database.open(dataDir);
  } catch (error) {
    throw new UnavailableError(cannotOpen(dataDir), error);
  }
}

/**
 * After a trap inside PGlite its memory is in no known state. Ending the thread at once is what a crash of a
 * Postgres server is: the next host, perhaps in this very process, recovers from the log.
 *
 * @param {unknown} error
 */
function abandon(error) {
  process.emitWarning(/** @type {Error} */ (error));
  process.exit(1);
}

module.exports = { Host };
