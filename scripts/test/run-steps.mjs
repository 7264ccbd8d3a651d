// Runs the steps named in the arguments, one after the other, and writes what came of them to FOLDER/results.json:
// node scripts/test/run-steps.mjs FOLDER STEP…  (the servers' variables come from the environment)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { exitCode, processesWithEnvironment, STEP_MARK, signal, waitUntil } from '../lib/process.mjs';
import { root } from '../setup.mjs';
import { STEPS } from './steps.mjs';

/** The runners write to a pipe of ours, not to the terminal that we may have. */
const COLOURS = process.stdout.isTTY ? { FORCE_COLOR: '1', CARGO_TERM_COLOR: 'always' } : {};

/** A step that hangs fails, rather than the whole run at the limit of the machine it runs on. */
const LIMIT_MINUTES = 20;

async function main([folder, ...names]) {
  const results = [];
  for (const [index, name] of names.entries()) {
    const step = STEPS.find((candidate) => candidate.name === name);
    results.push(await runStep(step, join(folder, `${index}.report`)));
    writeFileSync(join(folder, 'results.json'), JSON.stringify(results)); // what is known survives a crash
  }
}

async function runStep(step, report) {
  console.log(`\n── ${step.name} ──`);
  const started = Date.now();
  const mark = `${process.pid}-${started}`;
  let result;
  try {
    result = await judge(step, report, await stream(step.command(report), mark));
  } catch (error) {
    result = failure({ passed: 0, failed: 0 }, error.message);
  }
  const rest = await leftOver(`${STEP_MARK}=${mark}`);
  if (rest.length > 0) result = failure(result, `left processes behind: ${rest.join('; ')}`);
  if (result.problem) console.error(`${step.name}: ${result.problem}`);
  return { name: step.name, seconds: (Date.now() - started) / 1000, ...result };
}

function judge(step, report, { code, output, overdue }) {
  const counts = step.counts(stripVTControlCharacters(output), report);
  if (overdue) return failure(counts, `was ended after ${LIMIT_MINUTES} minutes`);
  if (code !== 0 && counts.failed === 0) return failure(counts, `ended with exit code ${code}`);
  if (counts.passed + counts.failed === 0) return failure(counts, 'ran no test');
  return counts;
}

/** A step that failed counts at least once. */
function failure(counts, problem) {
  return { passed: counts.passed, failed: counts.failed + 1, problem };
}

/** Runs the command; its standard output is passed on and kept. */
function stream([file, ...args], mark) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...COLOURS, [STEP_MARK]: mark };
    const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child.stdout, 'end');
    let overdue = false;
    const limit = setTimeout(() => {
      overdue = true;
      endAll(processesWithEnvironment(`${STEP_MARK}=${mark}`));
      child.kill('SIGKILL');
    }, LIMIT_MINUTES * 60_000);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.once('error', reject);
    child.once('exit', async (code, name) => {
      clearTimeout(limit);
      // Not 'close': a process left behind holds the pipe open.
      await Promise.race([ended, sleep(2000)]);
      resolve({ code: exitCode(code, name), output, overdue });
    });
  });
}

/** What a step started must end with it, within a moment; what does not is ended and told. */
async function leftOver(assignment) {
  let rest = [];
  await waitUntil(() => {
    rest = processesWithEnvironment(assignment);
    return rest.length === 0;
  }, 5000);
  endAll(rest);
  return rest.map(({ pid, command }) => `${pid} ${command}`);
}

function endAll(processes) {
  for (const { pid } of processes) signal(pid, 'SIGKILL');
}

await main(process.argv.slice(2));
