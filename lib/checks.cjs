'use strict';

const { invalid } = require('./errors.cjs');

/** Whether it was made by `{}` or `Object.create(null)`, in this realm or another. */
function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * An argument that must be an object of options, or left out.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Record<string, any>}
 */
function plainObject(value, name) {
  if (value === undefined) return {};
  if (!isPlain(value)) throw invalid(name, 'must be a plain object');
  return /** @type {Record<string, any>} */ (value);
}

/**
 * The same with a closed set of keys.
 *
 * @param {unknown} value
 * @param {readonly string[]} known
 * @param {string} name '' for the outermost object
 */
function objectOf(value, known, name) {
  const object = plainObject(value, name || 'config');
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown === undefined) return object;
  throw invalid(name ? `${name}.${unknown}` : unknown, `unknown; known are ${known.join(', ')}`);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string | undefined}
 */
function optionalText(value, name) {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid(name, 'must be a non-empty string');
}

/** @param {Record<string, any>} object */
function withoutUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

module.exports = { isPlain, plainObject, objectOf, optionalText, withoutUndefined };
