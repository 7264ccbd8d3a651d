// The application whose database is adopted: its tables, rows that have been there for long, and code of its own that goes
// on writing them by plain SQL, under a role that knows nothing of this package.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { seeded } from '../support.mjs';

export const SCHEMA = readFileSync(new URL('../../fixtures/izzie2-schema.sql', import.meta.url), 'utf8');
export const USERS = Array.from({ length: 20 }, (_, n) => `user-${n}`);

/** Every kind of thing that stands in the rows of an old database. `$1`: how many. */
const ROWS = `
  insert into memory_entries (conversation_id, user_id, content, summary, metadata, embedding, importance, access_count,
    is_deleted, created_at)
  select c.id, 'user-' || n % 20,
    case when n % 2000 = 7 then repeat('a long story ' || n || ' ', 20000) when n % 997 = 0 then '' else
      'note ' || n || ' about the plan of week ' || n % 50 end,
    case when n % 4 = 0 then 'summary ' || n end,
    case n % 10
      when 0 then null
      when 1 then '{"source": "mail", "speaker": "Ann"}'
      when 2 then '{"entities": {"not": "a list"}}'
      when 3 then '[1, "two"]'
      when 4 then '{"entities": [null, 5, {"type": "dragon", "value": "Smaug"}, {"type": "person", "value": 7, "confidence": "high"}]}'
      else jsonb_build_object('entities', jsonb_build_array(
        jsonb_build_object('type', 'person', 'value', 'Person ' || n % 40, 'normalized', 'person ' || n % 40, 'confidence', 0.9),
        jsonb_build_object('type', 'company', 'value', 'Acme ' || n % 7 || ' Inc.', 'confidence', 0.5)))
    end,
    case when n % 100 = 1 then array_fill((n % 13)::real / 13, array[1536])::vector end,
    nullif(n % 12, 11), n % 5, case when n % 33 = 0 then true when n % 33 <> 1 then false end,
    timestamp '2024-01-01' + n * interval '1 hour'
  from generate_series(1, $1::int) n
  left join (select id, row_number() over (order by title) as place from conversations) c on c.place = n % 60`;

export async function fill(query, rows) {
  await query(SCHEMA);
  await query(
    "insert into users (id, email) select 'user-' || n, n || '@example.org' from generate_series(0, 19) n",
  );
  await query(`insert into conversations (user_id, title)
    select 'user-' || n % 20, lpad(n::text, 3, '0') from generate_series(0, 39) n`);
  await query(ROWS, [rows]);
}

/** All rows by id, as the application sees them; of a vector the hash of its text. */
export async function readRows(query) {
  const rows = await query(
    `select to_jsonb(m) - 'embedding' || jsonb_build_object('embedding', md5(m.embedding::text)) as row from memory_entries m`,
  );
  return new Map(rows.map(({ row }) => [row.id, row]));
}

/** What the catalogues say of the application's schema, but for triggers. */
export async function describeSchema(query) {
  const [{ described }] = await query(`select jsonb_build_object(
    'columns', (select jsonb_agg(to_jsonb(c) order by table_name, ordinal_position)
      from information_schema.columns c where table_schema = 'public'),
    'relations', (select jsonb_agg(jsonb_build_array(relname, relkind, relacl, reloptions, relrowsecurity, relnatts) order by relname)
      from pg_class where relnamespace = 'public'::regnamespace),
    'constraints', (select jsonb_agg(jsonb_build_array(conname, pg_get_constraintdef(oid)) order by conname)
      from pg_constraint where connamespace = 'public'::regnamespace),
    'indexes', (select jsonb_agg(indexdef order by indexdef) from pg_indexes where schemaname = 'public'),
    'functions', (select jsonb_agg(jsonb_build_array(proname, prosrc) order by proname, prosrc) from pg_proc p
      where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')),
    'types', (select jsonb_agg(typname order by typname) from pg_type where typnamespace = 'public'::regnamespace)
  ) as described`);
  return described;
}

/** Table and name of every trigger of the application's tables. */
export const listTriggers = (query) =>
  query(`select tgrelid::regclass::text as table, tgname as name from pg_trigger
    where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace) order by 1, 2`);

/** A role that may use the application's tables, and nothing else. Resolves to the URL with which it connects. */
export async function createAppRole({ url, query }) {
  const [name, password] = [`app_${randomUUID().replaceAll('-', '')}`, randomUUID()];
  await query(`create role ${name} login password '${password}'`);
  await query(`grant select, insert, update, delete on users, conversations, memory_entries to ${name}`);
  const drop = async () => {
    await query(`drop owned by ${name}`);
    await query(`drop role ${name}`);
  };
  return { name, password, url: as(url, name, password), drop };
}

export function as(url, user, password) {
  return Object.assign(new URL(url), { username: user, password }).href;
}

const vectorOf = (number) => `[${Array(1536).fill(number).join()}]`;
const md5 = (text) => createHash('md5').update(text).digest('hex');

/**
 * Code of the application's that writes the rows of some users and keeps a log of what they should be. `stop()` resolves to
 * `{ rows, gone, operations, slowest }`: the rows it has written by id, the ids it has deleted, how many statements it took and
 * the milliseconds of the slowest.
 */
export function startWriter(url, users, known, seed) {
  const random = seeded(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const rows = new Map();
  const gone = new Set();
  const mine = new Map([...known].filter(([, row]) => users.includes(row.user_id)));
  const progress = { operations: 0, slowest: 0 };
  let running = true;

  /** One row as the application meant it; the database's clock is the database's. */
  const note = (expected, { updated_at }) => {
    const row = { ...expected, updated_at };
    rows.set(row.id, row);
    mine.set(row.id, row);
  };

  const insert = async (client) => {
    const row = { id: randomUUID(), user_id: pick(users), content: `written ${random()}`, importance: 3 };
    row.metadata = { entities: [{ type: 'person', value: `Person ${Math.floor(random() * 40)}` }] };
    const { rows: returned } = await client.query(
      `insert into memory_entries (id, user_id, content, importance, metadata) values ($1, $2, $3, $4, $5)
       returning created_at::text, to_jsonb(memory_entries) - 'embedding' as row`,
      [row.id, row.user_id, row.content, row.importance, row.metadata],
    );
    const defaults = { embedding: null, summary: null, conversation_id: null, access_count: 0 };
    const { created_at } = returned[0].row;
    note({ ...defaults, last_accessed_at: null, is_deleted: false, created_at, ...row }, returned[0].row);
  };

  const update = (patchOf) => async (client) => {
    const row = pick([...mine.values()]);
    const patch = patchOf(row);
    const columns = Object.keys(patch);
    const sets = columns.map((column, n) => `${column} = $${n + 2}`).join();
    const { rows: returned } = await client.query(
      `update memory_entries set ${sets} where id = $1 returning to_jsonb(memory_entries) - 'embedding' as row`,
      [row.id, ...columns.map((column) => patch[column])],
    );
    const { content, embedding } = patch;
    // A vector does not outlive the content that it was made of.
    const stays = content === undefined ? row.embedding : null;
    note({ ...row, ...patch, embedding: embedding ? md5(embedding) : stays }, returned[0].row);
  };

  const remove = async (client) => {
    const { id } = pick([...mine.values()]);
    await client.query('delete from memory_entries where id = $1', [id]);
    for (const map of [mine, rows]) map.delete(id);
    gone.add(id);
  };

  const operations = [
    insert,
    insert,
    update(() => ({ content: `rewritten ${random()}` })),
    update(() => ({ content: `with its vector ${random()}`, embedding: vectorOf(progress.operations) })),
    update(({ access_count }) => ({ access_count: access_count + 1 })),
    update(() => ({ importance: Math.floor(random() * 10), summary: `now ${random()}` })),
    update(() => ({
      metadata: { entities: [{ type: 'company', value: `Acme ${Math.floor(random() * 7)}` }] },
    })),
    update(({ is_deleted }) => ({ is_deleted: !is_deleted })),
    remove,
  ];

  const work = async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      while (running) {
        const begun = performance.now();
        const inTransaction = random() < 0.2;
        if (inTransaction) await client.query('begin');
        await pick(operations)(client);
        if (inTransaction) await client.query('commit');
        progress.slowest = Math.max(progress.slowest, performance.now() - begun);
        progress.operations += 1;
        await sleep(5);
      }
    } finally {
      await client.end();
    }
  };

  const ended = work();
  return {
    progress,
    /** Resolves once it has written so often; rejects if it has failed. */
    async wrote(operations) {
      while (progress.operations < operations) await Promise.race([sleep(10), ended]);
    },
    async stop() {
      running = false;
      await ended;
      return { rows, gone, ...progress };
    },
  };
}
