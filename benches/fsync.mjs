#!/usr/bin/env node
// What it costs that a commit of the embedded database waits for the disk: node benches/fsync.mjs
// One insert after the other, past the relay, in a folder where the disk is (not in memory): FOLDER as the argument.
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import database from '../lib/embedded/database.cjs';
import protocol from '../lib/embedded/protocol.cjs';

const SAMPLES = 500;
const WARM_UP = 50;

const folder = mkdtempSync(join(resolve(process.argv[2] ?? '.'), 'izzie-fsync-'));
const insert = protocol.message('Q', `insert into written (content) values (repeat('x', 1000))`);
try {
  const plain = await PGlite.create(join(folder, 'plain'));
  await plain.exec('create table written (content text)');
  await time("PGlite's default, no fsync", () => plain.execProtocolRaw(insert));
  await plain.close();

  const ours = await database.Database.open(join(folder, 'durable'));
  ours.execute(protocol.message('Q', 'create table written (content text)'), () => {});
  await time('with fsync, as here', () => ours.execute(insert, () => {}));
  await ours.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function time(name, call) {
  const samples = [];
  for (let n = 0; n < WARM_UP + SAMPLES; n += 1) {
    const started = performance.now();
    await call();
    if (n >= WARM_UP) samples.push(performance.now() - started);
  }
  samples.sort((a, b) => a - b);
  const at = (percent) => samples[Math.floor((samples.length * percent) / 100)].toFixed(2).padStart(7);
  console.log(`${name.padEnd(28)} p50 ${at(50)} ms   p95 ${at(95)} ms`);
}
