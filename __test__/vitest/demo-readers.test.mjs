import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInput } from '../../demo/read-input.mjs';
import { reasonLeftOut } from '../../demo/store-all.mjs';
import { withKeys } from '../../lib/port/keys.cjs';

const SMALL_MBOX = fileURLToPath(new URL('../fixtures/demo/small.mbox', import.meta.url));

let folder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'izzie-readers-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function fileOf(content) {
  const path = join(folder, `${++files}.txt`);
  await writeFile(path, content);
  return path;
}

async function readAll(path) {
  const { items } = await readInput(path, { userId: 'me' });
  return collect(items);
}

async function collect(items) {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

const line = (content, rest = {}) => JSON.stringify({ userId: 'ada', content, ...rest });

describe('JSON Lines', () => {
  it('reads every field, with and without a last line end, CRLF and a byte order mark', async () => {
    const first = line('one', {
      conversationId: 'c',
      createdAt: '2026-03-02T10:00:00Z',
      metadata: { a: [1] },
      extra: 1,
    });
    const path = await fileOf(`\uFEFF${first}\r\n\n${line('två')}`);
    const items = await readAll(path);
    expect(items).toEqual([
      {
        line: 1,
        end: Buffer.byteLength(first) + 5,
        entry: {
          userId: 'ada',
          content: 'one',
          conversationId: 'c',
          createdAt: new Date('2026-03-02T10:00:00Z'),
          metadata: { a: [1] },
        },
      },
      {
        line: 3,
        end: Buffer.byteLength(`\uFEFF${first}\r\n\n${line('två')}`),
        entry: { userId: 'ada', content: 'två' },
      },
    ]);
  });

  it.each([
    ['{"userId": "ada", ', 'not JSON'],
    ['[1, 2]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    [JSON.stringify({ content: 'x' }), 'userId is missing or no text'],
    [line(''), 'content is missing or no text'],
    [line(7), 'content is missing or no text'],
    [line('x', { conversationId: 7 }), 'conversationId is no text'],
    [line('x', { createdAt: 'yesterday' }), 'createdAt is no ISO 8601 date'],
    [line('x', { createdAt: '2026-13-45' }), 'createdAt is no ISO 8601 date'],
    [line('x', { metadata: 'x' }), 'metadata is no JSON object'],
    [Buffer.from([0x22, 0xff, 0x22]), 'not UTF-8'],
  ])('names the line and the trouble of %s, and reads on', async (bad, message) => {
    const path = await fileOf(
      Buffer.concat([Buffer.from(`${line('one')}\n`), Buffer.from(bad), Buffer.from(`\n${line('three')}`)]),
    );
    const [one, two, three] = await readAll(path);
    expect(one.entry.content).toBe('one');
    expect(two).toMatchObject({ line: 2, error: expect.stringMatching(message) });
    expect(three.entry.content).toBe('three');
  });

  it('joins a line that spans many chunks, and refuses one that never ends', async () => {
    const long = 'x'.repeat(300_000);
    const path = await fileOf(`${line(long)}\n${' '.repeat(17 * 1024 * 1024)}\n${line('after')}\n`);
    const [first, second, third] = await readAll(path);
    expect(first.entry.content).toBe(long);
    expect(second).toMatchObject({ line: 2, error: 'longer than 16 MiB' });
    expect(third).toMatchObject({ line: 3, entry: { content: 'after' } });
  });

  it('reads nothing from an empty file', async () => {
    expect(await readAll(await fileOf(''))).toEqual([]);
  });

  it('rejects on a file that is not there', async () => {
    await expect(readAll(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('mbox', () => {
  it('splits at postmarks only, and decodes words, parts and quoting', async () => {
    const items = await readAll(SMALL_MBOX);
    expect(items.map((item) => item.line)).toEqual([1, 27, 51, 56]);
    const [first, second, empty, html] = items;
    expect(first.entry).toEqual({
      userId: 'me',
      content: [
        'Kranführer gesucht for the Øresund crane',
        'The crane in Malmö needs a driver. This line is long enough to be broken in two.',
        'From Monday on, the quay is closed.\n>From was written with one mark less.',
      ].join('\n\n'),
      conversationId: '<first@harbour.example>',
      createdAt: new Date('2026-03-02T10:13:20Z'),
      metadata: {
        source: 'email',
        from: '"Jørn Aasen" <jorn@harbour.example>',
        to: '"Renée Vallée" <renee@atelier.example>',
        subject: 'Kranführer gesucht for the Øresund crane',
        messageId: '<first@harbour.example>',
      },
    });
    expect(second.entry).toMatchObject({
      content: 'Re: crane\n\nJe connais un grutier à Besançon.',
      conversationId: '<first@harbour.example>',
      metadata: {
        to: 'jorn@harbour.example, "Office, Harbour" <office@harbour.example>',
        cc: 'crane@harbour.example',
      },
    });
    expect(empty.error).toBe('mail with neither subject nor text');
    expect(html.entry.content).toBe(
      'Port closed\n\nDer Hafen in Emden ist gesperrt.\n\nFrom now on this is only a sentence after a blank line, at 12:30 in 2026.',
    );
  });

  it('takes the date of the postmark when the mail has none', async () => {
    const [, second] = await readAll(SMALL_MBOX);
    expect(second.entry.createdAt).toEqual(new Date('2026-03-03T07:00:00Z'));
  });

  it('does not split at a postmark in the middle of a paragraph', async () => {
    const postmark = 'From a@b.example Mon Mar  2 10:13:23 2026';
    const items = await readAll(await fileOf(`${postmark}\nSubject: s\n\nquoted:\n${postmark}\n`));
    expect(items.map(({ entry }) => entry.content)).toEqual([`s\n\nquoted:\n${postmark}`]);
  });

  it('reads a file with CRLF like one with LF', async () => {
    const text =
      'From a@b.example Mon Mar  2 10:13:23 2026\nSubject: s\n\none\n\nFrom c@d.example Mon Mar  2 10:14:00 2026\n\ntwo\n';
    const contents = async (file) => (await readAll(await fileOf(file))).map(({ entry }) => entry.content);
    expect(await contents(text)).toEqual(['s\n\none', 'two']);
    expect(await contents(text.replaceAll('\n', '\r\n'))).toEqual(['s\n\none', 'two']);
  });

  it('reports text before the first mail, and refuses a mail too large to hold', async () => {
    const path = join(folder, 'stray.mbox');
    const body = `${'x'.repeat(999)}\n`.repeat(66 * 1024);
    const mail = (text) => `From a@b.example Mon Mar  2 10:13:23 2026\nSubject: s\n\n${text}\n\n`;
    await writeFile(path, `\nstray\n\n${mail(body)}${mail('small')}`);
    const [stray, large, small] = await readAll(path);
    expect(stray).toMatchObject({ line: 1, error: 'text before the first "From " line' });
    expect(large).toMatchObject({ line: 4, error: 'mail larger than 64 MiB' });
    expect(small.entry.content).toBe('s\n\nsmall');
  });
});

describe('idempotency keys', () => {
  async function keysOf(...entries) {
    const items = (async function* () {
      for (const entry of entries) yield { line: 1, end: 1, entry };
    })();
    const keyed = withKeys(items, (item) => !reasonLeftOut(item));
    return (await collect(keyed)).map(({ idempotencyKey }) => idempotencyKey);
  }

  it('are of what is stored only: a deleted entry has none, and changes none', async () => {
    const entry = { userId: 'ada', content: 'x', createdAt: new Date(0) };
    const [deleted, ...keys] = await keysOf({ ...entry, deleted: true }, entry, entry);
    expect(deleted).toBeUndefined();
    expect(keys).toEqual(await keysOf(entry, entry));
  });

  it('are the same in every run, also for equal entries of one file', async () => {
    const entry = { userId: 'ada', content: 'x', createdAt: new Date(0) };
    const keys = await keysOf(entry, entry, entry);
    expect(new Set(keys).size).toBe(3);
    expect(await keysOf(entry, entry, entry)).toEqual(keys);
  });

  it('differ by user, conversation, date and content', async () => {
    const entry = { userId: 'ada', content: 'x', createdAt: new Date(0), conversationId: 'c' };
    const changes = [
      { userId: 'bob' },
      { content: 'y' },
      { createdAt: new Date(1) },
      { conversationId: 'd' },
    ];
    const keys = await keysOf(entry, ...changes.map((change) => ({ ...entry, ...change })), {
      userId: 'ada',
      content: 'x',
    });
    expect(new Set(keys).size).toBe(6);
  });
});
