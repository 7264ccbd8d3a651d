// `next dev`: code that is loaded anew finds the pools of the code before.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { waitUntil } from '../../../scripts/lib/process.mjs';
import { MEMORIES_ROUTE, STATUS } from '../routes.mjs';
import { Server } from '../server.mjs';
import { openStores } from '../stores.mjs';

const EDITS = 10;
const FILES = ['app/api/persistence/status/route.ts', 'lib/persistence/index.ts', 'lib/persistence/sync.ts'];
const RELOAD_MS = 120_000;

/** A slow store is pinged on connections of its own. Layers that stayed would add more than this: one set for each edit. */
const SLACK = 4;

export function hotReload(app) {
  test(`no connection is added by ${EDITS} edits under next dev`, async () => {
    const stores = await openStores();
    const server = await Server.start(app, stores.variables, 'dev');
    const sources = FILES.map((name) => [name, readFileSync(app.path(name), 'utf8')]);
    try {
      const open = () => [stores.proxies.postgres.open, stores.proxies.neo4j.open];
      await use(server);
      const atFirst = open();
      assert.ok(Math.min(...atFirst) > 0, String(atFirst));
      for (let edit = 1; edit <= EDITS; edit += 1) {
        await editAll(app, sources, edit, server);
        await use(server);
        assert.deepEqual(
          open().map((count, store) => count < atFirst[store] + SLACK),
          [true, true],
          String(open()),
        );
      }
    } finally {
      for (const [name, source] of sources) app.write(name, source);
      await server.stop();
      await stores.close();
    }
  });
}

/** As much as a page does at once: the pools get as many connections as they will ever have. */
async function use(server) {
  const memory = JSON.stringify({ userId: 'ada', content: 'Lunch with Grace Hopper' });
  const requests = Array.from({ length: 8 }, () => [
    server.ask('POST', MEMORIES_ROUTE, memory),
    server.ask('GET', STATUS),
  ]);
  for (const { status, body } of await Promise.all(requests.flat()))
    assert.equal(status, 200, JSON.stringify(body));
}

/** Returns when the server runs the new code. */
async function editAll(app, sources, edit, server) {
  for (const [name, source] of sources) {
    app.write(name, `${source.replace('answer({', `answer({ edit: ${edit},`)}// edit ${edit}\n`);
  }
  const isLoaded = async () => (await server.ask('GET', STATUS)).body.edit === edit;
  assert.ok(await waitUntil(isLoaded, RELOAD_MS, 200), `edit ${edit} was not loaded:\n${server.output}`);
}
