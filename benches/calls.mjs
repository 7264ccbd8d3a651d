#!/usr/bin/env node
// What a call costs from JavaScript, on a database that holds some memories already: node benches/calls.mjs
// By itself on an embedded database in a temporary folder; with DATABASE_URL (an empty one with pgvector) on that
// server, with NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD with the graph there. No embedder: no model is timed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryLayer } from 'izzie-memory';

const PRESENT = 1000;
const SAMPLES = 300;
const WARM_UP = 50;
const TOPICS = ['budget', 'release', 'contract', 'travel', 'hiring', 'security', 'training'];

const folder = await mkdtemp(join(tmpdir(), 'izzie-bench-'));
const layer = createMemoryLayer({
  ...(process.env.DATABASE_URL ? {} : { embedded: folder }),
  embedder: 'none',
  persistence: { graphWaitMs: 30_000 },
});
try {
  await layer.migrate();
  const stored = [];
  for (let n = 0; n < PRESENT; n += 1) stored.push(await layer.memory.store(...memory(n)));
  console.log(`${PRESENT} memories of one user with 10 entities each; ${SAMPLES} calls one after the other`);
  await time('store', (n) => layer.memory.store(...memory(PRESENT + n)));
  await time('getById', (n) => layer.memory.getById(stored[n].id));
  await time('retrieve', (n) => layer.memory.retrieve('bench', `${TOPICS[n % 7]} with person ${n % 40}`));
  await time('update', (n) => layer.memory.update(stored[n].id, { importance: 1 + (n % 10) }));
} finally {
  await layer.close();
  await rm(folder, { recursive: true, force: true });
}

function memory(n) {
  const entities = Array.from({ length: 10 }, (_, i) => ({
    type: 'person',
    value: `Person ${(n + i) % 40}`,
  }));
  const content = `Note ${n}: the ${TOPICS[n % 7]} was discussed with person ${n % 40}. ${'It went on. '.repeat(12)}`;
  return [{ userId: 'bench', content }, { entities }];
}

async function time(name, call) {
  const samples = [];
  for (let n = 0; n < WARM_UP + SAMPLES; n += 1) {
    const started = performance.now();
    await call(n);
    if (n >= WARM_UP) samples.push(performance.now() - started);
  }
  samples.sort((a, b) => a - b);
  const at = (percent) => samples[Math.floor((samples.length * percent) / 100)].toFixed(1).padStart(7);
  console.log(`${name.padEnd(10)} p50 ${at(50)} ms   p95 ${at(95)} ms`);
}
