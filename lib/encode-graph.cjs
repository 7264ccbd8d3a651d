'use strict';

const { types } = require('node:util');
const { encode } = require('./encode.cjs');

/** What the core reads of an entity or a relationship. */
const KEYS = [
  'type',
  'value',
  'normalized',
  'confidence',
  'source',
  'context',
  'assignee',
  'deadline',
  'priority',
  'fromType',
  'fromValue',
  'toType',
  'toValue',
  'relationshipType',
  'evidence',
];
/** More of a list within an entity is no name. */
const MOST_NAMES = 100;

/**
 * JSON text of an object with `entities` and `relationships`, which often come from a model. Unless they are taken at their
 * word, whatever JSON cannot carry of them is left out, and the core tells what it does not understand.
 *
 * @param {Record<string, any>} args
 * @param {boolean} strict
 */
function encodeWithGraph(args, strict) {
  if (strict) return encode(args);
  const { entities, relationships } = args;
  return encode({ ...args, entities: carried(entities), relationships: carried(relationships) });
}

/** What is no list is for the core to refuse. */
function carried(list) {
  return Array.isArray(list) ? Array.from(list, carriedItem) : list;
}

function carriedItem(item) {
  try {
    return isObject(item) ? members(item) : scalar(item);
  } catch {
    return null; // A proxy that answers nothing.
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !types.isDate(value);
}

function members(item) {
  const kept = {};
  for (const key of KEYS) {
    const value = read(() => item[key]);
    if (value !== undefined) kept[key] = read(() => carriedValue(value)) ?? null;
  }
  return kept;
}

/** A getter of the caller's may throw. */
function read(get) {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function carriedValue(value) {
  return Array.isArray(value) ? value.slice(0, MOST_NAMES).map(scalar) : scalar(value);
}

/** @param {any} value */
function scalar(value) {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'bigint':
      return String(value);
    default:
      return dateText(value);
  }
}

/** Dates, and what libraries make of them. @param {any} value */
function dateText(value) {
  const text = typeof value?.toJSON === 'function' ? value.toJSON() : null;
  return typeof text === 'string' ? text.toWellFormed() : null;
}

module.exports = { encodeWithGraph };
