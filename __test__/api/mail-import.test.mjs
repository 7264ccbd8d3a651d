// Importing mail: nothing is lost in silence, and nothing comes twice, in whatever time zone the machine is.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyMail, mail, SEPARATORS } from '../support/mailboxes.mjs';
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
    for (const zone of ZONES) {
      const once = zone === 'UTC' ? 'once' : '';
      expect(await importIn(zone, file, once)).toMatchObject({
        read: COUNT,
        stored: 0,
        existing: stored,
        failed,
      });
    }
    expect(await rows()).toEqual(before);
  }, 180_000);
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

describe('what is stored of a mail', () => {
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
