// The application's own `drizzle-kit push` leaves what the package has put into its database alone.
import { createRequire } from 'node:module';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import {
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uuid,
  varchar,
  vector,
} from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { useDatabase } from '../support.mjs';

const { pushSchema } = createRequire(import.meta.url)('drizzle-kit/api');

const times = {
  createdAt: timestamp('created_at').notNull().defaultNow(),
  updatedAt: timestamp('updated_at').notNull().defaultNow(),
};

const users = pgTable('users', {
  id: text('id').primaryKey(),
  email: varchar('email', { length: 255 }).notNull().unique(),
  name: text('name'),
  metadata: jsonb('metadata').default({}),
  ...times,
});

const owner = () =>
  text('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

const conversations = pgTable('conversations', {
  id: uuid('id').primaryKey().defaultRandom(),
  userId: owner(),
  title: text('title'),
  metadata: jsonb('metadata'),
  ...times,
});

/** As the application defines them. */
const TABLES = {
  users,
  conversations,
  memoryEntries: pgTable(
    'memory_entries',
    {
      id: uuid('id').primaryKey().defaultRandom(),
      conversationId: uuid('conversation_id').references(() => conversations.id, { onDelete: 'cascade' }),
      userId: owner(),
      content: text('content').notNull(),
      summary: text('summary'),
      metadata: jsonb('metadata'),
      embedding: vector('embedding', { dimensions: 1536 }),
      importance: integer('importance').default(5),
      accessCount: integer('access_count').default(0),
      lastAccessedAt: timestamp('last_accessed_at'),
      isDeleted: boolean('is_deleted').default(false),
      ...times,
    },
    (table) => [
      index('memory_entries_user_id_idx').on(table.userId),
      index('memory_entries_conversation_id_idx').on(table.conversationId),
      index('memory_entries_created_at_idx').on(table.createdAt),
      index('memory_entries_importance_idx').on(table.importance),
      index('memory_entries_embedding_idx')
        .using('ivfflat', table.embedding.op('vector_cosine_ops'))
        .with({ lists: 100 }),
    ],
  ),
};

const database = useDatabase({
  migrate: false,
  before: (query) => query('create extension vector'),
});

test('drizzle-kit push plans nothing after migrate()', async () => {
  const db = drizzle(database.url);
  try {
    const first = await pushSchema(TABLES, db);
    expect(first.statementsToExecute.join()).toContain('CREATE TABLE "memory_entries"');
    await first.apply();
    const planned = async () => (await pushSchema(TABLES, db)).statementsToExecute;
    const before = await planned();

    await db.insert(users).values({ id: 'ada', email: 'ada@example.org' });
    await db.insert(TABLES.memoryEntries).values({ userId: 'ada', content: 'the engine weaves' });
    const { migrate, memory } = database.layer();
    expect((await migrate()).adopted.rows).toBe(1);
    expect(await planned()).toEqual(before);
    // With or without this package, drizzle-kit makes that index anew at each push.
    expect(before.filter((statement) => !statement.includes('memory_entries_embedding_idx'))).toEqual([]);

    // And it goes on writing with its own definitions.
    await db.update(TABLES.memoryEntries).set({ content: 'the engine computes' });
    expect(await memory.retrieve('ada', 'computes', { mode: 'text' })).toHaveLength(1);
    await db.execute(sql`delete from users`);
    expect(await memory.getAll('ada')).toEqual([]);
  } finally {
    await db.$client.end();
  }
});
