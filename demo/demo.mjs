import { createRequire } from 'node:module';
import { configure, enhancedMemoryService, shutdown, syncService } from 'izzie-memory';
import { withKeys } from '../lib/port/keys.cjs';
import { driverFor, pickVictims, removeFromGraph } from './damage.mjs';
import { patiently } from './patience.mjs';
import { createProgress } from './progress.mjs';
import { answer, chooseQuestions } from './questions.mjs';
import { readInput } from './read-input.mjs';
import { createReport } from './report.mjs';
import { reasonLeftOut, storeAll } from './store-all.mjs';
import { storesFor } from './stores.mjs';
import { Tally } from './tally.mjs';

/** What the package keeps to itself, but a demonstration wants to show. */
const { __internal: internal } = createRequire(import.meta.url)('../lib/state.cjs');

const RELATIONS_SHOWN = 10;
const USER_OF_AN_MBOX = 'me';

/**
 * @param {import('./options.mjs').Options} options
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether everything was as promised
 */
export async function runDemo(options, signal) {
  const report = createReport(options);
  const { config, description } = storesFor(options, process.env);
  await configure(config);
  try {
    report.stores(description);
    await internal.databaseUrl(); // starts the embedded database, which says so: before the progress bar is drawn
    if (options.database) await internal.invoke('migrate', {}); // the embedded database does so by itself
    const tally = await store(options, signal, report);
    if (tally.stored > 0) await showAll(options, tally, signal, report);
    else report.broken(`nothing could be read from ${options.file}`);
    return report.finish();
  } finally {
    await shutdown();
  }
}

async function store({ file, user = USER_OF_AN_MBOX }, signal, report) {
  const tally = new Tally();
  const { bytes, items } = await readInput(file, { userId: user, signal });
  const progress = createProgress(bytes);
  try {
    const onProgress = (end) => progress.update(end, tally.stored);
    const keyed = withKeys(items, (item) => !reasonLeftOut(item));
    await storeAll(keyed, enhancedMemoryService, { tally, signal, onProgress });
  } finally {
    progress.stop();
  }
  report.stored(tally);
  return tally;
}

async function showAll(options, tally, signal, report) {
  const userId = options.user ?? tally.busiestUser;
  const ids = tally.idsOf(userId);
  if (ids.length === 0) return report.broken(`${options.file} has no memory of user ${userId}`);
  await askQuestions(await chooseQuestions(options, tally, userId), userId, signal, report);
  await settle(userId, signal);
  const relationsOf = { userId, limit: RELATIONS_SHOWN };
  report.relations(await patiently(() => internal.invoke('strongestRelations', relationsOf), signal));
  await damageAndRepair(userId, ids, signal, report);
  report.stats(await syncService.getStats());
  report.health(await enhancedMemoryService.getHealth());
}

async function askQuestions(questions, userId, signal, report) {
  if (questions.length === 0) report.noQuestions();
  for (const question of questions) {
    signal.throwIfAborted();
    report.answer(await answer(enhancedMemoryService, userId, question));
  }
}

/** What a slow graph is still owed, and what an interrupted run left behind, is not to be counted as our damage. */
async function settle(userId, signal) {
  await patiently(() => syncService.fullSync({ userId, signal }), signal);
}

async function damageAndRepair(userId, ids, signal, report) {
  const victims = pickVictims(ids);
  const databaseUrl = await internal.databaseUrl();
  const removed = await removeFromGraph({ databaseUrl, env: process.env, userId, ids: victims });
  if (removed === undefined) return report.noDrift(driverFor(process.env));
  signal.throwIfAborted();
  const check = () => patiently(() => syncService.checkConsistency({ userId, signal }), signal);
  const found = await check();
  const repair = await syncService.repairInconsistencies(found, { signal });
  const left = await check();
  report.drift({ userId, memories: ids.length, victims, removed, found, repair, left });
}
