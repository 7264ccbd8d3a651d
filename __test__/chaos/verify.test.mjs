// The verifier of the chaos run must see every loss and divergence, and only those.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify } from '../../chaos/verify.mjs';
import { call, FIRST, graphOf, OTHER, row, SECOND, world } from './world.mjs';

const kinds = ({ calls, rows, graph }) => verify(calls, rows, graph).map(({ kind }) => kind);

/** Memory `a` alone with these calls and this row: what is wrong with it? */
function verdict(calls, ...rows) {
  return [...new Set(kinds({ calls, rows, graph: graphOf(rows) }))];
}

const stored = call('put', 'a', { at: 1, revision: 1, memory: FIRST });
const updated = call('update', 'a', { at: 3, revision: 2, memory: SECOND });
const hidden = call('hide', 'a', { at: 3 });
const removed = call('remove', 'a', { at: 3 });
const asDeleted = { deleted: true, stateDeleted: true };

test('a run in which all is well', () => {
  assert.deepEqual(kinds(world()), []);
});

const ACCEPTED = {
  'a write that was cut off and came through': [
    [stored, call('update', 'a', { at: 3, applied: null, memory: SECOND })],
    row('a', SECOND, 2),
  ],
  'a write that was cut off and did not': [
    [stored, call('update', 'a', { at: 3, applied: null, memory: SECOND })],
    row('a', FIRST, 1),
  ],
  'a write of unknown outcome that came through after a later one': [
    [stored, call('update', 'a', { at: 2, applied: 'unknown', memory: OTHER }), updated],
    row('a', OTHER, 3),
  ],
  'either of two writes at the same time, without revisions': [
    [stored, hidden, call('put', 'a', { at: 3, revision: 4, memory: OTHER })],
    row('a', OTHER, 4),
  ],
  'a repetition that found what was stored': [
    [
      call('put', 'a', { at: 1, applied: null, memory: FIRST }),
      call('put', 'a', { at: 5, applied: 'saw', revision: 1, memory: FIRST }),
    ],
    row('a', FIRST, 1),
  ],
  'a memory that was restored': [
    [stored, hidden, call('revive', 'a', { at: 6, revision: 4 })],
    row('a', FIRST, 4),
  ],
  'a memory that was never certain to be there': [
    [call('put', 'a', { at: 1, applied: null, memory: FIRST })],
  ],
  'a deleted one that is gone': [[stored, removed]],
};

for (const [title, [calls, ...rows]] of Object.entries(ACCEPTED)) {
  test(`accepted: ${title}`, () => assert.deepEqual(verdict(calls, ...rows), []));
}

const LOST = {
  'an acknowledged store': [[stored]],
  'an acknowledged store that was repeated': [
    [
      call('put', 'a', { at: 1, applied: null, memory: FIRST }),
      call('put', 'a', { at: 5, revision: 1, memory: FIRST }),
    ],
  ],
  'an acknowledged update': [[stored, updated], row('a', FIRST, 1)],
  'an update whose content is older than its revision says': [[stored, updated], row('a', FIRST, 7)],
  'a restore': [[stored, hidden, call('revive', 'a', { at: 6, revision: 4 })], row('a', FIRST, 3, asDeleted)],
  'a write that another one replaced without having seen it': [
    [stored, updated, call('update', 'a', { at: 9, revision: 3, memory: OTHER, expected: 1 })],
    row('a', OTHER, 3),
  ],
  'a memory that was only soft-deleted': [[stored, hidden]],
};

for (const [title, [calls, ...rows]] of Object.entries(LOST)) {
  test(`lost: ${title}`, () => assert.deepEqual(verdict(calls, ...rows), ['lost']));
}

test('a deleted memory that came back', () => {
  assert.deepEqual(verdict([stored, hidden], row('a', FIRST, 1)), ['resurrected']);
  assert.deepEqual(verdict([stored, removed], row('a', FIRST, 1)), ['resurrected']);
});

test('rows that nobody wrote, in content or at all', () => {
  assert.deepEqual(verdict([stored], row('a', OTHER, 1)), ['invented']);
  assert.deepEqual(verdict([stored], row('a', FIRST, 1), row('x', OTHER, 2)), ['invented']);
});

test('a memory at another user', () => {
  const theirs = row('a', FIRST, 1, { userId: 'v' });
  assert.ok(verdict([stored], theirs).includes('misplaced'));
});

test('one content in two rows', () => {
  const twice = call('put', 'b', { at: 1, revision: 2, memory: FIRST });
  assert.deepEqual(verdict([stored, twice], row('a', FIRST, 1), row('b', FIRST, 2)), ['doubled']);
});

test('a store by key is known by its content', () => {
  const nameless = call('put', undefined, { at: 1, applied: null, memory: FIRST, key: 'k' });
  assert.deepEqual(verdict([nameless], row('a', FIRST, 1)), []);
  assert.deepEqual(verdict([nameless], row('a', FIRST, 1), row('b', FIRST, 2)), ['doubled']);
});

/** What is done to the graph, and what the verifier has to call it. */
const GRAPH_FAULTS = {
  'a node is missing': ['divergent', (graph) => graph.memories.shift()],
  'a node is a tombstone': ['divergent', (graph) => Object.assign(graph.memories[0], { deleted: true })],
  'a node has no row': [
    'divergent',
    (graph) => graph.memories.push({ id: 'x', userId: 'u', deleted: false }),
  ],
  'a deleted memory has its node': [
    'divergent',
    (graph) => Object.assign(graph.memories[2], { deleted: false }),
  ],
  'a node is at another revision': [
    'divergent',
    (graph) => Object.assign(graph.memories[0], { revision: 1 }),
  ],
  'a content was edited': ['divergent', (graph) => Object.assign(graph.memories[0], { content: 'edited' })],
  'a time was edited': ['divergent', (graph) => Object.assign(graph.memories[0], { createdAt: 1_000_001 })],
  'a mention is missing': ['divergent', (graph) => graph.mentions.shift()],
  'a mention was added': ['divergent', (graph) => graph.mentions.push({ id: 'a', entity: 'key ada' })],
  'a relationship was added': [
    'divergent',
    (graph) => graph.relations.push({ id: 'a', type: 'OWNS', from: 'key ada', to: 'key grace' }),
  ],
  'a frequency is wrong': ['frequency', (graph) => Object.assign(graph.entities[0], { frequency: 9 })],
  'an entity is another user’s': ['misplaced', (graph) => Object.assign(graph.entities[0], { userId: 'v' })],
  'a node is doubled': ['doubled', (graph) => graph.memories.push({ ...graph.memories[0] })],
  'an entity is doubled': ['doubled', (graph) => graph.entities.push({ ...graph.entities[0] })],
};

for (const [title, [kind, plant]] of Object.entries(GRAPH_FAULTS)) {
  test(`seen in the graph: ${title}`, () => {
    const planted = world();
    plant(planted.graph);
    assert.ok(kinds(planted).includes(kind), `${kinds(planted)} has no ${kind}`);
  });
}
