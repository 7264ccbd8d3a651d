// The addon calls the caller's functions through a wrapper that lets only well-formed results through.
import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test, vi } from 'vitest';

const { loadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const embed = vi.fn();
const extract = vi.fn();
let layer;
let native;

beforeEach(async () => {
  const { createMemoryLayer, layers } = loadFacade({ answer: () => ({ items: [], nextCursor: null }) });
  const embedder = { model: 'm', dimensions: 2, embed };
  layer = createMemoryLayer({ databaseUrl: 'postgres://db', embedder, extractor: { extract } });
  await layer.sync.getQueue();
  native = layers[0].callbacks;
});

describe('embed', () => {
  test('turns what it gets into Float32Arrays', async () => {
    embed.mockResolvedValue([[0.5, 1], new Float32Array([2, 3])]);
    expect(await native.embed(['a', 'b'])).toEqual([new Float32Array([0.5, 1]), new Float32Array([2, 3])]);
    expect(embed).toHaveBeenLastCalledWith(['a', 'b'], { signal: expect.any(AbortSignal) });
  });

  test.each([
    ['nothing', undefined, 'INVALID_ARGUMENT', /one embedding per text, here an array of 2$/],
    ['too few', [[1, 2]], 'INVALID_ARGUMENT', /an array of 2$/],
    ['something else', 'text', 'INVALID_ARGUMENT', /an array of 2$/],
    [
      'NaN',
      [
        [1, 2],
        [1, Number.NaN],
      ],
      'INVALID_ARGUMENT',
      /^embedder\.embed\(\)\[1\]\[1\]: /,
    ],
    [
      'a hole',
      [[1, 2], undefined],
      'DIMENSION_MISMATCH',
      /^embedder\.embed\(\)\[1\]: has 0 dimensions instead of 2$/,
    ],
    [
      'another length',
      [
        [1, 2, 3],
        [1, 2],
      ],
      'DIMENSION_MISMATCH',
      /\[0\]: has 3 dimensions instead of 2$/,
    ],
  ])('rejects when it gets %s', async (_name, result, reason, message) => {
    embed.mockResolvedValue(result);
    await expect(native.embed(['a', 'b'])).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  test('rejects, and does not throw, when the function throws', async () => {
    const failure = new Error('rate limit');
    embed.mockImplementation(() => {
      throw failure;
    });
    await expect(native.embed(['a'])).rejects.toBe(failure);
  });
});

describe('extract', () => {
  test('speaks JSON with the addon and objects with the caller', async () => {
    const entities = [{ type: 'person', value: 'Ada' }];
    extract.mockResolvedValue({ entities });
    expect(JSON.parse(await native.extract('{"content":"c"}'))).toEqual({ entities, relationships: [] });
    expect(extract).toHaveBeenLastCalledWith({ content: 'c' }, { signal: expect.any(AbortSignal) });
    extract.mockResolvedValue({});
    expect(JSON.parse(await native.extract('{}'))).toEqual({ entities: [], relationships: [] });
  });

  test('carries what JSON can of what the function gives', async () => {
    const half = { type: 'person', value: 'A \ud83d', confidence: Number.NaN, extra: () => {}, source: 7n };
    extract.mockResolvedValue({ entities: [half, undefined, new Date(0)], relationships: [[]] });
    expect(JSON.parse(await native.extract('{}'))).toEqual({
      entities: [
        { type: 'person', value: 'A \ufffd', confidence: null, source: '7' },
        null,
        '1970-01-01T00:00:00.000Z',
      ],
      relationships: [null],
    });
  });

  test.each([
    ['nothing', undefined, /^extractor\.extract: must return/],
    ['text', 'Ada', /^extractor\.extract: must return/],
    ['a list', [{ type: 'person', value: 'Ada' }], /^extractor\.extract: must return/],
    ['entities that are no array', { entities: 'Ada' }, /^extractor\.extract: must return/],
  ])('rejects when it gets %s', async (_name, result, message) => {
    extract.mockResolvedValue(result);
    await expect(native.extract('{}')).rejects.toThrow(message);
  });
});

test('the signal of both aborts when the layer closes', async () => {
  embed.mockResolvedValue([[1, 2]]);
  await native.embed(['a']);
  const { signal } = embed.mock.lastCall[1];
  expect(signal.aborted).toBe(false);
  await layer.close();
  expect(signal.reason).toMatchObject({ reason: 'CLOSED' });
});
