// import and export, progress on a terminal, and Ctrl-C, on a real Postgres.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../api/support.mjs';
import { BINARY, cli, cliJson, environment, finished, startCli, useFolder } from '../support/cli.mjs';

const MAILS = fileURLToPath(new URL('../fixtures/demo/small.mbox', import.meta.url));

const database = useDatabase();
const folder = useFolder();
const place = () => ({ cwd: folder.path, env: { DATABASE_URL: database.url } });

const rowsOf = async (userId) => {
  const rows = await database.query('select content from memory_entries where user_id = $1', [userId]);
  return rows.map(({ content }) => content);
};

const lines = (userId, count) =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ userId, content: `Note ${n} of the log.` }));

describe('import and export', () => {
  const contents = ['The ferry leaves at nine.', 'Ada met Grace Hopper.'];

  it('imports JSON Lines once, and names the lines it refuses', async () => {
    const good = contents.map((content) => JSON.stringify({ userId: 'ada', content }));
    const file = folder.write('foreign.jsonl', [...good, '{ no json', ''].join('\n'));
    const first = await cliJson(['import', file], place());
    expect(first.code).toBe(1);
    expect(first.answer).toMatchObject({
      read: 3,
      stored: 2,
      existing: 0,
      ok: false,
    });
    expect(first.answer).not.toHaveProperty('problem');
    expect(first.answer.failed).toEqual([
      { line: 3, error: expect.objectContaining({ reason: 'INVALID_ARGUMENT' }) },
    ]);
    expect(first.stderr).toContain('line 3: ');
    const again = await cli(['import', file], place());
    expect(again.stdout).toBe('3 memories read: 0 stored, 2 there before, 1 refused.\n');
    expect((await rowsOf('ada')).sort()).toEqual(contents.toSorted());
  });

  it('says of a folder that a file is wanted', async () => {
    const { code, stderr } = await cli(['import', '--user', 'ada', folder.path], place());
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('file: is a folder; name a file in it'),
    });
  });

  it('exports to a file that is whole or not there, and never replaces one unasked', async () => {
    const { code, answer } = await cliJson(['export', '--user', 'ada', 'ada.jsonl'], place());
    expect({ code, answer }).toEqual({
      code: 0,
      answer: { file: 'ada.jsonl', memories: 2, unimportable: 0 },
    });
    const written = readFileSync(join(folder.path, 'ada.jsonl'), 'utf8');
    const [header, ...rest] = written
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(header).toMatchObject({ format: 'izzie-memory', userId: 'ada' });
    expect(rest.pop()).toMatchObject({ count: 2 });
    expect(rest.map(({ content }) => content).sort()).toEqual(contents.toSorted());
    const refused = await cli(['export', '--user', 'ada', 'ada.jsonl'], place());
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('ada.jsonl is there already; --force replaces it.');
    const piped = await cli(['export', '--user', 'ada'], place());
    expect(piped.stdout.split('\n').slice(1)).toEqual(written.split('\n').slice(1));
    expect(existsSync(join(folder.path, 'ada.jsonl.partial'))).toBe(false);
  });

  it('imports an export for another user, proven by count and digest', async () => {
    const file = join(folder.path, 'ada.jsonl');
    const dry = await cliJson(['import', '--dry-run', '--user', 'ben', file], place());
    expect(dry).toMatchObject({ code: 0, answer: { read: 2, stored: 0, verified: true } });
    expect(await rowsOf('ben')).toEqual([]);
    await database.query('delete from memory_entries');
    const { code, stdout } = await cli(['import', '--verify', '--user', 'ben', file], place());
    expect(code).toBe(0);
    expect(stdout).toBe(
      '2 memories read: 2 stored, 0 there before, 0 refused. Count and digest are those of the export.\n',
    );
    expect((await rowsOf('ben')).sort()).toEqual(contents.toSorted());
  });

  it('tells of what is there and deleted, and brings it back where asked to', async () => {
    const file = join(folder.path, 'ada.jsonl');
    await database.query("update memory_entries set is_deleted = true where user_id = 'ben'");
    const there = await cli(['import', '--user', 'ben', file], place());
    expect(there).toMatchObject({
      code: 0,
      stdout:
        '2 memories read: 0 stored, 0 there before, 2 there before and deleted (--restore brings them back), 0 refused. ' +
        'Count and digest are those of the export.\n',
    });
    const back = await cliJson(['import', '--restore', '--user', 'ben', file], place());
    expect(back).toMatchObject({ code: 0, answer: { existing: 0, deleted: 0, restored: 2 } });
    const { stdout } = await cli(['import', '--restore', '--user', 'ben', file], place());
    expect(stdout).toContain('0 stored, 2 there before, 0 refused.');
  });

  it('tells of an export that was cut, and with --verify stores nothing of it', async () => {
    const whole = readFileSync(join(folder.path, 'ada.jsonl'), 'utf8').trimEnd().split('\n');
    const file = folder.write('cut.jsonl', `${whole.slice(0, 2).join('\n')}\n`);
    await database.query('delete from memory_entries');
    const refused = await cli(['import', '--verify', file], place());
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('is no whole export (truncated)');
    expect(await rowsOf('ada')).toEqual([]);
    const taken = await cli(['import', file], place());
    expect(taken.code).toBe(1);
    expect(taken.stdout).toContain('1 stored, 0 there before, 0 refused. The end of the export is missing.');
  });

  it('counts what an import will refuse, and names it before anything is stored', async () => {
    const deep = `${'['.repeat(1001)}${']'.repeat(1001)}`;
    await database.query(
      "insert into memory_entries (user_id, content, metadata) values ('eve', 'deep', $1)",
      [deep],
    );
    const { stderr, answer } = await cliJson(['export', '--user', 'eve', 'eve.jsonl'], place());
    expect(answer).toEqual({ file: 'eve.jsonl', memories: 1, unimportable: 1 });
    expect(stderr).toBe('An import will refuse 1 memory: too large, or metadata nested too deeply.\n');
    await database.query("delete from memory_entries where user_id = 'eve'");
    const refusal = 'line 2: metadata: is nested deeper than 1000 levels';
    const verified = await cli(['import', '--verify', 'eve.jsonl'], place());
    expect(verified).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(refusal) });
    const dry = await cli(['import', '--dry-run', 'eve.jsonl'], place());
    expect(dry).toMatchObject({ code: 1, stderr: `${refusal}\n` });
    expect(dry.stdout).toContain('1 memory read: 0 stored, 0 there before, 1 refused.');
  });

  it('imports the mails of an mbox, which needs a user', async () => {
    expect((await cli(['import', MAILS], place())).code).toBe(2);
    const { code, answer } = await cliJson(['import', '--user', 'me', MAILS], place());
    expect(answer.stored).toBeGreaterThan(0);
    expect(code).toBe(answer.failed.length === 0 ? 0 : 1);
    expect(await rowsOf('me')).toHaveLength(answer.stored);
  });
});

describe('import of mails', () => {
  const mail = (headers, text = 'text') =>
    `From a@x.example Tue Mar  3 09:00:00 2026\n${headers}\n\n${text}\n\n`;
  const dated = (subject) => `Date: Mon, 2 Mar 2026 10:13:20 +0000\nSubject: ${subject}`;

  it('shows what went well as such, and lists what was left out, split and shortened', async () => {
    const mails = [
      mail(dated('kept')),
      mail(`X-Spam-Flag: YES\n${dated('offer')}`),
      mail(`X-Mozilla-Status: 0009\n${dated('draft')}`),
      mail('Date: Mo, 2. März 2026\nSubject: guessed'),
      mail(dated('long'), 'some words '.repeat(20_000).trim()),
      mail(`${dated('many')}\nTo: ${Array.from({ length: 600 }, (_, n) => `a${n}@x.example`).join(', ')}`),
    ];
    const file = folder.write('mixed.mbox', mails.join(''));
    const { code, answer } = await cliJson(['import', '--user', 'mo', file], place());
    expect({ code, ok: answer.ok, stored: answer.stored }).toEqual({ code: 0, ok: true, stored: 6 });
    expect(answer.leftOut.map(({ reason }) => reason)).toEqual(['spam', 'deleted']);
    expect(answer).toMatchObject({
      datesGuessed: 1,
      split: [{ memories: 3 }],
      shortened: [{ fields: ['to'] }],
    });
    for (const name of ['verified', 'problem']) expect(answer).not.toHaveProperty(name);
    const { stdout, stderr } = await cli(['import', '--user', 'mo', file], place());
    expect(stdout).toBe(
      '6 mails read: 0 stored, 6 there before, 1 marked deleted and passed over, 1 marked as spam and passed over, ' +
        '0 refused, 1 without a date that can be read, dated otherwise, 1 too long and stored as several memories, ' +
        '1 with shortened metadata.\n',
    );
    expect(stderr.trimEnd().split('\n')).toEqual([
      'line 7: marked as spam and passed over',
      'line 14: marked deleted and passed over',
      'line 27: a long mail, 3 memories',
      'line 33: metadata shortened: to',
    ]);
  });

  it('lists a hundred of a kind, and all as JSON', async () => {
    const spam = Array.from({ length: 130 }, (_, n) => mail(`X-Spam-Flag: YES\n${dated(`offer ${n}`)}`));
    const file = folder.write('spam.mbox', spam.join(''));
    const { code, stderr, answer } = await cliJson(['import', '--user', 'mo', file], place());
    expect({ code, listed: answer.leftOut.length }).toEqual({ code: 0, listed: 130 });
    const notes = stderr.trimEnd().split('\n');
    expect(notes).toHaveLength(101);
    expect(notes.at(-1)).toBe('and 30 more like this; --json lists all');
  });
});

describe('progress', () => {
  const importing = (file) => [BINARY, 'import', '--chunk-size', '20', '--json', file];

  it.skipIf(process.platform !== 'linux')(
    'is drawn on a terminal, and stdout stays machine-readable',
    async () => {
      const file = folder.write('drawn.jsonl', lines('tess', 100).join('\n'));
      const command = [process.execPath, ...importing(file)].join(' ');
      const terminal = spawn('script', ['-qefc', `${command} > drawn.json`, '/dev/null'], {
        ...place(),
        env: environment(place().env),
      });
      const { code, stdout: screen } = await finished(terminal);
      expect(code).toBe(0);
      expect(screen).toMatch(/Importing \[\S+\] 100 % \| 100 memories \|/);
      expect(JSON.parse(readFileSync(join(folder.path, 'drawn.json'), 'utf8'))).toMatchObject({
        stored: 100,
      });
    },
  );

  it('is silent elsewhere', async () => {
    const file = folder.write('silent.jsonl', lines('sid', 100).join('\n'));
    const { code, stderr } = await cli(importing(file).slice(1), place());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('Ctrl-C', () => {
  it('stops an import with 130; what was stored stays, and the next run does the rest', async () => {
    const count = 4000;
    const file = folder.write('long.jsonl', lines('ivy', count).join('\n'));
    const running = startCli(['import', '--chunk-size', '20', file], place());
    const ended = finished(running);
    while ((await rowsOf('ivy')).length === 0) await sleep(50);
    running.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: '',
      stderr: 'Stopped. What was done stays done.\n',
    });
    const stored = (await rowsOf('ivy')).length;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(count);
    const { answer } = await cliJson(['import', '--chunk-size', '1000', file], place());
    expect(answer).toMatchObject({ existing: stored, stored: count - stored, failed: [] });
    expect(new Set(await rowsOf('ivy')).size).toBe(count);
  }, 480_000);

  it('leaves no half export behind', async () => {
    const running = startCli(['export', '--user', 'ivy', 'half.jsonl'], place());
    const ended = finished(running);
    while (!existsSync(join(folder.path, 'half.jsonl.partial'))) await sleep(1);
    running.kill('SIGINT');
    const { code } = await ended;
    expect(code).toBe(130);
    expect(existsSync(join(folder.path, 'half.jsonl'))).toBe(false);
    expect(existsSync(join(folder.path, 'half.jsonl.partial'))).toBe(false);
  });

  it('ends quietly when nobody reads on', async () => {
    const pipeline = `"${process.execPath}" "${BINARY}" export --user ivy | head -n 1`;
    const { code, stdout, stderr } = await finished(
      spawn('/bin/sh', ['-c', pipeline], { ...place(), env: environment(place().env) }),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: 'izzie-memory' });
    expect(stderr).not.toMatch(/EPIPE|\n {4}at /);
  });
});
