import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import database from '../../lib/embedded/database.cjs';
import embedded from '../../lib/embedded/index.cjs';
import protocol from '../../lib/embedded/protocol.cjs';
import { Child, connected, folderWithDatabase } from './support.mjs';

const ROUNDS = 10;

test(`kill -9 in the middle of writes, ${ROUNDS} times: every acknowledged row is there`, async () => {
  const folder = folderWithDatabase();
  const acknowledged = [];
  for (let round = 0; round < ROUNDS; round++) {
    const writer = new Child('writer.mjs', folder, `round ${round}`);
    // By rows, not by time: sooner and later, however fast the disk is, and anywhere in a write.
    await writer.told('acknowledged', (n) => n >= 7 * round);
    await sleep(Math.random() * 10);
    await writer.kill();
    acknowledged.push(writer.last('acknowledged'));
  }
  const { databaseUrl, close } = await embedded.openEmbedded({ folder });
  const client = await connected(databaseUrl);
  for (const [round, last] of acknowledged.entries()) {
    const { rows } = await client.query('select n from written where tag = $1 and n <= $2 order by n', [
      `round ${round}`,
      last,
    ]);
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: last + 1 }, (_, n) => n));
  }
  expect(Math.max(...acknowledged)).toBeGreaterThan(50);
  await client.end();
  await close();
});

test('a commit waits for the disk', async () => {
  const { databaseUrl, close } = await embedded.openEmbedded({ folder: folderWithDatabase() });
  const client = await connected(databaseUrl);
  const settings =
    "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'wal_sync_method')";
  const { rows } = await client.query({ text: settings, rowMode: 'array' });
  // PGlite's fdatasync does nothing; its fsync is ours.
  expect(Object.fromEntries(rows)).toEqual({
    fsync: 'on',
    synchronous_commit: 'on',
    wal_sync_method: 'fsync',
  });
  await client.end();
  await close();
});

test('a commit that the disk refuses is not acknowledged, and the database stops', async () => {
  const { Database } = database;
  const db = await Database.open(join(folderWithDatabase(), 'data'));
  const answers = [];
  const run = (...sqls) => {
    answers.length = 0;
    const queries = sqls.map((sql) => protocol.message('Q', sql));
    return db.execute(Buffer.concat(queries), (bytes) => answers.push(...protocol.messagesOf(bytes)));
  };
  expect(run('create table written (n int)')).toBe('I');
  const refused = vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
    throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  });
  try {
    expect(() => run('insert into written values (1)', 'select 1')).toThrow();
    expect(answers.map(({ type }) => type)).toEqual(['E']);
    expect(answers[0].body.toString()).toContain('could not fsync');
    expect(() => run('select 1')).toThrow();
  } finally {
    refused.mockRestore();
  }
});
