// What a user's script does: stores something, without ever closing anything of the database.
import pg from 'pg';
import embedded from '../../../lib/embedded/index.cjs';

const { databaseUrl } = await embedded.openEmbedded({ folder: process.argv[2] });
const client = new pg.Client(databaseUrl);
await client.connect();
await client.query('create table if not exists notes (note text)');
// The last query is awaited by nobody: it has to keep the process alive by itself.
client
  .query("insert into notes select 'stored' from pg_sleep(0.5) returning note")
  .then(({ rows }) => process.send({ stored: rows[0].note }))
  .then(() => client.end())
  .then(() => process.disconnect());
