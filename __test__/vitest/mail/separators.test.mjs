// Where a mail begins, whatever program wrote the mailbox, and where none does.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { BODIES, everyMail, GAPS, LINE_ENDS, MARKS, mail, SEPARATORS } from '../../support/mailboxes.mjs';

const { readMessages } = createRequire(import.meta.url)('../../../lib/port/mbox-messages.cjs');

async function messages(text, size = 64 * 1024) {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  const all = [];
  for await (const message of readMessages(pieces)) all.push(message);
  return all;
}

const numberIn = ({ bytes }) => Number(/Message-ID: <(\d+)@/.exec(bytes?.toString() ?? '')?.[1]);
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

describe('every separator', () => {
  for (const [mark, start] of Object.entries(MARKS))
    for (const [name, end] of Object.entries(LINE_ENDS))
      it.each(Object.entries(GAPS))(`${mark}, ${name}, %s between the mails`, async (_, gap) => {
        const separators = Object.values(SEPARATORS);
        const mails = separators.flatMap((separator, at) =>
          BODIES.map((body, index) => mail(at * BODIES.length + index + 1, separator, { gap, end, body })),
        );
        for (const size of [7, 65_536]) {
          const found = await messages(start + mails.join(''), size);
          expect(found.map(numberIn)).toEqual(upTo(mails.length));
          expect(found.flatMap(({ unclear }) => unclear)).toEqual([]);
        }
      });

  it('all of them in one file', async () => {
    const found = await messages([...everyMail(2000)].join(''));
    expect(found.map(numberIn)).toEqual(upTo(2000));
  });

  it.each([
    ['utf-16le', '\ufeff'],
    ['utf-16be', '\ufeff'],
  ])('in %s', async (encoding, mark) => {
    const bytes = Buffer.from(mark + mail(1, 'From ') + mail(2, 'From '), 'utf16le');
    const found = await messages(encoding === 'utf-16le' ? bytes : bytes.swap16(), 5);
    expect(found.map(numberIn)).toEqual([1, 2]);
  });

  it('a file without any, as a single mail is saved', async () => {
    const [found, ...more] = await messages('\n\nReceived: from x\nSubject: s\n\nbody\nFrom now on\n');
    expect(more).toEqual([]);
    expect(found.bytes.toString()).toBe('Received: from x\r\nSubject: s\r\n\r\nbody\r\nFrom now on\r\n');
  });
});

describe('no separator', () => {
  it.each([
    ['prose', 'From what I remember it was blue.\n\nFrom then on it was red.'],
    ['prose with a date', 'From 2 March 2026\nwe are closed.\n\nFrom Monday, 10:30\n\nwe are not.'],
    [
      'prose before something like a header',
      'From my point of view\nNote: this is a remark\nhttp://x.example/',
    ],
    ['quoted ones', '>From ann@x.example Mon Mar  2 10:13:23 2026\n>From: a\n\n>>From \n'],
    ['a header', 'From: ann@x.example\nFrom : ann@x.example'],
    ['another word', 'Fromage is cheese\nSubject: x\n\nfrom ann@x.example\nSubject: x'],
  ])('%s', async (_, body) => {
    const found = await messages(mail(1, SEPARATORS.classic, { body }) + mail(2, SEPARATORS.classic));
    expect(found.map(numberIn)).toEqual([1, 2]);
    expect(found.flatMap(({ unclear }) => unclear)).toEqual([]);
  });

  it('what may be one is listed, and stays text', async () => {
    const body =
      'Look:\nFrom ann@x.example Mon Mar  2 10:13:23 2026\nno header follows.\n\nFrom Ann to all\nSubject: x';
    const found = await messages(mail(1, SEPARATORS.classic, { body }) + mail(2, SEPARATORS.classic));
    expect(found.map(numberIn)).toEqual([1, 2]);
    expect(found.map(({ unclear }) => unclear)).toEqual([[8, 11], []]);
    expect(found[0].bytes.toString()).toContain('no header follows.');
  });
});

describe('Content-Length', () => {
  const inner =
    'From - Mon Mar  2 10:13:23 2026\nFrom: a@x.example\nDate: Mon, 2 Mar 2026 10:13:20 +0000\n\nquoted whole';
  const withLength = (number, body, length = Buffer.byteLength(body)) =>
    `From ann@x.example Mon Mar  2 10:13:23 2026\nMessage-ID: <${number}@x>\nContent-Length: ${length}\n\n${body}\n\n`;

  it('covers what looks like a mail in the body', async () => {
    const text = withLength(1, `see:\n\n${inner}`) + withLength(2, inner) + withLength(3, 'end');
    const found = await messages(text, 11);
    expect(found.map(numberIn)).toEqual([1, 2, 3]);
    expect(found[0].bytes.toString()).toContain('quoted whole');
  });

  it.each([5, 70, 100_000])('that is wrong (%i) costs no mail', async (length) => {
    const text =
      withLength(1, 'first', length) + withLength(2, 'second', length) + withLength(3, 'third', length);
    expect((await messages(text)).map(numberIn)).toEqual([1, 2, 3]);
  });

  it('that is always wrong costs linear time', async () => {
    const text = Array.from({ length: 20_000 }, (_, n) => withLength(n + 1, 'text', 10_000_000)).join('');
    expect(await messages(text)).toHaveLength(20_000);
  });
});

describe('a mail', () => {
  it('ends its headers at a line of white space, or at one that is no header', async () => {
    const [spaced, broken] = await messages(
      'From a@x.example\nSubject: s\n \nbody: of one\nFrom \nSubject: t\nthis is text\nand: more\n',
    );
    expect(spaced.bytes.toString()).toBe('Subject: s\r\nbody: of one\r\n');
    expect(broken.bytes.toString()).toBe('Subject: t\r\n\r\nthis is text\r\nand: more\r\n');
  });

  it('loses one mark of each quoted line, and further postmarks among its headers', async () => {
    const [found] = await messages(
      'From \n>From b@x.example remote from y\nSubject: s\n\n>From one\n>>From two\n> From three\n',
    );
    expect(found.bytes.toString()).toBe('Subject: s\r\n\r\nFrom one\r\n>From two\r\n> From three\r\n');
  });

  it('of too long a line is refused, and the next one is read', async () => {
    const found = await messages(`From \nSubject: s\n\n${'x'.repeat(17 * 1024 * 1024)}\n${mail(2, 'From ')}`);
    expect(found.map((message) => message.error ?? numberIn(message))).toEqual([
      'mail with a line longer than 16 MiB',
      2,
    ]);
  });

  it('of millions of lines takes no more room than its bytes', async () => {
    const before = process.memoryUsage().rss;
    const [found] = await messages(`From \nSubject: s\n\n${'\n'.repeat(5_000_000)}`);
    expect(found.bytes.length).toBe(10_000_014);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });
});
