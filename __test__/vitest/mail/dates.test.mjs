// Dates of mails and files: the same on every machine, and none that do not exist.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const DATES = fileURLToPath(new URL('../../../lib/port/dates.cjs', import.meta.url));
const { isoDate, mailDate, postmarkDate } = createRequire(import.meta.url)(DATES);

const MAIL = [
  ['Mon, 02 Mar 2026 11:13:20 +0100', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20', '2026-03-02T10:13:20Z'],
  ['2 Mar 2026 10:13', '2026-03-02T10:13:00Z'],
  ['Mon, 2 Mar 2026', '2026-03-02T00:00:00Z'],
  ['Mon, 2 Mar 2026 10:13:20 GMT', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 UT', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 EST', '2026-03-02T15:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 PDT', '2026-03-02T17:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 CET', '2026-03-02T09:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 A', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 Z', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 -0000', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 +0100 (CET)', '2026-03-02T09:13:20Z'],
  ['Mon (a (nested) comment), 2 Mar 2026 10:13:20 +0530', '2026-03-02T04:43:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 GMT+0100', '2026-03-02T09:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 "GMT"', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 2026 10:13:20 PM', '2026-03-02T22:13:20Z'],
  ['Mon, 2 Mar 26 10:13:20 +0000', '2026-03-02T10:13:20Z'],
  ['Mon, 2 Mar 98 10:13:20 +0000', '1998-03-02T10:13:20Z'],
  ['Mon, 2 Mar 126 10:13:20 +0000', '2026-03-02T10:13:20Z'],
  ['2-Mar-2026 10:13:20', '2026-03-02T10:13:20Z'],
  ['Monday, March 2, 2026 10:13 AM', '2026-03-02T10:13:00Z'],
  ['Mon Mar  2 10:13:23 2026', '2026-03-02T10:13:23Z'],
  ['Mon Mar 2 10:13:23 PST 2026', '2026-03-02T18:13:23Z'],
  ['2026-03-02T10:13:20+01:00', '2026-03-02T09:13:20Z'],
  ['2026-03-02 10:13:20', '2026-03-02T10:13:20Z'],
  ['Thu, 29 Feb 2024 10:13:20 +0000', '2024-02-29T10:13:20Z'],
  ['Sun, 30 Feb 2026 10:13:20 +0000', undefined],
  ['Thu, 29 Feb 2025 10:13:20 +0000', undefined],
  ['Wed, 31 Jun 2026 10:13:20 +0000', undefined],
  ['Mon, 2 Mar 2026 25:13:20 +0000', undefined],
  ['Mon, 2 Mar 2026 10:60:20 +0000', undefined],
  ['Mon, 2 Mar 2026 10:13:20 +9999', undefined],
  ['Mon, 2 Mar 1026 10:13:20 +0000', undefined],
  ['Mon, 2 Mar 12026 10:13:20 +0000', undefined],
  ['Mon, 2 Mar 1899 10:13:20 +0000', undefined],
  ['2026-02-30', undefined],
  ['version 2', undefined],
  ['call me at 5', undefined],
  ['5', undefined],
  ['March 2', undefined],
  ['', undefined],
];

const POSTMARKS = [
  ['From ann@x.example Mon Mar  2 10:13:23 2026', '2026-03-02T10:13:23Z'],
  ['From - Mon Mar  2 10:13:23 2026', '2026-03-02T10:13:23Z'],
  ['From 12345@xxx Mon Mar 02 10:13:23 +0100 2026', '2026-03-02T09:13:23Z'],
  ['From ann@x.example Mon Mar  2 10:13:23 26', '2026-03-02T10:13:23Z'],
  ['From ann@x.example 2026-03-02T10:13:20Z', '2026-03-02T10:13:20Z'],
  ['From ann at x.example  Mon Mar  2 10:13:23 2026', '2026-03-02T10:13:23Z'],
  ['From ann Mon Mar  2 10:13 2026 remote from host', '2026-03-02T10:13:00Z'],
  ['From ann@x.example Mon Feb 30 10:13:23 2026', undefined],
  ['From now on 5', undefined],
  ['From ', undefined],
];

const ISO = [
  ['2026-03-02', '2026-03-02T00:00:00Z'],
  ['2026-03-02T10:13', '2026-03-02T10:13:00Z'],
  ['2026-03-02 10:13:20', '2026-03-02T10:13:20Z'],
  ['2026-03-02T10:13:20.123456+01:00', '2026-03-02T09:13:20.123Z'],
  ['20260302T101320Z', '2026-03-02T10:13:20Z'],
  ['2026-02-30', undefined],
  ['2026-02-30T10:00:00Z', undefined],
  ['2026-13-45', undefined],
  ['2026-03-02 note 5', undefined],
  ['2026', undefined],
  ['March 2, 2026', undefined],
  [20260302, undefined],
];

const answer = (date) => date?.toISOString().replace('.000Z', 'Z');

describe('a date', () => {
  it.each(MAIL)('of a header: %j', (text, expected) => expect(answer(mailDate(text))).toBe(expected));
  it.each(POSTMARKS)('of a postmark: %j', (text, expected) =>
    expect(answer(postmarkDate(text))).toBe(expected),
  );
  it.each(ISO)('of ISO 8601: %j', (text, expected) => expect(answer(isoDate(text))).toBe(expected));

  it.each(['America/New_York', 'Asia/Kolkata', 'Pacific/Auckland'])('is the same in %s', (TZ) => {
    const program = `const { isoDate, mailDate, postmarkDate } = require(${JSON.stringify(DATES)});
      const [mail, postmarks, iso] = JSON.parse(process.argv[1]);
      console.log(JSON.stringify([mail.map(mailDate), postmarks.map(postmarkDate), iso.map(isoDate)]));`;
    const texts = [MAIL, POSTMARKS, ISO].map((cases) => cases.map(([text]) => text));
    const output = execFileSync(process.execPath, ['-e', program, JSON.stringify(texts)], {
      env: { ...process.env, TZ },
    });
    const here = [texts[0].map(mailDate), texts[1].map(postmarkDate), texts[2].map(isoDate)];
    expect(JSON.parse(output)).toEqual(JSON.parse(JSON.stringify(here)));
  });

  it('costs linear time', () => {
    for (const piece of ['(', 'Mon, ', '2 ', '2 Mar ', 'From ', '10:', ' ']) mailDate(piece.repeat(300_000));
    for (const piece of ['Mon ', '2 Mar 2026 ', 'x']) postmarkDate(`From ${piece.repeat(100_000)}`);
  }, 5000);
});
