// Links between the pages resolve, anchors included, and the README stays short.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchors, links, page, pages, root } from './markdown.mjs';

const linking = [...pages, ...['ARCHITECTURE.md', 'CHANGELOG.md', 'examples/nextjs/README.md'].map(page)];

describe.each(linking)('$path', (from) => {
  test('links to files and anchors that are there', () => {
    const broken = links(from).filter(({ target }) => !isThere(from, target));
    expect(broken.map(({ line, target }) => `${from.path}:${line} ${target}`)).toEqual([]);
  });
});

test('every page of docs/ is linked from the README', () => {
  const [readme, ...others] = pages;
  const linked = links(readme).map(({ target }) => target.split('#')[0]);
  expect(linked).toEqual(expect.arrayContaining(others.map(({ path }) => path)));
});

test('the README has at most 250 lines', () => {
  expect(pages[0].text.split('\n').length - 1).toBeLessThanOrEqual(250);
});

function isThere(from, target) {
  const [file, anchor] = target.split('#');
  const path = file === '' ? from.path : normalize(join(dirname(from.path), file));
  if (!existsSync(join(root, path))) return false;
  if (anchor === undefined) return true;
  return statSync(join(root, path)).isFile() && anchors(page(path)).includes(anchor);
}
