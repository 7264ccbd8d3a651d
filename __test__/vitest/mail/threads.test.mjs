// Which mails are one conversation, and which mails the mail program would not show any more.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const { readMbox } = createRequire(import.meta.url)('../../../lib/port/mbox.cjs');

/** A mailbox of mails, each given by its headers. */
const mailbox = (mails) =>
  mails
    .map((headers, n) => {
      const lines = Object.entries({ Subject: `mail ${n}`, ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      return `From ann@x.example Mon Mar  2 10:13:23 2026\n${lines.join('\n')}\n\ntext\n\n`;
    })
    .join('');

async function read(mails, twice) {
  const text = typeof mails === 'string' ? mails : mailbox(mails);
  const all = [];
  const first = twice ? [text] : undefined;
  for await (const item of readMbox([text], { userId: 'me', first })) all.push(item);
  return all;
}

const conversations = async (mails, twice) =>
  (await read(mails, twice)).map(({ entry }) => entry.conversationId);

const A = { 'Message-ID': '<a@x>' };
const B = { 'Message-ID': '<b@x>', 'In-Reply-To': '<a@x>' };
const C = { 'Message-ID': '<c@x>', 'In-Reply-To': '<b@x>' };
const D = { 'Message-ID': '<d@x>', References: '<a@x> <c@x>', 'In-Reply-To': '<c@x>' };

function* orders(list) {
  if (list.length === 0) yield [];
  for (const [at, item] of list.entries())
    for (const rest of orders(list.toSpliced(at, 1))) yield [item, ...rest];
}

describe('a conversation', () => {
  it.each([true, false])('is of all its mails, in whatever order (read twice: %s)', async (twice) => {
    for (const order of orders([A, B, C, D]))
      expect(new Set(await conversations(order, twice))).toEqual(new Set(['<a@x>']));
  });

  it('is named after a mail that is not there', async () => {
    expect(await conversations([C, B])).toEqual(['<a@x>', '<a@x>']);
  });

  it.each([
    ['glued', '<a@x><b@x>'],
    ['separated by commas', '<a@x>,<b@x>, <z@x>'],
    ['folded within', '<a@x>\n <b\n @x>'],
    ['without brackets', 'a@x b@x'],
    ['among comments', '(first) <a@x> ("second") <b@x>'],
  ])('is told by ids %s', async (_, References) => {
    expect(await conversations([A, { 'Message-ID': '<e@x>', References }, B, C])).toEqual(
      Array(4).fill('<a@x>'),
    );
  });

  it.each([
    'Your message of "Mon, 2 Mar 2026 10:13:20 +0100." <a@x>',
    'Message from Ann Lee <ann@x.example> of "Mon, 2 Mar 2026" <a@x>',
    "Ann Lee's message of Mon, 2 Mar 2026 <a@x>",
    '<a@x> from Bob',
    '<a@x> (Ann Lee) from Bob <bob@x.example>',
    'Message of Mon from Ann <a@x>',
    'Your mail <a@x> of Monday',
    'Ann Lee <ann@x.example> wrote <a@x> on Monday',
    'a@x',
  ])('is told by what is an id in %s', async (text) => {
    expect(await conversations([A, { 'Message-ID': '<e@x>', 'In-Reply-To': text }])).toEqual([
      '<a@x>',
      '<a@x>',
    ]);
  });

  it.each([true, false])(
    'is told by an id that looks like an address, where a mail has it (%s)',
    async (twice) => {
      const parent = { 'Message-ID': '<ann.lee@x.example>' };
      const texts = [
        'Message of Mon from Ann <ann.lee@x.example>',
        'mail <ann.lee@x.example> of Ann, on Monday',
      ];
      for (const header of ['In-Reply-To', 'References'])
        for (const text of texts) {
          const answer = { 'Message-ID': '<e@x>', [header]: text };
          for (const mails of [
            [parent, answer],
            [answer, parent],
          ])
            expect(await conversations(mails, twice)).toEqual(Array(2).fill('<ann.lee@x.example>'));
        }
    },
  );

  it('is that of the mail it answers where a mail has no id of its own', async () => {
    const answer = { 'In-Reply-To': 'Message of Mon from Ann <ann.lee@x.example>' };
    expect(await conversations([{ 'Message-ID': '<ann.lee@x.example>' }, answer])).toEqual(
      Array(2).fill('<ann.lee@x.example>'),
    );
  });

  it.each([
    'Your message of Monday',
    "ann@x.example's message of Monday",
    'Message from Ann Lee <ann@x.example>',
    'Message from Ann Lee <ann@x.example> of Monday',
    'yes',
    '<>',
    'Re: lunch',
  ])('of strangers is not made by %s', async (text) => {
    const stranger = (id) => ({ 'Message-ID': `<${id}@x>`, 'In-Reply-To': text });
    expect(await conversations([stranger('e'), stranger('f')])).toEqual(['<e@x>', '<f@x>']);
  });

  it('is not made by an address of the mail', async () => {
    const reply = (id) => ({
      'Message-ID': `<${id}@x>`,
      'In-Reply-To': '<ann@x.example>',
      To: 'Ann <ann@x.example>',
    });
    expect(await conversations([reply('e'), reply('f')])).toEqual(['<e@x>', '<f@x>']);
  });

  it('is not joined by quotes in ids', async () => {
    const mails = ['<"20260302.1"@x>', '<"20260302.2"@x>'].map((id) => ({ 'Message-ID': id }));
    expect(new Set(await conversations(mails)).size).toBe(2);
  });

  it('is what Gmail says it is', async () => {
    const gmail = (id, thread, rest) => ({ 'Message-ID': `<${id}@x>`, 'X-GM-THRID': thread, ...rest });
    const mails = [
      gmail('e', '17'),
      gmail('f', '17'),
      gmail('g', '18', { References: '<e@x>' }),
      { ...B, References: '<e@x>' },
    ];
    const [e, f, g, b] = await conversations([
      ...mails.slice(0, 3),
      { 'Message-ID': '<b@x>', References: '<e@x>' },
    ]);
    expect([e, f, b]).toEqual([e, e, e]);
    expect(g).not.toBe(e);
  });

  it('has ids of any length', async () => {
    const long = `<${'x'.repeat(5000)}@x>`;
    const other = `<${'x'.repeat(5000)}@y>`;
    const found = await conversations([
      { 'Message-ID': long },
      { 'Message-ID': '<e@x>', References: long },
      { 'Message-ID': other },
    ]);
    expect(found[1]).toBe(found[0]);
    expect(found[2]).not.toBe(found[0]);
    expect(found.every((id) => Buffer.byteLength(id) <= 255)).toBe(true);
  });

  it('does not change the key of a mail when more of it is there', async () => {
    const identityOf = async (mails) =>
      (await read(mails)).find(({ entry }) => entry.metadata.messageId === '<c@x>').identity;
    expect(await identityOf([{ ...C, Subject: 's' }, A, B])).toEqual(
      await identityOf([{ ...C, Subject: 's' }]),
    );
  });

  it('of 3,000 mails in one thread costs linear time', async () => {
    const mails = Array.from({ length: 3000 }, (_, n) => ({
      'Message-ID': `<${n}@x>`,
      'In-Reply-To': `<${n + 1}@x>`,
    }));
    expect(new Set(await conversations(mails, true)).size).toBe(1);
  });
});

describe('a mail is left out', () => {
  const marked = async (headers) => (await read([headers]))[0].leftOut;

  it.each([
    ['deleted', { Status: 'ROD' }],
    ['deleted', { Status: 'RO', 'X-Status': 'AD' }],
    ['deleted', { 'X-Mozilla-Status': '0009' }],
    ['deleted', { 'X-Mozilla-Status': '0001', 'X-Mozilla-Status2': '00200000' }],
    ['trash', { 'X-Gmail-Labels': 'Trash,Important' }],
    ['trash', { 'X-Gmail-Labels': 'Wichtig,Papierkorb' }],
    ['trash', { 'X-Gmail-Labels': '=?UTF-8?Q?Corbeille,Bo=C3=AEte_de_r=C3=A9ception?=' }],
    ['trash', { 'X-Gmail-Labels': `=?UTF-8?B?${Buffer.from('Корзина').toString('base64')}?=` }],
    ['spam', { 'X-Gmail-Labels': 'Spam,Unread' }],
    ['spam', { 'X-Spam-Flag': 'YES' }],
    ['spam', { 'X-Spam-Status': 'Yes, score=9.1 required=5.0' }],
    ['spam', { 'X-Keywords': '$Junk' }],
    ['spam', { 'X-Mozilla-Keys': 'junk' }],
    ['internal', { Subject: "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA" }],
  ])('%s: %o', async (reason, headers) => {
    expect(await marked(headers)).toBe(reason);
  });

  it.each([
    { Status: 'RO', 'X-Status': 'AF' },
    { 'X-Mozilla-Status': '0001', 'X-Mozilla-Status2': '00800000' },
    { 'X-Gmail-Labels': 'Inbox,Spam reports,Trash talk' },
    { 'X-Spam-Flag': 'NO', 'X-Spam-Status': 'No, score=-1' },
    { 'X-Keywords': 'NonJunk' },
    { Subject: 'Status: D' },
  ])('not for %o', async (headers) => {
    expect(await marked(headers)).toBeUndefined();
  });

  it('not for what its text says', async () => {
    const [{ leftOut }] = await read('From \nSubject: s\n\nStatus: D\nX-Spam-Flag: YES\n');
    expect(leftOut).toBeUndefined();
  });
});

describe('the date', () => {
  const dated = async (headers, postmark = 'From ann@x.example Mon Mar  2 10:13:23 2026') =>
    (await read(`${postmark}\n${headers}Subject: s\n\ntext\n`))[0].entry.createdAt?.toISOString();

  it.each([
    ['Sun, 30 Feb 2026 10:00:00 +0000'],
    ['Thu, 1 Jan 1601 00:00:00 +0000'],
    ['Mon, 2 Mar 20260 10:00:00 +0000'],
    ['version 2'],
  ])('that is none (%s) is that of the postmark', async (date) => {
    expect(await dated(`Date: ${date}\n`)).toBe('2026-03-02T10:13:23.000Z');
  });

  it('is that of the last server where no other is', async () => {
    const received = 'Received: from a by b; Tue, 3 Mar 2026 08:00:00 +0100\n';
    expect(await dated(received, 'From ')).toBe('2026-03-03T07:00:00.000Z');
    expect(
      await dated('Date: Sun, 30 Feb 2026 10:00:00 +0000\n', 'From - Mon Feb 30 10:13:23 2026'),
    ).toBeUndefined();
  });
});
