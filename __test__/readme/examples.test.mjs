// Every fenced block of the documentation is run, or checked as far as its language allows.
//
// `ts` and `js` blocks are programs of their own. All are type-checked together. Those of a page run in order in one folder, so
// that a later one finds what an earlier one stored in the embedded database there. Lines that end in `// prints TEXT` are what
// they must print, and all of it. A comment before a block asks for another setting:
//   <!-- example: postgres -->  with DATABASE_URL, an empty database of its own
//   <!-- example: adopted -->   with DATABASE_URL, a database that an application has tables and rows in, and no others
//   <!-- example: neo4j -->     an empty one with NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD, the graph empty
//   <!-- example: route -->     a module of which GET is called, and must answer 200
//   <!-- example: module -->    a module that is loaded
//   <!-- example: jest -->, <!-- example: vitest -->  tests, which __test__/package runs under that runner
// `sh` blocks: every npm script and file they name must be there. `json` must parse. `text` is for people.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMemoryLayer } from 'izzie-memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase, neo4j } from '../support/stores.mjs';
import { understand } from './command-line.mjs';
import { blocks, pages, root } from './markdown.mjs';
import { announced, compile, execute, project } from './programs.mjs';

const APPLICATION = ['izzie2-schema.sql', 'app-rows.sql']
  .map((name) => readFileSync(join(root, '__test__/fixtures', name), 'utf8'))
  .join('\n');
const WIPE = 'MATCH (n) WHERE n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat DETACH DELETE n';
const RUNNERS = ['jest', 'vitest'];
const all = blocks();
const inLanguage = (...languages) => all.filter(({ language }) => languages.includes(language));

test.each(all)('$path:$line is of a known language', ({ language }) => {
  expect(['sh', 'ts', 'js', 'json', 'text']).toContain(language);
});

test.each(pages)('$path closes every block that it opens', ({ path, text }) => {
  const fences = text.match(/^ *```/gm) ?? [];
  expect(fences).toHaveLength(2 * all.filter((block) => block.path === path).length);
});

describe('programs', () => {
  const programs = inLanguage('ts', 'js').filter(({ setting }) => !RUNNERS.includes(setting));
  const projects = new Map(programs.map(({ path }) => [path, undefined]));
  let compiled;
  beforeAll(() => {
    for (const path of projects.keys()) projects.set(path, project());
    compiled = compile((path) => projects.get(path).folder, programs);
  }, 480_000);
  afterAll(() => {
    for (const { remove } of projects.values()) remove();
  });

  test('have no type errors', () => expect(compiled.problems).toEqual([]));

  test.each(
    programs.map((program, index) => ({ ...program, setting: program.setting ?? 'embedded', index })),
  )(
    '$path:$line, $setting',
    async ({ path, index, setting }) => {
      const printed = await SETTINGS[setting](projects.get(path).folder, compiled.files[index]);
      expect(printed).toEqual(announced(programs[index].code));
    },
    900_000,
  );
});

const SETTINGS = {
  embedded: execute,
  module: execute,

  postgres: (folder, file) => onDatabase(folder, file, async () => {}),
  adopted: (folder, file) => onDatabase(folder, file, ({ query }) => query(APPLICATION)),

  async neo4j(folder, file) {
    const [database, graph] = [await freshDatabase(), neo4j()];
    const { uri, user, password } = graph;
    try {
      await warm({ uri, user, password });
      await graph.query(WIPE);
      const env = { NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
      return await execute(folder, file, { DATABASE_URL: database.url, ...env });
    } finally {
      await graph.query(WIPE);
      await graph.close();
      await database.drop();
    }
  },

  async route(folder, file) {
    const caller = file.replace('.mjs', '-caller.mjs');
    writeFileSync(
      caller,
      `import { GET } from ${JSON.stringify(file)};\nconsole.log((await GET()).status, typeof (await (await GET()).json()));`,
    );
    expect(await execute(folder, caller)).toEqual(['200 object']);
    return [];
  },
};

/** A Neo4j that has just started compiles every statement, for which the example's `graphWaitMs` may be too short. */
async function warm({ uri, user, password }) {
  const database = await freshDatabase();
  const layer = createMemoryLayer({ databaseUrl: database.url, neo4j: { uri, user, password } });
  try {
    await layer.migrate();
    await layer.memory.store({ userId: 'ada', content: 'Call Grace Hopper back.' });
    const isThere = async () => (await layer.sync.fullSync().catch(() => ({}))).pending === 0;
    await expect.poll(isThere, { timeout: 480_000, interval: 500 }).toBe(true);
    await expect.poll(async () => (await layer.sync.getStats()).graphStoreCount, { timeout: 60_000 }).toBe(1);
  } finally {
    await layer.close();
    await database.drop();
  }
}

async function onDatabase(folder, file, prepare) {
  const database = await freshDatabase();
  try {
    await prepare(database);
    return await execute(folder, file, { DATABASE_URL: database.url });
  } finally {
    await database.drop();
  }
}

describe('commands', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = inLanguage('sh').flatMap(({ path, line, code }) =>
    code
      .split('\n')
      .flatMap((text, index) =>
        commandsOf(text).map((command) => ({ path, line: line + 1 + index, command })),
      ),
  );

  test.each(commands)('$path:$line: $command', async ({ command }) => {
    const [program, ...args] = command.split(/\s+/);
    const check = COMMANDS[program];
    expect(check, `${program} is not known to this test`).toBeDefined();
    await check(args);
  });

  const COMMANDS = {
    npm([verb, name]) {
      if (['ci', 'install', 'pack'].includes(verb)) return;
      expect(Object.keys(scripts)).toContain(verb === 'run' ? name : verb);
    },
    node([file]) {
      expect(existsSync(join(root, file)), file).toBe(true);
    },
    async npx([name, ...args]) {
      expect(name).toBe('izzie-memory');
      await understand(args);
    },
    cargo([verb, flag, name]) {
      if (['fmt', 'clippy'].includes(verb)) return;
      expect([verb, flag]).toEqual(['bench', '--bench']);
      expect(existsSync(join(root, 'benches', `${name}.rs`)), name).toBe(true);
    },
    docker([verb]) {
      expect(verb).toBe('compose');
      expect(existsSync(join(root, 'docker-compose.yml'))).toBe(true);
    },
    export([assignment]) {
      expect(assignment).toMatch(/^TEST_[A-Z0-9_]+=/);
    },
  };
});

/** The commands of a line, without comments and variables. */
function commandsOf(line) {
  const commands = line.replace(/\s*#.*$/, '').split(' && ');
  return commands.map((command) => command.replace(/^(\w+=\S+ )+/, '')).filter((command) => command !== '');
}

describe('data', () => {
  test.each(inLanguage('json'))('$path:$line is JSON', ({ code }) => {
    expect(() => JSON.parse(code)).not.toThrow();
  });
});
