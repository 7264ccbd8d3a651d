// The answers that the example's README documents, field by field.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE } from './app.mjs';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The words for types in the README's tables; everything else is a list of literals in backticks. */
const TYPES = {
  text: (value) => typeof value === 'string',
  id: (value) => UUID.test(value),
  time: (value) => new Date(value).toISOString() === value,
  flag: (value) => typeof value === 'boolean',
  count: (value) => Number.isInteger(value) && value >= 0,
  number: (value) => Number.isFinite(value),
  percentage: (value) => value >= 0 && value <= 100,
  object: (value) => typeof value === 'object' && value !== null,
};

/** Every field of the answer is documented under the heading and is what it should be; no documented one is missing. */
export function assertDocumented(body, heading) {
  const fields = documentedFields(heading);
  const found = new Map();
  for (const [path, value] of leaves(body, '', fields)) found.set(path, [...(found.get(path) ?? []), value]);
  for (const [path, values] of found) {
    const field = fields.get(path) ?? missingObject(path, fields);
    assert.ok(field, `${heading}: ${path} is not documented`);
    for (const value of values) {
      const fits = (field.optional && value === null) || field.fits(value);
      assert.ok(fits, `${heading}: ${path} is ${JSON.stringify(value)}`);
    }
  }
  for (const [path, { optional }] of fields) {
    if (optional || found.has(path) || isBelowNothing(path, body)) continue;
    assert.fail(`${heading}: ${path} is missing`);
  }
}

/** Rows `| \`path\` | type | meaning |` of the table under the heading. A path with `?` in it may be missing or null, a list empty. */
function documentedFields(heading) {
  const readme = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
  const [, section] = readme.split(`\n### \`${heading}\`\n`);
  assert.ok(section, `the README has no heading for ${heading}`);
  const answer = section.split('\n#')[0].split('\n| field')[1] ?? ''; // what a request takes is in a table of members
  const rows = answer.matchAll(/^\| `([^`]+)`\s*\| ([^|]+?)\s*\|/gm);
  return new Map(
    [...rows].map(([, path, type]) => [
      path.replaceAll('?', ''),
      { optional: /\?|\[\]$/.test(path), fits: TYPES[type] ?? oneOf(type) },
    ]),
  );
}

/** An object that the fields below it say may be null: `sync.embedding?.pending`. */
function missingObject(path, fields) {
  const isBelow = ([below, { optional }]) => optional && below.startsWith(`${path}.`);
  return [...fields].some(isBelow) ? { optional: true, fits: () => false } : undefined;
}

function oneOf(type) {
  const literals = [...type.matchAll(/`([^`]+)`/g)].map(([, literal]) => literal);
  assert.ok(literals.length > 0, `the README knows no type ${type}`);
  return (value) => literals.includes(value);
}

/** All values with their paths. What is documented as an object is not looked into. */
function leaves(value, path, fields) {
  const isWhole = value === null || typeof value !== 'object' || fields.get(path)?.fits === TYPES.object;
  if (isWhole) return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((item) => leaves(item, `${path}[]`, fields));
  const below = (key) => (path === '' ? key : `${path}.${key}`);
  return Object.entries(value).flatMap(([key, item]) => leaves(item, below(key), fields));
}

/** A field of a list without items, or of an object that is null, cannot be there. */
function isBelowNothing(path, body) {
  let values = [body];
  for (const key of path.replaceAll('[]', '.[]').split('.').slice(0, -1)) {
    values = values.flatMap((value) => (key === '[]' ? value : [value[key]]));
    values = values.filter((value) => value !== null && value !== undefined);
  }
  return values.length === 0;
}
