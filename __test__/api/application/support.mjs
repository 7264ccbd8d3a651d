// The application on its own schema and both stores, each by way of a proxy that can fail. Its modules use the default
// layer, which the environment sets up.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as api from 'izzie-memory';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { startProxy } from '../../support/proxy.mjs';
import { useGraph } from '../support.mjs';

const SCHEMA = readFileSync(new URL('../../fixtures/izzie2-schema.sql', import.meta.url), 'utf8');
export const USERS = ['ada', 'bob', 'test-user'];
const VARIABLES = /^(DATABASE_|NEO4J_|OPENROUTER_|OPENAI_|IZZIE_MEMORY_DIR$)/;

/** @param {(query: Function) => Promise<unknown>} [before] rows of the application from before the package came */
export function useApplication(before = async () => {}) {
  // A Neo4j that has just started compiles every statement, which a busy machine lets take minutes.
  vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });
  const database = useGraph('neo4j', {
    before: async (query) => {
      await query(SCHEMA);
      for (const id of USERS)
        await query('insert into users (id, email) values ($1, $2)', [id, `${id}@example.org`]);
      await before(query);
    },
  });
  const application = { database, proxies: {} };
  const kept = {};

  beforeAll(async () => {
    await api.shutdown();
    const { uri, user, password } = database.neo4j.credentials;
    application.proxies.postgres = await startProxy(database.url);
    application.proxies.neo4j = await startProxy(uri);
    for (const name of Object.keys(process.env).filter((candidate) => VARIABLES.test(candidate))) {
      kept[name] = process.env[name];
      delete process.env[name];
    }
    Object.assign(process.env, {
      DATABASE_URL: application.proxies.postgres.url(database.url),
      NEO4J_URI: application.proxies.neo4j.url(uri),
      NEO4J_USER: user,
      NEO4J_PASSWORD: password,
    });
  });

  afterAll(async () => {
    await api.shutdown();
    for (const name of ['DATABASE_URL', 'NEO4J_URI', 'NEO4J_USER', 'NEO4J_PASSWORD'])
      delete process.env[name];
    Object.assign(process.env, kept);
    for (const proxy of Object.values(application.proxies)) await proxy.close();
  });

  return application;
}

/** A request to a route of the application, and its answer. */
export async function ask(route, body) {
  const request = new Request('http://app.example/', {
    method: body === undefined ? 'GET' : 'POST',
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const response = await route(request);
  return { status: response.status, body: await response.json() };
}

/** Has the graph be given all that it is owed; a machine with much to do needs more than one try. */
export async function deliver() {
  const until = Date.now() + 240_000;
  for (;;) {
    const { pending, failed } = await api.syncService.fullSync().catch(() => ({}));
    if (pending === 0 && failed === 0) return;
    if (Date.now() > until) throw new Error('the graph did not take what it is owed within four minutes');
    await sleep(300);
  }
}

/** The same, and proves that both stores are equal. */
export async function settle() {
  await deliver();
  expect(await api.syncService.verify({ deep: true })).toMatchObject({
    state: 'consistent',
    differences: 0,
    pending: 0,
  });
}

/** An entity as the application's model gives it. */
export const entity = (type, value, more) => ({
  type,
  value,
  normalized: value.toLowerCase().replaceAll(' ', '_'),
  confidence: 0.9,
  source: 'body',
  ...more,
});
