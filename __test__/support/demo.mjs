// Runs `npm run demo` as a user does: as a process of its own.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const RUN = fileURLToPath(new URL('../../demo/run.mjs', import.meta.url));

/** What of the environment would choose other stores or models than the test means. */
const CHOICES = [
  'DATABASE_URL',
  'IZZIE_MEMORY_DIR',
  'NEO4J_URI',
  'NEO4J_USER',
  'NEO4J_USERNAME',
  'NEO4J_PASSWORD',
  'NEO4J_DATABASE',
  'OPENROUTER_API_KEY',
  'OPENAI_API_KEY',
];

/** The promise of the demo. */
export const RUN_LIMIT_MS = 60_000;
/** Several runs, on a machine that runs other suites. */
export const TEST_LIMIT_MS = 10 * RUN_LIMIT_MS;

export function startDemo(args, env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !CHOICES.includes(name));
  return spawn(process.execPath, [RUN, ...args], { env: { ...Object.fromEntries(inherited), ...env } });
}

/** @returns {Promise<{ code: number | null, stdout: string, stderr: string }>} */
export async function demo(args, env) {
  const child = startDemo(args, env);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, ...output };
}

/** The exit code and the object that `--json` prints. */
export async function demoJson(args, env) {
  const { code, stdout, stderr } = await demo(['--json', ...args], env);
  expect(stdout, stderr).not.toBe('');
  return { code, ...JSON.parse(stdout) };
}
