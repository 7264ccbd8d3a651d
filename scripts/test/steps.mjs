// What `npm test` runs: each step is a runner of its own, with a way to read its counts.
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup.mjs';
import { cargoCounts, jestCounts, tapCounts, typeCounts } from './counts.mjs';

const BUILD = ['rust', 'cc'];
const SERVERS = ['postgres', 'neo4j'];
const OWN_SERVERS = ['own postgres', 'own neo4j'];

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} group the word for `--only`
 * @property {string[]} needs the prerequisites without which the step is skipped as a whole
 * @property {string[]} [uses] those that some of its suites need, which then skip themselves
 * @property {boolean} servers whether it runs with a Postgres and a Neo4j
 * @property {'addon' | 'rust' | undefined} built what has to be compiled before
 * @property {(files: Files) => string[]} command
 * @property {(output: string, report: string) => import('./counts.mjs').Counts} counts what the runner says of its tests
 * @property {(output: string) => string[]} [running] the tests under way, by its output
 *
 * @typedef {object} Files where the runner writes
 * @property {string} report its report
 * @property {string} journal when which test began and ended, see journal.mjs; in `JOURNAL` too
 */

/** @type {Step[]} */
export const STEPS = [
  // Without napi. Fail points do nothing where no test sets them, so one build serves all Rust tests.
  { ...rustStep('rust, units', ['--lib']), needs: BUILD, servers: false },
  rustStep('rust, stores', ['--test', '*']),
  { ...vitestStep('vitest, no stores', ['--project', 'facade']), needs: BUILD, servers: false },
  {
    ...vitestStep(
      'vitest',
      ['package', 'graphs', 'readme'].flatMap((name) => ['--project', name]),
    ),
    uses: ['pgbouncer', 'openssl', 'git', ...OWN_SERVERS],
  },
  vitestStep('vitest, threads', ['--pool', 'threads', '__test__/vitest/lifecycle']),
  {
    ...vitestStep('embedded', ['--config', '__test__/embedded/vitest.config.mjs']),
    group: 'embedded',
    needs: BUILD,
    servers: false,
  },
  {
    name: 'jest',
    group: 'jest',
    needs: [...BUILD, ...SERVERS],
    servers: true,
    built: 'addon',
    command: ({ report }) => [
      process.execPath,
      tool('jest', 'bin/jest.js'),
      '--ci',
      '--json',
      `--outputFile=${report}`,
    ],
    counts: (_output, report) => jestCounts(report),
  },
  { ...nodeStep('node'), uses: ['own postgres'] },
  typesStep('types', 'tsconfig.json', /\.[cm]?ts$/),
  typesStep('types, strictest', 'tsconfig.strictest.json', /\.[cm]ts$/),
  typesStep('types, for bundlers', 'tsconfig.bundler.json', /\.mts$/),
  { ...nodeStep('package'), needs: BUILD, servers: false },
  { ...nodeStep('example'), uses: ['chromium'] },
  nodeStep('scale'),
  // It starts servers of its own, which it kills.
  { ...nodeStep('chaos'), needs: [...BUILD, ...OWN_SERVERS], servers: false },
];

export const GROUPS = [...new Set(STEPS.map((step) => step.group))];

/** The start of every command that runs Rust tests: one set of options, so that nothing is compiled twice. */
export const RUST_TESTS = ['cargo', 'test', '--profile', 'quick', '--features', 'failpoints'];

function rustStep(name, which) {
  return {
    name,
    group: 'rust',
    needs: [...BUILD, ...SERVERS],
    servers: true,
    built: 'rust',
    command: () => [...RUST_TESTS, '--no-fail-fast', ...which],
    counts: cargoCounts,
    running: slowTests,
  };
}

/** libtest names the tests that take more than a minute, and every test that has ended. */
function slowTests(output) {
  const slow = [...output.matchAll(/^test (.+) has been running for over/gm)].map(([, name]) => name);
  const ended = new Set([...output.matchAll(/^test (.+) \.\.\. /gm)].map(([, name]) => name));
  return slow.filter((name) => !ended.has(name));
}

function vitestStep(name, options) {
  return {
    name,
    group: 'vitest',
    needs: [...BUILD, ...SERVERS],
    servers: true,
    built: 'addon',
    command: ({ report }) => [
      process.execPath,
      tool('vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      `--reporter=${script('journal-vitest.mjs')}`,
      ...options,
    ],
    counts: (_output, report) => jestCounts(report),
  };
}

/** The files are named one by one: Node's versions disagree on what a folder means, and none of them would be no error. */
function nodeStep(name) {
  return {
    name,
    group: name,
    needs: [...BUILD, ...SERVERS],
    servers: true,
    built: 'addon',
    command: ({ report, journal }) => [
      process.execPath,
      '--test',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${report}`,
      `--test-reporter=${script('journal-node.mjs')}`,
      `--test-reporter-destination=${journal}`,
      ...filesIn(`__test__/${name}`, /\.test\.[cm]?js$/),
    ],
    counts: (_output, report) => tapCounts(report),
  };
}

function typesStep(name, project, pattern) {
  const folder = '__test__/types';
  const options = ['--noEmit', '--pretty', 'false', '-p', `${folder}/${project}`];
  return {
    name,
    group: 'types',
    needs: [],
    servers: false,
    command: () => [process.execPath, tool('typescript', 'bin/tsc'), ...options],
    counts: (output) => typeCounts(output, filesIn(folder, pattern)),
  };
}

/** A runner's script: started without npx, it gets our signals and leaves no shell behind. */
function tool(name, path) {
  return join(root, 'node_modules', name, path);
}

function script(name) {
  return join(root, 'scripts', 'test', name);
}

function filesIn(folder, pattern) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && pattern.test(entry.name));
  const paths = files.map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  if (paths.length === 0) throw new Error(`no test file in ${folder}`);
  return paths.sort();
}
