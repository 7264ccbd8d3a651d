import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';

const { envelope, loadFacade, rejection, reloadFacade } = createRequire(import.meta.url)('./fake-native.cjs');
const first = loadFacade();
const { PersistenceError, VectorStoreError, GraphStoreError, SyncError } = first;
const { revive } = first.lib('errors.cjs');

describe('the public constructors', () => {
  test('are those of the TypeScript layer', () => {
    const plain = new PersistenceError('broken', 'MY_CODE', { id: 7 });
    expect(plain).toMatchObject({
      name: 'PersistenceError',
      message: 'broken',
      code: 'MY_CODE',
      details: { id: 7 },
    });
    expect(new VectorStoreError('v', { a: 1 })).toMatchObject({
      code: 'VECTOR_STORE_ERROR',
      details: { a: 1 },
    });
    expect(new GraphStoreError('g')).toMatchObject({ code: 'GRAPH_STORE_ERROR', details: undefined });
    expect(new SyncError('s')).toMatchObject({ code: 'SYNC_ERROR', name: 'SyncError' });
  });

  test('take a reason, retryability and a cause beside', () => {
    const cause = new Error('socket');
    const error = new VectorStoreError('away', {}, { reason: 'UNAVAILABLE', retryable: true, cause });
    expect(error).toMatchObject({ reason: 'UNAVAILABLE', retryable: true, cause });
    expect(new PersistenceError('x', 'CLOSED')).toMatchObject({ reason: 'CLOSED', retryable: false });
    expect('cause' in new PersistenceError('x', 'CLOSED')).toBe(false);
  });

  test('make JSON with the message', () => {
    const error = new GraphStoreError('no', { a: 1 }, { reason: 'TIMEOUT', retryable: true });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'GraphStoreError',
      message: 'no',
      code: 'GRAPH_STORE_ERROR',
      reason: 'TIMEOUT',
      details: { a: 1 },
      retryable: true,
    });
  });
});

describe('instanceof', () => {
  const second = reloadFacade(first.fake);

  test('tells the classes apart', () => {
    const error = new GraphStoreError('g');
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(PersistenceError);
    expect(error).toBeInstanceOf(GraphStoreError);
    expect(error).not.toBeInstanceOf(VectorStoreError);
    expect(new PersistenceError('p', 'X')).not.toBeInstanceOf(GraphStoreError);
    expect(new Error('e')).not.toBeInstanceOf(PersistenceError);
    for (const value of [null, undefined, 'text', 1, {}])
      expect(value instanceof PersistenceError).toBe(false);
  });

  test('holds across copies of the module', () => {
    expect(second.SyncError).not.toBe(SyncError);
    expect(new second.SyncError('s')).toBeInstanceOf(SyncError);
    expect(new second.SyncError('s')).toBeInstanceOf(PersistenceError);
    expect(new second.SyncError('s')).not.toBeInstanceOf(VectorStoreError);
  });

  test("goes by the prototype chain for a caller's own subclass", () => {
    class Mine extends VectorStoreError {}
    expect(new Mine('m')).toBeInstanceOf(Mine);
    expect(new Mine('m')).toBeInstanceOf(VectorStoreError);
    expect(new VectorStoreError('v')).not.toBeInstanceOf(Mine);
  });
});

describe('revive', () => {
  test.each([
    ['PersistenceError', PersistenceError, 'NOT_FOUND', 'NOT_FOUND'],
    ['VectorStoreError', VectorStoreError, 'UNAVAILABLE', 'VECTOR_STORE_ERROR'],
    ['GraphStoreError', GraphStoreError, 'GRAPH_REJECTED', 'GRAPH_STORE_ERROR'],
    ['SyncError', SyncError, 'GRAPH_STORE_MISMATCH', 'SYNC_ERROR'],
  ])('makes a %s of its envelope', (name, Class, reason, code) => {
    const error = revive(rejection(name, reason, { id: 'x' }));
    expect(error).toBeInstanceOf(Class);
    const { message, retryable } = envelope(name, reason);
    expect(error).toMatchObject({ name, message, code, reason, details: { id: 'x' }, retryable });
  });

  test.each([
    ['no JSON', new Error('Failed to convert')],
    ['JSON that is no envelope', new Error('{"class":"toString"}')],
    ['JSON null', new Error('null')],
    ['no error at all', 'text'],
  ])('makes INTERNAL of %s and keeps it as the cause', (_name, thrown) => {
    expect(revive(thrown)).toMatchObject({ name: 'PersistenceError', code: 'INTERNAL', cause: thrown });
  });
});
