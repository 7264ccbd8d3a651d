// Every command as a process of its own on real servers: what it prints for people and for programs, and its exit code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { useGraph } from '../../api/support.mjs';
import { cli, cliJson, useFolder } from '../../support/cli.mjs';
import { freshDatabase } from '../../support/stores.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const PATIENCE = { timeout: 60_000, interval: 500 };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const database = useGraph('neo4j');
const folder = useFolder();

function place(env = {}) {
  const { uri, user, password } = database.neo4j;
  const stores = { DATABASE_URL: database.url, NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
  return { cwd: folder.path, env: { ...stores, ...env } };
}

let ada;
beforeAll(async () => {
  const layer = database.layer({ embedder: 'local' });
  ada = await layer.memory.store({ userId: 'ada', content: 'Lunch with Grace Hopper in Lisbon.' });
  await layer.memory.store({ userId: 'ada', content: 'The kayak lies at the boathouse.' });
  await layer.sync.fullSync();
});

describe('izzie-memory', () => {
  it('tells its version, its commands and its exit codes', async () => {
    const { version } = manifest();
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
    const help = await cli(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/ {2}doctor \[options]/);
    expect(help.stdout).toMatch(/ {2}3 {4}not healthy, or differences found/);
  });

  it.each([[[]], [['bogus']], [['status', '--bogus']], [['sync', 'bogus']], [['search', 'x', '--user']]])(
    'refuses %j with 2 and says what is wrong on stderr',
    async (args) => {
      const { code, stdout, stderr } = await cli(args, place());
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).not.toBe('');
    },
  );

  it('refuses what the package refuses with 2', async () => {
    const { code, stdout, stderr } = await cli(['search', '--user', 'ada', '--limit', '0', 'lunch'], place());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^izzie-memory: limit: .+\n$/);
  });

  it.each(['init', 'doctor', 'migrate', 'status', 'sync', 'queue', 'backfill', 'reembed', 'search'])(
    'has examples in the help of %s',
    async (command) => {
      const { code, stdout } = await cli([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain(`Examples:\n  izzie-memory ${command}`);
    },
  );
});

describe('errors', () => {
  it('are one sentence with a way out and no stack, unless DEBUG asks for it', async () => {
    const away = place({ DATABASE_URL: 'postgres://someone:secret@127.0.0.1:9/nowhere' });
    const { code, stdout, stderr } = await cli(['search', '--user', 'ada', 'lunch'], away);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'izzie-memory: Postgres cannot be reached at 127.0.0.1:9: connection refused. To see what is wrong, run: npx izzie-memory doctor\n',
    );
    const debug = await cli(['search', '--user', 'ada', 'lunch'], {
      ...away,
      env: { ...away.env, DEBUG: '1' },
    });
    expect(debug.stderr).toMatch(/\n {4}at /);
    expect(debug.stderr).not.toContain('secret');
  });

  it('are an object with --json', async () => {
    const away = place({ DATABASE_URL: 'postgres://someone:secret@127.0.0.1:9/nowhere' });
    const { code, answer } = await cliJson(['search', '--user', 'ada', 'lunch'], away);
    expect(code).toBe(1);
    expect(answer.error).toMatchObject({ reason: 'UNAVAILABLE', retryable: true });
  });

  it('name the migration where the schema is behind', async () => {
    const empty = await freshDatabase();
    const { code, stderr } = await cli(['sync'], place({ DATABASE_URL: empty.url }));
    await empty.drop();
    expect(code).toBe(1);
    expect(stderr).toContain('Run: npx izzie-memory migrate');
  });
});

describe('settings', () => {
  it('come from --database-url before the environment', async () => {
    const away = place({ DATABASE_URL: 'postgres://someone:secret@127.0.0.1:9/nowhere' });
    const { code, answer } = await cliJson(['status', '--database-url', database.url], away);
    expect(code).toBe(0);
    expect(answer.sync.vectorStoreCount).toBe(2);
  });

  it('come from .env files as in Next.js, the local one first', async () => {
    const { uri, user, password } = database.neo4j;
    folder.write('.env', 'DATABASE_URL=postgres://someone:secret@127.0.0.1:9/nowhere\nNEO4J_USER=nobody\n');
    folder.write(
      '.env.local',
      `DATABASE_URL="${database.url}"\nNEO4J_URI=${uri}\nNEO4J_USER=${user}\nNEO4J_PASSWORD=${password}\n`,
    );
    try {
      const { code, answer } = await cliJson(['status'], { cwd: folder.path });
      expect(code).toBe(0);
      expect(answer.sync.graphStoreCount).toBe(2);
    } finally {
      folder.write('.env', '');
      folder.write('.env.local', '');
    }
  });

  it('come from a module of the folder', async () => {
    folder.write('izzie-memory.config.mjs', `export default { databaseUrl: '${database.url}' };`);
    const { DATABASE_URL: _, ...env } = place().env;
    const { code, answer } = await cliJson(['status'], { cwd: folder.path, env });
    folder.write('izzie-memory.config.mjs', 'export default {};');
    expect(code).toBe(0);
    expect(answer.sync.vectorStoreCount).toBe(2);
  });
});

describe('migrate', () => {
  let old;
  const migrate = (...options) => ['migrate', '--database-url', old.url, ...options];
  const schemas = () => old.query("select from pg_namespace where nspname = 'izzie_memory'");

  beforeAll(async () => {
    old = await freshDatabase();
    await old.query(readFileSync(join(root, '__test__/fixtures/izzie2-schema.sql'), 'utf8'));
    await old.query("insert into users (id, email) values ('ada', 'ada@example.com')");
    await old.query(
      "insert into memory_entries (user_id, content) select 'ada', 'Note ' || n from generate_series(1, 3) n",
    );
  });
  afterAll(() => old.drop());

  it('prints with --dry-run the SQL, and runs none of it', async () => {
    const { code, stdout } = await cli(migrate('--dry-run'), { cwd: folder.path });
    expect(code).toBe(0);
    expect(stdout).toMatch(/create table izzie_memory\.memory_state/i);
    expect(await schemas()).toEqual([]);
  });

  it('makes the tables and adopts what is there, once', async () => {
    const first = await cliJson(migrate(), { cwd: folder.path });
    expect(first.code).toBe(0);
    expect(first.answer.applied[0]).toBe('0001 tables');
    expect(first.answer.adopted).toEqual({ rows: 3, pending: 0, failed: [] });
    expect(await schemas()).toHaveLength(1);
    const second = await cli(migrate(), { cwd: folder.path });
    expect(second).toMatchObject({ code: 0, stdout: 'The schema is up to date.\n', stderr: '' });
    expect((await cli(migrate('--dry-run'), { cwd: folder.path })).stdout).toBe(
      '-- The schema is up to date.\n',
    );
  });
});

describe('status', () => {
  it('is 0 and says so when all is well', async () => {
    // A Neo4j that has just started may plan its first statements for longer than health waits.
    const stdout = await vi.waitFor(async () => {
      const told = await cli(['status'], place());
      expect(told.code, told.stdout).toBe(0);
      return told.stdout;
    }, PATIENCE);
    expect(stdout).toMatch(/^Health +healthy\nPostgres +available\nGraph +available\n/);
    expect(stdout).toMatch(/In step +100 % \(2 of 2 memories in the graph\)/);
  });

  it('is 3 and says why when the graph is away', async () => {
    const { code, answer } = await cliJson(['status'], place({ NEO4J_URI: 'bolt://127.0.0.1:9' }));
    expect(code).toBe(3);
    expect(answer).toMatchObject({
      status: 'degraded',
      metrics: { totalMemories: 2, graphStoreCount: null, syncPercentage: null },
      sync: {
        vectorStoreCount: 2,
        graphStoreCount: null,
        syncPercentage: null,
        pending: 0,
        unavailable: { graphStore: { code: 'UNAVAILABLE', message: expect.any(String) } },
      },
    });
    const { stdout } = await cli(['status'], place({ NEO4J_URI: 'bolt://127.0.0.1:9' }));
    expect(stdout).toMatch(/^In step +unknown \(of 2 memories\)$/m);
    expect(stdout).toMatch(/^Owed to the graph +0, 0 put aside$/m);
    expect(stdout).toMatch(/^UNAVAILABLE: .+ npx izzie-memory doctor$/m);
    expect(answer.stores.vectorStore.healthy).toBe(true);
  });

  it('is 3 and knows nothing when Postgres is away', async () => {
    const away = place({ DATABASE_URL: 'postgres://someone:secret@127.0.0.1:9/nowhere' });
    const { code, stdout } = await cli(['status'], away);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^Health +unhealthy$/m);
    expect(stdout).toMatch(/^In step +unknown$/m);
    expect(stdout).not.toMatch(/\b0 (memories|%|of)|secret/);
  });
});

describe('search', () => {
  it('prints memories with scores, and what they are made of', async () => {
    const { code, stdout } = await cli(
      ['search', '--user', 'ada', '--explain', 'where', 'is', 'the', 'kayak?'],
      place(),
    );
    expect(code).toBe(0);
    const [first, second, third] = stdout.split('\n');
    expect(first).toMatch(/^\d\.\d\d {2}\d{4}-\d\d-\d\d {2}The kayak lies at the boathouse\.$/);
    expect(second.trim()).toMatch(UUID);
    expect(third).toContain('words 1.00 + ');
  });

  it('prints entries as JSON', async () => {
    const { code, answer } = await cliJson(
      ['search', '--user', 'ada', '--limit', '1', 'Grace Hopper'],
      place(),
    );
    expect(code).toBe(0);
    expect(answer).toHaveLength(1);
    expect(answer[0]).toMatchObject({ id: ada.id, content: ada.content, userId: 'ada' });
  });

  it("finds nothing of another user's", async () => {
    expect(await cli(['search', '--user', 'eve', 'kayak'], place())).toMatchObject({
      code: 0,
      stdout: 'Nothing was found.\n',
    });
  });
});

describe('sync', () => {
  const damage = () =>
    database.neo4j.query('MATCH (m:IzzieMemory {key: $id}) DETACH DELETE m', { id: ada.id });

  it('check finds nothing in step, and exits with 0', async () => {
    const { code, stdout } = await cli(['sync'], place());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 memories compared in \d+\.\d s: no differences\.\n$/);
  });

  it('check lists a difference and exits with 3; repair mends it', async () => {
    await damage();
    const check = await cli(['sync', 'check'], place());
    expect(check.code).toBe(3);
    expect(check.stdout).toContain(`${ada.id}  missing_in_graph`);
    expect(check.stdout).toContain(': 1 difference.');
    const repair = await cliJson(['sync', 'repair', '--user', 'ada'], place());
    expect(repair.code).toBe(0);
    expect(repair.answer).toMatchObject({ operation: 'repair', repaired: 1, failed: 0, pending: 0 });
    expect((await cli(['sync', 'check', '--deep'], place())).code).toBe(0);
  });

  it('full with --dry-run only tells, without it mends', async () => {
    await damage();
    const dry = await cliJson(['sync', 'full', '--dry-run'], place());
    expect(dry).toMatchObject({ code: 3, answer: { operation: 'check', repaired: 0 } });
    expect(dry.answer.inconsistencies.map(({ memoryId }) => memoryId)).toEqual([ada.id]);
    const full = await cli(['sync', 'full'], place());
    expect(full).toMatchObject({ code: 0 });
    expect(full.stdout).toMatch(/^1 memory written to the graph, 0 failed, in \d+\.\d s\.\n$/);
  });

  it('rebuild writes everything anew', async () => {
    const { code, answer } = await cliJson(['sync', 'rebuild', '--clear-existing'], place());
    expect(code).toBe(0);
    expect(answer).toMatchObject({ operation: 'rebuild', repaired: 2, failed: 0, pending: 0 });
    expect(await database.neo4j.query('MATCH (m:IzzieMemory) RETURN count(m) AS count')).toEqual([
      { count: 2 },
    ]);
  });

  it('delta pays what is owed', async () => {
    await database.query("update memory_entries set importance = 9 where user_id = 'ada'");
    const { code, answer } = await cliJson(['sync', 'delta'], place());
    expect(code).toBe(0);
    expect(answer).toMatchObject({ operation: 'delta', repaired: 2, pending: 0 });
  });
});

describe('queue', () => {
  const owe = (state) =>
    database.query(
      `update memory_entries set importance = importance % 9 + 1 where id = '${ada.id}';
       update izzie_memory.memory_sync set state = '${state}', attempts = 3, last_error = 'refused by hand'`,
    );
  const states = async () =>
    (await database.query('select state from izzie_memory.memory_sync')).map(({ state }) => state);

  it('lists what is owed', async () => {
    expect((await cli(['queue'], place())).stdout).toBe('Nothing is owed.\n');
    await owe('dead');
    const { code, stdout } = await cli(['queue', 'list', '--state', 'dead'], place());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^MEMORY +USER +TARGET +STATE /);
    expect(stdout).toMatch(new RegExp(`${ada.id} +ada +graph +dead +3 .*refused by hand`));
    const { answer } = await cliJson(['queue', '--user', 'eve'], place());
    expect(answer).toEqual({ items: [], nextCursor: null });
  });

  it('retries what was put aside', async () => {
    expect(await states()).toEqual(['dead']);
    const { code, answer } = await cliJson(['queue', 'retry', ada.id], place());
    expect({ code, answer }).toEqual({ code: 0, answer: { revived: 1 } });
    expect(await states()).toEqual(['pending']);
  });

  it('purges what is named, or all if that is said', async () => {
    await owe('dead');
    expect((await cli(['queue', 'purge'], place())).code).toBe(2);
    expect(await states()).toEqual(['dead']);
    expect(await cli(['queue', 'purge', '--all'], place())).toMatchObject({
      code: 0,
      stdout: '1 debt given up.\n',
    });
    expect(await states()).toEqual([]);
    await cli(['sync', 'full'], place());
  });
});

describe('backfill', () => {
  beforeAll(() =>
    database.query(
      "insert into memory_entries (user_id, content) values ('bob', 'Bob Smith moved to Porto.')",
    ),
  );

  it('counts first, and does nothing unless told to', async () => {
    const dry = await cliJson(['backfill', '--dry-run'], place());
    expect(dry.code).toBe(0);
    expect(dry.answer.found).toEqual({ embed: 1, extract: 1 });
    const unasked = await cli(['backfill'], place());
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toContain('Missing: 1 embedding and 1 extraction.');
    expect(unasked.stderr).toContain('add --yes');
  });

  it('fills what is missing', async () => {
    const { code, answer } = await cliJson(['backfill', '--yes'], place());
    expect(code).toBe(0);
    expect(answer).toMatchObject({ embedded: 1, extracted: 1, failed: 0, pending: 0 });
    const found = await cliJson(['search', '--user', 'bob', 'Porto'], place());
    expect(found.answer[0].entities.map(({ value }) => value)).toContain('Bob Smith');
  });
});

describe('reembed', () => {
  it('changes the model of the stored vectors to that of the configuration', async () => {
    const config = folder.write(
      'three.mjs',
      `export default { embedder: { model: 'three', dimensions: 3, embed: async (texts) => texts.map(() => [1, 0, 0]) } };`,
    );
    expect((await cli(['reembed', '--config', config], place())).code).toBe(2);
    const { code, answer, stderr } = await cliJson(['reembed', '--config', config, '--yes'], place());
    expect(stderr).toContain('Up to 3 memories will be embedded anew');
    expect(code).toBe(0);
    expect(answer).toMatchObject({ model: 'three', dimensions: 3, embedded: 3, failed: 0 });
  }, 240_000);
});

function manifest() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}
