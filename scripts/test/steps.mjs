// What `npm test` runs: each step is a runner of its own, with a way to read its counts.
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup.mjs';
import { cargoCounts, jestCounts, tapCounts, typeCounts } from './counts.mjs';

/**
 * `group`: the word for `--only`; `command(report)`: what to run, given a file for the runner's report;
 * `counts(output, report)`: what it says of its tests. `servers`, `addon`: what the step needs.
 */
export const STEPS = [
  // Without napi. Fail points do nothing where no test sets them, so one build serves all Rust tests.
  rustStep('core', ['--features', 'failpoints', '--no-fail-fast']),
  vitestStep('vitest', []),
  vitestStep('vitest, threads', ['--pool', 'threads', '__test__/vitest/lifecycle']),
  {
    ...vitestStep('embedded', ['--config', '__test__/embedded/vitest.config.mjs']),
    group: 'embedded',
    servers: false,
  },
  {
    name: 'jest',
    group: 'jest',
    servers: true,
    addon: true,
    command: (report) => [
      process.execPath,
      tool('jest', 'bin/jest.js'),
      '--ci',
      '--json',
      `--outputFile=${report}`,
    ],
    counts: (_output, report) => jestCounts(report),
  },
  nodeStep('node', '__test__/node', true),
  typesStep('types', 'tsconfig.json', /\.[cm]?ts$/),
  typesStep('types, for bundlers', 'tsconfig.bundler.json', /\.mts$/),
  nodeStep('package', '__test__/package', false),
  nodeStep('example', '__test__/example', true),
  nodeStep('scale', '__test__/scale', true),
  // It starts servers of its own, which it kills.
  nodeStep('chaos', '__test__/chaos', false),
];

export const GROUPS = [...new Set(STEPS.map((step) => step.group))];

function rustStep(name, options) {
  return {
    name: `rust, ${name}`,
    group: 'rust',
    servers: true,
    addon: false,
    command: () => ['cargo', 'test', '--release', ...options],
    counts: cargoCounts,
  };
}

function vitestStep(name, options) {
  const reporters = (report) => ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return {
    name,
    group: 'vitest',
    servers: true,
    addon: true,
    command: (report) => [
      process.execPath,
      tool('vitest', 'vitest.mjs'),
      'run',
      ...reporters(report),
      ...options,
    ],
    counts: (_output, report) => jestCounts(report),
  };
}

/** The files are named one by one: Node's versions disagree on what a folder means, and none of them would be no error. */
function nodeStep(name, folder, servers) {
  const reporters = (report) => [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
  ];
  return {
    name,
    group: name,
    servers,
    addon: true,
    command: (report) => [
      process.execPath,
      '--test',
      ...reporters(report),
      ...filesIn(folder, /\.test\.[cm]?js$/),
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
    servers: false,
    addon: false,
    command: () => [process.execPath, tool('typescript', 'bin/tsc'), ...options],
    counts: (output) => typeCounts(output, filesIn(folder, pattern)),
  };
}

/** A runner's script: started without npx, it gets our signals and leaves no shell behind. */
function tool(name, script) {
  return join(root, 'node_modules', name, script);
}

function filesIn(folder, pattern) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && pattern.test(entry.name));
  const paths = files.map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  if (paths.length === 0) throw new Error(`no test file in ${folder}`);
  return paths.sort();
}
