// The test servers must vanish with the run that started them, however it ends, and survive what tests do to them.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { isAlive, waitUntil } from '../../scripts/lib/process.mjs';
import { lacks } from '../../scripts/test/needs.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Writes what it was given and waits for the end of its standard input, ignoring requests to stop. */
const COMMAND = `
  process.on('SIGTERM', () => {});
  const { TEST_DATABASE_URL: url, TEST_POSTGRES_CTL: control } = process.env;
  console.log(JSON.stringify({ pid: process.pid, url, control }));
  process.stdin.resume().on('end', () => process.exit(7));
`;

const RUN = [join(root, 'scripts/with-servers.mjs'), '--', process.execPath, '-e', COMMAND];

/** What a test that failed left running. */
const started = new Set();
afterEach(() => {
  for (const process of started) process.kill('SIGTERM');
  started.clear();
});

/** A run with a Postgres of its own; Neo4j, which takes longer to start, is the given one. */
async function startRun({ args = RUN, environment = {} } = {}) {
  const { TEST_DATABASE_URL: _url, TEST_POSTGRES_CTL: _control, ...rest } = process.env;
  const env = { ...rest, ...environment };
  const run = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  started.add(run);
  const ended = once(run, 'exit');
  const [line] = await once(createInterface({ input: run.stdout }), 'line');
  const told = JSON.parse(line);
  const runDir = told.control && dirname(/--run-dir (\S+)/.exec(told.control)[1]);
  return { run, ended, ...told, runDir, server: () => serverPid(told.control) };
}

function control(command, verb) {
  return execFileSync('/bin/sh', ['-c', `${command} ${verb}`], { encoding: 'utf8' });
}

function serverPid(command) {
  return Number(/pid (\d+)/.exec(control(command, 'status'))[1]);
}

async function assertGone({ runDir, pid }, server) {
  const gone = () => !existsSync(runDir) && !isAlive(pid) && !isAlive(server);
  assert.ok(await waitUntil(gone, 60_000), `left behind: ${runDir}, command ${pid}, server ${server}`);
}

const skip = lacks('own postgres', import.meta.url);

describe('a run with servers of its own', { skip, timeout: 480_000 }, () => {
  test("passes the command's exit code on and removes everything", async () => {
    const session = await startRun();
    const server = session.server();
    assert.ok(isAlive(server) && existsSync(session.runDir));
    session.run.stdin.end();
    assert.deepEqual(await session.ended, [7, null]);
    assert.ok(!existsSync(session.runDir) && !isAlive(server), 'gone before the run ends');
  });

  test('removes everything when it is told to stop', async () => {
    const session = await startRun();
    const server = session.server();
    session.run.kill('SIGTERM');
    assert.deepEqual(await session.ended, [143, null]);
    await assertGone(session, server);
  });

  test('removes everything when it is killed', async () => {
    const session = await startRun();
    const server = session.server();
    session.run.kill('SIGKILL');
    await session.ended;
    await assertGone(session, server);
  });

  test('removes everything when its parent is killed', async () => {
    const parent = `require('node:child_process')
      .spawn(process.execPath, ${JSON.stringify(RUN)}, { stdio: ['pipe', 'inherit', 'inherit'] })`;
    const session = await startRun({ args: ['-e', parent] });
    const server = session.server();
    session.run.kill('SIGKILL');
    await assertGone(session, server);
  });

  test('starts a killed server again, with its data and at the same address', async () => {
    const session = await startRun();
    const query = async (sql) => {
      const client = new pg.Client({ connectionString: session.url });
      await client.connect();
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };
    await query('create table kept as select 42 as answer');
    control(session.control, 'kill9');
    await assert.rejects(query('select 1'), { code: 'ECONNREFUSED' });
    control(session.control, 'start');
    assert.deepEqual(await query('select answer from kept'), [{ answer: 42 }]);
    const server = session.server();
    session.run.stdin.end();
    await session.ended;
    await assertGone(session, server);
  });

  test('does not own a server that it was given', async () => {
    const session = await startRun({ environment: { TEST_DATABASE_URL: process.env.TEST_DATABASE_URL } });
    assert.equal(session.control, undefined);
    assert.equal(session.url, process.env.TEST_DATABASE_URL);
    session.run.stdin.end();
    await session.ended;
  });
});
