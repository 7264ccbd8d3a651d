// ARCHITECTURE.md names files, folders and tests: they must be there.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as always, expect } from 'vitest';
import { lacks } from '../../scripts/test/needs.mjs';
import { page, root, table } from './markdown.mjs';

const architecture = page('ARCHITECTURE.md');
const isWithoutGit = lacks('git', import.meta.url);
const test = always.skipIf(isWithoutGit);
const tracked = isWithoutGit ? [] : listed('--cached', '--others', '--exclude-standard');
const quoted = [...new Set([...architecture.text.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name))];

test.each(quoted.filter((name) => /^[\w./-]+\.(rs|cjs|mjs|sql|md|ts)$/.test(name)))('file %s', (name) => {
  expect(tracked.some((path) => path === name || path.endsWith(`/${name}`))).toBe(true);
});

test.each(quoted.filter((name) => /^[\w./-]+\/$/.test(name)))('folder %s', (name) => {
  expect(tracked.some((path) => path.startsWith(name) || path.includes(`/${name}`))).toBe(true);
});

const tests = table('Invariants', [architecture]).flatMap(
  (row) => row[3].match(/\b[a-z0-9]+(?:_[a-z0-9]+){3,}\b/g) ?? [],
);
const sources = tracked
  .filter((path) => /^(src|tests)\/.*\.rs$/.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

test.each(tests)('test %s', (name) => expect(sources).toMatch(new RegExp(`fn ${name}`)));

function listed(...options) {
  return execFileSync('git', ['ls-files', ...options], { cwd: root })
    .toString()
    .split('\n');
}
