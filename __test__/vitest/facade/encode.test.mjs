// What reaches the core is what the caller meant: JSON would change or drop some values in silence, these are refused.
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';

const { loadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const { lib } = loadFacade();
const { encode, encodeEmbedding, withoutCopies } = lib('encode.cjs');

const inAnotherRealm = (code) => vm.runInNewContext(code);

describe('encode', () => {
  test('writes JSON: Dates as ISO text, undefined members left out', () => {
    const when = new Date('2026-01-02T03:04:05.678Z');
    const text = encode({ when, nothing: undefined, no: null, list: [1, 'two', { three: false }] });
    expect(text).toBe('{"when":"2026-01-02T03:04:05.678Z","no":null,"list":[1,"two",{"three":false}]}');
  });

  test('takes plain objects and Dates of another realm, and objects without prototype', () => {
    const foreign = inAnotherRealm('({ when: new Date(0), list: [{}] })');
    const bare = Object.assign(Object.create(null), { a: 1 });
    expect(encode({ foreign, bare })).toBe(
      '{"foreign":{"when":"1970-01-01T00:00:00.000Z","list":[{}]},"bare":{"a":1}}',
    );
  });

  test('keeps a member named __proto__ as a member', () => {
    expect(encode({ metadata: JSON.parse('{"__proto__":{"a":1}}') })).toBe(
      '{"metadata":{"__proto__":{"a":1}}}',
    );
  });

  test('takes an object twice, but not inside itself', () => {
    const shared = { a: 1 };
    expect(encode({ one: shared, two: [shared] })).toBe('{"one":{"a":1},"two":[{"a":1}]}');
    const cycle = { list: [] };
    cycle.list.push({ cycle });
    expect(() => encode({ cycle })).toThrow(/^cycle\.list\[0\]\.cycle: refers back/);
  });

  const refused = {
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    '-Infinity': Number.NEGATIVE_INFINITY,
    'a BigInt': 1n,
    'a function': () => {},
    'a symbol': Symbol('s'),
    'an invalid Date': new Date('nonsense'),
    'a Map': new Map([['a', 1]]),
    'a Set': new Set([1]),
    'a class instance': new (class Money {})(),
    'a boxed number': Object(1),
    'a typed array': new Float32Array(2),
    'half a surrogate pair': '\ud83d',
    'undefined in an array': [undefined],
    // biome-ignore lint/suspicious/noSparseArray: the hole is the test
    'a hole in an array': [, 1],
  };

  test.each(Object.entries(refused))('refuses %s and names its path', (_name, value) => {
    expect(() => encode({ metadata: { 'a key': [{ deep: value }] } })).toThrow(
      expect.objectContaining({
        name: 'PersistenceError',
        reason: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^metadata\["a key"\]\[0\]\.deep(\[0\])?: /),
        details: { field: expect.stringMatching(/^metadata\["a key"\]\[0\]\.deep(\[0\])?$/) },
      }),
    );
  });

  test('refuses half a surrogate pair in a key', () => {
    expect(() => encode({ metadata: { '\ud83d': 1 } })).toThrow(/^metadata\["\\ud83d"\]: /);
  });
});

describe('encodeEmbedding', () => {
  test('makes a Float32Array of numbers, and copies one that is given', () => {
    const given = new Float32Array([1, 2]);
    expect(encodeEmbedding([0.5, -1], 'embedding')).toEqual(new Float32Array([0.5, -1]));
    expect(encodeEmbedding(given, 'embedding')).toEqual(given);
    expect(encodeEmbedding(given, 'embedding')).not.toBe(given);
    expect(encodeEmbedding(inAnotherRealm('[1, 2]'), 'embedding')).toEqual(given);
    expect(encodeEmbedding(undefined, 'embedding')).toBeNull();
  });

  const refused = {
    NaN: [1, Number.NaN],
    'a number beyond 32 bits': [1, 1e300],
    text: [1, '2'],
    null: [1, null],
    // biome-ignore lint/suspicious/noSparseArray: the hole is the test
    'a hole': [1, , 3],
    'NaN in a Float32Array': new Float32Array([1, Number.NaN]),
  };

  test.each(Object.entries(refused))('refuses %s and names the place', (_name, embedding) => {
    expect(() => encodeEmbedding(embedding, 'embedding')).toThrow(
      /^embedding\[1\]: must be a finite 32-bit number/,
    );
  });

  test.each([['text'], [null], [{ 0: 1, length: 1 }], [new Float64Array(2)]])('refuses %j', (embedding) => {
    expect(() => encodeEmbedding(embedding, 'embedding')).toThrow(/^embedding: must be an array of numbers/);
  });
});

describe('withoutCopies', () => {
  test('takes the copies out of the top level, and only there', () => {
    const nested = { summary: 'mine', created: 1 };
    const copies = { importance: 5, accessCount: 1, summary: 's', similarity: 0.5, entityCount: 2 };
    const ofWrite = { vectorWriteSuccess: true, graphWriteSuccess: false, created: true };
    const metadata = { topic: 'lunch', nested, ...copies, ...ofWrite };
    expect(withoutCopies(metadata)).toEqual({ topic: 'lunch', nested });
    expect(metadata.importance).toBe(5);
  });

  test.each([['text'], [[1]], [null], [undefined], [7]])('leaves %j to the core', (metadata) => {
    expect(withoutCopies(metadata)).toBe(metadata);
  });
});
