'use strict';

const { UnavailableError } = require('./errors.cjs');
const { prepareFolder, resolveFolder } = require('./folder.cjs');
const { HostThread } = require('./host-thread.cjs');
const { Member } = require('./member.cjs');

/*
 * The embedded database: Postgres with pgvector inside this process (PGlite), or the one that another process
 * hosts for the same folder. Clients cannot tell them from a server.
 */

const IN_MEMORY = 'memory://';

/**
 * @typedef {object} Embedded
 * @property {string} databaseUrl for any Postgres client; stays valid when another process becomes the host
 * @property {'host' | 'guest'} role at this moment
 * @property {string} folder its real path, or `memory://`
 * @property {() => Promise<void>} close end your connections first. May be called twice.
 */

/**
 * What this process has open, by folder: all its users share one.
 *
 * @type {Map<string, { member: Promise<Member>, users: number, closed: Promise<void> | null }>}
 */
const opened = new Map();

/**
 * @param {{ folder: string }} options an absolute path, or `memory://` for a database of one's own
 * @returns {Promise<Embedded>} when the database answers
 * @throws {UnavailableError} with `reason: 'UNAVAILABLE'`
 */
async function openEmbedded({ folder }) {
  if (folder === IN_MEMORY) return await openInMemory();
  const realFolder = prepareFolder(folder);
  // Not before the last one here has let go.
  for (let entry = opened.get(realFolder); entry?.closed; entry = opened.get(realFolder)) await entry.closed;
  return await use(realFolder);
}

async function openInMemory() {
  const host = await HostThread.start(null, { keepAlive: true });
  if (!host) throw new UnavailableError('cannot start the embedded database in memory');
  return {
    databaseUrl: host.databaseUrl,
    role: /** @type {const} */ ('host'),
    folder: IN_MEMORY,
    close: once(() => host.close()),
  };
}

/** @param {string} folder */
async function use(folder) {
  const entry = opened.get(folder) ?? { member: Member.join(folder), users: 0, closed: null };
  opened.set(folder, entry);
  entry.users += 1;
  try {
    const member = await entry.member;
    return {
      databaseUrl: member.databaseUrl,
      get role() {
        return member.role;
      },
      folder,
      close: once(() => release(folder, entry, member)),
    };
  } catch (error) {
    if (opened.get(folder) === entry) opened.delete(folder);
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {NonNullable<ReturnType<typeof opened.get>>} entry
 * @param {Member} member
 */
async function release(folder, entry, member) {
  entry.users -= 1;
  if (entry.users > 0) return;
  entry.closed = member.close().finally(() => opened.delete(folder));
  await entry.closed;
}

/**
 * @param {() => Promise<void>} action
 * @returns {() => Promise<void>} runs it at the first call
 */
function once(action) {
  /** @type {Promise<void> | undefined} */
  let done;
  return () => {
    done ??= action();
    return done;
  };
}

module.exports = { openEmbedded, resolveFolder };
