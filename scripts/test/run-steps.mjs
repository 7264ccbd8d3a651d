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
import { JOURNAL, underWay } from './journal.mjs';
import { STEPS } from './steps.mjs';
import { Watch } from './watch.mjs';

/** The runners write to a pipe of ours, not to the terminal that we may have. */
const COLOURS = process.stdout.isTTY ? { FORCE_COLOR: '1', CARGO_TERM_COLOR: 'always' } : {};

async function main([folder, ...names]) {
  const results = [];
  for (const [index, name] of names.entries()) {
    const step = STEPS.find((candidate) => candidate.name === name);
    console.log(`\n── ${name} (${index + 1} of ${names.length}) ──`);
    const files = { report: join(folder, `${index}.report`), journal: join(folder, `${index}.journal`) };
    results.push(await runStep(step, files));
    writeFileSync(join(folder, 'results.json'), JSON.stringify(results)); // what is known survives a crash
  }
}

async function runStep(step, files) {
  const started = Date.now();
  const mark = `${process.pid}-${started}`;
  let result;
  try {
    result = judge(step, files, await stream(step, files, mark));
  } catch (error) {
    result = failure({ passed: 0, failed: 0, skipped: 0 }, error.message);
  }
  const rest = await leftOver(`${STEP_MARK}=${mark}`);
  if (rest.length > 0) result = failure(result, `left processes behind: ${rest.join('; ')}`);
  if (result.problem) console.error(`${step.name}: ${result.problem}`);
  return { name: step.name, seconds: (Date.now() - started) / 1000, ...result };
}

function judge(step, { report }, { code, output, overdue }) {
  const counts = step.counts(output, report);
  if (overdue) return failure(counts, overdue);
  if (code !== 0 && counts.failed === 0) return failure(counts, `ended with exit code ${code}`);
  if (counts.passed + counts.failed + counts.skipped === 0) return failure(counts, 'ran no test');
  return counts;
}

/** A step that failed counts at least once. */
function failure(counts, problem) {
  return { ...counts, failed: counts.failed + 1, problem };
}

/** Runs the command; its standard output is passed on and kept. */
function stream(step, files, mark) {
  return new Promise((resolve, reject) => {
    const [file, ...args] = step.command(files);
    const env = { ...process.env, ...COLOURS, [STEP_MARK]: mark, [JOURNAL]: files.journal };
    const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child.stdout, 'end');
    let output = '';
    const plain = () => stripVTControlCharacters(output);
    const watch = new Watch({
      name: step.name,
      mark: `${STEP_MARK}=${mark}`,
      running: () => step.running?.(plain()) ?? underWay(files.journal),
      kill: () => child.kill('SIGKILL'),
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      watch.heard();
      process.stdout.write(text);
    });
    child.once('error', (error) => {
      watch.end();
      reject(error);
    });
    child.once('exit', async (code, name) => {
      const overdue = watch.end();
      // Not 'close': a process left behind holds the pipe open.
      await Promise.race([ended, sleep(2000)]);
      resolve({ code: exitCode(code, name), output: plain(), overdue });
    });
  });
}

/** What a step started must end with it, within a moment; what does not is ended and told. */
async function leftOver(assignment) {
  let rest = [];
  await waitUntil(() => {
    rest = processesWithEnvironment(assignment);
    return rest.length === 0;
  }, 15_000);
  for (const { pid } of rest) signal(pid, 'SIGKILL');
  return rest.map(({ pid, command }) => `${pid} ${command}`);
}

await main(process.argv.slice(2));
