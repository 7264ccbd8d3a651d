// The package's own statements through a bare connection to Postgres.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { TYPES, USER } from './data.mjs';

const QUERIES = new URL('../../src/store/postgres_graph/queries/', import.meta.url);
const LIMIT = 20;
const UNFOLDED = '[^\u0001-\u007f]';

/** What a method asks, once the entity is known: names of statements with their parameters. */
const QUESTIONS = {
  entity: ({ key }) => [['entities', [USER, [key]]]],
  search: ({ name }) => [
    ['search_entities', [USER, searches(name), UNFOLDED, LIMIT]],
    ['unfolded_entities', [USER, TYPES, UNFOLDED]],
  ],
  top: () => [['top_entities', [USER, TYPES, LIMIT]]],
  related: ({ key }) => [
    ['stated_relations', [USER, key, TYPES, ['ASSOCIATED_WITH'], LIMIT]],
    ['co_occurrences', [USER, key, TYPES, LIMIT]],
  ],
  memories: ({ key }) => [['memories_of', [USER, key, null, null, LIMIT]]],
  stats: () => [
    ['type_counts', [USER]],
    ['relationship_counts', [USER]],
  ],
};

function searches(name) {
  const text = name.toLowerCase();
  return JSON.stringify(TYPES.map((type) => ({ type, texts: [text], words: [` ${text}`, `-${text}`] })));
}

export class PostgresFloor {
  kind = 'postgres';
  settings = { graphStore: 'postgres' };
  #pool;

  constructor(url) {
    this.#pool = new pg.Pool({ connectionString: url, max: 1 });
  }

  query = async (sql, parameters) => (await this.#pool.query(sql, parameters)).rows;

  /** There is nothing to wipe in a database of one's own. */
  async wipe() {}

  /** A function that asks what the method asks, one statement after the other, prepared. */
  async asking(question, { name, normalized } = {}) {
    const [{ key } = {}] = await this.query(
      'select key from izzie_memory.graph_entities where user_id = $1 and normalized = $2',
      [USER, normalized],
    );
    const statements = QUESTIONS[question]({ key, name }).map(([file, values]) => ({
      name: file,
      text: readFileSync(new URL(`${file}.sql`, QUERIES), 'utf8'),
      values,
    }));
    return async () => {
      for (const statement of statements) await this.#pool.query(statement);
    };
  }

  close() {
    return this.#pool.end();
  }
}
