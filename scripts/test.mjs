#!/usr/bin/env node
// `npm test`: sets itself up, starts the servers it needs, runs every suite and leaves nothing behind.
// `npm test -- --only GROUP` runs a part: rust, vitest, embedded, jest, node, types, example, scale, chaos.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCode } from './lib/process.mjs';
import { buildAddon, cargoEnvironment, installPackages, root } from './setup.mjs';
import { sum } from './test/counts.mjs';
import { GROUPS, STEPS } from './test/steps.mjs';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });

async function main() {
  const steps = selected(values.only ?? GROUPS);
  const durations = [];
  const timed = async (name, work) => {
    const started = Date.now();
    await work();
    durations.push({ name, seconds: (Date.now() - started) / 1000 });
  };
  await timed('packages', installPackages);
  if (steps.some((step) => step.addon)) await timed('addon', buildAddon);
  const results = await runSteps(steps);
  report([...durations, ...results], steps.length - results.length);
}

function selected(groups) {
  const unknown = groups.filter((group) => !GROUPS.includes(group));
  if (unknown.length > 0) throw new Error(`--only takes ${GROUPS.join(', ')}; not ${unknown.join(', ')}`);
  return STEPS.filter((step) => groups.includes(step.group));
}

/** The steps run in a process of their own below the one that owns the servers, which ends them before the servers. */
async function runSteps(steps) {
  const folder = join(root, 'target', 'test-reports', String(process.pid));
  mkdirSync(folder, { recursive: true });
  const script = (...path) => join(root, 'scripts', ...path);
  const runner = [script('test', 'run-steps.mjs'), folder, ...steps.map((step) => step.name)];
  const withServers = steps.some((step) => step.servers)
    ? [script('with-servers.mjs'), '--', process.execPath]
    : [];
  try {
    const code = await runNode([...withServers, ...runner]);
    if (code !== 0) console.error(`The test run ended early (exit code ${code}).`);
    const results = join(folder, 'results.json');
    return existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Signals are passed on; the answer is awaited, so that the servers are gone when we are. */
async function runNode(args) {
  const env = { ...process.env, ...(await cargoEnvironment()) };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => resolve(exitCode(code, name)));
  });
}

/** A table of what took how long, the problems, and the counts alone on the last line. */
function report(rows, missing) {
  console.log('\n    seconds   passed   failed');
  for (const { name, seconds, passed = '', failed = '' } of rows) {
    console.log(
      `${seconds.toFixed(1).padStart(11)}${String(passed).padStart(9)}${String(failed).padStart(9)}   ${name}`,
    );
  }
  for (const { name, problem } of rows) if (problem) console.log(`${name}: ${problem}`);
  const total = sum(rows.filter((row) => row.passed !== undefined));
  if (missing > 0) console.log(`${missing} step(s) did not run`);
  const failed = total.failed + missing;
  process.exitCode = failed > 0 || total.passed === 0 ? 1 : 0;
  console.log(`${total.passed} passed, ${failed} failed`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
