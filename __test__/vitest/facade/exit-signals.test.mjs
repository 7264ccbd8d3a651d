// While auto-sync runs, SIGTERM and SIGINT wait for it to stop. Each case is a process of its own, on the fake addon.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const CHILD = fileURLToPath(new URL('./auto-sync-child.cjs', import.meta.url));

/** Runs the child, sends it the signals it asks for and says how it ended. */
async function run(script) {
  const child = spawn(process.execPath, [CHILD, script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    for (const line of String(chunk).trim().split('\n')) {
      if (line.startsWith('send ')) child.kill(line.slice('send '.length));
      else output += `${line} `;
    }
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, output: output.trim() };
}

describe('a signal', () => {
  test('stops what was started by hand, then ends the process', async () => {
    expect(await run('by-hand')).toEqual({ code: null, signal: 'SIGTERM', output: 'stopped' });
  });

  test('stops what the configuration started, and that of every layer', async () => {
    expect(await run('by-config')).toEqual({ code: null, signal: 'SIGINT', output: 'stopped stopped' });
  });

  test('stops what a copy of the module started, and waits for both', async () => {
    expect(await run('two-copies')).toEqual({ code: null, signal: 'SIGTERM', output: 'stopped stopped' });
  });

  test("is the program's own where it listens, be it once", async () => {
    expect(await run('own-listener')).toEqual({ code: 7, signal: null, output: 'own stopped' });
  });

  test('ends the process at once the second time', async () => {
    const begun = performance.now();
    expect(await run('impatient')).toEqual({ code: null, signal: 'SIGTERM', output: 'stopping' });
    expect(performance.now() - begun).toBeLessThan(4900);
  });

  test('waits no longer than 5 s', { timeout: 20_000 }, async () => {
    const begun = performance.now();
    expect(await run('hanging')).toEqual({ code: null, signal: 'SIGTERM', output: 'stopping' });
    expect(performance.now() - begun).toBeGreaterThan(4900);
  });
});

describe('nothing listens', () => {
  test.each([
    ['before it is started', 'idle'],
    ['when it was stopped', 'stopped'],
    ['when a call follows the stop', 'stopped-then-called'],
    ['when the layer was closed', 'closed'],
    ['in a worker thread', 'worker'],
    ['when it could not be started', 'failed'],
  ])('%s', async (_name, script) => {
    expect(await run(script)).toEqual({ code: 0, signal: null, output: '0 0' });
  });
});

test('listening keeps no process alive', async () => {
  expect(await run('running')).toEqual({ code: 0, signal: null, output: '1 1' });
});
