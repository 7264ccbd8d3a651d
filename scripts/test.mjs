#!/usr/bin/env node
// `npm test`: sets itself up, starts the servers it needs, runs every suite and leaves nothing behind.
// `npm test -- --only GROUP` runs a part: rust, vitest, embedded, jest, node, types, package, example, scale, chaos.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCode, run } from './lib/process.mjs';
import { buildAddon, cargoEnvironment, installPackages, root } from './setup.mjs';
import { lackingEnvironment, skippedSuites } from './test/needs.mjs';
import { PREREQUISITES, provide } from './test/prerequisites.mjs';
import { isCi, report } from './test/report.mjs';
import { GROUPS, RUST_TESTS, STEPS } from './test/steps.mjs';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });

async function main() {
  const steps = selected(values.only ?? GROUPS);
  const rows = [];
  const timed = async (name, work) => {
    console.log(`\n── ${name} ──`);
    const started = Date.now();
    const result = await work();
    rows.push({ name, seconds: (Date.now() - started) / 1000 });
    return result;
  };
  await timed('packages', installPackages);
  const lacking = await timed('prerequisites', () => provide(wanted(steps)));
  const [skipped, runnable] = divide(steps, (step) => step.needs.some((name) => lacking.includes(name)));
  await compile(runnable, timed);
  const { results, suites } = await runSteps(runnable, lacking);
  rows.push(
    ...skipped.map(({ name }) => ({ name, seconds: 0, passed: 0, failed: 0, skipped: 1 })),
    ...results,
  );
  const { lines, isSuccess } = report({
    rows,
    skips: reasons(skipped, suites, lacking),
    missing: runnable.length - results.length,
    isCi: isCi(),
  });
  process.exitCode = isSuccess ? 0 : 1;
  console.log(`\n${lines.join('\n')}`);
}

function selected(groups) {
  const unknown = groups.filter((group) => !GROUPS.includes(group));
  if (unknown.length > 0) throw new Error(`--only takes ${GROUPS.join(', ')}; not ${unknown.join(', ')}`);
  return STEPS.filter((step) => groups.includes(step.group));
}

/** What the steps need, and what a part of their suites does. */
function wanted(steps) {
  return steps.flatMap(({ needs, uses = [] }) => [...needs, ...uses]);
}

function divide(items, condition) {
  return [items.filter(condition), items.filter((item) => !condition(item))];
}

/** Before the steps, whose time is limited: how long it takes says nothing of the tests. */
async function compile(steps, timed) {
  const built = new Set(steps.map((step) => step.built));
  // Side by side: for minutes the addon is optimised as a whole, which takes one core.
  const builds = [];
  if (built.has('addon')) builds.push(timed('addon', buildAddon));
  if (built.has('rust')) builds.push(timed('rust tests, compiled', compileRustTests));
  const failed = (await Promise.allSettled(builds)).find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/** Where it fails, so does the step, which counts it. */
async function compileRustTests() {
  const [command, ...args] = [...RUST_TESTS, '--no-run'];
  const env = { ...process.env, ...(await cargoEnvironment()) };
  return run(command, args, { cwd: root, env });
}

/**
 * The steps run in a process of their own below the one that owns the servers, which ends them before the servers. Gives
 * what came of them, and which of their suites were skipped for want of something.
 */
async function runSteps(steps, lacking) {
  const folder = join(root, 'target', 'test-reports', String(process.pid));
  mkdirSync(folder, { recursive: true });
  const script = (...path) => join(root, 'scripts', ...path);
  const runner = [script('test', 'run-steps.mjs'), folder, ...steps.map((step) => step.name)];
  const withServers = steps.some((step) => step.servers)
    ? [script('with-servers.mjs'), '--', process.execPath]
    : [];
  const skips = join(folder, 'skipped');
  try {
    const code = await runNode([...withServers, ...runner], {
      ...(steps.some((step) => step.built) ? await cargoEnvironment() : {}),
      ...lackingEnvironment(lacking, skips),
    });
    if (code !== 0) console.error(`The test run ended early (exit code ${code}).`);
    const results = join(folder, 'results.json');
    return {
      results: existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : [],
      suites: skippedSuites(skips),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Signals are passed on; the answer is awaited, so that the servers are gone when we are. */
async function runNode(args, variables) {
  const env = { ...process.env, ...variables };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => resolve(exitCode(code, name)));
  });
}

/** For each skipped step and suite, what to install for it. */
function reasons(steps, suites, lacking) {
  const ofSteps = steps.flatMap(({ name, needs }) =>
    needs.filter((need) => lacking.includes(need)).map((need) => ({ suite: name, name: need })),
  );
  const found = [...ofSteps, ...suites].map(({ suite, name }) => ({
    suite,
    advice: PREREQUISITES[name].advice,
  }));
  return [...new Set(found.map(({ suite }) => suite))].map((suite) => ({
    suite,
    advice: [...new Set(found.filter((one) => one.suite === suite).map(({ advice }) => advice))],
  }));
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
