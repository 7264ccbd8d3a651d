// Importing mail: nothing is lost in silence, and nothing comes twice, in whatever time zone the machine is.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyMail, GAPS, LINE_ENDS, MARKS, mail, SEPARATORS } from '../support/mailboxes.mjs';
import { useDatabase } from './support.mjs';

const PROGRAM = fileURLToPath(new URL('./children/import.mjs', import.meta.url));
const COUNT = 2000;
const ZONES = ['UTC', 'America/New_York', 'Pacific/Auckland'];

const database = useDatabase();
let folder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'izzie-mail-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Some mails hold nothing, are marked deleted, or are spam. */
function variety(number) {
  if (number % 50 === 0) return { isEmpty: true };
  if (number % 45 === 0) return { extra: 'X-Mozilla-Status: 0008\n' };
  return number % 47 === 0 ? { extra: 'X-Spam-Flag: YES\n' } : {};
}

async function importIn(TZ, file, once = '') {
  const config = { databaseUrl: database.url, graphStore: 'none', embedder: 'none' };
  const args = [PROGRAM, JSON.stringify(config), file, once];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, TZ },
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout);
}

const rows = () =>
  database.query(
    `select e.id, e.content, e.created_at::text from memory_entries e where e.user_id = 'me' order by e.id`,
  );

describe('2,000 mails of every separator, line end and mark', () => {
  it('are of each combination, in a file of 2,000', () => {
    const combinations = [SEPARATORS, LINE_ENDS, GAPS, MARKS].map((kind) => Object.keys(kind).length);
    expect(combinations.reduce((product, count) => product * count)).toBeLessThanOrEqual(COUNT);
  });

  it('are stored or listed, each, and no zone and no second time brings anything new', async () => {
    const file = join(folder, 'every.mbox');
    await writeFile(file, [...everyMail(COUNT, variety)].join(''));
    const first = await importIn(ZONES[0], file);
    const { read, stored, existing, skipped, failed, leftOut, unclear } = first;
    expect({ read, existing, unclear }).toEqual({ read: COUNT, existing: 0, unclear: [] });
    expect(stored + failed.length + leftOut.length).toBe(COUNT);
    expect(leftOut).toHaveLength(skipped);
    expect(failed).toHaveLength(COUNT / 50);
    expect(leftOut.filter(({ reason }) => reason === 'deleted').length).toBeGreaterThan(30);
    expect(leftOut.filter(({ reason }) => reason === 'spam').length).toBeGreaterThan(30);
    const before = await rows();
    expect(before).toHaveLength(stored);
    const numbers = before.map(({ content }) => Number(/^number (\d+)/.exec(content)[1]));
    expect(new Set(numbers).size).toBe(stored);
    const again = { ...first, stored: 0, existing: stored };
    for (const zone of ZONES.slice(1)) expect(await importIn(zone, file)).toEqual(again);
    // Read once, as a stream is: the threads may not be known whole, the mails are the same.
    for (const zone of ZONES) expect(await importIn(zone, file, 'once')).toEqual(again);
    expect(await rows()).toEqual(before);
  }, 600_000);
});

describe('a mail that is in a mailbox twice', () => {
  const once = mail(1, SEPARATORS.classic);
  const gone = once.replace('Subject:', 'X-Mozilla-Status: 0009\nSubject:');
  const withoutId = (text) => text.replace(/Message-ID: .*\n/, '');
  const importAs = (userId, ...source) =>
    database.layer({ graphStore: 'none' }).memory.importMemories(source, { format: 'mbox', userId });

  it('is one memory, by its id, whatever program wrote the postmark', async () => {
    const other = once.replace('10:13:23', '11:14:24');
    expect(await importAs('ina', once, other)).toMatchObject({ read: 2, stored: 1, existing: 1 });
    expect(await importAs('ina', other)).toMatchObject({ stored: 0, existing: 1 });
    const undated = (text) => text.replace(/Date: .*\n/, '');
    expect(await importAs('ina', undated(once), undated(other))).toMatchObject({ stored: 1, existing: 1 });
  });

  it.each([
    ['with', once, gone],
    ['without', withoutId(once), withoutId(gone)],
  ])(
    'comes once more neither way when the deleted one is gone for good (%s an id)',
    async (name, live, deleted) => {
      const userId = `kim ${name}`;
      expect(await importAs(userId, deleted, live)).toMatchObject({ read: 2, stored: 1, skipped: 1 });
      expect(await importAs(userId, live)).toMatchObject({ read: 1, stored: 0, existing: 1 });
    },
  );

  it('is two without an id', async () => {
    const [a, b] = [once, once].map(withoutId);
    expect(await importAs('liv', a, b)).toMatchObject({ stored: 2 });
    expect(await importAs('liv', a, b)).toMatchObject({ stored: 0, existing: 2 });
  });
});

describe('JSON Lines', () => {
  const lines = ['{"content":"größer"}', '{"content":"b","createdAt":"2026-03-02 10:00"}', 'no JSON'];
  it.each([
    ['LF', lines.join('\n')],
    ['CR', lines.join('\r')],
    ['CR CR LF and a mark', `\ufeff${lines.join('\r\r\n')}`],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${lines.join('\r\n')}`, 'utf16le')],
  ])('of %s are the same memories', async (_, text) => {
    const { memory } = database.layer({ graphStore: 'none' });
    const result = await memory.importMemories([text], { userId: 'jan' });
    expect(result).toMatchObject({ read: 3, failed: [{ line: 3 }] });
    expect(result.stored + result.existing).toBe(2);
    expect(await memory.getAll('jan')).toHaveLength(2);
  });
});

describe('options', () => {
  const marked = (number, header) =>
    mail(number, SEPARATORS.classic).replace('Subject:', `${header}\nSubject:`);
  const source = [
    mail(1, SEPARATORS.classic),
    marked(2, 'X-Mozilla-Status: 0009'),
    marked(3, 'X-Gmail-Labels: Trash'),
    marked(4, 'X-Spam-Flag: YES'),
  ];
  const importAs = (userId, options) =>
    database
      .layer({ graphStore: 'none' })
      .memory.importMemories(source, { format: 'mbox', userId, ...options });

  it('leave out what is deleted or spam, and tell it', async () => {
    expect(await importAs('lea')).toMatchObject({
      read: 4,
      stored: 1,
      skipped: 3,
      leftOut: [
        { line: 9, reason: 'deleted' },
        { line: 20, reason: 'trash' },
        { line: 33, reason: 'spam' },
      ],
      undecoded: 0,
    });
  });

  it('include it, as memories like others', async () => {
    expect(await importAs('mia', { includeDeleted: true })).toMatchObject({ stored: 3, skipped: 1 });
    expect(await importAs('mia', { includeSpam: true })).toMatchObject({
      stored: 1,
      existing: 1,
      skipped: 2,
    });
    expect(await database.layer().memory.getAll('mia')).toHaveLength(4);
  });

  it('that are wrong are named', async () => {
    const refused = importAs('lea', { includeSpam: 'yes' });
    await expect(refused).rejects.toMatchObject({ details: { field: 'options.includeSpam' } });
  });
});

describe('a mail that is larger than a memory may be', () => {
  const many = Array.from({ length: 3000 }, (_, n) => `"Ann Lee ${n}" <ann.lee.${n}@harbour.example>`).join(
    ', ',
  );
  const long = 'Wörter und mehr. '.repeat(20_000).trim();
  const source = [
    `From \nMessage-ID: <long@x>\nDate: Mon, 2 Mar 2026 10:13:20 +0000\nSubject: s\n\n${long}\n\n`,
    `From \nDate: Mon, 2 Mar 2026 10:13:20 +0000\nTo: ${many}\nSubject: to many\n\ntext\n\n`,
  ];
  const importAs = (userId, options) => {
    const { memory } = database.layer({ graphStore: 'none' });
    return memory.importMemories(source, { format: 'mbox', userId, ...options });
  };

  it('is stored all the same, and told; a second time nothing is new', async () => {
    const told = {
      read: 2,
      failed: [],
      split: [{ line: 1, memories: 4 }],
      shortened: [{ line: 8, fields: ['to'] }],
    };
    expect(await importAs('ona')).toMatchObject({ ...told, stored: 5, existing: 0, datesGuessed: 0 });
    expect(await importAs('ona')).toMatchObject({ ...told, stored: 0, existing: 5 });
    const all = await database.layer({ graphStore: 'none' }).memory.getAll('ona');
    const parts = all
      .filter(({ metadata }) => metadata.part)
      .sort((a, b) => a.metadata.part - b.metadata.part);
    expect(
      parts
        .map(({ content }) => content)
        .join(' ')
        .replace(/\s+/g, ' '),
    ).toBe(`s ${long}`);
    expect(new Set(parts.map(({ conversationId }) => conversationId))).toEqual(new Set(['<long@x>']));
    const [other] = all.filter(({ metadata }) => !metadata.part);
    expect(other.metadata).toMatchObject({ toCount: 3000, to: expect.stringMatching(/^"Ann Lee 0" </) });
  });

  it('is one mail that is left out, where it is', async () => {
    const [mail] = source.map((text) => text.replace('Subject:', 'X-Spam-Flag: YES\nSubject:'));
    const { memory } = database.layer({ graphStore: 'none' });
    expect(await memory.importMemories([mail], { format: 'mbox', userId: 'ole' })).toMatchObject({
      read: 1,
      stored: 0,
      skipped: 1,
      leftOut: [{ line: 1, reason: 'spam' }],
      split: [],
    });
  });

  it('is so by the limits of the layer', async () => {
    const { memory } = database.layer({
      graphStore: 'none',
      limits: { contentBytes: 200, metadataBytes: 2000 },
    });
    const text = `From \nTo: ${many}\nSubject: s\n\n${'some words '.repeat(60)}\n`;
    const result = await memory.importMemories([text], { format: 'mbox', userId: 'pat' });
    expect(result).toMatchObject({ failed: [], stored: 4, split: [{ line: 1, memories: 4 }] });
  });
});

describe('the date of a mail', () => {
  it.each([
    ['Mo, 2. März 2026 10:13:20 +0100'],
    ['lun., 2 mars 2026 10:13:20'],
    ['2026年3月2日'],
    ['Sun, 30 Feb 2026 10:00:00 +0000'],
    ['soon'],
    [undefined],
  ])('that cannot be read (%s) is counted as guessed', async (date) => {
    const { memory } = database.layer({ graphStore: 'none' });
    const header = date ? `Date: ${date}\n` : '';
    const text = `From a@x.example Tue Mar  3 09:00:00 2026\n${header}Subject: ${date}\n\ntext\n\n`;
    const good = mail(1, SEPARATORS.classic);
    const userId = `date ${date}`;
    const result = await memory.importMemories([text, good], { format: 'mbox', userId });
    expect(result).toMatchObject({ stored: 2, datesGuessed: 1 });
    const [guessed] = (await memory.getAll(userId)).filter(({ content }) => content.startsWith(`${date}`));
    expect(guessed.createdAt.toISOString()).toBe('2026-03-03T09:00:00.000Z');
  });
});

describe('an mbox', () => {
  it('has no seal that could be missing', async () => {
    const { memory } = database.layer({ graphStore: 'none' });
    const result = await memory.importMemories([mail(1, SEPARATORS.classic)], {
      format: 'mbox',
      userId: 'ray',
    });
    expect(result).toMatchObject({ stored: 1, failed: [] });
    for (const name of ['verified', 'problem', 'digest']) expect(result).not.toHaveProperty(name);
  });
});

describe('what is stored of a mail', () => {
  it.each([
    ['Zoe Hart <zh@y.example>', 'Zoe Hart'],
    ['Hart, Zoe <zh@y.example>', 'Zoe Hart'],
    ['"Dr. med. Franz Müller" <franz@x.example>', 'Franz Müller'],
    ['Kwaku Obeng-Mensah <kom@x.example>', 'Kwaku Obeng-Mensah'],
    ['Vincent van Gogh <v@x.example>', 'Vincent van Gogh'],
    ['Анна Иванова <ai@x.example>', 'Анна Иванова'],
    ['王小明 <wxm@x.example>', '王小明'],
    ['ZOE HART <zh@y.example>', 'ZOE HART'],
    ['GitHub <gh@x.example>', 'gh@x.example'],
  ])('shows %s as %s', async (from, shown) => {
    const { memory } = database.layer({ graphStore: 'none' });
    const userId = `from ${from}`;
    await memory.importMemories([`From \nFrom: ${from}\nSubject: s\n\ntext\n`], { format: 'mbox', userId });
    const [{ entities, metadata }] = await memory.getAll(userId);
    expect(entities.map(({ value }) => value)).toEqual([shown]);
    expect(metadata.from).toContain(/<(.*)>/.exec(from)[1]);
  });

  it('has nothing invented in it: people by their names, departments not at all', async () => {
    const { memory } = database.layer({ graphStore: 'none' });
    const headers = [
      'From: "Bob Smith, Jr." <bob@x.example>',
      'To: "Sarah Chen, PhD" <schen@x.example>, "van der Berg, Jan" <jan@x.example>',
      'Cc: Orders <orders@shop.example>, SRS0=aB=c=orig.example=olga.ivanova@fwd.example',
      'Subject: minutes',
    ].join('\n');
    await memory.importMemories([`From \n${headers}\n\nnothing else\n`], { format: 'mbox', userId: 'nia' });
    const [{ entities }] = await memory.getAll('nia');
    expect(
      entities
        .filter(({ type }) => type === 'person')
        .map(({ value }) => value)
        .sort(),
    ).toEqual(['Bob Smith', 'Jan van der Berg', 'Olga Ivanova', 'Sarah Chen']);
  });

  it('is readable where its plain part is not', async () => {
    const { memory } = database.layer({ graphStore: 'none' });
    const parts = [
      'Content-Type: text/plain; charset=utf-8\n\n\u200b\u00a0\u034f\n\u200c\n',
      'Content-Type: text/html; charset=utf-8\n\n<head><title>x</title><p>Dear <b>Ann</b>,<p>&#xD800; we meet <at noon>\n',
    ];
    const text = `From \nSubject: s\nContent-Type: multipart/alternative; boundary=cut\n\n--cut\n${parts.join('--cut\n')}--cut--\n`;
    await memory.importMemories([text], { format: 'mbox', userId: 'ole' });
    const [{ content }] = await memory.getAll('ole');
    expect(content).toBe('s\n\nDear Ann,\n\n\ufffd we meet <at noon>');
  });
});

describe('ISO 8601', () => {
  it('is understood without a time and without a zone, in files and in calls', async () => {
    const { memory } = database.layer({ graphStore: 'none' });
    const line = (createdAt) => `${JSON.stringify({ content: `at ${createdAt}`, createdAt })}\n`;
    const dates = [
      '2026-03-02',
      '2026-03-02T10:00',
      '2026-03-02 10:00:00',
      '2026-02-30',
      '2026-03-02 in 5 days',
    ];
    const result = await memory.importMemories(dates.map(line), { userId: 'pia' });
    expect(result.failed.map(({ line }) => line)).toEqual([4, 5]);
    await memory.store({ userId: 'pia', content: 'called' }, { createdAt: '2026-03-03' });
    const { items: found } = await memory.list('pia', { since: '2026-03-02', until: '2026-03-03T00:00' });
    expect(found.map(({ createdAt }) => createdAt.toISOString()).sort()).toEqual([
      '2026-03-02T00:00:00.000Z',
      '2026-03-02T10:00:00.000Z',
      '2026-03-02T10:00:00.000Z',
    ]);
    const [newest] = await memory.retrieve('pia', 'called', { since: '2026-03-03', mode: 'text' });
    expect(newest.createdAt).toEqual(new Date('2026-03-03T00:00:00Z'));
  });
});
