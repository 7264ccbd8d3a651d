// Questions as people ask them: long ones, those of times, and words as they are written: accents, addresses, numbers, emoji.
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from './support.mjs';

const DAY = 86_400_000;
const database = useDatabase();
let memory;

beforeAll(() => {
  ({ memory } = database.layer({ extractor: 'none', limits: { queryBytes: 70_000 } }));
});

const contentsOf = (found) => found.map(({ content }) => content);
const find = async (userId, query, options) => contentsOf(await memory.retrieve(userId, query, options));

async function storeAll(userId, entries) {
  const whole = entries.map((entry) => ({
    userId,
    ...(typeof entry === 'string' ? { content: entry } : entry),
  }));
  expect((await memory.storeMany(whole)).failed).toEqual([]);
}

describe('a long question', () => {
  const mail = Array.from({ length: 400 }, (_, n) => `clause${n} of the contract shall apply`).join(', ');

  beforeAll(() =>
    storeAll('ada', [
      'The kayak lies in the boathouse',
      'Contracts are kept in the cellar',
      'The contract shall apply from June',
      'Lunch was late',
    ]),
  );

  test.each(['text', 'hybrid'])(
    'is read to its end in mode %s: a pasted mail, then the question',
    async (mode) => {
      const question = `${mail}.\n\nWhere is the kayak?`;
      expect(question.split(/\s+/).length).toBeGreaterThan(2000);
      expect(await find('ada', question, { mode })).toContain('The kayak lies in the boathouse');
      expect(await find('ada', question, { mode, limit: 2 })).toContain('The kayak lies in the boathouse');
    },
  );

  test('is read from its beginning too: the question, then the mail', async () => {
    expect(await find('ada', `Where is the kayak?\n\n${mail}`)).toContain('The kayak lies in the boathouse');
  });

  test('names behind many others and times at the end count', async () => {
    const names = Array.from(
      { length: 120 },
      (_, n) => `Person${String.fromCharCode(65 + (n % 26))}x${n}`,
    ).join(' and ');
    const at = (days) => new Date(Date.now() - days * DAY);
    await storeAll('bob', [
      { content: 'we met', entities: [{ type: 'person', value: 'Zoe Quill' }] },
      { content: 'soup for lunch', createdAt: at(1) },
      { content: 'soup for lunch', createdAt: at(40) },
    ]);
    const [named] = await memory.retrieve('bob', `${names}. And what of Zoe Quill?`, { explain: true });
    expect(named).toMatchObject({ content: 'we met' });
    expect(named.explain.entities).toBeGreaterThan(0);
    const times = `${'in May 2011 and '.repeat(250)} what was for lunch yesterday?`;
    const [late, early] = await memory.retrieve('bob', times, { explain: true });
    expect(late.createdAt > at(3)).toBe(true);
    expect(late.explain.time).toBeGreaterThan(early.explain.time);
  });
});

describe('times', () => {
  const utc = (...parts) => new Date(Date.UTC(...parts));
  const noon = (daysAgo) => {
    const now = new Date();
    return utc(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - daysAgo, 12);
  };
  const last = (weekday) => noon(((new Date().getUTCDay() - weekday + 6) % 7) + 1);

  /** The best of two memories of the same words, the one made then, the other at another time. */
  async function isPreferred(query, then, other) {
    const userId = `times ${query}`;
    await storeAll(userId, [
      { content: 'Went to the museum', createdAt: then },
      { content: 'Went to the museum', createdAt: other },
    ]);
    const found = await memory.retrieve(userId, `Which museum did we see ${query}?`, { explain: true });
    expect(found, query).toHaveLength(2);
    expect(found[0].createdAt, query).toEqual(then);
    expect(found[0].explain.time, query).toBeGreaterThan(found[1].explain.time);
  }

  test.each([
    ['the day before yesterday', noon(2), noon(1)],
    ['two days before yesterday', noon(3), noon(2)],
    ['eleven days ago', noon(11), noon(1)],
    ['in the last 7 days', noon(5), noon(9)],
    ['in the last two weeks', noon(12), noon(16)],
    ['three months ago', noon(91), noon(1)],
    ['on Tuesday', last(2), noon(20)],
    ['Friday', last(5), noon(20)],
    ['since last Monday', last(1), noon(20)],
  ])('seen from now: %s', isPreferred);

  test.each([
    ['in 2025-05', utc(2025, 4, 20), utc(2025, 5, 20)],
    ['on 5/8/2025', utc(2025, 4, 8, 9), utc(2025, 7, 5, 9)],
    ['on 8.5.2025', utc(2025, 4, 8, 9), utc(2025, 7, 5, 9)],
    ['on 25/8/2025', utc(2025, 7, 25, 9), utc(2025, 7, 5, 9)],
    ['before May 2025', utc(2025, 3, 30), utc(2025, 5, 1)],
    ['between March and May 2025', utc(2025, 3, 15), utc(2025, 6, 15)],
    ['after May 8, 2025', utc(2025, 4, 9), utc(2025, 4, 8)],
  ])('in the calendar: %s', isPreferred);

  test('since March is since the last one', async () => {
    const now = new Date();
    const year = now.getUTCMonth() >= 2 ? now.getUTCFullYear() : now.getUTCFullYear() - 1;
    await isPreferred('since March', utc(year, 2, 2), utc(year, 1, 20));
  });

  test.each(['31.2.2025', '13/13/2025', '2025-13-01', '99999/99999/99999', '00.00.0000'])(
    '%s is no date: nothing is preferred, nothing fails',
    async (date) => {
      const userId = `no date ${date}`;
      await storeAll(userId, [
        { content: 'Went to the museum', createdAt: utc(2025, 1, 28) },
        { content: 'Went to the museum', createdAt: utc(2025, 2, 3) },
      ]);
      const found = await memory.retrieve(userId, `Which museum did we see on ${date}?`, { explain: true });
      expect(found.map(({ explain }) => explain.time)).toEqual([0, 0]);
    },
  );

  test('the words of a time are no content', async () => {
    await storeAll('cid', [
      'We talked about what to do last week',
      'The last week was long',
      'Painted the fence',
    ]);
    await storeAll('cid', [{ content: 'Did the taxes', createdAt: noon(7) }]);
    const found = await memory.retrieve('cid', 'What did I do last week?', { mode: 'text', explain: true });
    expect(contentsOf(found)).not.toContain('The last week was long');
    expect((await find('cid', 'What did I do last week?'))[0]).toBe('Did the taxes');
  });

  test.each(['text', 'hybrid'])('nothing but a time finds what was made then, in mode %s', async (mode) => {
    const userId = `only ${mode}`;
    await storeAll(userId, [
      { content: 'Bought bread', createdAt: noon(1) },
      { content: 'Sold bread', createdAt: noon(1) },
      { content: 'What happened there was never told', createdAt: noon(8) },
      { content: 'Ate bread', createdAt: noon(0) },
    ]);
    const found = await find(userId, 'What happened yesterday?', { mode });
    expect(found.sort()).toEqual(['Bought bread', 'Sold bread']);
  });

  describe.each(['text', 'hybrid'])('nothing but a date finds what names it, in mode %s', (mode) => {
    const userId = `dated ${mode}`;
    const old = utc(2024, 1, 1);
    const DENTIST = 'Dentist appointment on 2025-05-08 at nine';
    const FLIGHT = 'Flight to Oslo on May 8, 2027';
    const RENT = 'Rent is due 08.05.2025';
    const SONG = 'Listened to Yesterday by the Beatles';
    const MARCH = 'The long march of 2019 was in May';
    const MADE = 'Made on the day itself';

    beforeAll(() =>
      storeAll(userId, [
        ...[DENTIST, FLIGHT, RENT, SONG, MARCH].map((content) => ({ content, createdAt: old })),
        { content: MADE, createdAt: utc(2025, 4, 8) },
      ]),
    );

    test.each([
      ['What do I have on 2025-05-08?', [DENTIST, MADE]],
      ['2025-05-08', [DENTIST, MADE]],
      ['What is on May 8, 2027?', [FLIGHT]],
      ['When is May 8, 2027?', [FLIGHT]],
      ['08.05.2025', [RENT, MADE]],
      ['2019', [MARCH]],
      ['What happened before March 2019?', []],
      ['What happened yesterday?', []],
      ['Yesterday', [SONG]],
      ['“Yesterday”', [SONG]],
    ])('%s', async (query, wanted) => {
      const found = await find(userId, query, { mode });
      // By similarity more may come behind what the words find.
      if (wanted[0] === SONG) expect(found[0]).toBe(SONG);
      else expect(found).toEqual(wanted);
    });
  });
});

describe('words as they are written', () => {
  const NOTES = {
    jose: 'José brought the paperwork',
    zoe: 'Zoe\u0308 Müller signed it', // a combining diaeresis
    angstrom: 'Ångström measured light, naïve façade',
    mail: 'Write to user+tag@mail.example.com about it',
    invoice: 'Paid INV-2024-00317 in full',
    version: 'Upgraded to v2.10.3 of the tool',
    phone: 'Call +49 (0)30 1234-5678 for a table',
    part: 'Ordered ABC-123 again',
    snake: 'Renamed memory_entries to notes',
    party: 'Great evening 🎉',
    family: 'Visited by 👩‍👧‍👦 at noon',
    flag: 'Flew to 🇫🇷 on business',
    thumb: 'Agreed 👍🏽',
  };

  beforeAll(() => storeAll('dan', Object.values(NOTES)));

  test.each([
    ['Jose', 'jose'],
    ['JOSÉ', 'jose'],
    ['Jose\u0301', 'jose'],
    ['Zoe Muller', 'zoe'],
    ['Zoë', 'zoe'],
    ['Müller', 'zoe'],
    ['Mu\u0308ller', 'zoe'],
    ['Angstrom', 'angstrom'],
    ['A\u030angstro\u0308m', 'angstrom'],
    ['naive facade', 'angstrom'],
    ['user', 'mail'],
    ['tag', 'mail'],
    ['mail', 'mail'],
    ['example', 'mail'],
    ['example.com', 'mail'],
    ['mail.example.com', 'mail'],
    ['user+tag@mail.example.com', 'mail'],
    ['USER+TAG@MAIL.EXAMPLE.COM', 'mail'],
    ['00317', 'invoice'],
    ['INV-2024-00317', 'invoice'],
    ['inv 2024 00317', 'invoice'],
    ['INV202400317', 'invoice'],
    ['v2.10.3', 'version'],
    ['2.10.3', 'version'],
    ['+49 30 12345678', 'phone'],
    ['030 12345678', 'phone'],
    ['ABC-123', 'part'],
    ['abc 123', 'part'],
    ['ABC123', 'part'],
    ['memory_entries', 'snake'],
    ['entries', 'snake'],
    ['🎉', 'party'],
    ['👩‍👧‍👦', 'family'],
    ['🇫🇷', 'flag'],
    ['👍', 'thumb'],
    ['👍🏽', 'thumb'],
  ])('%s', async (query, note) => {
    for (const mode of ['text', 'hybrid']) {
      expect((await find('dan', query, { mode }))[0], mode).toBe(NOTES[note]);
    }
  });

  test.each(['317', '🎊', '🇩🇪', '📎'])('%s finds nothing', async (query) => {
    expect(await find('dan', query, { mode: 'text' })).toEqual([]);
  });
});
