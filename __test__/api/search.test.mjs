// What retrieval looks at beside words and cosines: context, speakers, entities, times, filters; pages; explanations.
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from './support.mjs';

const DAY = 86_400_000;
const contentsOf = (found) => found.map(({ content }) => content);

describe('hybrid without an embedder', () => {
  const database = useDatabase();
  let memory;
  beforeAll(() => {
    ({ memory } = database.layer({ extractor: 'none' }));
  });

  const storeAll = async (userId, contents, options = {}) => {
    const entries = contents.map((content) => ({ userId, content, ...options }));
    const { failed } = await memory.storeMany(entries);
    expect(failed).toEqual([]);
  };
  const find = async (userId, query, options) => contentsOf(await memory.retrieve(userId, query, options));

  test('an answer is found by the question before it, in the order of storeMany', async () => {
    const chat = [
      'Where is the kayak?',
      'Down at the boathouse, second rack',
      'Good, and the oven?',
      'Sold it',
    ];
    const sameTime = { conversationId: 'chat', createdAt: new Date('2024-05-01T10:00:00Z') };
    await storeAll('ada', chat, sameTime);
    await storeAll('ada', ['Down at the quarry, second turn'], { ...sameTime, conversationId: 'other' });
    const found = await find('ada', 'kayak');
    expect(found.slice(0, 2).sort()).toEqual(chat.slice(0, 2).sort());
    expect(found).not.toContain('Down at the quarry, second turn');
    expect(await find('ada', 'kayak', { mode: 'text' })).toEqual([chat[0]]);
  });

  test('neighbours are those of the conversation as it is now, by date and not by when they were stored', async () => {
    const at = (minute) => new Date(Date.UTC(2024, 0, 1, 0, minute));
    const put = (content, minute) =>
      memory.store({ userId: 'mo', content }, { conversationId: 'c', createdAt: at(minute) });
    await put('alpha', 9);
    const between = await put('a gap of many minutes', 5);
    await put('the zeppelin rises', 1);
    for (const minute of [2, 3, 4]) await put(`filler number ${minute}`, minute);
    const reached = () => find('mo', 'zeppelin');
    expect(await reached()).not.toContain('alpha');
    await memory.delete(between.id);
    await memory.store({ userId: 'mo', content: 'late' }, { conversationId: 'c', createdAt: at(10) });
    expect(await reached()).toContain('alpha');
    expect(await reached()).not.toContain('late');
  });

  test('who is asked about comes first, told by the text or by metadata', async () => {
    await storeAll('eve', ['Ann: I bought a canoe', 'Bob: I bought a canoe']);
    expect((await find('eve', 'Did Bob buy a canoe?'))[0]).toBe('Bob: I bought a canoe');
    expect((await find('eve', 'Did Ann buy a canoe?'))[0]).toBe('Ann: I bought a canoe');
    const said = (speaker) =>
      memory.store({ userId: 'lea', content: 'The ferry leaves at nine', metadata: { speaker } });
    const [, second] = [await said('Cleo'), await said('Dora')];
    expect((await memory.retrieve('lea', 'when does the ferry leave, Dora?'))[0].id).toBe(second.id);
    await memory.update(second.id, { metadata: { speaker: 'Finn' } });
    const [best] = await memory.retrieve('lea', 'when does the ferry leave, Finn?', { explain: true });
    expect(best.id).toBe(second.id);
    expect(best.explain.speaker).toBeGreaterThan(0);
  });

  test('the subject of a mail is no speaker, a full name is', async () => {
    const speaker = async (content, query) => {
      await memory.store({ userId: query, content });
      return (await memory.retrieve(query, query, { explain: true }))[0].explain.speaker;
    };
    expect(await speaker('Forecasting for Hallberg Foods: proposal', 'a forecast for dairy')).toBe(0);
    expect(await speaker('Anna Maria O’Neil: see you at noon', 'when does Anna come?')).toBeGreaterThan(0);
    expect(await speaker('bob: see you at noon', 'when does Bob come?')).toBeGreaterThan(0);
  });

  test('an entity that the question names finds memories that do not say its name', async () => {
    const entities = [{ type: 'company', value: 'Acme Corp.' }];
    await memory.store({ userId: 'kim', content: 'They pay late, as always' }, { entities });
    await memory.store({ userId: 'kim', content: 'Something else' });
    const [found, ...more] = await memory.retrieve('kim', 'What is wrong with acme corp?', { explain: true });
    expect(found.content).toBe('They pay late, as always');
    expect(found.explain).toMatchObject({ words: 0 });
    expect(found.explain.entities).toBeGreaterThan(0);
    expect(more).toEqual([]);
  });

  test('times in the question are compared with when a memory was made', async () => {
    const plan = 'We planned the trip';
    const made = (createdAt) => memory.store({ userId: 'joy', content: plan }, { createdAt });
    const [may, june] = [await made(new Date('2021-05-10')), await made(new Date('2021-06-10'))];
    const lastWeek = await made(new Date(Date.now() - 7 * DAY));
    const best = async (query) => (await memory.retrieve('joy', query))[0].id;
    expect(await best('What trip did we plan in May 2021?')).toBe(may.id);
    expect(await best('What trip did we plan on 10 June 2021?')).toBe(june.id);
    expect(await best('What trip did we plan last week?')).toBe(lastWeek.id);
  });

  test('importance and recency decide between equals', async () => {
    const put = (importance, createdAt) =>
      memory.store({ userId: 'sam', content: 'the same words' }, { importance, createdAt });
    const [old, fresh] = [await put(5, new Date(Date.now() - 90 * DAY)), await put(5, new Date())];
    const weighty = await put(9, new Date(Date.now() - 90 * DAY));
    const order = (await memory.retrieve('sam', 'words')).map(({ id }) => id);
    expect(order.indexOf(fresh.id)).toBeLessThan(order.indexOf(old.id));
    expect(order.indexOf(weighty.id)).toBeLessThan(order.indexOf(old.id));
  });

  test('document frequencies are the user’s own: what others store changes no score', async () => {
    await storeAll('solo', ['copper kettle', 'copper pipe', 'tin pipe']);
    const scores = async () =>
      (await memory.retrieve('solo', 'copper pipe', { mode: 'text' })).map(({ content, score }) => [
        content,
        score,
      ]);
    const before = await scores();
    expect(before).toHaveLength(3);
    await storeAll(
      'crowd',
      Array.from({ length: 40 }, (_, index) => `copper pipe ${index}`),
    );
    expect(await scores()).toEqual(before);
  });

  test('deleted memories are neither results nor context', async () => {
    const options = { conversationId: 'gone', createdAt: new Date('2024-01-01') };
    const put = (content) => memory.store({ userId: 'gil', content }, options);
    const [secret] = [await put('the password of the safe'), await put('a reply')];
    expect(await find('gil', 'password')).toHaveLength(2);
    await memory.delete(secret.id);
    expect(await find('gil', 'password')).toEqual([]);
  });
});

describe('text is Okapi BM25', () => {
  const database = useDatabase();

  test('to the last digit that matters', async () => {
    const { memory } = database.layer({ extractor: 'none' });
    const texts = ['red red red boat', 'red boat harbour harbour light', 'blue boat', 'green field'];
    for (const content of texts) await memory.store({ userId: 'u', content });
    const found = await memory.retrieve('u', 'red boats', { mode: 'text' });
    const lengths = texts.map((text) => text.split(' ').length);
    const mean = lengths.reduce((sum, length) => sum + length) / texts.length;
    const score = (text) =>
      ['red', 'boat'].reduce((sum, word) => {
        const holders = texts.filter((other) => other.split(' ').includes(word)).length;
        const frequency = text.split(' ').filter((other) => other === word).length;
        const idf = Math.log(1 + (texts.length - holders + 0.5) / (holders + 0.5));
        const norm = 1.2 * (1 - 0.75 + (0.75 * text.split(' ').length) / mean);
        return sum + (idf * frequency * 2.2) / (frequency + norm);
      }, 0);
    const expected = texts.map((text) => [text, score(text)]).filter(([, value]) => value > 0);
    expected.sort(([, a], [, b]) => b - a);
    expect(contentsOf(found)).toEqual(expected.map(([text]) => text));
    for (const [index, { score: given }] of found.entries()) expect(given).toBeCloseTo(expected[index][1], 9);
  });

  test('however often a word occurs', async () => {
    const { memory } = database.layer({ extractor: 'none' });
    const counts = [1, 2, 3, 7, 40, 200];
    for (const count of counts) await memory.store({ userId: 'n', content: 'echo '.repeat(count) });
    const rows = await database.query(
      `select cardinality(w.positions) as n from izzie_memory.memory_state s, unnest(s.tsv) w where s.user_id = 'n'`,
    );
    expect(rows.map(({ n }) => n).sort((a, b) => a - b)).toEqual(counts);
    const found = await memory.retrieve('n', 'echo', { mode: 'text' });
    const mean = counts.reduce((sum, count) => sum + count) / counts.length;
    const idf = Math.log(1 + 0.5 / (counts.length + 0.5));
    for (const { content, score } of found) {
      const n = content.trim().split(' ').length;
      expect(score).toBeCloseTo((idf * n * 2.2) / (n + 1.2 * (0.25 + (0.75 * n) / mean)), 9);
    }
  });
});

describe('filters, explanations, pages', () => {
  const database = useDatabase();
  const COUNT = 57;
  const at = (index) => new Date(Date.UTC(2024, 0, 1 + index));
  let memory;
  let stored;

  beforeAll(async () => {
    const embed = async (texts) => texts.map((text) => [1, text.length % 7, text.length % 5]);
    ({ memory } = database.layer({
      embedder: { model: 'lengths', dimensions: 3, embed },
      extractor: 'none',
    }));
    const entries = Array.from({ length: COUNT }, (_, index) => ({
      userId: 'ada',
      content: `a note about tulips ${'very '.repeat(index % 4)}red ${index}`,
      createdAt: at(Math.floor(index / 3)),
      metadata: { index, tags: index % 2 ? ['odd'] : ['even', 'other'], nested: { third: index % 3 === 0 } },
      entities: [
        { type: 'person', value: index % 2 ? 'Bob Smith' : 'Zoë' },
        { type: 'topic', value: index % 3 ? 'gardening' : 'art' },
      ],
    }));
    ({ stored } = await memory.storeMany(entries));
    expect(stored).toHaveLength(COUNT);
  });

  const indexes = (found) => found.map(({ metadata }) => metadata.index).sort((a, b) => a - b);
  const where = (wanted) => Array.from({ length: COUNT }, (_, index) => index).filter(wanted);
  const all = async (options) =>
    indexes(await memory.retrieve('ada', 'red tulips', { limit: 100, ...options }));

  describe.each(['hybrid', 'vector', 'text'])('mode %s', (mode) => {
    test('since and until, the one inclusive, the other not', async () => {
      const since = at(4);
      const until = at(9).toISOString();
      expect(await all({ mode, since, until })).toEqual(where((index) => index >= 12 && index < 27));
      expect(await all({ mode, since })).toEqual(where((index) => index >= 12));
      expect(await all({ mode, until })).toEqual(where((index) => index < 27));
    });

    test('metadata by containment', async () => {
      expect(await all({ mode, metadata: { tags: ['odd'] } })).toEqual(where((index) => index % 2 === 1));
      expect(await all({ mode, metadata: { nested: { third: true } } })).toEqual(
        where((index) => index % 3 === 0),
      );
      expect(await all({ mode, metadata: { index: 5 } })).toEqual([5]);
      expect(await all({ mode, metadata: { none: 1 } })).toEqual([]);
      expect(await all({ mode, metadata: {} })).toHaveLength(COUNT);
    });

    test('entities, all of them, by any spelling', async () => {
      const bob = { type: 'person', value: '  BOB   smith' };
      expect(await all({ mode, entities: [bob] })).toEqual(where((index) => index % 2 === 1));
      expect(await all({ mode, entities: [bob, { value: 'Art' }] })).toEqual(
        where((index) => index % 6 === 3),
      );
      expect(await all({ mode, entities: [{ type: 'company', value: 'Bob Smith' }] })).toEqual([]);
      expect(await all({ mode, entities: [] })).toHaveLength(COUNT);
    });

    test('a filter takes results away and changes none of the scores that words and cosines give', async () => {
      const options = { mode, limit: 100, explain: true };
      const everything = await memory.retrieve('ada', 'red tulips', options);
      const some = await memory.retrieve('ada', 'red tulips', { ...options, metadata: { tags: ['odd'] } });
      for (const { id, explain } of some)
        expect(explain.similarity).toBe(everything.find((other) => other.id === id).explain.similarity);
    });

    test('as many as the limit while that many pass the filters', async () => {
      for (const limit of [1, 7, 28])
        expect(await all({ mode, limit, metadata: { tags: ['odd'] } })).toHaveLength(limit);
    });

    test('parts add up to the score', async () => {
      const found = await memory.retrieve('ada', 'red tulips of Bob Smith in 2024', {
        mode,
        limit: 100,
        explain: true,
      });
      expect(found).toHaveLength(COUNT);
      for (const { score, explain } of found) {
        const sum = Object.values(explain).reduce((total, part) => total + part, 0);
        expect(sum).toBeCloseTo(score, 12);
      }
      const [unexplained] = await memory.retrieve('ada', 'red tulips', { mode });
      expect(unexplained).not.toHaveProperty('explain');
    });

    test('pages have neither gap nor duplicate', async () => {
      const paged = [];
      let cursor;
      do {
        const page = await memory.search('ada', 'red tulips', { mode, limit: 8, cursor });
        expect(page.items.length).toBe(Math.min(8, COUNT - paged.length));
        paged.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null);
      const whole = await memory.retrieve('ada', 'red tulips', { mode, limit: 100 });
      expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    });

    test('the order is the same every time', async () => {
      const ids = async () => (await memory.retrieve('ada', 'red', { mode, limit: 100 })).map(({ id }) => id);
      const first = await ids();
      expect(await ids()).toEqual(first);
    });
  });

  test('a page goes on though its last result is gone', async () => {
    const put = (content) => memory.store({ userId: 'pat', content });
    for (let index = 0; index < 6; index += 1) await put(`${'plum '.repeat(index + 1)}pie`);
    const options = { mode: 'text', limit: 2 };
    const first = await memory.search('pat', 'plum', options);
    await memory.delete(first.items[1].id);
    const rest = await memory.search('pat', 'plum', { ...options, limit: 10, cursor: first.nextCursor });
    expect(rest.items).toHaveLength(4);
    expect(rest.nextCursor).toBeNull();
  });

  test.each([
    ['cursor', { cursor: 'nonsense' }],
    ['cursor', { cursor: '1/2/3/4' }],
    ['since', { since: 'soon' }],
    ['since', { since: new Date(5), until: new Date(5) }],
    ['until', { until: '+012024-01-01T00:00:00Z' }],
    ['metadata', { metadata: 'x' }],
    ['metadata', { metadata: { a: 'x\0' } }],
    ['entities', { entities: Array.from({ length: 201 }, () => ({ value: 'x' })) }],
    ['entities[0].value', { entities: [{ value: ' ' }] }],
    ['entities[0].type', { entities: [{ type: 'planet', value: 'x' }] }],
    ['explain', { explain: 'yes' }],
  ])('names %s when it is wrong', async (field, options) => {
    await expect(memory.search('ada', 'red', options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field },
    });
  });

  test('retrieve has no pages', async () => {
    const { nextCursor: cursor } = await memory.search('ada', 'red', { limit: 1 });
    await expect(memory.retrieve('ada', 'red', { cursor })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  describe('list and iterate', () => {
    test('every memory once, the newest first, whatever the size of a page', async () => {
      const expected = (await memory.getAll('ada', { limit: 1000 })).map(({ id }) => id);
      expect(expected).toHaveLength(COUNT);
      for (const pageSize of [1, 10, COUNT, 1000]) {
        const read = [];
        for await (const { id } of memory.iterate('ada', { pageSize })) read.push(id);
        expect(read).toEqual(expected);
      }
      const page = await memory.list('ada', { limit: COUNT });
      expect(page.items.map(({ id }) => id)).toEqual(expected);
      expect(page.nextCursor).toBeNull();
    });

    test('since, until and conversationId', async () => {
      const { items } = await memory.list('ada', { since: at(4), until: at(9) });
      expect(indexes(items)).toEqual(where((index) => index >= 12 && index < 27));
      expect((await memory.list('ada', { conversationId: 'none' })).items).toEqual([]);
      expect((await memory.list('nobody')).items).toEqual([]);
    });

    test('a loop may end early', async () => {
      for await (const { id } of memory.iterate('ada', { pageSize: 2 })) {
        expect(id).toBeTypeOf('string');
        break;
      }
    });

    test.each([{ limit: 5 }, { cursor: 'x' }, { pageSize: 0 }, { pages: 1 }])(
      'iterate refuses %j',
      async (options) => {
        await expect(memory.iterate('ada', options).next()).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      },
    );

    test('list refuses a cursor of something else', async () => {
      await expect(memory.list('ada', { cursor: '7/x' })).rejects.toMatchObject({
        details: { field: 'cursor' },
      });
    });
  });
});
