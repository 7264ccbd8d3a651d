'use strict';

const { types } = require('node:util');
const { isPlain } = require('./checks.cjs');
const { invalid } = require('./errors.cjs');

/** What results carry in `metadata` beside the caller's own keys; taken out when a caller writes a result back. */
const METADATA_COPIES = Object.freeze([
  'importance',
  'accessCount',
  'summary',
  'similarity',
  'entityCount',
  'vectorWriteSuccess',
  'graphWriteSuccess',
  'created',
  'deleted',
  'entitiesRejected',
  'relationshipsRejected',
]);

/** JSON parsers have a limit of their own: the core's is 128, and the recursion below must not meet the stack's end. */
const MAX_DEPTH = 120;

/**
 * JSON text of a value that JSON can carry. Dates become ISO strings, undefined members vanish; whatever JSON would
 * change or drop in silence is refused by its path.
 *
 * @param {Record<string, unknown>} value
 * @returns {string}
 */
function encode(value) {
  check(value, '', new Set());
  return JSON.stringify(value);
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {Set<object>} ancestors for cycles; a value met twice on different branches is fine
 */
function check(value, path, ancestors) {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw invalid(path, 'holds half a surrogate pair, which is no Unicode text');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw invalid(path, `${value} is no JSON number`);
      return;
    case 'object':
      if (value !== null) checkObject(value, path, ancestors);
      return;
    default:
      throw invalid(path, `a ${typeof value} is no JSON value`);
  }
}

function checkObject(value, path, ancestors) {
  if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw invalid(path, 'the Date is invalid');
    return;
  }
  if (ancestors.has(value)) throw invalid(path, 'refers back to an object that contains it');
  if (ancestors.size === MAX_DEPTH) throw invalid(path, `is nested deeper than ${MAX_DEPTH} levels`);
  ancestors.add(value);
  if (Array.isArray(value)) checkItems(value, path, ancestors);
  else checkMembers(value, path, ancestors);
  ancestors.delete(value);
}

function checkItems(items, path, ancestors) {
  for (let index = 0; index < items.length; index++) {
    // JSON would make null of it, and of a hole in the array too.
    if (items[index] === undefined) throw invalid(`${path}[${index}]`, 'undefined is no JSON value');
    check(items[index], `${path}[${index}]`, ancestors);
  }
}

function checkMembers(object, path, ancestors) {
  if (!isPlain(object)) {
    throw invalid(path, `a ${object.constructor?.name ?? 'non-plain object'} is no JSON value`);
  }
  for (const [key, member] of Object.entries(object)) {
    const memberPath = join(path, key);
    if (!key.isWellFormed()) throw invalid(memberPath, 'the key holds half a surrogate pair');
    check(member, memberPath, ancestors);
  }
}

function join(path, key) {
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/**
 * @param {unknown} embedding
 * @param {string} name
 * @returns {Float32Array | null} null where there is none
 */
function encodeEmbedding(embedding, name) {
  if (embedding === undefined) return null;
  if (!Array.isArray(embedding) && !types.isFloat32Array(embedding)) {
    throw invalid(name, 'must be an array of numbers or a Float32Array');
  }
  // A hole, a string or null would become a number in a Float32Array without a word.
  const wrong = embedding.findIndex(
    (number) => typeof number !== 'number' || !Number.isFinite(Math.fround(number)),
  );
  if (wrong !== -1) throw invalid(`${name}[${wrong}]`, 'must be a finite 32-bit number');
  return Float32Array.from(embedding);
}

/**
 * The caller's part of a metadata object. What is no plain object stays, for the core to refuse.
 *
 * @param {unknown} metadata
 */
function withoutCopies(metadata) {
  if (!isPlain(metadata)) return metadata;
  const own = { .../** @type {object} */ (metadata) };
  for (const key of METADATA_COPIES) delete own[key];
  return own;
}

module.exports = { encode, encodeEmbedding, withoutCopies };
