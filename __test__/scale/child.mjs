// One sync call in a process of its own, whose memory is measured: the settings, the method and its arguments come as
// JSON on standard input; the answer and the peak go to standard output.
import { text } from 'node:stream/consumers';
import { createMemoryLayer } from 'izzie-memory';

const ATTEMPTS = 5;

const { config, method, args } = JSON.parse(await text(process.stdin));
const layer = createMemoryLayer(config);
try {
  const started = performance.now();
  const answer = await patiently(() => layer.sync[method](...args));
  const seconds = (performance.now() - started) / 1000;
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(JSON.stringify({ answer, seconds, peakMegabytes }));
} finally {
  await layer.close();
}

/** A server that was started a moment ago, on a machine that has other things to do, may not answer in time. */
async function patiently(call) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!error.retryable || attempt === ATTEMPTS) throw error;
    }
  }
}
