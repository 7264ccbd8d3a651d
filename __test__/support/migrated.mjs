import { freshDatabase } from './stores.mjs';

/** A fresh database with the tables in it. `api` is the package, as the environment of the test loads it. */
export async function migratedDatabase(api) {
  const database = await freshDatabase();
  const layer = api.createMemoryLayer({ databaseUrl: database.url, graphStore: 'none' });
  try {
    await layer.migrate();
  } finally {
    await layer.close();
  }
  return database;
}
