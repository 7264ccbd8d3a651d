// The tests' own tools: a fault proxy that let data through would make other tests pass for nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startProxy } from '../support/proxy.mjs';
import { freshDatabase, neo4j } from '../support/stores.mjs';

describe('the fault proxy', { timeout: 80_000 }, () => {
  let received;
  let target;
  let proxy;

  before(async () => {
    target = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        received += data;
        socket.write(`echo ${data}`);
      });
    }).listen(0, '127.0.0.1');
    await once(target, 'listening');
  });
  after(() => target.close());
  beforeEach(async () => {
    received = '';
    proxy = await startProxy(`127.0.0.1:${target.address().port}`);
  });
  afterEach(() => proxy.close());

  const client = async () => {
    const socket = connect(proxy.port, '127.0.0.1').setEncoding('utf8');
    await once(socket, 'connect');
    return socket;
  };
  const ask = async (socket, text) => {
    socket.write(text);
    return (await once(socket, 'data'))[0];
  };
  const resetOf = (socket) => assert.rejects(once(socket, 'data'), { code: 'ECONNRESET' });

  test('passes data on and counts connections, bytes and round trips', async () => {
    const [one, two] = [await client(), await client()];
    assert.equal(await ask(one, 'abc'), 'echo abc');
    assert.equal(await ask(one, 'de'), 'echo de');
    assert.equal(await ask(two, 'f'), 'echo f');
    assert.deepEqual([proxy.connections, proxy.open, proxy.roundTrips], [2, 2, 3]);
    assert.deepEqual(proxy.bytes, { client: 6, target: 21 });
    one.destroy();
    two.destroy();
  });

  test('hands the end of a connection on', async () => {
    const socket = await client();
    await ask(socket, 'a');
    socket.end();
    await once(socket, 'close');
    while (proxy.open > 0) await sleep(5);
  });

  test('delays data in both directions', async () => {
    proxy.pass({ latencyMs: 60 });
    const socket = await client();
    const started = performance.now();
    assert.equal(await ask(socket, 'abc'), 'echo abc');
    assert.ok(performance.now() - started >= 118);
    socket.destroy();
  });

  test('refuses new connections and resets open ones', async () => {
    const socket = await client();
    await ask(socket, 'a');
    const reset = resetOf(socket);
    proxy.refuse();
    await reset;
    await assert.rejects(
      client().then((late) => ask(late, 'b')),
      { code: /ECONNRESET|EPIPE/ },
    );
    assert.equal(received, 'a');
  });

  test('swallows everything as a black hole, until it passes again', async () => {
    proxy.blackhole();
    const socket = await client();
    const answer = ask(socket, 'abc');
    assert.equal(await Promise.race([answer, sleep(150, 'silence')]), 'silence');
    assert.equal(received, '');
    proxy.pass();
    assert.equal(await answer, 'echo abc');
    socket.destroy();
  });

  test('cuts after some bytes of the client', async () => {
    const socket = await client();
    proxy.cut({ afterBytes: 4 });
    const reset = resetOf(socket);
    socket.write('abcdef');
    await reset;
    while (received.length < 4) await sleep(5);
    await sleep(30);
    assert.equal(received, 'abcd');
  });

  test('loses an answer of which the question arrived', async () => {
    const socket = await client();
    proxy.cut({ from: 'target', afterBytes: 0 });
    const reset = resetOf(socket);
    socket.write('abc');
    await reset;
    assert.equal(received, 'abc');
  });

  test('rewrites a URL without touching the rest of it', () => {
    assert.equal(
      proxy.url('postgres://u:p%40w@db.example:5432/x?a=b'),
      `postgres://u:p%40w@127.0.0.1:${proxy.port}/x?a=b`,
    );
  });
});

describe('the test stores', { timeout: 240_000 }, () => {
  test('a fresh database is empty and gone after drop()', async () => {
    const database = await freshDatabase();
    const tables = "select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace";
    assert.deepEqual(await database.query(tables), [{ n: 0 }]);
    await database.drop();
    await assert.rejects(database.query('select 1'), { code: '3D000' });
  });

  test('drop() reports a connection that was left open', async () => {
    const database = await freshDatabase();
    const leak = new pg.Client({ connectionString: database.url });
    leak.on('error', () => {}); // drop() ends it
    await leak.connect();
    await assert.rejects(database.drop(), /1 connection\(s\).*left open/);
  });

  test('Neo4j answers with plain objects', async () => {
    const graph = neo4j();
    assert.deepEqual(await graph.query('RETURN $n AS n, $text AS text', { n: 1, text: 'ä' }), [
      { n: 1, text: 'ä' },
    ]);
    await graph.close();
  });
});
