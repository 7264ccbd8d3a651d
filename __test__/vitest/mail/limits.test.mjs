// A mail that is larger than a memory may be.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const { readMbox } = require('../../../lib/port/mbox.cjs');
const { inPieces } = require('../../../lib/port/long-text.cjs');
const { withKeys } = require('../../../lib/port/keys.cjs');

const LIMITS = { contentBytes: 1000, metadataBytes: 4000 };
const MARK = 'From ann@x.example Mon Mar  2 10:13:23 2026\n';

async function read(headers, body, limits = LIMITS) {
  const all = [];
  const items = readMbox([`${MARK}Subject: s\n${headers}\n\n${body}\n`], { userId: 'me', limits });
  for await (const item of withKeys(items, () => true)) all.push(item);
  return all;
}

describe('a long text', () => {
  it.each([
    ['paragraphs', `${'Ä word. '.repeat(20)}\n\n`],
    ['lines', `${'Ä word '.repeat(8)}\n`],
    ['sentences', 'A long sentence of words. '],
    ['words', 'Wörter '],
    ['one word', 'ä'],
    ['emoji', '😀'],
  ])('of %s is cut without a loss', (_, piece) => {
    const text = piece.repeat(1000).trim();
    const pieces = inPieces(text, 1000);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.every((one) => Buffer.byteLength(one) <= 1000 && one.isWellFormed())).toBe(true);
    expect(pieces.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });

  it('is cut between paragraphs where there are any, and not at all within its limit', () => {
    const paragraph = 'words '.repeat(60).trim();
    expect(inPieces([paragraph, paragraph, paragraph].join('\n\n'), 800)).toEqual([
      [paragraph, paragraph].join('\n\n'),
      paragraph,
    ]);
    expect(inPieces(paragraph, Buffer.byteLength(paragraph))).toEqual([paragraph]);
  });

  it('has no piece without anything to read, and an end at the smallest limit', () => {
    expect(inPieces(`a${' '.repeat(5000)}b`, 1000)).toEqual(['a', 'b']);
    expect(inPieces('😀😀', 1).join('')).toBe('😀😀');
  });

  it('is several memories of one thread, date and place, each with a key of its own', async () => {
    const items = await read('Message-ID: <a@x>\nFrom: ann@x.example', 'some words '.repeat(300));
    expect(items).toHaveLength(4);
    const [first, ...more] = items;
    expect(first.parts).toBe(4);
    for (const [at, { line, isMore, entry }] of more.entries()) {
      expect({ line, isMore, thread: entry.conversationId }).toEqual({
        line: 1,
        isMore: true,
        thread: '<a@x>',
      });
      expect(entry.metadata).toEqual({ ...first.entry.metadata, part: at + 2 });
      expect(entry.createdAt).toEqual(first.entry.createdAt);
    }
    const keys = items.map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(4);
    expect(
      (await read('Message-ID: <a@x>', 'some words '.repeat(300))).map((it) => it.idempotencyKey),
    ).toEqual(keys);
  });

  it('of equal pieces is not one memory', async () => {
    const keys = (await read('Message-ID: <a@x>', 'x'.repeat(4000))).map((it) => it.idempotencyKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('metadata', () => {
  const people = (count) => Array.from({ length: count }, (_, n) => `"Ann ${n}" <ann${n}@x.example>`);
  const sizeOf = ({ metadata }) => Buffer.byteLength(JSON.stringify(metadata));

  it('of a mail to many has the first of them and their number', async () => {
    const [{ entry, shortened }] = await read(`To: ${people(3000).join(', ')}`, 'text');
    expect(shortened).toEqual(['to']);
    expect(entry.metadata.toCount).toBe(3000);
    const kept = entry.metadata.to.split(', ');
    expect(kept.length).toBeGreaterThan(20);
    expect(kept).toEqual(people(kept.length));
    const [{ entry: other }] = await read(`To: ${people(3000).join(', ')}`, 'text', undefined);
    expect(other.metadata.to.length).toBeGreaterThan(0);
  });

  it('counts the members of a group', async () => {
    const [{ entry }] = await read(`Cc: Crew: ${people(700).join(', ')};, b@x.example`, 'text');
    expect(entry.metadata).toMatchObject({ ccCount: 701, cc: expect.stringMatching(/^"Ann 0" <ann0@/) });
  });

  it('is whole where it fits', async () => {
    const [{ entry, shortened }] = await read(`To: ${people(20).join(', ')}`, 'text');
    expect({ shortened, count: entry.metadata.toCount, to: entry.metadata.to }).toEqual({
      shortened: undefined,
      count: undefined,
      to: people(20).join(', '),
    });
  });

  it.each([
    ['from', `From: "${'n'.repeat(9000)}" <a@x.example>`],
    ['from', `From: ${people(900).join(', ')}`],
    ['to', `To: ${'ä"\\'.repeat(9000)}`],
    ['cc', `Cc: ${people(900).join('; ')}`],
    ['subject', `Subject: ${'😀'.repeat(9000)}`],
    ['messageId', `Message-ID: <${'i'.repeat(9000)}@x>`],
  ])('is within its limit, and %s is told to be cut', async (field, header) => {
    const [{ entry, shortened }] = await read(header, 'text');
    expect(shortened).toEqual([field]);
    expect(entry.metadata[field].isWellFormed()).toBe(true);
    expect(sizeOf(entry)).toBeLessThanOrEqual(LIMITS.metadataBytes);
  });

  it('of many attachments has the first and their number', async () => {
    const part = (n) => `--cut\nContent-Type: image/png; name="${n}${'p'.repeat(100)}.png"\n\nx\n`;
    const body = `${Array.from({ length: 60 }, (_, n) => part(n)).join('')}--cut--`;
    const headers = 'Content-Type: multipart/mixed; boundary=cut';
    const [{ entry, shortened }] = await read(headers, body, { ...LIMITS, metadataBytes: 100_000 });
    expect({ shortened, count: entry.metadata.attachmentCount }).toEqual({
      shortened: ['attachments'],
      count: 60,
    });
    expect(entry.metadata.attachments).toHaveLength(50);
    const [{ entry: short }] = await read(headers, body);
    expect(short.metadata.attachments.length).toBeLessThan(10);
    expect(sizeOf(short)).toBeLessThanOrEqual(LIMITS.metadataBytes);
  });

  it('of everything at once is within its limit', async () => {
    const long = people(900).join(', ');
    const headers = `From: ${long}\nTo: ${long}\nCc: ${long}\nMessage-ID: <${'i'.repeat(9000)}@x>\nSubject: ${'s'.repeat(9000)}`;
    for (const { entry } of await read(headers, 'text'))
      expect(sizeOf(entry)).toBeLessThanOrEqual(LIMITS.metadataBytes);
  });
});
