// Repetitions and their median.

/** Both servers compile what they are asked often; a server in use has done so. */
const WARM_UP = 20;
const SAMPLES = 15;

/** Milliseconds of each call. */
export async function repeated(call, samples = SAMPLES) {
  const times = [];
  for (let n = 0; n < WARM_UP + samples; n += 1) {
    const time = await timed(call);
    if (n >= WARM_UP) times.push(time);
  }
  return times;
}

export async function timed(call) {
  const started = performance.now();
  await call();
  return performance.now() - started;
}

export function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
