// The application's background functions, with entities as its model gives them, and rows that it wrote itself.
import { enhancedMemoryService, graphService, syncService } from 'izzie-memory';
import { beforeAll, describe, expect, test } from 'vitest';
import { saveEvent, saveMail } from './app/functions/process-mail.ts';
import { entity, settle, useApplication } from './support.mjs';

/** One of each of its seven types. */
const SEVEN = [
  entity('person', 'John Doe'),
  entity('company', 'Acme Corp'),
  entity('project', 'Phoenix'),
  entity('date', 'next Friday'),
  entity('topic', 'budget'),
  entity('location', 'Lisbon'),
  entity('action_item', 'send the report', { assignee: 'John Doe', deadline: 'Friday', priority: 'high' }),
];
const mail = (id, more) => ({
  id,
  userId: 'ada',
  subject: `Mail ${id}`,
  body: `The text of mail ${id}`,
  ...more,
});
const OLD_ROW = '00000000-0000-4000-8000-00000000000a';

const application = useApplication((query) =>
  query('insert into memory_entries (id, user_id, content, metadata) values ($1, $2, $3, $4)', [
    OLD_ROW,
    'bob',
    'from before the package came',
    { source: 'mail', entities: SEVEN },
  ]),
);

const row = async (id) =>
  (await application.database.query('select * from memory_entries where id = $1', [id]))[0];
const names = (entities) => entities.map(({ type, value }) => `${type} ${value}`).sort();

describe('what its model gives', () => {
  test('the seven types are stored by both functions, and reach the graph', async () => {
    for (const [save, id] of [
      [saveMail, 'seven-1'],
      [saveEvent, 'seven-2'],
    ]) {
      const { success, memoryId } = await save({ mail: mail(id), entities: SEVEN });
      expect(success).toBe(true);
      const [stored] = await enhancedMemoryService.getMany([memoryId]);
      expect(names(stored.entities)).toEqual(names(SEVEN));
      expect(await row(memoryId)).toMatchObject({ user_id: 'ada', importance: save === saveMail ? 6 : 7 });
    }
    await settle();
    for (const { type, value } of SEVEN) {
      expect(await graphService.getEntity('ada', { type, value }), `${type} ${value}`).toMatchObject({
        frequency: 2,
      });
    }
  });

  test.each([
    ['a source of its calendar prompt', entity('person', 'Eve Adams', { source: 'attendees' })],
    ['any text as source', entity('person', 'Eve Adams', { source: 'description' })],
    ['an unknown priority', entity('action_item', 'call back', { priority: 'urgent' })],
    ['a confidence above 1', entity('person', 'Eve Adams', { confidence: 1.2 })],
    ['a confidence below 0', entity('person', 'Eve Adams', { confidence: -0.1 })],
    ['an additional key', entity('person', 'Eve Adams', { email: 'eve@example.org' })],
    ['nulls', entity('person', 'Eve Adams', { context: null, assignee: null })],
  ])('%s costs neither the memory nor the entity', async (name, strange) => {
    const entities = [entity('company', 'Initech'), strange];
    const { memoryId } = await saveMail({ mail: mail(`strange-${name}`), entities });
    const [stored] = await enhancedMemoryService.getMany([memoryId]);
    expect(names(stored.entities)).toEqual(names(entities));
    for (const { confidence } of stored.entities) {
      expect(confidence).toBeGreaterThanOrEqual(0);
      expect(confidence).toBeLessThanOrEqual(1);
    }
  });

  test.each([
    ['a type that is none', entity('spaceship', 'Rocinante')],
    ['an empty name', entity('person', '')],
    ['a name that is no text', entity('person', 'x', { value: { first: 'x' } })],
  ])('%s costs the entity, and the memory says so', async (name, wrong) => {
    const entities = [entity('company', 'Initech'), wrong];
    const stored = await enhancedMemoryService.store(
      { userId: 'ada', content: `wrong: ${name}` },
      { entities, extractEntities: false },
    );
    expect(names(stored.entities)).toEqual(['company Initech']);
    expect(stored.metadata).toHaveProperty('entitiesRejected');
  });

  test('names are found as they are written, and as the application normalises them', async () => {
    const found = await graphService.getEntity('ada', { type: 'person', value: 'John Doe' });
    expect(found).toMatchObject({ name: 'John Doe', frequency: 2 });
    expect(await graphService.getEntity('ada', { type: 'person', value: 'john_doe' })).toMatchObject({
      normalized: found.normalized,
    });
    await enhancedMemoryService.store(
      { userId: 'ada', content: 'John without a normal form' },
      { entities: [{ type: 'person', value: 'John Doe' }] },
    );
    await settle();
    const john = (await graphService.getTopEntities('ada', { types: ['person'], limit: 100 })).filter(
      ({ name }) => name === 'John Doe',
    );
    expect(john, 'one node').toMatchObject([{ frequency: 3 }]);
    const filtered = await enhancedMemoryService.retrieve('ada', 'mail', {
      entities: [{ type: 'person', value: 'John Doe' }],
      threshold: 0,
    });
    expect(filtered.length).toBeGreaterThanOrEqual(2);
  });
});

describe('what it had before', () => {
  beforeAll(() => settle());

  test('is adopted with its dates and names', async () => {
    for (const { type, value } of SEVEN) {
      expect(await graphService.getEntity('bob', { type, value }), `${type} ${value}`).toMatchObject({
        name: value,
        frequency: 1,
      });
    }
    expect(await syncService.verify({ userId: 'bob', deep: true })).toMatchObject({ state: 'consistent' });
  });

  test('is as it was', async () => {
    expect((await row(OLD_ROW)).metadata.entities).toEqual(SEVEN);
  });
});
