// What Prometheus is told: in its format, as docs/operations.md says, right, and whatever happens to the stores.
import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { table } from '../../readme/markdown.mjs';
import { parseExposition, samplesOf } from '../../support/exposition.mjs';
import { startProxy } from '../../support/proxy.mjs';
import { rejection, useDatabase, useGraph } from '../support.mjs';

/** Bounds of a scrape, with some air for a busy machine; a store that is away would be waited for longer. */
const SCRAPE_MS = 9000;

const embedder = { model: 'm', dimensions: 2, embed: async (texts) => texts.map(() => [1, 2]) };

async function timed(work) {
  const begun = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begun };
}

describe.each(['postgres', 'neo4j'])('with the graph in %s', (kind) => {
  const database = useGraph(kind);

  test('the text keeps to the format, and names what the table of metrics names, with these types and labels', async () => {
    const layer = database.layer({ embedder, pool: { max: 3 } });
    await layer.memory.store({ userId: 'ada', content: 'Lunch with Grace Hopper' });
    await layer.memory.store({ userId: 'ada', content: 'later' }, { defer: true });
    await layer.sync.drain();
    await layer.sync.fullSync();
    const families = parseExposition(await layer.metrics());
    const ofNeo4j = ([, , , meaning]) => /Neo4j/.test(meaning);
    const documented = table('Metrics').filter((metric) => kind === 'neo4j' || !ofNeo4j(metric));
    expect([...families.keys()].sort()).toEqual(documented.map(([name]) => name).sort());
    for (const [name, type, labels] of documented) {
      const { type: told, samples } = families.get(name);
      const [key] = samples.keys();
      const found = [...key.matchAll(/([a-z_]+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le');
      expect([name, told, found]).toEqual([name, type, labels === '' ? [] : labels.split(', ').sort()]);
    }
  });

  test('calls, models, debts, pools and stores are counted', async () => {
    const before = samplesOf(await database.layer({ embedder }).metrics());
    const layer = database.layer({ embedder, pool: { max: 3 } });
    const count = async () => samplesOf(await layer.metrics());
    const start = await count();
    await layer.memory.store({ userId: 'ada', content: 'one' });
    await layer.memory.store({ userId: 'ada', content: 'one' });
    await rejection(layer.memory.store({ userId: 'ada', content: '' }));
    await layer.memory.store({ userId: 'ada', content: 'owed' }, { defer: true });
    const owed = await count();
    const rise = (now, name) => (now.get(name) ?? 0) - (start.get(name) ?? 0);
    expect(rise(owed, 'izzie_memory_operations_total{op="store",outcome="ok"}')).toBe(3);
    expect(rise(owed, 'izzie_memory_operations_total{op="store",outcome="INVALID_ARGUMENT"}')).toBe(1);
    expect(rise(owed, 'izzie_memory_operation_duration_seconds_count{op="store"}')).toBe(4);
    expect(rise(owed, 'izzie_memory_embedding_cache_texts_total{result="miss"}')).toBe(1);
    expect(rise(owed, 'izzie_memory_embedding_cache_texts_total{result="hit"}')).toBe(1);
    expect(rise(owed, 'izzie_memory_model_calls_total{model="embedder",outcome="ok"}')).toBe(1);
    expect(rise(owed, 'izzie_memory_model_calls_total{model="extractor",outcome="ok"}')).toBe(2);
    expect(rise(owed, 'izzie_memory_memories{}')).toBe(3);
    expect(owed.get('izzie_memory_backlog{state="pending",target="embedding"}')).toBe(1);
    expect(owed.get('izzie_memory_backlog{state="pending",target="extraction"}')).toBe(1);
    expect(owed.get('izzie_memory_oldest_debt_age_seconds{target="embedding"}')).toBeGreaterThan(0);
    expect(owed.get('izzie_memory_pool_connections_max{pool="user"}')).toBe(3);
    // Of the process, but for what each layer has of its own.
    expect(before.get('izzie_memory_pool_connections_max{pool="user"}')).toBe(5);

    await layer.sync.drain();
    const paid = await count();
    expect(rise(paid, 'izzie_memory_debts_total{outcome="paid",target="embedding"}')).toBe(1);
    expect(rise(paid, 'izzie_memory_debts_total{outcome="paid",target="extraction"}')).toBe(1);
    expect(paid.get('izzie_memory_oldest_debt_age_seconds{target="embedding"}')).toBe(0);
    expect(paid.get('izzie_memory_sync_ratio{}')).toBe(1);
    expect(paid.get('izzie_memory_graph_memories{}')).toBe(paid.get('izzie_memory_memories{}'));
    expect(paid.get('izzie_memory_scrape_errors{source="postgres"}')).toBe(0);
    expect(paid.get('izzie_memory_scrape_errors{source="graph"}')).toBe(0);
  });
});

describe('debts that are refused', () => {
  const database = useDatabase();

  test('are retried, then dead', async () => {
    const embed = async (texts) => {
      if (texts.includes('refused')) throw new Error('no');
      return texts.map(() => [1, 2]);
    };
    const fussy = { model: 'm', dimensions: 2, embed };
    const { memory, sync, metrics } = database.layer({ embedder: fussy, persistence: { retryAttempts: 2 } });
    // Blamed on the memory, not on the embedder, because others go through.
    const owe = (content) => memory.store({ userId: 'ada', content }, { defer: true });
    await owe('refused');
    const count = async (outcome) =>
      samplesOf(await metrics()).get(`izzie_memory_debts_total{outcome="${outcome}",target="embedding"}`) ??
      0;
    for (let attempt = 0; attempt < 4 && (await count('dead')) === 0; attempt += 1) {
      await owe(`fine ${attempt}`);
      await sync.drain();
    }
    expect([await count('retried'), await count('dead')]).toEqual([1, 1]);
    expect(samplesOf(await metrics()).get('izzie_memory_backlog{state="dead",target="embedding"}')).toBe(1);
  });
});

describe('a store that is away', () => {
  const database = useGraph('neo4j');
  const proxies = [];
  const proxied = async (url) => {
    const proxy = await startProxy(url);
    proxies.push(proxy);
    return proxy;
  };
  afterAll(() => Promise.all(proxies.map((proxy) => proxy.close())));

  test.each(['refuse', 'blackhole'])(
    'Neo4j (%s): its gauges are missing, the others are not',
    async (fault) => {
      const proxy = await proxied(database.neo4j.uri);
      const neo4j = { ...database.neo4j.credentials, uri: proxy.url(database.neo4j.uri) };
      const layer = database.layer({ neo4j, persistence: { graphWaitMs: 200 } });
      await layer.memory.store({ userId: 'ada', content: 'before' });
      proxy[fault]();
      for (let n = 0; n < 4; n += 1) await layer.memory.store({ userId: 'ada', content: `away ${n}` });
      const { value, ms } = await timed(() => layer.metrics());
      const samples = samplesOf(value);
      expect(ms).toBeLessThan(SCRAPE_MS);
      expect(samples.get('izzie_memory_scrape_errors{source="graph"}')).toBe(1);
      expect(samples.get('izzie_memory_scrape_errors{source="postgres"}')).toBe(0);
      expect(samples.has('izzie_memory_sync_ratio{}')).toBe(false);
      expect(samples.get('izzie_memory_backlog{state="pending",target="graph"}')).toBeGreaterThanOrEqual(4);
      expect(samples.get('izzie_memory_oldest_debt_age_seconds{target="graph"}')).toBeGreaterThan(0);
      if (fault === 'refuse') expect(samples.get('izzie_memory_graph_circuit{state="closed"}')).toBe(0);
    },
  );

  test.each(['refuse', 'blackhole'])('Postgres (%s): what the process counts is told', async (fault) => {
    const proxy = await proxied(database.url);
    const layer = database.layer({
      databaseUrl: proxy.url(database.url),
      neo4j: undefined,
      graphStore: 'postgres',
    });
    await layer.memory.store({ userId: 'ada', content: 'before' }).catch(() => {});
    proxy[fault]();
    const { value, ms } = await timed(() => layer.metrics());
    const samples = samplesOf(value);
    expect(ms).toBeLessThan(SCRAPE_MS);
    expect(samples.get('izzie_memory_scrape_errors{source="postgres"}')).toBe(1);
    expect(samples.has('izzie_memory_memories{}')).toBe(false);
    expect(samples.has('izzie_memory_pool_connections_max{pool="user"}')).toBe(true);
    expect([...samples.keys()].some((name) => name.startsWith('izzie_memory_operations_total'))).toBe(true);
  });
});

describe('what nobody may read there', () => {
  const CANARY = 'canary7Qx';
  const database = useGraph('neo4j');

  test('no user, content, entity, conversation, secret or address is in it', async () => {
    const embed = async () => {
      throw new Error(`${CANARY} embed`);
    };
    const layer = database.layer({ embedder: { model: `${CANARY} model`, dimensions: 3, embed } });
    const { memory, sync } = layer;
    const entities = [{ type: 'person', value: `${CANARY} person` }];
    const metadata = { [`${CANARY} key`]: `${CANARY} value` };
    const options = { entities, conversationId: `${CANARY} conversation`, summary: `${CANARY} summary` };
    const { id } = await memory.store(
      { userId: `${CANARY} user`, content: `${CANARY} content`, metadata },
      options,
    );
    await memory.retrieve(`${CANARY} user`, `${CANARY} query`);
    await rejection(memory.store({ userId: `${CANARY} user`, content: '' }));
    await sync.drain();
    const text = await layer.metrics();
    const { password } = new URL(database.url);
    for (const secret of [
      CANARY,
      CANARY.toLowerCase(),
      id,
      password,
      database.neo4j.credentials.password,
      '127.0.0.1',
    ])
      expect(text).not.toContain(secret);
    const [{ target }] = await database.query('select target from izzie_memory.graph_targets');
    expect(text).not.toContain(target.split(':')[1]);
  });
});

describe('the default layer', () => {
  const database = useDatabase();
  beforeAll(() => api.configure({ databaseUrl: database.url, graphStore: 'none', embedder: 'none' }));
  afterAll(() => api.shutdown());

  test('tells the same, without what belongs to a graph', async () => {
    const families = parseExposition(await api.metrics());
    expect(families.has('izzie_memory_memories')).toBe(true);
    expect(families.has('izzie_memory_sync_ratio')).toBe(false);
    expect(families.get('izzie_memory_info').samples.keys().next().value).toContain('graph="none"');
  });

  test('a layer that was closed tells nothing', async () => {
    const layer = database.layer();
    await layer.close();
    expect(await rejection(layer.metrics())).toMatchObject({ reason: 'CLOSED' });
  });
});
