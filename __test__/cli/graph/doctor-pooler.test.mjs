// `doctor` behind a real PgBouncer in transaction mode.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_LIMIT_MS, startPgBouncer } from '../../../scripts/servers/pgbouncer.mjs';
import { lacks } from '../../../scripts/test/needs.mjs';
import { freshDatabase } from '../../support/stores.mjs';
import { onlyComplaint, useSetUp } from './set-up.mjs';

const { database, ownDatabase, setUp, examine } = useSetUp();

describe.skipIf(lacks('pgbouncer', import.meta.url))('a pooler in transaction mode', () => {
  let pooler;
  beforeAll(async () => {
    pooler = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements: 100 });
  }, START_LIMIT_MS);
  afterAll(() => pooler?.stop());

  it('10: without a direct URL is noticed, and one advised', async () => {
    const outcome = await examine(setUp({ DATABASE_URL: pooler.url }));
    expect(outcome.code).toBe(0);
    const { name, state, advice } = onlyComplaint(outcome);
    expect({ name, state }).toEqual({ name: 'pooler', state: 'warning' });
    expect(advice).toContain('Set DATABASE_DIRECT_URL');
  });

  it('with a direct URL is well', async () => {
    const place = setUp({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: database.url });
    const { code, checks } = await examine(place);
    expect(code).toBe(0);
    expect(checks.pooler.state).toBe('ok');
    expect(checks['direct URL']).toMatchObject({ state: 'ok', found: 'leads to the same database' });
  });

  it('that does not keep track of prepared statements is told to', async () => {
    const untracked = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements: 0 });
    try {
      const env = { DATABASE_URL: untracked.url, DATABASE_DIRECT_URL: database.url };
      const { name, state, advice } = onlyComplaint(await examine(setUp(env)));
      expect({ name, state }).toEqual({ name: 'pooler', state: 'warning' });
      expect(advice).toContain('max_prepared_statements');
    } finally {
      await untracked.stop();
    }
  });

  it('a direct URL to the pooler, or to another database, is none', async () => {
    const viaPooler = setUp({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: pooler.url });
    expect(onlyComplaint(await examine(viaPooler)).found).toBe('leads to a pooler in transaction mode');
    const other = await ownDatabase(freshDatabase);
    const elsewhere = setUp({ DATABASE_DIRECT_URL: other.url });
    const { name, advice } = onlyComplaint(await examine(elsewhere));
    expect(name).toBe('direct URL');
    expect(advice).toContain('must name the same database');
  });
});
