// Test runners in a project that has installed the tarball: they run the recipes of docs/testing-layers.md, and tests of isolation.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../example/support.mjs';
import { blocks } from '../readme/markdown.mjs';

/** The same for both: the runner's functions are globals. */
const ISOLATION = `
const user = { userId: 'ada' };
test('two layers at once never see each other', async () => {
  const [one, two] = await Promise.all([createTestLayer(), createTestLayer()]);
  const layers = [[one, 'of one'], [two, 'of two']];
  await Promise.all(layers.map(([{ memory }, text]) =>
    memory.storeMany([1, 2, 3].map((number) => ({ ...user, content: text + ' ' + number })))));
  for (const [{ memory, persistence }, text] of layers) {
    const contents = (await memory.getAll('ada')).map(({ content }) => content);
    expect(contents.sort()).toEqual([1, 2, 3].map((number) => text + ' ' + number));
    expect((await persistence.getHealth()).metrics).toMatchObject({ totalMemories: 3, graphStoreCount: 3 });
  }
  await one.close();
  expect(await two.memory.getAll('ada')).toHaveLength(3);
  await two.close();
}, 240_000);

test('a layer begins empty, whatever the one before did', async () => {
  for (let round = 1; round <= 3; round += 1) {
    const { memory, sync, graph, close } = await createTestLayer();
    expect(await memory.getAll('ada')).toEqual([]);
    expect(await graph.getTopEntities('ada')).toEqual([]);
    await memory.store({ ...user, content: 'Lunch with Grace Hopper in Philadelphia.' });
    expect((await graph.getTopEntities('ada')).length).toBeGreaterThan(0);
    expect(await sync.fullSync()).toMatchObject({ totalChecked: 1, inconsistencies: [] });
    await close();
  }
}, 240_000);
`;

const RUNNERS = {
  jest: {
    file: (name) => `${name}.test.cjs`,
    head: "const { createTestLayer } = require('izzie-memory/testing');",
    command: (files) => [
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...[
        '--ci',
        '--rootDir',
        '.',
        '--testEnvironment',
        'node',
        '--transform',
        '{}',
        '--testMatch',
        '**/*.test.cjs',
      ],
      ...files,
    ],
  },
  vitest: {
    file: (name) => `${name}.test.mts`,
    head: "import { createTestLayer } from 'izzie-memory/testing';",
    command: (files, pool) => [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      ...['run', '--globals', '--pool', pool],
      ...files,
    ],
  },
};

/** The recipe of a runner: the documentation's block of its name. */
export function recipe(runner) {
  const found = blocks().filter(({ setting }) => setting === runner);
  if (found.length !== 1) throw new Error(`${found.length} recipes for ${runner} in the documentation`);
  return found[0].code;
}

/** Writes a runner's tests into a project and returns how to run them: Node's arguments. */
export function testsFor(runner, project, pool) {
  const { file, head, command } = RUNNERS[runner];
  const [isolation, readme] = [file('isolation'), file('recipe')];
  writeFileSync(project.path(isolation), head + ISOLATION);
  writeFileSync(project.path(readme), recipe(runner));
  return command([isolation, readme], pool);
}

/** Makes a dependency of this repository one of the project, without another installation. */
export function lend(project, name) {
  const target = project.path('node_modules', name);
  mkdirSync(join(target, '..'), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), target, 'junction');
}
