// Who wrote to whom, as headers are written by hand and by programs that quote nothing.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const { readMbox } = createRequire(import.meta.url)('../../../lib/port/mbox.cjs');

async function metadataOf(headers) {
  const all = [];
  for await (const item of readMbox([`From \nSubject: s\n${headers}\n\ntext\n`], { userId: 'me' }))
    all.push(item);
  expect(all).toHaveLength(1);
  return all[0].entry.metadata;
}

const peopleOf = async (value) => (await metadataOf(`To: ${value}`)).to;

describe('a comma that nobody quoted', () => {
  it.each([
    ['Smith, Bob <bob2@x>', '"Smith, Bob" <bob2@x>'],
    ['Doe, Jane <jane@x>; Lee, Ann <ann@x>', '"Doe, Jane" <jane@x>, "Lee, Ann" <ann@x>'],
    ['Doe, Jane <jane@x>, Lee, Ann <ann@x>', '"Doe, Jane" <jane@x>, "Lee, Ann" <ann@x>'],
    ["O'Neil, Pat, Jr. <p@x>", '"O\'Neil, Pat, Jr." <p@x>'],
    ['Acme, Inc. <info@acme>', '"Acme, Inc." <info@acme>'],
    ['"Smith", Bob <b@x>', '"Smith, Bob" <b@x>'],
    ['Smith\\, Bob <b@x>', '"Smith, Bob" <b@x>'],
    ['Smith, Bob (Acme, Inc.) <b@x>', '"Smith, Bob (Acme, Inc.)" <b@x>'],
    ['Smith,\n Bob <b@x>', '"Smith, Bob" <b@x>'],
    ['=?utf-8?Q?M=C3=BCller?=, =?utf-8?Q?J=C3=B6rg?= <j@x>', '"Müller, Jörg" <j@x>'],
    ['Crew: Lee, Ann <ann@x>, Doe, Jane <j@x>;, c@x', 'Crew: "Lee, Ann" <ann@x>, "Doe, Jane" <j@x>;, c@x'],
    ['c@x, Smith, Bob <b@x>', 'c@x, "Smith, Bob" <b@x>'],
  ])('is of a name: %s', async (value, people) => {
    expect(await peopleOf(value)).toBe(people);
  });

  it.each([
    ['a@x, Bob <b@x>', 'a@x, "Bob" <b@x>'],
    ['<a@x>, Bob <b@x>', 'a@x, "Bob" <b@x>'],
    ['Ann <a@x>, Bob <b@x>', '"Ann" <a@x>, "Bob" <b@x>'],
    ['a@x (Ann), Bob <b@x>', '"Ann" <a@x>, "Bob" <b@x>'],
    ['"Smith, Ann" <a@x>, Bob <b@x>', '"Smith, Ann" <a@x>, "Bob" <b@x>'],
    ['Smith; Bob <b@x>', 'Smith, "Bob" <b@x>'],
    ['Smith, b@x', 'Smith, b@x'],
    ['undisclosed-recipients:;, Bob <b@x>', 'undisclosed-recipients: ;, "Bob" <b@x>'],
    ['A, B, C, D <d@x>', 'A, "B, C, D" <d@x>'],
  ])('parts two otherwise: %s', async (value, people) => {
    expect(await peopleOf(value)).toBe(people);
  });
});

describe('nothing is lost', () => {
  it.each([
    ['a missing comma', 'Bob <b@x> Ann <a@x>', '"Bob" <b@x>, "Ann" <a@x>'],
    ['a quote that does not end', '"Smith, Bob <b@x>, Ann <a@x>', '"Smith, Bob" <b@x>, "Ann" <a@x>'],
    ['a parenthesis that does not end', 'Ann (x <a@x>, Bob <b@x>', '"Ann x" <a@x>, "Bob" <b@x>'],
    ['names alone', 'Ann Lee; Bob', 'Ann Lee, Bob'],
    ['an address of the machine', 'Bob Smith <bob>', '"Bob Smith" <bob>'],
    ['what stands behind the address', '<b@x> Bob (home)', '"Bob (home)" <b@x>'],
    ['no list at all', '<>', '<>'],
  ])('by %s', async (_, value, people) => {
    expect(await peopleOf(value)).toBe(people);
  });

  it('of several authors, and of headers that are there twice', async () => {
    expect(await metadataOf('From: Ann <a@x>, Bob <b@x>\nCc: c@x\nCc: Lee, Dee <d@x>')).toMatchObject({
      from: '"Ann" <a@x>, "Bob" <b@x>',
      cc: expect.stringMatching(/^(?=.*c@x)(?=.*"Lee, Dee" <d@x>)/),
    });
  });
});
