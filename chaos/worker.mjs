// One of the processes: calls without end, each with a line in the journal before and after it. Its parent kills it at
// any time and starts it again; then it first repeats what was cut off.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryLayer } from 'izzie-memory';
import { CALLS, failure } from './calls.mjs';
import { CHOICES } from './choices.mjs';
import { Journal, readCalls } from './journal.mjs';
import { Random } from './random.mjs';
import { Seasons } from './seasons.mjs';

/** Calls that one process has under way at a time. */
const LANES = 2;
const LONGEST_PAUSE_MS = 50;

const { index, generation, run, layer: config, journal: path } = JSON.parse(process.argv[2]);

const name = `${index}.${generation}`;
const unfinished = leftOver(readCalls(path));
const journal = new Journal(path, name);
const seasons = new Seasons(run);
const layer = createMemoryLayer(config);
const revisions = new Map();
let contents = 0;
let stopping = false;

process.on('message', () => {
  stopping = true;
});
process.on('disconnect', () => process.exit(1)); // nobody is left to be judged by

await repeatUnfinished();
await Promise.all(Array.from({ length: LANES }, (_, lane) => loop(lane)));
await layer.close();
journal.close();
process.removeAllListeners('disconnect');
process.disconnect();

async function repeatUnfinished() {
  for (const { begin } of unfinished) {
    const frozen = begin.season !== undefined && begin.season !== seasons.current;
    if (CALLS[begin.kind].repeatable && !frozen) await perform(begin, begin.begin);
  }
}

/** Calls of which nobody knows what became of them, and that no repetition has settled. */
function leftOver(calls) {
  const unknown = calls.filter(isUnknown);
  const settled = new Set(calls.filter((call) => !isUnknown(call)).map(({ begin }) => begin.repeats));
  return unknown.filter(({ begin }) => !settled.has(begin.begin));
}

function isUnknown({ end }) {
  return !end || end.outcomes.some(({ applied }) => applied === 'unknown');
}

async function loop(lane) {
  const random = new Random(run.seed, name, lane);
  const mark = () => {
    contents += 1;
    return `${name}/${contents}`;
  };
  const situation = { random, seasons, mark, own: [], revisions };
  while (!stopping) {
    for (let next = random.weighted(CHOICES).make(situation); next; next = next.after) await attempt(next);
    await sleep(random.between(0, LONGEST_PAUSE_MS));
  }
}

/** Once more where nobody knows what became of it, as a caller would. */
async function attempt(call) {
  const first = await perform(call);
  if (CALLS[call.kind].repeatable && first.outcomes.some(({ applied }) => applied === 'unknown'))
    await perform(call, first.call);
}

async function perform({ kind, request, season }, repeats) {
  const { targets, make, ...nature } = CALLS[kind];
  const announced = targets(request);
  const call = journal.begin({ kind, targets: announced, request, season, repeats });
  let outcomes;
  let error;
  try {
    outcomes = await make(layer, request);
  } catch (thrown) {
    error = failure(thrown, nature);
    outcomes = announced.map(() => error);
  }
  journal.end(call, { outcomes, error });
  outcomes.forEach(({ revision }, place) => {
    const { id } = announced[place];
    if (revision !== undefined && id) revisions.set(id, revision);
  });
  return { call, outcomes };
}
