// A process with auto-sync, see children/auto-sync.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./children/auto-sync.mjs', import.meta.url));

/**
 * Starts it with a script and a configuration. `says(line)` waits for a line on its stdout; `ended` tells how it ended.
 * It does not outlive the test.
 */
export function startChild(script, config) {
  const child = spawn(process.execPath, [PROGRAM, script, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const over = ended.then(() => {
    throw new Error(`the child has ended; it said ${JSON.stringify(output)}`);
  });
  over.catch(() => {}); // Only of interest to who still waits for a line.
  return {
    ended,
    kill: (signal) => child.kill(signal),
    async says(line) {
      while (!output.split('\n').includes(line)) await Promise.race([once(child.stdout, 'data'), over]);
    },
  };
}
