// Sync calls whose process may not grow with the number of memories.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const PEAK_MEGABYTES = 300;

/** Functions for the methods of `layer.sync` on this layer, each run in a new process. Their figures are told to `t`. */
export function measuredSync(t, config) {
  const call =
    (method) =>
    async (...args) => {
      const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(JSON.stringify({ config, method, args }));
      const output = await text(child.stdout);
      assert.notEqual(output, '', `${method} failed`);
      const { answer, seconds, peakMegabytes } = JSON.parse(output);
      t.diagnostic(`${method}: ${seconds.toFixed(1)} s, at most ${peakMegabytes.toFixed(0)} MB`);
      assert.ok(peakMegabytes < PEAK_MEGABYTES, `${method} took ${peakMegabytes} MB`);
      return answer;
    };
  return new Proxy({}, { get: (_, method) => call(method) });
}
