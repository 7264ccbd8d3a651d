// Inserts the rows 0, 1, 2 … under a tag as fast as it may, and tells each that was acknowledged. A connection that
// breaks is replaced, by the same URL, and the row is sent again.
import pg from 'pg';
import embedded from '../../../lib/embedded/index.cjs';

const [folder, tag] = process.argv.slice(2);
const { databaseUrl } = await embedded.openEmbedded({ folder });
let client = null;

async function connect() {
  const fresh = new pg.Client(databaseUrl);
  fresh.on('error', () => {}); // The query that fails tells.
  try {
    await fresh.connect();
    return fresh;
  } catch (error) {
    process.send({ connectError: error.code ?? error.message });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return null;
  }
}

async function insert(n) {
  client ??= await connect();
  if (!client) return false;
  try {
    const text = 'insert into written (tag, n) values ($1, $2) on conflict do nothing';
    await client.query({ name: 'insert', text, values: [tag, n] });
    const { rows } = await client.query({
      name: 'read',
      text: 'select tag from written where tag = $1 and n = $2',
      values: [tag, n],
    });
    if (rows[0]?.tag !== tag) process.send({ wrongRow: rows });
    return true;
  } catch (error) {
    process.send({ queryError: error.code ?? error.message });
    client = null;
    return false;
  }
}

while (!client) client = await connect();
await client.query('create table if not exists written (tag text, n int, primary key (tag, n))');
for (let n = 0; ; ) {
  if (await insert(n)) process.send({ acknowledged: n++ });
}
