// Postgres as psql sees it, and the graph inside it.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { ENTITIES, ONE_USER } from './data.mjs';
import { median } from './time.mjs';

const QUERIES = new URL('../../src/store/', import.meta.url);
const WARM_UP = 2;
const SAMPLES = 7;

const LOSE = `
  with gone as (delete from izzie_memory.graph_mentions where memory_id = any($1::uuid[]) returning entity_key),
  counted as (
    update izzie_memory.graph_entities e set frequency = frequency - g.lost
    from (select entity_key, count(*) as lost from gone group by entity_key) g where e.key = g.entity_key)
  delete from izzie_memory.graph_memories where memory_id = any($1::uuid[])`;

const BARE_TABLES = `
  create table bare_memories (like izzie_memory.graph_memories including all);
  create table bare_entities (like izzie_memory.graph_entities including all);
  create table bare_mentions (like izzie_memory.graph_mentions including all);`;

/** One transaction, as plain as it can be. */
const bareInsert = (count) => `
  with memories as (
    insert into bare_memories (memory_id, user_id, epoch, revision, h1, h2, bucket, deleted, detached)
    select gen_random_uuid(), '${ONE_USER}', 1, n, n, n, n, false, false from generate_series(1, ${count}) n
    returning memory_id, revision
  ), wanted as (
    select memory_id, ((revision * 7 + e * 13) % 2000)::text as key from memories, generate_series(1, ${ENTITIES}) e
  ), entities as (
    insert into bare_entities (key, user_id, label, normalized, name, type, frequency, confidence, first_seen, last_seen)
    select key, '${ONE_USER}', 'Person', key, key, 'person', count(*), 1, 0, 0 from wanted group by key
    on conflict (key) do update set frequency = bare_entities.frequency + excluded.frequency
  )
  insert into bare_mentions (memory_id, entity_key, user_id, confidence, source, extracted_at)
  select distinct memory_id, key, '${ONE_USER}', 1, 'body', 0 from wanted`;

export class BarePostgres {
  kind = 'postgres';
  settings = { graphStore: 'postgres' };
  #url;
  #psql;

  /** @param {string} psql the program */
  constructor(url, psql) {
    this.#url = url;
    this.#psql = psql;
  }

  query = async (sql, parameters) => {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      return (await client.query(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  };

  /** There is nothing to wipe in a database of one's own. */
  async wipe() {}

  async lose(ids) {
    await this.query(LOSE, [ids]);
  }

  /** Milliseconds of the bucket query over the memories' states. */
  states(userId) {
    return this.#digests('postgres/queries', userId);
  }

  /** Milliseconds of the bucket query over the graph. */
  digests(userId) {
    return this.#digests('postgres_graph/queries', userId);
  }

  /** Milliseconds of one plain statement that inserts as many memories with their entities. */
  async create(ids) {
    await this.query(BARE_TABLES);
    return this.#time(bareInsert(ids.length));
  }

  async close() {}

  #digests(folder, userId) {
    const file = `${folder}/digests${userId ? '_of_user' : ''}.sql`;
    const sql = readFileSync(new URL(file, QUERIES), 'utf8');
    return this.#time(
      `execute q${userId ? `('${userId}')` : ''}`,
      `prepare q${userId ? '(text)' : ''} as ${sql}`,
    );
  }

  /** The statement again and again in one session. */
  async #time(statement, preparation = 'select 1') {
    const script = `${preparation};\n\\timing on\n${`${statement};\n`.repeat(WARM_UP + SAMPLES)}`;
    const child = spawn(this.#psql, ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', this.#url], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(script);
    const times = [...(await text(child.stdout)).matchAll(/^Time: ([\d.]+) ms/gm)].map(([, time]) =>
      Number(time),
    );
    if (times.length !== WARM_UP + SAMPLES) throw new Error(`psql timed ${times.length} statements`);
    return median(times.slice(WARM_UP));
  }
}
