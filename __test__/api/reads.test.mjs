// Reading back what was stored; updates and deletions of one memory.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from './support.mjs';

const CONVERSATION = randomUUID();

describe('a memory', () => {
  const database = useDatabase();
  let memory;
  let persistence;

  beforeAll(() => {
    ({ memory, persistence } = database.layer({ extractor: 'none' }));
  });

  const store = (options, entry) => memory.store({ userId: 'ada', content: 'c', ...entry }, options);
  const row = async (id) => (await database.query('select * from memory_entries where id = $1', [id]))[0];

  test('has the documented form', async () => {
    const createdAt = new Date('1843-07-10T12:00:00.123Z');
    const before = Date.now();
    const stored = await store(
      { importance: 7, summary: 's', conversationId: CONVERSATION, createdAt },
      { content: 'all of it', metadata: { source: 'letter' } },
    );
    expect(stored).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      userId: 'ada',
      content: 'all of it',
      summary: 's',
      importance: 7,
      accessCount: 0,
      conversationId: CONVERSATION,
      revision: expect.any(Number),
      entities: [],
      createdAt,
      updatedAt: expect.any(Date),
      metadata: {
        source: 'letter',
        importance: 7,
        accessCount: 0,
        summary: 's',
        entityCount: 0,
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
        created: true,
      },
    });
    expect(stored.updatedAt.getTime()).toBeGreaterThan(before - 5000);
    expect(await row(stored.id)).toMatchObject({
      conversation_id: CONVERSATION,
      metadata: { source: 'letter' },
    });
  });

  test('has importance 5 and no more than it was given', async () => {
    const before = Date.now();
    const stored = await store();
    expect(stored).toMatchObject({ importance: 5, metadata: { importance: 5 } });
    for (const member of ['summary', 'conversationId', 'similarity', 'score'])
      expect(stored).not.toHaveProperty(member);
    expect(Math.abs(stored.createdAt.getTime() - before)).toBeLessThan(5000);
  });

  test('takes a time as text', async () => {
    const stored = await store({ createdAt: '2024-02-29T23:30:00+02:00' });
    expect(stored.createdAt).toEqual(new Date('2024-02-29T21:30:00Z'));
  });

  test('keeps a conversation that is no UUID', async () => {
    const { id, conversationId } = await store({ conversationId: 'conv-456' });
    expect(conversationId).toBe('conv-456');
    expect((await memory.getById(id)).conversationId).toBe('conv-456');
    expect((await row(id)).conversation_id).toBeNull();
  });

  test('keeps metadata as JSON has it: Dates as text, undefined nowhere', async () => {
    const when = new Date('2026-01-02T03:04:05.006Z');
    const metadata = {
      when,
      nested: { gone: undefined, when, list: [1, null, { gone: undefined }] },
      '': 0,
      text: '\u{1f600}"\\',
    };
    const { id } = await store(undefined, { metadata });
    const expected = {
      when: '2026-01-02T03:04:05.006Z',
      nested: { when: '2026-01-02T03:04:05.006Z', list: [1, null, {}] },
      '': 0,
      text: '\u{1f600}"\\',
    };
    expect((await row(id)).metadata).toEqual(expected);
    expect((await memory.getById(id)).metadata).toMatchObject(expected);
    expect((await memory.getById(id)).metadata.nested).not.toHaveProperty('gone');
  });

  test.each([
    ['exactly', [0.1 + 0.2, 1 / 3, 2 ** 53, 1e21, -1e-7, 123456789.12345678, 2.2250738585072014e-308]],
    ['to the ends of their range', [5e-324, Number.MAX_VALUE, -Number.MAX_VALUE]],
  ])('keeps numbers %s', async (userId, numbers) => {
    const { id, metadata } = await store(undefined, { userId, metadata: { numbers } });
    expect(metadata.numbers).toEqual(numbers);
    expect((await memory.getById(id)).metadata.numbers).toEqual(numbers);
    expect(await memory.getAll(userId)).toHaveLength(1);
  });

  test('keeps nested metadata, as deep as JSON parsers go', async () => {
    let nested = 'bottom';
    for (let depth = 0; depth < 100; depth += 1) nested = { nested };
    const { id } = await store(undefined, { metadata: { nested } });
    expect((await memory.getById(id)).metadata.nested).toEqual(nested);
  });

  test('is found by the conversation it was given, however a UUID is written', async () => {
    const conversationId = CONVERSATION.toUpperCase();
    const { id } = await store({ conversationId }, { userId: 'upper', content: 'capital letters' });
    for (const written of [conversationId, conversationId.toLowerCase()]) {
      const options = { conversationId: written };
      expect((await memory.getAll('upper', options)).map((found) => found.id)).toEqual([id]);
      expect((await memory.retrieve('upper', 'capital', options)).map((found) => found.id)).toEqual([id]);
    }
  });

  test('is found by its id, however that is written', async () => {
    const id = randomUUID();
    const stored = await store({ id: id.toUpperCase() });
    expect(stored.id).toBe(id);
    expect((await memory.getById(id.toUpperCase())).id).toBe(id);
    expect(await store({ id })).toMatchObject({ id, metadata: { created: false } });
  });

  test('keeps its entities whatever the metadata has under that name', async () => {
    const entities = [{ type: 'person', value: 'Grace' }];
    const { id } = await store({ entities }, { metadata: { entities: 'mine' } });
    const names = async () => (await memory.getMany([id]))[0].entities.map(({ value }) => value);
    expect(await names()).toEqual(['Grace']);
    await memory.update(id, { metadataPatch: { entities: [{ type: 'tool', value: 'Loom' }] } });
    expect(await names()).toEqual(['Grace']);
    await memory.update(id, { metadata: {} });
    expect(await names()).toEqual(['Grace']);
  });

  test('can be written back as it was read: the copies are taken out', async () => {
    const stored = await store(
      { importance: 9, summary: 's' },
      { metadata: { mine: 1, nested: { importance: 3 } } },
    );
    await memory.update(stored.id, { metadata: { ...stored.metadata, mine: 2 } });
    expect((await row(stored.id)).metadata).toEqual({ mine: 2, nested: { importance: 3 } });
    await memory.update(stored.id, { metadataPatch: { ...stored.metadata, more: true } });
    expect((await row(stored.id)).metadata).toEqual({ mine: 1, nested: { importance: 3 }, more: true });
    const again = await store(undefined, { metadata: stored.metadata });
    expect((await row(again.id)).metadata).toEqual({ mine: 1, nested: { importance: 3 } });
  });

  describe('getById', () => {
    test('counts accesses; nothing else does', async () => {
      const { id } = await store();
      expect(await memory.getById(id)).toMatchObject({ accessCount: 1, metadata: { accessCount: 1 } });
      expect((await memory.getById(id)).accessCount).toBe(2);
      await memory.getMany([id]);
      await memory.getAll('ada');
      await memory.retrieve('ada', 'c', { mode: 'text' });
      expect((await memory.getById(id)).accessCount).toBe(3);
      expect((await row(id)).last_accessed_at).not.toBeNull();
    });

    test('a hundred times owes nothing and changes no revision', async () => {
      const { id, revision } = await store();
      const before = await database.debts();
      await Promise.all(Array.from({ length: 100 }, () => memory.getById(id)));
      expect(await database.debts()).toEqual(before);
      expect(await memory.getById(id)).toMatchObject({ accessCount: 101, revision });
    });

    test.each([randomUUID(), 'no-uuid', ''])('of %j is null', async (id) => {
      expect(await memory.getById(id)).toBeNull();
    });
  });

  describe('getMany', () => {
    test('returns those that exist, in the order of the ids', async () => {
      const ids = [];
      for (const content of ['a', 'b', 'c']) ids.push((await store(undefined, { content })).id);
      const [a, b, c] = ids;
      await memory.delete(b);
      const found = await memory.getMany([c, randomUUID(), b, a, 'no-uuid']);
      expect(found.map(({ content }) => content)).toEqual(['c', 'a']);
      expect(await memory.getMany([])).toEqual([]);
    });
  });

  describe('getAll', () => {
    test('returns the newest first, up to the limit, of a conversation', async () => {
      const at = (day) => ({ createdAt: `2020-01-0${day}T00:00:00Z` });
      const of = { userId: 'lister' };
      await store({ ...at(2), conversationId: 'conv-1' }, { ...of, content: 'second' });
      await store({ ...at(3), conversationId: CONVERSATION }, { ...of, content: 'third' });
      await store(at(1), { ...of, content: 'first' });
      const { id } = await store(at(4), { ...of, content: 'deleted' });
      await memory.delete(id);
      const contents = async (options) =>
        (await memory.getAll('lister', options)).map(({ content }) => content);
      expect(await contents()).toEqual(['third', 'second', 'first']);
      expect(await contents({ limit: 2 })).toEqual(['third', 'second']);
      expect(await contents({ limit: undefined, conversationId: undefined })).toHaveLength(3);
      expect(await contents({ conversationId: 'conv-1' })).toEqual(['second']);
      expect(await contents({ conversationId: CONVERSATION })).toEqual(['third']);
      expect(await contents({ conversationId: randomUUID() })).toEqual([]);
    });

    test('of 101 memories returns 100', async () => {
      await Promise.all(Array.from({ length: 101 }, () => store(undefined, { userId: 'many' })));
      expect(await memory.getAll('many')).toHaveLength(100);
      expect(await memory.getAll('many', { limit: 1000 })).toHaveLength(101);
    });

    test('takes any whole number from 1 on, and says so', async () => {
      for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
        await expect(memory.getAll('many', { limit }), `${limit}`).rejects.toMatchObject({
          reason: 'INVALID_ARGUMENT',
          details: { field: 'limit' },
          message: `limit: the number ${limit} is not a whole number from 1 on`,
        });
    });

    test('of more than one page holds reads page by page, each memory once, the newest first', async () => {
      const write = `insert into memory_entries (user_id, content, created_at)
        select 'most', 'm' || n, timestamptz '2026-01-01' + n * interval '1 second' from generate_series(1, 2500) n`;
      await database.query(write);
      const newestFirst = Array.from({ length: 2500 }, (_, index) => `m${2500 - index}`);
      for (const limit of [1000, 1001, 2000, 2499, 2500, 5000]) {
        const found = await memory.getAll('most', { limit });
        expect(
          found.map(({ content }) => content),
          `a limit of ${limit}`,
        ).toEqual(newestFirst.slice(0, limit));
      }
      expect(await memory.getAll('most', { limit: 5000, conversationId: randomUUID() })).toEqual([]);
      const signal = AbortSignal.abort();
      await expect(memory.getAll('most', { limit: 5000, signal })).rejects.toBe(signal.reason);
    });
  });

  test('getStats counts the live ones of a user', async () => {
    const of = { userId: 'counted' };
    const { id } = await store({ importance: 10, conversationId: 'conv-1' }, of);
    await store({ importance: 1, conversationId: 'conv-1' }, of);
    await store({ importance: 4 }, of);
    const gone = await store({ importance: 7, conversationId: 'conv-2' }, of);
    await memory.getById(id);
    await memory.getById(id);
    await memory.delete(gone.id);
    expect(await memory.getStats('counted')).toEqual({
      total: 3,
      byConversation: { 'conv-1': 2 },
      avgImportance: 5,
      totalAccesses: 2,
    });
    expect(await memory.getStats('nobody')).toEqual({
      total: 0,
      byConversation: {},
      avgImportance: 0,
      totalAccesses: 0,
    });
  });

  describe('update', () => {
    test('changes what it names and nothing else', async () => {
      const first = await store(
        { importance: 3, summary: 's', conversationId: 'conv-1' },
        { metadata: { a: 1, b: 1 } },
      );
      const second = await memory.update(first.id, { content: 'new' });
      expect(second).toMatchObject({ content: 'new', importance: 3, summary: 's', conversationId: 'conv-1' });
      expect(second.metadata).toMatchObject({
        a: 1,
        b: 1,
        vectorWriteSuccess: true,
        graphWriteSuccess: true,
      });
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(second.createdAt).toEqual(first.createdAt);
      expect(second.updatedAt.getTime()).toBeGreaterThanOrEqual(first.updatedAt.getTime());
      const third = await memory.update(first.id, { metadataPatch: { b: 2, c: 3 }, importance: 1 });
      expect(third).toMatchObject({ importance: 1, metadata: { a: 1, b: 2, c: 3 } });
      await memory.update(first.id, { metadata: { only: 1 } });
      expect((await row(first.id)).metadata).toEqual({ only: 1 });
      expect(await memory.update(first.id, { summary: null })).not.toHaveProperty('summary');
    });

    test('explicit undefined leaves a member as it is', async () => {
      const { id } = await store({ importance: 3, summary: 's' }, { metadata: { a: 1 } });
      const undefineds = {
        content: undefined,
        summary: undefined,
        metadata: undefined,
        importance: undefined,
      };
      const updated = await memory.update(id, {
        ...undefineds,
        entities: undefined,
        metadataPatch: undefined,
      });
      expect(updated).toMatchObject({ content: 'c', summary: 's', importance: 3, metadata: { a: 1 } });
    });

    test.each([randomUUID(), 'no-uuid'])('of %s, which is missing, is null, or NOT_FOUND', async (id) => {
      expect(await memory.update(id, { content: 'new' })).toBeNull();
      const result = await persistence.update({ id, content: 'new' });
      expect(result).toMatchObject({ success: false, error: { code: 'NOT_FOUND', reason: 'NOT_FOUND' } });
      expect(result.data).toBeUndefined();
    });

    test('of a deleted memory is null', async () => {
      const { id } = await store();
      await memory.delete(id);
      expect(await memory.update(id, { content: 'new' })).toBeNull();
    });
  });

  describe('delete', () => {
    test.each([false, true])('with hard: %s can be repeated', async (hard) => {
      const { id } = await store();
      for (let time = 0; time < 2; time += 1) {
        expect(await memory.delete(id, { hard })).toBeUndefined();
        const result = await persistence.delete({ id, hard });
        expect(result).toMatchObject({ success: true, metadata: { vectorWriteSuccess: true } });
        expect(result.data).toBeUndefined();
      }
      expect(await memory.getById(id)).toBeNull();
      expect(await memory.getMany([id])).toEqual([]);
      expect((await row(id))?.is_deleted).toBe(hard ? undefined : true);
    });

    test('of what was never there is no error', async () => {
      for (const id of [randomUUID(), 'no-uuid']) {
        await memory.delete(id);
        await memory.delete(id, { hard: true });
      }
    });

    test('hard after soft removes the row', async () => {
      const { id } = await store();
      await memory.delete(id);
      await memory.delete(id, { hard: true });
      expect(await row(id)).toBeUndefined();
    });
  });
});
