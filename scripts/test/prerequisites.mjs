// What tests need beside Node, and a fresh machine may lack. `npm test` gets it where it may; the suites that need what
// it cannot get are skipped, see needs.mjs.
import { join } from 'node:path';
import * as browser from '../browser.mjs';
import { installPackages, mayInstall } from '../debian.mjs';
import { capture } from '../lib/process.mjs';
import { serversDir } from '../servers/install.mjs';
import * as neo4j from '../servers/neo4j.mjs';
import * as pgbouncer from '../servers/pgbouncer.mjs';
import * as postgres from '../servers/postgres.mjs';
import { root } from '../setup.mjs';

/** They are installed, and not started. */
const ownPostgres = () => new postgres.Postgres(join(serversDir(), 'run', 'postgres')).resolve();
const ownNeo4j = () => new neo4j.Neo4j(join(serversDir(), 'run', 'neo4j')).resolve();

/**
 * @typedef {object} Prerequisite
 * @property {string} advice one line: what needs it, and what to install
 * @property {() => Promise<unknown>} provide makes it usable; rejects where it cannot
 * @property {string[]} [packages] what brings it on Debian, beside what `provide` fetches
 */

/** @type {Record<string, Prerequisite>} */
export const PREREQUISITES = {
  rust: {
    advice: 'The addon and the Rust tests need Rust: install the stable toolchain with rustup.',
    provide: async () => {
      await capture('cargo', ['--version']);
      await capture('rustc', ['--version']);
    },
  },
  cc: {
    advice: 'The addon and the Rust tests need a C compiler (cc): install gcc or clang.',
    provide: async () => process.platform === 'win32' || capture('cc', ['--version']),
    packages: ['gcc', 'libc6-dev'],
  },
  postgres: {
    advice: postgres.ADVICE,
    provide: () => process.env.TEST_DATABASE_URL || ownPostgres(),
    packages: postgres.PACKAGES,
  },
  neo4j: {
    advice: neo4j.ADVICE,
    provide: () => process.env.TEST_NEO4J_URI || ownNeo4j(),
    packages: neo4j.PACKAGES,
  },
  'own postgres': { advice: postgres.ADVICE, provide: ownPostgres, packages: postgres.PACKAGES },
  'own neo4j': { advice: neo4j.ADVICE, provide: ownNeo4j, packages: neo4j.PACKAGES },
  pgbouncer: {
    advice: pgbouncer.ADVICE,
    provide: pgbouncer.resolvePgBouncer,
    packages: pgbouncer.PACKAGES,
  },
  git: {
    advice: 'The test of the map of folders needs git and a clone: install git.',
    provide: () => capture('git', ['rev-parse', '--git-dir'], { cwd: root }),
    packages: ['git'],
  },
  openssl: {
    advice: 'The tests of TLS need OpenSSL 3: install openssl.',
    provide: async () => {
      const version = await capture('openssl', ['version']);
      if (!/^OpenSSL ([3-9]|\d\d)/.test(version)) throw new Error(`this is ${version.trim()}`);
    },
    packages: ['openssl'],
  },
  chromium: {
    advice: browser.ADVICE,
    provide: async () => {
      if (!browser.findBrowser()) throw new Error('it is not on the path');
    },
    packages: ['chromium'],
  },
};

/**
 * Gets what is needed, one thing after the other: what is there already, what its own way of installation brings, and
 * what Debian's packages add to that.
 *
 * @param {string[]} names of `PREREQUISITES`
 * @param {object} [means] for tests
 * @returns {Promise<string[]>} those that this machine lacks
 */
export async function provide(names, means = { prerequisites: PREREQUISITES, mayInstall, installPackages }) {
  const lacking = [];
  for (const name of new Set(names)) {
    const prerequisite = means.prerequisites[name];
    if (!prerequisite) throw new Error(`${name} is no prerequisite`);
    const begun = performance.now();
    try {
      await provideOne(prerequisite, means);
      const seconds = Math.round((performance.now() - begun) / 1000);
      if (seconds > 0) console.log(`${name}: ready after ${seconds} s`);
    } catch (error) {
      lacking.push(name);
      console.error(`There is no ${name}: ${error.message}`);
    }
  }
  return lacking;
}

async function provideOne({ provide: attempt, packages }, means) {
  try {
    await attempt();
  } catch (error) {
    if (!packages || !means.mayInstall()) throw error;
    console.log(`Installing ${packages.join(', ')}: ${error.message.split('\n')[0]}`);
    try {
      await means.installPackages(packages);
    } catch (refusal) {
      throw new Error(`${error.message}\n${refusal.message}`, { cause: error });
    }
    await attempt();
  }
}
