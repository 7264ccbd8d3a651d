// The documentation as the tests see it: pages with fenced blocks, tables, headings and links.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page by its path from the root. */
export function page(path) {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** The pages whose blocks are run and whose tables are compared with the code. */
export const pages = ['README.md', 'CONTRIBUTING.md', ...inFolder('docs')].map(page);

function inFolder(folder) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.sort().map((name) => `${folder}/${name}`);
}

/**
 * Fenced blocks in order. `setting` comes from a comment on the line before the fence, `<!-- example: SETTING -->`.
 *
 * @returns {{ path: string, language: string, code: string, setting: string | undefined, line: number }[]}
 */
export function blocks(from = pages) {
  const fence = /(?:^<!-- example: (\w+) -->\n)?^```(\w*)\n(.*?)^```$/gms;
  return from.flatMap(({ path, text }) =>
    [...text.matchAll(fence)].map(({ index, 1: setting, 2: language, 3: code }) => ({
      path,
      language,
      code,
      setting,
      line: text.slice(0, index).split('\n').length,
    })),
  );
}

/**
 * The rows of the first table below a heading, as lists of their cells without backticks. The heading must stand on one page.
 *
 * @param {string} heading its text
 */
export function table(heading, from = pages) {
  const title = new RegExp(`^#+ ${heading}$`, 'm');
  const having = from.filter(({ text }) => title.test(text));
  const paths = having.map(({ path }) => path).join(', ');
  if (having.length !== 1) throw new Error(`"${heading}" is a heading of ${paths || 'no page'}, not of one`);
  const [{ text }] = having;
  const below = text.slice(text.search(title));
  const lines = below
    .match(/(?:^\|.*\n)+/m)?.[0]
    .trim()
    .split('\n');
  if (!lines) throw new Error(`${paths} has no table under "${heading}"`);
  return lines.slice(2).map(cells);
}

function cells(line) {
  const inner = line.trim().replace(/^\||\|$/g, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('`', ''));
}

/** The anchors that GitHub gives a page's headings. */
export function anchors({ text }) {
  const seen = new Map();
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** The relative links of a page, with their lines. */
export function links({ text }) {
  return [...prose(text).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(({ index, 1: target }) => ({
    target,
    line: text.slice(0, index).split('\n').length,
  }));
}

/** A page with its fenced blocks blanked out, all else in its place. */
function prose(text) {
  return text.replace(/^( *)```.*?^\1```$/gms, (block) => block.replace(/[^\n]/g, ' '));
}
