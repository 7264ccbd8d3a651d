// Imports over memories that are marked deleted: told apart from those that a read returns, and brought back where asked to.
import { describe, expect, it } from 'vitest';
import { rejection, useDatabase } from './support.mjs';

const database = useDatabase();

const MAIL = `From ann@harbour.example Mon Mar  2 10:13:23 2026
From: Ann Lee <ann@harbour.example>
Date: Mon, 2 Mar 2026 10:13:20
Subject: The ferry

It leaves at nine.

From bob@harbour.example Mon Mar  2 11:13:23 2026
From: Bob Hall <bob@harbour.example>
Date: Mon, 2 Mar 2026 11:13:20
Subject: Re: The ferry

At ten on Sundays.
`;
const NOTES = ['first', 'second'].map((content) => `${JSON.stringify({ content })}\n`);

async function exported(memory, userId, options) {
  const lines = [];
  for await (const line of memory.exportMemories(userId, options)) lines.push(line);
  return lines;
}

/** What an import of each kind is made of: an export, lines of another program, mails. */
const KINDS = {
  'an export': async (memory, userId) => {
    await memory.storeMany([
      { userId, content: 'one' },
      { userId, content: 'two' },
    ]);
    return [await exported(memory, userId), {}];
  },
  'other JSON Lines': async (memory, userId) => {
    await memory.importMemories(NOTES, { userId });
    return [NOTES, { userId }];
  },
  'a mailbox': async (memory, userId) => {
    const options = { userId, format: 'mbox' };
    await memory.importMemories([MAIL], options);
    return [[MAIL], options];
  },
};

describe.each(Object.entries(KINDS))('%s over memories that are marked deleted', (name, prepare) => {
  it('counts them apart and leaves them, and restores them with their entities where asked to', async () => {
    const { memory } = database.layer();
    const userId = `user of ${name}`;
    const [source, options] = await prepare(memory, userId);
    const before = await exported(memory, userId);
    const [gone] = await memory.getAll(userId);
    await memory.delete(gone.id);

    const left = await memory.importMemories(source, options);
    expect(left).toMatchObject({ read: 2, stored: 0, existing: 1, deleted: 1, restored: 0, failed: [] });
    expect(await memory.getById(gone.id)).toBeNull();

    const seen = [];
    const onProgress = (progress) => seen.push(progress);
    const back = await memory.importMemories(source, { ...options, restore: true, onProgress });
    expect(back).toMatchObject({ read: 2, stored: 0, existing: 1, deleted: 0, restored: 1, failed: [] });
    expect(seen.at(-1)).toMatchObject({ existing: 1, deleted: 0, restored: 1 });
    expect((await exported(memory, userId)).slice(1)).toEqual(before.slice(1));
    expect(await memory.importMemories(source, { ...options, restore: true })).toMatchObject({ existing: 2 });
  });
});

describe('lines that are marked deleted themselves', () => {
  it('are as the file has them, and no restore brings them back', async () => {
    const { memory } = database.layer();
    const { id } = await memory.store({ userId: 'del', content: 'gone' });
    await memory.store({ userId: 'del', content: 'here' });
    await memory.delete(id);
    const lines = await exported(memory, 'del', { includeDeleted: true });
    const options = { includeDeleted: true, restore: true };
    const counts = { stored: 0, existing: 2, deleted: 0, restored: 0, skipped: 0 };
    expect(await memory.importMemories(lines, options)).toMatchObject(counts);
    await memory.restore(id);
    expect(await memory.importMemories(lines, options)).toMatchObject(counts);
    expect(await memory.getById(id)).toBeNull();
  });
});

describe('restore', () => {
  it('is of the same user only, and not of other content', async () => {
    const { memory } = database.layer();
    const { id } = await memory.store({ userId: 'owner', content: 'mine' });
    const lines = await exported(memory, 'owner');
    await memory.delete(id);
    const other = lines.map((line) => line.replace('mine', 'yours'));
    for (const [source, userId] of [
      [lines, 'thief'],
      [other, 'owner'],
    ]) {
      const result = await memory.importMemories(source, { userId, restore: true });
      expect(result).toMatchObject({
        restored: 0,
        deleted: 0,
        failed: [{ error: { reason: 'ID_CONFLICT' } }],
      });
    }
    expect(await memory.getById(id)).toBeNull();
  });

  it('must be a boolean', async () => {
    const error = await rejection(database.layer().memory.importMemories([], { restore: 'yes' }));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { field: 'options.restore' } });
  });

  it('is told alike by storeMany', async () => {
    const { memory } = database.layer();
    const { id } = await memory.store({ userId: 'many', content: 'note' });
    await memory.delete(id);
    const entry = { userId: 'many', content: 'note', id };
    const left = await memory.storeMany([entry]);
    const back = await memory.storeMany([{ ...entry, restore: true }]);
    expect([left, back].map(({ stored }) => stored[0].metadata.deleted)).toEqual([true, undefined]);
    expect(await memory.getById(id)).toMatchObject({ content: 'note' });
  });
});
