// What is in a mail: its parts, however they are written, and marks of mail programs.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const { readMbox } = require('../../../lib/port/mbox.cjs');
const { unflowed } = require('../../../lib/port/flowed-text.cjs');

const MARK = 'From ann@x.example Mon Mar  2 10:13:23 2026\n';
const base64 = (text) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n');

async function mails(text) {
  const all = [];
  for await (const item of readMbox([Buffer.from(text)], { userId: 'me' })) all.push(item);
  return all;
}

const mail = (headers, body) => `${MARK}From: ann@x.example\n${headers}\n\n${body}\n\n`;

async function textOf(headers, body) {
  const [{ entry, error }, ...more] = await mails(mail(headers, body));
  expect(more).toEqual([]);
  return entry?.content ?? error;
}

const part = (type, body) => `--cut\nContent-Type: ${type}\n\n${body}\n`;
const multipart = (kind, ...parts) => [
  `Content-Type: multipart/${kind}; boundary=cut`,
  `${parts.join('')}--cut--`,
];

describe('base64', () => {
  const headers = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64';

  it('may hold what looks like a mailbox', async () => {
    const text = `See:\n\n${MARK}From: b@x.example\nDate: x\n\nquoted`;
    expect(await textOf(headers, base64(text))).toBe(text);
  });

  it('is text where a program only says so', async () => {
    const text = 'This is text, plainly.\nAll\nof it';
    expect(await textOf(headers, text)).toBe(text);
  });

  it('ends at the footer of a mailing list', async () => {
    const footer = '_______________\nharbour mailing list\nhttps://lists.x.example/';
    expect(await textOf(headers, `${base64('Grüße')}\n${footer}`)).toBe(`Grüße\n${footer}`);
  });

  it('ends at a boundary', async () => {
    const [type, body] = multipart(
      'mixed',
      part(headers.slice(14), `${base64('one')}\n-- footer --`),
      part('text/plain', 'two'),
    );
    expect(await textOf(type, body)).toBe('one\n-- footer --\n\ntwo');
  });
});

describe('a type', () => {
  it.each([
    ['html', 'a<br>b', 'a\nb'],
    ['text', 'a', 'a'],
    ['text/plain charset=iso-8859-2', Buffer.from([0xb1]).toString('latin1'), 'ą'],
    ['; charset=x', 'a', 'a'],
  ])('%s is understood', async (type, body, text) => {
    const bytes = Buffer.from(mail(`Content-Type: ${type}`, body), 'latin1');
    const [{ entry }] = await mails(bytes);
    expect(entry.content).toBe(text);
  });
});

describe('flowed text', () => {
  it.each([
    ['joins lines', 'a \nb \nc\nd', 'a b c\nd'],
    ['keeps paragraphs', 'a \n\n b', 'a \n\nb'],
    ['joins what is quoted alike', '> a \n> b\n>> c \n> d', '> a b\n>> c \n> d'],
    ['keeps the line before a signature', 'a\n-- \nAnn \nLee', 'a\n-- \nAnn Lee'],
    ['takes its own space away', ' From a\n >b', 'From a\n>b'],
  ])('%s', (_, text, expected) => {
    expect(unflowed(text, false)).toBe(expected);
  });

  it('loses the spaces that a language without spaces does not have', () => {
    expect(unflowed('日本 \n語', true)).toBe('日本語');
  });
});

describe('a mail in a mail', () => {
  const inner =
    'From b@x.example Mon Mar  2 10:13:23 2026\nFrom: b@x.example\nSubject: inner\nMessage-ID: <i@x>\n\ninner text';

  it.each([
    ['quoted', `>${inner}`, 0],
    ['not quoted', inner, 1],
  ])('whose postmark is %s stays in it', async (_, body, unclear) => {
    const [type, parts] = multipart(
      'mixed',
      part('text/plain', 'see'),
      part('message/rfc822;\n name="a.eml"\nContent-Disposition: inline', body),
      part('text/plain', 'end'),
    );
    const [first, second] = await mails(mail(`Subject: s\n${type}`, parts) + mail('Subject: next', 'text'));
    expect(first.entry.content).toBe('s\n\nsee\n\nend');
    expect(first.entry.metadata.attachments).toMatchObject([{ name: 'a.eml', type: 'message/rfc822' }]);
    expect(first.unclear ?? []).toHaveLength(unclear);
    expect(second.entry.content).toBe('next\n\ntext');
  });

  const attached = 'From: b@x.example\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n of b\n\nwords of b';
  it.each([
    ['inline', 'message/rfc822\nContent-Disposition: inline'],
    ['of no disposition', 'message/rfc822'],
    ['attached', 'message/rfc822\nContent-Disposition: attachment'],
    ['in UTF-8', 'message/global'],
  ])(
    '(%s) is an attachment called by its subject, for its words are not those of who sends it on',
    async (_, type) => {
      const [multi, parts] = multipart('mixed', part('text/plain', 'see below'), part(type, attached));
      const [{ entry, thread }] = await mails(mail(`Subject: Fwd\n${multi}`, parts));
      expect(entry.content).toBe('Fwd\n\nsee below');
      const [note] = entry.metadata.attachments;
      expect(note).toMatchObject({
        name: 'Grüße of b',
        type: type.split('\n')[0],
        bytes: expect.any(Number),
      });
      expect({ thread, from: entry.metadata.from }).toEqual({ thread: undefined, from: 'ann@x.example' });
    },
  );

  it('of a digest, which declares no type, and the headers of one that comes back are none of the text either', async () => {
    const [digest, mailsIn] = multipart('digest', `--cut\n\n${attached}\n`, `--cut\n\n${attached}\n`);
    const [{ entry }] = await mails(mail(`Subject: digest\n${digest}`, mailsIn));
    expect(entry.content).toBe('digest');
    expect(entry.metadata.attachments.map(({ name }) => name)).toEqual(['Grüße of b', 'Grüße of b']);
    const [report, parts] = multipart(
      'report',
      part('text/plain', 'came back'),
      part('message/delivery-status', 'Status: 5.1.1'),
      part('text/rfc822-headers', attached),
    );
    expect(await textOf(`Subject: s\n${report}`, parts)).toBe('s\n\ncame back');
  });

  it('that is told but not there takes no other with it', async () => {
    const found = await mails(
      mail('Subject: s', 'Content-Type: message/rfc822\nis a header') + mail('Subject: t', 'u'),
    );
    expect(found.map(({ entry }) => entry.content.slice(0, 1))).toEqual(['s', 't']);
  });
});

describe('a mark', () => {
  it.each([
    ['X-Evolution: 0000000a-0012', 'deleted'],
    ['X-Evolution: 0000000a-0090', 'spam'],
    ['X-Evolution: 0000000a-0010', undefined],
    ['X-Gmail-Labels: Opened,"Spam, and how to avoid it"', undefined],
    ['X-Gmail-Labels: "Spam"', 'spam'],
    ['X-Spam: Yes', 'spam'],
    ['X-Bogosity: Spam, tests=bogofilter', 'spam'],
    ['X-Bogosity: Ham, tests=bogofilter', undefined],
  ])('%s', async (header, reason) => {
    const [{ leftOut }] = await mails(mail(`${header}\nSubject: s`, 'text'));
    expect(leftOut).toBe(reason);
  });
});

describe('linear time', () => {
  it('for a hundred thousand recipients', async () => {
    const list = 'a@x.example, '.repeat(100_000);
    const [{ entry }] = await mails(mail(`To: "b, c" <b@x.example>, ${list}`, 'text'));
    expect(entry.metadata.to.split(', a@')).toHaveLength(500);
    expect(entry.metadata.toCount).toBe(100_001);
    expect(entry.metadata.to).toMatch(/^"b, c" <b@x.example>, a@/);
  });

  it.each(['b, ', '"', '(', '<', 'x: ', '\\', 'b <b@x> '])('for a header full of %s', async (piece) => {
    const list = piece.repeat(100_000 / piece.length);
    const [{ entry }] = await mails(mail(`Cc: ${list}\nSubject: s`, 'text'));
    expect(entry.content).toBe('s\n\ntext');
  });

  it('for a long word where an archive has addresses', async () => {
    expect(await textOf(`To: ${'a'.repeat(500_000)}\nSubject: s`, 'text')).toBe('s\n\ntext');
  });

  it('for thousands of parts, and an error for more', async () => {
    const [type] = multipart('mixed');
    const text = await textOf(type, '--cut\n\nx\n'.repeat(15_000));
    expect(text.split('\n\n')).toHaveLength(15_000);
    expect(await textOf(type, '--cut\n\n'.repeat(25_000))).toBe(
      'cannot be read as a mail: more than 20000 parts',
    );
  });

  it('for flowed lines', () => {
    expect(unflowed('a \n'.repeat(500_000), false)).toHaveLength(1_000_001);
  });
});
