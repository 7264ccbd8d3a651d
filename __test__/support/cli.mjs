// Runs `izzie-memory` as a user does: the binary of package.json, as a process of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const BINARY = join(root, 'bin/izzie-memory.cjs');

/** What of the environment would choose other stores, models or modes than the test means. */
const CHOICES = /^(DATABASE_|NEO4J_|IZZIE_MEMORY_DIR$|OPENROUTER_|OPENAI_|NODE_ENV$|DEBUG$|VITEST)/;

/** @param {Record<string, string>} env */
export function environment(env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !CHOICES.test(name));
  return { ...Object.fromEntries(inherited), ...env };
}

/**
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, binary?: string, input?: string }} [place]
 */
export function startCli(args, { cwd, env, binary = BINARY } = {}) {
  return spawn(process.execPath, [binary, ...args], { cwd, env: environment(env) });
}

/** @returns {Promise<{ code: number | null, stdout: string, stderr: string }>} */
export async function cli(args, place = {}) {
  const child = startCli(args, place);
  child.stdin.end(place.input ?? '');
  return finished(child);
}

export async function finished(child) {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, ...output };
}

/** The exit code and what `--json` prints, which must be one line. */
export async function cliJson(args, place) {
  const { code, stdout, stderr } = await cli([...args, '--json'], place);
  const lines = stdout.split('\n');
  if (lines.length !== 2 || lines[1] !== '') {
    throw new Error(`izzie-memory ${args.join(' ')} --json printed:\n${stdout}\n${stderr}`);
  }
  return { code, stderr, answer: JSON.parse(lines[0]) };
}

/** An empty folder to run in, and a way to put files into it; it goes with the suite. */
export function useFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    path: folder,
    write(name, content) {
      const file = join(folder, name);
      writeFileSync(file, content);
      return file;
    },
  };
}
