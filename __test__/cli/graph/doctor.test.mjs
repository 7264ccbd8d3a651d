// `doctor` against set-ups that are really broken: each must be named, with the advice that fixes it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as api from 'izzie-memory';
import { describe, expect, it } from 'vitest';
import { cli } from '../../support/cli.mjs';
import { migratedDatabase } from '../../support/migrated.mjs';
import { freshDatabase } from '../../support/stores.mjs';
import { onlyComplaint, useSetUp } from './set-up.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const CONSTRAINT = 'izzie_entity_key';

const atOtherPlace = (url, change) => {
  const other = new URL(url);
  change(other);
  return other.href;
};

const { database, folder, ownDatabase, setUp, examine } = useSetUp();

describe('a set-up that works', () => {
  it('is healthy, and exits with 0', async () => {
    const { code, ok, checks } = await examine();
    expect(Object.values(checks).filter(({ state }) => state !== 'ok')).toEqual([]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(Object.keys(checks)).toEqual([
      'node',
      'addon',
      'postgres',
      'pgvector',
      'schema',
      'rights',
      'table',
      'pooler',
      'clock',
      'embedding',
      'graph',
      'constraints',
      'graph owner',
    ]);
  });

  it('is told to people line by line', async () => {
    const { code, stdout } = await cli(['doctor'], setUp());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {7}node: Node \d+/);
    expect(stdout).toContain('ok       graph owner: the graph belongs to this database\n');
  });

  it('is not changed by looking at it', async () => {
    const look = () => database.neo4j.query('MATCH (b:IzzieBeat) RETURN properties(b) AS beat');
    const before = await look();
    await examine();
    expect(await look()).toEqual(before);
  });
});

describe('Postgres', () => {
  it('1: a wrong password', async () => {
    const url = atOtherPlace(database.url, (other) => {
      other.password = 'wrong-secret';
    });
    const { code, stdout } = await cli(['doctor'], setUp({ DATABASE_URL: url }));
    expect(code).toBe(3);
    expect(stdout).toContain('error    postgres: Postgres refused the user or password');
    expect(stdout).toContain('→ Correct user and password in DATABASE_URL');
    expect(stdout).not.toContain('wrong-secret');
  });

  it('2: a port where nothing listens', async () => {
    const url = atOtherPlace(database.url, (other) => {
      other.port = '9';
    });
    const { code, checks } = await examine(setUp({ DATABASE_URL: url }));
    expect(code).toBe(3);
    expect(checks.postgres).toMatchObject({
      state: 'error',
      found: 'Postgres cannot be reached at 127.0.0.1:9: connection refused',
    });
    expect(checks.postgres.advice).toContain(
      'Is Postgres running, and are host and port in DATABASE_URL right?',
    );
  });

  it('a database that does not exist', async () => {
    const url = atOtherPlace(database.url, (other) => {
      other.pathname = '/not_there';
    });
    const { checks } = await examine(setUp({ DATABASE_URL: url }));
    expect(checks.postgres).toMatchObject({ state: 'error', found: 'the database does not exist' });
    expect(checks.postgres.advice).toContain('Create the database');
  });

  it('3: no extension, no tables', async () => {
    const empty = await ownDatabase(freshDatabase);
    const { code, checks } = await examine(setUp({ DATABASE_URL: empty.url }));
    expect(code).toBe(3);
    expect(checks.pgvector.state).toBe('error');
    expect(checks.pgvector.advice).toContain('create extension vector;');
    expect(checks.schema).toMatchObject({ state: 'error', advice: 'Run: npx izzie-memory migrate' });
  });

  it('4: a schema that is behind, or ahead', async () => {
    const other = await ownDatabase(() => migratedDatabase(api));
    const [{ newest }] = await other.query(
      'delete from izzie_memory.migrations where version = (select max(version) from izzie_memory.migrations) returning version::int as newest',
    );
    const place = setUp({ DATABASE_URL: other.url });
    const behind = await examine(place);
    expect(behind.code).toBe(3);
    expect(behind.checks.schema).toEqual({
      name: 'schema',
      state: 'error',
      found: `the schema is at ${newest - 1}, this version of izzie-memory needs ${newest}`,
      advice: 'Run: npx izzie-memory migrate',
    });
    await other.query(
      `update izzie_memory.migrations set version = ${newest + 1} where version = ${newest - 1}`,
    );
    expect((await examine(place)).checks.schema.advice).toContain('Upgrade the package');
  });

  it('4: functions of another version', async () => {
    const other = await ownDatabase(() => migratedDatabase(api));
    const place = setUp({ DATABASE_URL: other.url });
    await other.query("update izzie_memory.functions set checksum = 'another' where file = 'writes'");
    const behind = await examine(place);
    expect(behind.code).toBe(3);
    expect(behind.checks.schema).toMatchObject({
      found: 'the functions of the schema are not those of this version of izzie-memory',
      advice: 'Run: npx izzie-memory migrate',
    });
    await other.query("update izzie_memory.functions set version = version + 1 where file = 'writes'");
    expect((await examine(place)).checks.schema).toMatchObject({
      found: 'the functions of the schema are newer than this version of izzie-memory',
      advice: 'Upgrade the package: npm install izzie-memory@latest',
    });
  });

  it('5: a role without rights, whose advice gives them', async () => {
    const role = `app_${process.pid}`;
    await database.query(`create role ${role} login password 'app'`);
    const place = setUp({
      DATABASE_URL: atOtherPlace(database.url, (other) => {
        Object.assign(other, { username: role, password: 'app' });
      }),
    });
    try {
      const { code, checks } = await examine(place);
      expect(code).toBe(3);
      expect(checks.rights.found).toMatch(`role ${role} lacks USAGE on schema izzie_memory and `);
      await database.query(checks.rights.advice.replace('As the owner of the tables, run: ', ''));
      const helped = await examine(place);
      expect(helped.checks.rights.state).toBe('ok');
      expect(helped.code).toBe(0);
    } finally {
      await database.query(`drop owned by ${role}`);
      await database.query(`drop role ${role}`);
    }
  });

  it('row security that hides rows, whose advice shows them', async () => {
    const other = await ownDatabase(() => migratedDatabase(api));
    const role = `hidden_${process.pid}`;
    await other.query(`create role ${role} login password 'app'`);
    const place = setUp({
      DATABASE_URL: atOtherPlace(other.url, (url) => {
        Object.assign(url, { username: role, password: 'app' });
      }),
    });
    try {
      const { checks } = await examine(place);
      await other.query(checks.rights.advice.replace('As the owner of the tables, run: ', ''));
      await other.query('alter table memory_entries enable row level security');
      const { code, checks: hidden } = await examine(place);
      expect(code).toBe(3);
      expect(hidden['row security'].found).toBe(
        `row security on memory_entries hides rows from role ${role} (policies: none)`,
      );
      await other.query(/create policy .*;/.exec(hidden['row security'].advice)[0]);
      expect((await examine(place)).checks.table.state).toBe('ok');
    } finally {
      await other.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  it('triggers that are off, a rule, a server that takes no writes', async () => {
    const other = await ownDatabase(() => migratedDatabase(api));
    const place = setUp({ DATABASE_URL: other.url });
    await other.query('alter table memory_entries disable trigger izzie_memory_deleted');
    await other.query('create rule nothing as on insert to memory_entries do instead nothing');
    const [{ name }] = await other.query('select current_database() as name');
    await other.query(`alter database ${name} set default_transaction_read_only = on`);
    const { code, checks } = await examine(place);
    expect(code).toBe(3);
    expect(checks.triggers).toMatchObject({
      state: 'error',
      found: 'triggers on memory_entries are missing or disabled: izzie_memory_deleted',
    });
    expect(checks.triggers.advice).toContain('npx izzie-memory migrate');
    expect(checks.rules.found).toContain('nothing');
    expect(checks.writes.state).toBe('warning');
  });

  it('an encoding that does not do', async () => {
    const name = `latin_${process.pid}`;
    await database.query(
      `create database ${name} encoding 'LATIN1' locale_provider libc lc_collate 'C' lc_ctype 'C' template template0`,
    );
    const url = atOtherPlace(database.url, (other) => {
      other.pathname = `/${name}`;
    });
    try {
      const { checks } = await examine(setUp({ DATABASE_URL: url }));
      expect(checks.encoding.found).toBe(`database ${name} has the encoding LATIN1, izzie-memory needs UTF8`);
      const { code, stderr } = await cli(['migrate'], setUp({ DATABASE_URL: url }));
      expect(code).not.toBe(0);
      expect(stderr).toContain('LATIN1');
    } finally {
      await database.query(`drop database ${name} with (force)`);
    }
  });

  it('a URL of another store, and a host that is not known', async () => {
    const mysql = await cli(['doctor'], setUp({ DATABASE_URL: 'mysql://ada:wrong-secret@h/db' }));
    expect(mysql.code).not.toBe(0);
    expect(mysql.stdout + mysql.stderr).toContain('mysql:');
    const nowhere = atOtherPlace(database.url, (other) => {
      Object.assign(other, { hostname: 'no-such-host.invalid', password: 'wrong-secret' });
    });
    const { code, stdout } = await cli(['doctor'], setUp({ DATABASE_URL: nowhere }));
    expect(code).toBe(3);
    expect(stdout).toContain('no-such-host.invalid');
    for (const said of [mysql.stdout, mysql.stderr, stdout]) expect(said).not.toContain('wrong-secret');
  });

  it('9: an embedder of another model than the stored vectors', async () => {
    const config = folder.write(
      'other-model.mjs',
      `export default { embedder: { model: 'other', dimensions: 3, embed: async (texts) => texts.map(() => [1, 0, 0]) } };`,
    );
    const outcome = await examine(setUp(), '--config', config);
    expect(outcome.code).toBe(3);
    const { name, found, advice } = onlyComplaint(outcome);
    expect(name).toBe('embedding');
    expect(found).toMatch(
      /^the embedder gives other \(3 dimensions\), the stored vectors are of minilm-static/,
    );
    expect(advice).toContain('npx izzie-memory reembed');
  });

  describe('with the vectors of an application', () => {
    const adopted = () =>
      ownDatabase(async () => {
        const own = await freshDatabase();
        await own.query('create extension if not exists vector');
        const fixture = (name) => readFileSync(join(root, '__test__/fixtures', name), 'utf8');
        await own.query(fixture('izzie2-schema.sql'));
        await own.query(fixture('app-rows.sql'));
        await own.query('update memory_entries set embedding = array_fill(0.1::real, array[1536])::vector');
        return own;
      });

    it('and no key: names the variables, and does not propose the offline model', async () => {
      const own = await adopted();
      const { cwd } = setUp();
      const place = { cwd, env: { DATABASE_URL: own.url } };
      expect((await cli(['migrate'], place)).code).toBe(0);
      const { code, checks } = await examine(place);
      expect(code).toBe(3);
      expect(checks.embedding.state).toBe('error');
      expect(checks.embedding.found).toContain('the stored vectors are of text-embedding-3-small (1536)');
      expect(checks.embedding.advice).toMatch(/^Set OPENROUTER_API_KEY or OPENAI_API_KEY to your key/);
      expect(checks.embedding.advice).not.toContain('reembed');
      const named = folder.write('offline.mjs', `export default { embedder: 'local' };`);
      const withKey = { cwd, env: { ...place.env, OPENAI_API_KEY: 'x' } };
      const chosen = (await examine(withKey, '--config', named)).checks.embedding;
      expect(chosen.advice).toContain('Configure the embedder text-embedding-3-small again');
      expect(chosen.advice).not.toContain('reembed');
      for (const name of ['OPENROUTER_API_KEY', 'OPENAI_API_KEY']) {
        const helped = await examine({ cwd, env: { ...place.env, [name]: 'x' } });
        expect(helped.checks.embedding).toMatchObject({
          state: 'ok',
          found: expect.stringContaining('1536'),
        });
      }
    });
  });

  it('without a key and without vectors: works, and says whose vectors it will be', async () => {
    const own = await ownDatabase(() => migratedDatabase(api));
    const { cwd } = setUp();
    const { code, checks } = await examine({ cwd, env: { DATABASE_URL: own.url } });
    expect(code).toBe(0);
    expect(checks.embedding.found).toContain('neither OPENROUTER_API_KEY nor OPENAI_API_KEY is set');
  });

  it('in a fresh project with no database: nothing is wrong', async () => {
    const fresh = join(folder.path, 'fresh');
    mkdirSync(fresh);
    folder.write('fresh/package.json', '{ "name": "fresh", "private": true }');
    for (const time of ['first', 'second']) {
      const { code, ok, checks } = await examine({ cwd: fresh });
      expect(
        Object.values(checks).filter(({ state }) => state !== 'ok'),
        time,
      ).toEqual([]);
      expect({ code, ok }).toEqual({ code: 0, ok: true });
    }
  }, 120_000);

  it.skipIf(process.platform !== 'linux')('12: a clock that is off by an hour', async () => {
    const library = join(folder.path, 'clock.so');
    const source = join(root, 'tests/integration/faults/clock_shift.c');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    const outcome = await examine(setUp({ LD_PRELOAD: library, IZZIE_TEST_CLOCK_SHIFT: '3600' }));
    expect(outcome.code).toBe(0);
    expect(onlyComplaint(outcome)).toEqual({
      name: 'clock',
      state: 'warning',
      found: 'this machine is 3600 s ahead of the database',
      advice: 'Let both set their clocks by NTP (timedatectl set-ntp true).',
    });
  });
});

describe('Neo4j', () => {
  it('6: a wrong password', async () => {
    const outcome = await examine(setUp({ NEO4J_PASSWORD: 'wrong-secret' }));
    expect(outcome.code).toBe(3);
    const { name, found, advice } = onlyComplaint(outcome);
    expect(name).toBe('graph');
    expect(found).toMatch(/^Neo4j refused the sign-in/);
    expect(advice).toBe('Correct NEO4J_USER and NEO4J_PASSWORD.');
  });

  it('a port where nothing listens', async () => {
    const { name, advice } = onlyComplaint(await examine(setUp({ NEO4J_URI: 'bolt://127.0.0.1:9' })));
    expect(name).toBe('graph');
    expect(advice).toContain('Is Neo4j running, and is NEO4J_URI right');
  });

  it('7: a graph of another database', async () => {
    const other = await ownDatabase(() => migratedDatabase(api));
    const outcome = await examine(setUp({ DATABASE_URL: other.url }));
    expect(outcome.code).toBe(3);
    const { name, state, found } = onlyComplaint(outcome);
    expect({ name, state }).toEqual({ name: 'graph owner', state: 'error' });
    expect(found).toContain('the graph belongs to another database');
  });

  it('a database that belongs to Neo4j, without NEO4J_URI', async () => {
    const { code, checks } = await examine({ cwd: folder.path, env: { DATABASE_URL: database.url } });
    expect(code).toBe(3);
    expect(checks['graph owner'].advice).toContain('Set NEO4J_URI as the other instances do');
  });

  it('8: a constraint that was dropped, until the advice is followed', async () => {
    await database.neo4j.query(`DROP CONSTRAINT ${CONSTRAINT}`);
    const { name, found, advice } = onlyComplaint(await examine());
    expect(name).toBe('constraints');
    expect(found).toBe(`Neo4j lacks ${CONSTRAINT}`);
    expect(advice).toContain('npx izzie-memory sync full');
    expect((await cli(['sync', 'full'], setUp())).code).toBe(0);
    expect((await examine()).checks.constraints.state).toBe('ok');
  });

  it('a graph that was wiped, until the advice is followed', async () => {
    await database.graph.clear();
    await database.neo4j.query('MATCH (b:IzzieBeat) DELETE b');
    expect(onlyComplaint(await examine()).found).toContain('the graph was wiped');
    expect((await cli(['sync', 'full'], setUp())).code).toBe(0);
    expect((await examine()).checks['graph owner'].state).toBe('ok');
  });
});

describe('the app', () => {
  it('11: a next.config without serverExternalPackages', async () => {
    const app = useNextApp(
      'app',
      "export default { reactStrictMode: true }; // serverExternalPackages: ['izzie-memory']",
    );
    const outcome = await examine({ ...setUp(), cwd: app });
    expect(outcome.code).toBe(3);
    expect(onlyComplaint(outcome)).toMatchObject({
      name: 'next',
      advice: "Add serverExternalPackages: ['izzie-memory'] to next.config.mjs.",
    });
  });

  it('a next.config that has it', async () => {
    const app = useNextApp(
      'good-app',
      "export default { serverExternalPackages: ['sharp', 'izzie-memory'] };",
    );
    expect((await examine({ ...setUp(), cwd: app })).checks.next.state).toBe('ok');
  });

  it('no password for Neo4j', async () => {
    const place = setUp({ NEO4J_PASSWORD: '' });
    const { NEO4J_PASSWORD: _, ...env } = place.env;
    const { code, checks } = await examine({ ...place, env });
    expect(code).toBe(3);
    expect(checks.configuration.found).toContain('neo4j.password: missing; set it or NEO4J_PASSWORD');
  });

  it('no database in production', async () => {
    const { code, checks } = await examine({ cwd: folder.path, env: { NODE_ENV: 'production' } });
    expect(code).toBe(3);
    expect(checks.configuration.found).toContain('set DATABASE_URL');
  });

  it('a package without its addon', async () => {
    const copy = join(folder.path, 'package');
    mkdirSync(copy);
    for (const part of ['bin', 'lib', 'package.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const { code, checks } = await examine({ ...setUp(), binary: join(copy, 'bin/izzie-memory.cjs') });
    rmSync(copy, { recursive: true });
    expect(code).toBe(3);
    expect(checks.addon.found).toContain('lacks its native addon for');
    expect(checks.addon.advice).toContain('npm install');
  });
});

function useNextApp(name, config) {
  const app = join(folder.path, name);
  mkdirSync(app);
  folder.write(`${name}/package.json`, '{ "dependencies": { "next": "16.0.0" } }');
  folder.write(`${name}/next.config.mjs`, config);
  return app;
}
