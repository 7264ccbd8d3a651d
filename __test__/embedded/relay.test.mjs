import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import database from '../../lib/embedded/database.cjs';
import embedded from '../../lib/embedded/index.cjs';
import protocol from '../../lib/embedded/protocol.cjs';
import relay from '../../lib/embedded/relay.cjs';
import { afterThisTest, connected, PATIENCE_MS, until } from './support.mjs';

const { SYNC, errorResponse, int32, message } = protocol;

let opened;
beforeAll(async () => {
  opened = await embedded.openEmbedded({ folder: 'memory://' });
});
afterAll(() => opened.close());

/** Speaks the protocol by hand: `read` gives the types of the messages up to the next ReadyForQuery or the end. */
class RawClient {
  #received = Buffer.alloc(0);

  static async authenticated({ password = new URL(opened.databaseUrl).password, ...parameters } = {}) {
    const client = await RawClient.connected();
    client.startUp({ user: 'izzie', database: 'postgres', ...parameters });
    client.send(message('p', password));
    return client;
  }

  static async connected() {
    const client = new RawClient();
    const socketDir = new URL(opened.databaseUrl).searchParams.get('host');
    client.socket = connect(`${socketDir}/.s.PGSQL.5432`);
    client.socket.on('data', (chunk) => {
      client.#received = Buffer.concat([client.#received, chunk]);
    });
    client.ended = once(client.socket, 'close');
    await once(client.socket, 'connect');
    afterThisTest(() => client.socket.destroy());
    return client;
  }

  startUp(parameters) {
    const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
    const body = Buffer.concat([int32(196608), Buffer.from(`${pairs.join('')}\0`)]);
    this.send(Buffer.concat([int32(body.length + 4), body]));
  }

  send(...messages) {
    this.socket.write(Buffer.concat(messages));
  }

  async read() {
    let types = [];
    await until(() => {
      types = [];
      for (let offset = 0; offset + 5 <= this.#received.length; ) {
        const end = offset + 1 + this.#received.readInt32BE(offset + 1);
        if (end > this.#received.length) return false;
        const type = String.fromCharCode(this.#received[offset]);
        const body = this.#received.toString('latin1', offset + 5, end);
        types.push(type === 'E' ? `E ${/C([0-9A-Z]{5})/.exec(body)[1]}` : type === 'Z' ? `Z ${body}` : type);
        offset = end;
        if (type !== 'Z') continue;
        this.#received = this.#received.subarray(offset);
        return true;
      }
      return this.socket.destroyed;
    }, PATIENCE_MS);
    return types.filter((type) => !['S', 'K', 'R'].includes(type));
  }
}

const parse = (name, sql) => message('P', name, sql, Buffer.from([0, 0]));
const bind = (portal, name) => message('B', portal, name, Buffer.alloc(6));
const execute = (portal) => message('E', portal, int32(0));
const query = (sql) => message('Q', sql);
const FLUSH = message('H');

async function countStatements() {
  const client = await connected(opened.databaseUrl);
  return Number((await client.query('select count(*) from pg_prepared_statements')).rows[0].count);
}

test('a wrong password is refused', async () => {
  const url = new URL(opened.databaseUrl);
  url.password = 'wrong';
  await expect(connected(url.href)).rejects.toMatchObject({ code: '28P01' });
  url.password = '';
  await expect(connected(url.href)).rejects.toThrow();
  const silent = await RawClient.connected();
  silent.startUp({ user: 'izzie' });
  silent.send(query('select 1'));
  expect(await silent.read()).toEqual(['E 28P01']);
});

test('another database does not exist', async () => {
  const client = await RawClient.connected();
  client.startUp({ user: 'izzie', database: 'other' });
  expect(await client.read()).toEqual(['E 3D000']);
});

test('a request for TLS is answered in the negative, and the connection goes on', async () => {
  const client = await RawClient.connected();
  client.send(int32(8, 80877103));
  const [answer] = await once(client.socket, 'data');
  expect(answer.toString()).toBe('N');
});

test('a request to cancel is taken without harm', async () => {
  const client = await RawClient.connected();
  client.send(int32(16, 80877102, 1, 0));
  await client.ended;
  await connected(opened.databaseUrl);
});

test('whoever does not speak the protocol is sent away alone', async () => {
  const other = await connected(opened.databaseUrl);
  for (const garbage of [
    message('!'),
    Buffer.from([0x51, 255, 255, 255, 255]),
    message('S', Buffer.alloc(20_000)),
  ]) {
    const client = await RawClient.authenticated();
    expect(await client.read()).toEqual(['Z I']);
    client.send(garbage);
    expect(await client.read()).toEqual(['E 08P01']);
    await client.ended;
  }
  expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('COPY FROM STDIN is refused, in a simple and in an extended query', async () => {
  const client = await RawClient.authenticated();
  await client.read();
  client.send(query('create temp table copied (n int)'));
  expect(await client.read()).toEqual(['C', 'Z I']);
  client.send(query('copy copied from stdin'));
  expect(await client.read()).toEqual(['E 0A000', 'Z I']);
  client.send(parse('', 'COPY copied FROM STDIN'), bind('', ''), execute(''), SYNC);
  expect(await client.read()).toEqual(['E 0A000', 'Z I']);
  client.send(query('select * from copied'));
  expect(await client.read()).toEqual(['T', 'C', 'Z I']);
});

test('nobody gets a turn inside the transaction of another', async () => {
  const [one, two] = [await connected(opened.databaseUrl), await connected(opened.databaseUrl)];
  await one.query('create table accounts as select 1 as balance');
  await one.query('begin');
  await one.query('update accounts set balance = 2');
  let answered = false;
  const reading = two.query('select balance from accounts').then(({ rows }) => {
    answered = true;
    return rows;
  });
  await sleep(200);
  expect(answered).toBe(false);
  await one.query('rollback');
  expect(await reading).toEqual([{ balance: 1 }]);
});

test('a client that goes in the middle of a transaction leaves nothing behind', async () => {
  const url = opened.databaseUrl;
  const [one, two] = [new pg.Client(url), await connected(url)];
  one.on('error', () => {}); // its connection is about to be cut
  await one.connect();
  await two.query('create table visits (n int)');
  await one.query('begin');
  await one.query({ name: 'keep', text: 'insert into visits values ($1)', values: [1] });
  const reading = two.query('select * from visits');
  one.connection.stream.destroy();
  expect((await reading).rows).toEqual([]);
  expect(await countStatements()).toBe(0);
});

test('so does one that goes in the middle of a batch', async () => {
  const [client, other] = [await RawClient.authenticated(), await connected(opened.databaseUrl)];
  await client.read();
  let answer = '';
  client.socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  client.send(parse('cut', 'create table cut_off as select 1 as n'), bind('', 'cut'), execute(''), FLUSH);
  await until(() => answer.includes('SELECT 1'), PATIENCE_MS);
  client.socket.destroy();
  await expect(other.query('select * from cut_off')).resolves.toMatchObject({ rows: [{ n: 1 }] });
  expect(await countStatements()).toBe(0);
});

test('a batch that was flushed goes on after others have asked', async () => {
  const [client, other] = [await RawClient.authenticated(), await connected(opened.databaseUrl)];
  await client.read();
  client.send(parse('', "select 'mine'"), FLUSH);
  const theirs = other.query('select $1::text as theirs', ['theirs']);
  await sleep(50);
  client.send(bind('', ''), execute(''), SYNC);
  expect(await client.read()).toEqual(['1', '2', 'D', 'C', 'Z I']);
  expect((await theirs).rows).toEqual([{ theirs: 'theirs' }]);
});

test('an unnamed statement survives the turns of others', async () => {
  const [client, other] = [await RawClient.authenticated(), await connected(opened.databaseUrl)];
  await client.read();
  client.send(parse('', "select 'mine', 'too'"), SYNC);
  expect(await client.read()).toEqual(['1', 'Z I']);
  await other.query('select $1::text', ['theirs']);
  client.send(message('D', Buffer.from('S'), ''), bind('', ''), execute(''), SYNC);
  const [row] = await once(client.socket, 'data');
  expect(row.includes('mine')).toBe(true);
  expect(row.includes('theirs')).toBe(false);
});

test('a statement prepared twice fails as on any server, and so does an unknown one', async () => {
  const client = await RawClient.authenticated();
  await client.read();
  client.send(parse('twice', 'select 1'), SYNC);
  expect(await client.read()).toEqual(['1', 'Z I']);
  client.send(parse('twice', 'select 2'), SYNC);
  expect(await client.read()).toEqual(['E 42P05', 'Z I']);
  client.send(bind('', 'never'), execute(''), SYNC);
  expect(await client.read()).toEqual(['E 26000', 'Z I']);
  client.send(message('C', Buffer.from('S'), 'twice'), parse('twice', 'select 3'), SYNC);
  expect(await client.read()).toEqual(['3', '1', 'Z I']);
});

test('a session-level advisory lock keeps others out until it is returned or its holder goes', async () => {
  const [one, two] = [await connected(opened.databaseUrl), await connected(opened.databaseUrl)];
  await one.query('select pg_advisory_lock($1)', [7]);
  const order = [];
  const waiting = two.query('select pg_advisory_lock($1)', [7]).then(() => order.push('two'));
  await sleep(100);
  await one.query('select 1').then(() => order.push('one'));
  await one.query('select pg_advisory_unlock($1)', [7]);
  await waiting;
  expect(order).toEqual(['one', 'two']);

  const next = one.query('select 1 as one');
  two.connection.stream.destroy();
  expect((await next).rows).toEqual([{ one: 1 }]);
  expect((await one.query("select * from pg_locks where locktype = 'advisory'")).rows).toEqual([]);
});

test('clients that ask without pause take turns', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => connected(opened.databaseUrl)));
  const order = [];
  const asking = clients.map(async (client, index) => {
    // All at once: a queue of its own must not let a client jump the others'.
    const queries = Array.from({ length: 50 }, () => client.query('select 1').then(() => order.push(index)));
    await Promise.all(queries);
  });
  await Promise.all(asking);
  const half = order.slice(0, 100);
  for (const index of clients.keys()) {
    expect(half.filter((turn) => turn === index).length).toBeGreaterThan(15);
  }
});

test('an answer of many megabytes arrives whole, also at a slow reader, and others are served meanwhile', async () => {
  const [client, other] = [await RawClient.authenticated(), await connected(opened.databaseUrl)];
  await client.read();
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.send(query("select repeat('x', 1000000) from generate_series(1, 20)"));
  for (let n = 0; n < 20; n++) expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  let size = 0;
  client.socket.on('data', (chunk) => {
    size += chunk.length;
  });
  client.socket.resume();
  await until(() => size > 20_000_000, PATIENCE_MS);
});

test('a statement of some megabytes is taken', async () => {
  const client = await connected(opened.databaseUrl);
  const { rows } = await client.query('select length($1::text) as length', ['x'.repeat(5_000_000)]);
  expect(rows).toEqual([{ length: 5_000_000 }]);
});

test('a client that sleeps in its transaction is sent away, but only when others wait', async () => {
  const { databaseUrl, close } = await relayWithShortPatience(200);
  const sleeper = await connected(databaseUrl);
  await sleeper.query('create table dreams (n int)');
  await sleeper.query('begin');
  await sleeper.query('insert into dreams values (1)');
  await sleep(500);
  expect((await sleeper.query('select n from dreams')).rows).toEqual([{ n: 1 }]);
  const other = await connected(databaseUrl);
  expect((await other.query('select n from dreams')).rows).toEqual([]);
  await expect(sleeper.query('select 1')).rejects.toThrow();
  await close();
});

test('when the database does not answer, that is told and nobody else is served', async () => {
  const broken = { execute: () => null };
  const { databaseUrl, told, close } = await relayWithShortPatience(200, broken);
  const client = await connected(databaseUrl);
  client.query('select 1').catch(() => {}); // ends with the relay
  await until(() => told.length > 0, PATIENCE_MS);
  expect(told[0].message).toContain('did not answer');
  await close();
});

test('an error message has the parts that drivers look for', () => {
  const text = errorResponse('FATAL', '57P01', 'gone').toString('latin1', 5);
  expect(text.split('\0')).toEqual(['SFATAL', 'VFATAL', 'C57P01', 'Mgone', '', '']);
});

/** A relay in this very thread, on a port of its own. */
async function relayWithShortPatience(idleTransactionMs, of = undefined) {
  const db = of ?? (await database.Database.open(null));
  const told = [];
  const server = new relay.Relay({
    database: db,
    password: 'pw',
    version: '18.0',
    assertOwnership: () => {},
    onBroken: (error) => told.push(error),
    idleTransactionMs,
  });
  const port = 40_000 + Math.floor(Math.random() * 20_000);
  await server.listen({ port });
  const databaseUrl = `postgres://izzie:pw@127.0.0.1:${port}/postgres?sslmode=disable`;
  const close = async () => {
    await server.close(100);
    await db.close?.();
  };
  return { databaseUrl, told, close };
}
