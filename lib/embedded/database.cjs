'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { requireUntraced } = require('../untraced.cjs');
const { ReadyScanner } = require('./protocol.cjs');

/*
 * PGlite, opened so that an acknowledged row survives. It writes straight to files, which is enough for the
 * end of the process; and unlike its default, which never flushes, a commit here waits for the disk.
 */

// How PGlite's build of Postgres leaves a statement that failed.
const POSTGRES_LONGJMP = 100;
const NO_FSYNC = '-F';
// The one method that reaches the fsync of the file system; PGlite's fdatasync does nothing.
const WAL_SYNC_METHOD = ['-c', 'wal_sync_method=fsync'];

// The log is kept as small as upkeep.cjs allows it to grow.
const WAL_SIZE = ['-c', 'max_wal_size=128MB', '-c', 'min_wal_size=32MB'];

/** @type {() => typeof import('@electric-sql/pglite')} */
const requirePglite = () => requireUntraced('@electric-sql/pglite');
/** @type {() => typeof import('@electric-sql/pglite/nodefs')} */
const requireNodeFS = () => requireUntraced('@electric-sql/pglite/nodefs');
/** @type {() => typeof import('@electric-sql/pglite-pgvector')} */
const requirePgvector = () => requireUntraced('@electric-sql/pglite-pgvector');

class Database {
  /**
   * @param {string | null} dataDir `null` for a database in memory
   * @returns {Promise<Database>}
   */
  static async open(dataDir) {
    // Loaded here and not above: most processes never need it.
    const { PGlite } = requirePglite();
    const { vector } = requirePgvector();
    const options = { extensions: { vector } };
    if (dataDir === null) return new Database(await PGlite.create('memory://', options));

    const isNew = prepareCreation(dataDir);
    const startParams = PGlite.defaultStartParams.filter((parameter) => parameter !== NO_FSYNC);
    const durable = {
      ...options,
      fs: durableFileSystem(dataDir),
      startParams: [...startParams, ...WAL_SYNC_METHOD, ...WAL_SIZE],
    };
    const pglite = await PGlite.create(durable);
    if (isNew) finishCreation(dataDir);
    return new Database(pglite);
  }

  /** @param {import('@electric-sql/pglite').PGlite} pglite */
  constructor(pglite) {
    this.#pglite = pglite;
    this.#noticeTraps(pglite.Module);
  }

  #pglite;
  /** What broke the database, if anything has. @type {unknown} */
  #trap = null;

  /**
   * Runs whole messages of the wire protocol to their end.
   *
   * @param {Buffer} messages
   * @param {(bytes: Buffer) => void} onOutput
   * @returns {string | null} the state the session reports at the end, `null` if it reports none
   * @throws when the database is broken and must not be used any longer
   */
  execute(messages, onOutput) {
    if (this.#trap) throw this.#trap;
    const scanner = new ReadyScanner();
    const onRawData = (/** @type {Uint8Array} */ bytes) => {
      if (this.#trap) return;
      scanner.push(bytes);
      onOutput(Buffer.from(bytes)); // a copy: the original lies in PGlite's memory and is used again
    };
    // Runs before it returns; the promise only carries what it throws.
    const done = this.#pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData });
    done.catch((error) => {
      this.#trap ??= error;
    });
    if (this.#trap) throw this.#trap;
    return scanner.state;
  }

  /** @returns {Promise<string>} */
  async version() {
    const { rows } = await this.#pglite.query('show server_version');
    return /** @type {{ server_version: string }} */ (rows[0]).server_version;
  }

  /** Writes everything to its place and ends the database. */
  async close() {
    await this.#pglite.close();
  }

  /**
   * PGlite swallows every exception from its main loop, goes on, and may report that it is ready. Whatever is not
   * Postgres' own jump back to the loop means that nothing it says can be believed.
   *
   * @param {any} module
   */
  #noticeTraps(module) {
    const mainLoopOnce = module._PostgresMainLoopOnce;
    module._PostgresMainLoopOnce = () => {
      try {
        mainLoopOnce();
      } catch (error) {
        if (/** @type {{ status?: number }} */ (error).status !== POSTGRES_LONGJMP)
          this.#break(module, error);
        throw error;
      }
    };
  }

  /**
   * @param {any} module
   * @param {unknown} trap
   */
  #break(module, trap) {
    this.#trap ??= trap;
    // What PGlite calls when it has caught something: the only way out of its loop.
    module.stackRestore = () => {
      throw trap;
    };
  }
}

/** @param {string} dataDir */
function markerFile(dataDir) {
  return `${dataDir}.unfinished`;
}

/**
 * Decides whether a cluster is to be created. One whose creation was cut off holds nothing and cannot be
 * opened: it is made anew.
 *
 * @param {string} dataDir
 * @returns {boolean}
 */
function prepareCreation(dataDir) {
  const marker = markerFile(dataDir);
  if (fs.existsSync(marker)) fs.rmSync(dataDir, { recursive: true, force: true });
  if (fs.existsSync(path.join(dataDir, 'PG_VERSION'))) return false;
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // PGlite would write a cluster between the files of somebody else.
  if (fs.readdirSync(dataDir).length > 0) throw new Error(`${dataDir} holds something that is no database`);
  fs.writeFileSync(marker, '', { mode: 0o600 });
  return true;
}

/**
 * The files were written without a flush: a power cut must not leave half of them behind a cluster in use.
 *
 * @param {string} dataDir
 */
function finishCreation(dataDir) {
  for (const entry of fs.readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) flushFile(path.join(entry.parentPath ?? entry.path, entry.name));
  }
  fs.rmSync(markerFile(dataDir));
}

/** @param {string} file */
function flushFile(file) {
  const descriptor = fs.openSync(file, 'r+');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * PGlite's file system on Node without its gap: it has no fsync, so that Postgres' own would do nothing.
 *
 * @param {string} dataDir
 */
function durableFileSystem(dataDir) {
  const { NodeFS } = requireNodeFS();
  const addFsync = (/** @type {any} */ module) => {
    const nodefs = module.FS.filesystems.NODEFS;
    nodefs.stream_ops.fsync = (/** @type {{ nfd?: number }} */ { nfd }) => {
      if (nfd === undefined) return 0; // a directory
      try {
        fs.fsyncSync(nfd);
        return 0;
      } catch (error) {
        throw new module.FS.ErrnoError(nodefs.convertNodeCode(error));
      }
    };
  };
  class DurableNodeFS extends NodeFS {
    /** @type {InstanceType<typeof NodeFS>['init']} */
    async init(pglite, options) {
      return await super.init(pglite, { ...options, preRun: [...(options.preRun ?? []), addFsync] });
    }
  }
  return new DurableNodeFS(dataDir);
}

module.exports = { Database };
