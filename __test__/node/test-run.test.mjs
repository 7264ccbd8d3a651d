// What `npm test` does around its suites: gets what they need, skips what it cannot have, ends what hangs, and says so.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../../scripts/setup.mjs';
import { begun, ended, underWay } from '../../scripts/test/journal.mjs';
import { lackingEnvironment, skippedSuites } from '../../scripts/test/needs.mjs';
import { PREREQUISITES, provide } from '../../scripts/test/prerequisites.mjs';
import { isCi, report } from '../../scripts/test/report.mjs';
import { STEPS } from '../../scripts/test/steps.mjs';
import { overdueReport, Watch } from '../../scripts/test/watch.mjs';

const folder = mkdtempSync(join(tmpdir(), 'izzie-memory-run-'));
after(() => rmSync(folder, { recursive: true }));

describe('what suites need', () => {
  /** A thing that is there once its packages are, on a machine that lets itself be changed or not. */
  function machine({ installed = [], mayInstall = true, broken = [] } = {}) {
    const tried = [];
    const thing = (name, packages) => ({
      advice: `install ${name}`,
      provide: async () => {
        tried.push(name);
        if (!installed.includes(packages?.[0] ?? name)) throw new Error(`no ${name}`);
      },
      packages,
    });
    return {
      tried,
      prerequisites: {
        java: thing('java', ['jre']),
        rust: thing('rust'),
        browser: thing('browser', ['chromium']),
      },
      mayInstall: () => mayInstall,
      installPackages: async (names) => {
        if (names.some((name) => broken.includes(name))) throw new Error(`cannot install ${names}`);
        installed.push(...names);
      },
    };
  }

  test('is left alone where it is there, and looked for once', async () => {
    const here = machine({ installed: ['jre', 'rust'] });
    assert.deepEqual(await provide(['java', 'rust', 'java'], here), []);
    assert.deepEqual(here.tried, ['java', 'rust']);
  });

  test('is installed where we may', async () => {
    assert.deepEqual(await provide(['java', 'browser'], machine()), []);
  });

  test('is told where it cannot be had, and the rest still provided', async () => {
    assert.deepEqual(await provide(['java', 'browser'], machine({ broken: ['jre'] })), ['java']);
    assert.deepEqual(await provide(['java', 'rust'], machine({ mayInstall: false })), ['java', 'rust']);
    assert.deepEqual(await provide(['rust', 'browser'], machine()), ['rust']);
  });

  test('is spelled right in every step, and its advice fits a line', async () => {
    for (const { needs, uses = [] } of STEPS)
      for (const name of [...needs, ...uses]) assert.ok(Object.hasOwn(PREREQUISITES, name), name);
    for (const { advice } of Object.values(PREREQUISITES)) assert.match(advice, /^[^\n]*install[^\n]*\.$/);
    await assert.rejects(provide(['jvaa'], machine()), /jvaa/);
  });
});

describe('a suite that lacks something', () => {
  const skips = join(folder, 'skips');
  const needs = pathToFileURL(join(root, 'scripts/test/needs.mjs'));
  const ask = async (environment, ...names) => {
    const asked = names.map(
      (name) => `lacks('${name}', '${pathToFileURL(join(root, '__test__/a.test.mjs'))}')`,
    );
    const program = `import { lacks } from '${needs}'; console.log(JSON.stringify([${asked}]));`;
    const args = ['--input-type=module', '-e', program];
    const env = { ...process.env, IZZIE_MEMORY_TEST_LACKS: '', ...environment };
    return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout);
  };

  test('learns it, and the run learns of the suite, once', async () => {
    const environment = lackingEnvironment(['chromium', 'own neo4j'], skips);
    assert.deepEqual(await ask(environment, 'chromium', 'neo4j', 'own neo4j'), [true, false, true]);
    await ask(environment, 'chromium');
    const suite = join('__test__', 'a.test.mjs');
    assert.deepEqual(skippedSuites(skips), [
      { suite, name: 'chromium' },
      { suite, name: 'own neo4j' },
    ]);
  });

  test('tries when it is run by hand', async () => {
    assert.deepEqual(await ask({}, 'chromium'), [false]);
    assert.deepEqual(skippedSuites(join(folder, 'none')), []);
  });
});

describe('a suite that starts what a machine may lack', () => {
  /** By what it imports. */
  const SIGNS = {
    pgbouncer: /servers\/pgbouncer\.mjs/,
    openssl: /support\/certificates\.mjs/,
    'own neo4j': /servers\/neo4j\.mjs/,
    'own postgres': /servers\/postgres\.mjs|scripts\/with-servers\.mjs/,
    chromium: /\.\.\/dashboard\.mjs/,
    git: /'git', \[/,
  };
  const sources = readdirSync(join(root, '__test__'), { recursive: true })
    .filter((name) => /\.mjs$/.test(name) && !/^support\b|test-run/.test(name))
    .map((name) => ({ name, text: readFileSync(join(root, '__test__', name), 'utf8') }));

  for (const [name, sign] of Object.entries(SIGNS)) {
    test(`asks for ${name}`, () => {
      // Comments speak of the scripts too.
      const code = ({ text }) => text.replace(/^ *(\/\/|\/?\*).*$/gm, '');
      const users = sources.filter((source) => sign.test(code(source)));
      assert.ok(users.length > 0, 'nobody uses it');
      const asking = users.filter(({ text }) => text.includes('needs.mjs') && text.includes(`'${name}'`));
      assert.deepEqual(
        users.filter((user) => !asking.includes(user)).map((user) => user.name),
        [],
      );
    });
  }
});

describe('the report', () => {
  const rows = [
    { name: 'addon', seconds: 300 },
    { name: 'vitest', seconds: 60, passed: 70, failed: 0, skipped: 4 },
    { name: 'example', seconds: 1, passed: 3, failed: 0, skipped: 0 },
  ];
  const skips = [{ suite: '__test__/a.test.mjs', advice: ['It needs Java: install it.', 'And cc.'] }];
  const of = (outcome) => report({ rows, skips: [], missing: 0, isCi: false, ...outcome });
  const last = (outcome) => of(outcome).lines.at(-1);

  test('ends with the counts, and names every skipped suite with what to install', () => {
    const { lines, isSuccess } = of({ skips });
    assert.equal(lines.at(-1), '73 passed, 0 failed, 4 skipped');
    assert.ok(isSuccess);
    assert.ok(lines.includes('skipped: __test__/a.test.mjs. It needs Java: install it. And cc.'));
  });

  test('has no word of what was not skipped', () => {
    assert.equal(last({ rows: [{ ...rows[2] }] }), '3 passed, 0 failed');
  });

  test('in CI counts what was skipped as failed', () => {
    const { lines, isSuccess } = of({ skips, isCi: true });
    assert.equal(lines.at(-1), '73 passed, 4 failed');
    assert.ok(!isSuccess && lines.some((line) => line.startsWith('skipped: __test__/a.test.mjs')));
  });

  test('fails for a failed test, a step that did not run, and where nothing ran', () => {
    const failed = [{ name: 'jest', seconds: 1, passed: 9, failed: 1, skipped: 0, problem: 'hung' }];
    assert.deepEqual([last({ rows: failed }), of({ rows: failed }).isSuccess], ['9 passed, 1 failed', false]);
    assert.ok(of({ rows: failed }).lines.includes('jest: hung'));
    assert.deepEqual(
      [last({ missing: 2 }), of({ missing: 2 }).isSuccess],
      ['73 passed, 2 failed, 4 skipped', false],
    );
    assert.equal(of({ rows: [] }).isSuccess, false);
  });

  test('knows CI by its variable', () => {
    const values = ['true', '1', '', 'false', '0', undefined];
    assert.deepEqual(
      values.map((CI) => isCi({ CI })),
      [true, true, false, false, false, false],
    );
  });
});

describe('a step that hangs', () => {
  const NEVER = { allMs: 600_000, silenceMs: 600_000, reminderMs: 600_000 };

  /** A step of one process that does nothing, watched; resolves when that process has gone. */
  async function watched(limits, { isHeard = false } = {}) {
    const value = randomUUID();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); // hangs'], {
      env: { ...process.env, HANGING_STEP: value },
    });
    await once(child, 'spawn');
    const told = [];
    const step = {
      name: 'vitest',
      mark: `HANGING_STEP=${value}`,
      running: () => ['a test'],
      kill: () => child.kill(),
    };
    const watch = new Watch(step, { ...NEVER, ...limits }, (text) => told.push(text));
    const noise = isHeard ? setInterval(() => watch.heard(), 20) : undefined;
    await once(child, 'exit');
    clearInterval(noise);
    return { overdue: watch.end(), told: told.join('\n'), pid: child.pid };
  }

  test('is ended when it has said nothing for long, and what ran is told first', async () => {
    const { overdue, told, pid } = await watched({ silenceMs: 300 });
    assert.match(overdue, /^was ended because it said nothing for 0 min$/);
    assert.match(told, /^── vitest is overdue: it said nothing for 0 min ──$/m);
    assert.match(told, /^Tests under way:\n {2}a test$/m);
    if (process.platform === 'linux') assert.match(told, new RegExp(`^ {2}${pid} .*node.* // hangs`, 'm'));
  });

  test('is ended at its limit though it goes on talking', async () => {
    const { overdue } = await watched({ allMs: 3000, silenceMs: 2000 }, { isHeard: true });
    assert.match(overdue, /^was ended because it ran for/);
  });

  test('is spoken of while it is silent', async () => {
    const { told } = await watched({ silenceMs: 1500, reminderMs: 200 });
    assert.match(told, /^… vitest has run for 0 min: a test$/m);
  });

  test('that ends in time is left alone', async () => {
    const told = [];
    const step = { name: 'jest', mark: 'NO=ONE', running: () => [], kill: () => told.push('killed') };
    const watch = new Watch(step, { allMs: 50, silenceMs: 50, reminderMs: 50 }, (text) => told.push(text));
    assert.equal(watch.end(), undefined);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual(told, []);
  });

  test('without a known test has its processes told', () => {
    const text = overdueReport('chaos', 'it ran for 75 min', {
      processes: [{ pid: 7, command: 'java -jar x' }],
      tests: [],
    });
    assert.equal(text, '── chaos is overdue: it ran for 75 min ──\nProcesses:\n  7 java -jar x');
  });
});

describe('the tests under way', () => {
  test('are those that have begun and not ended', () => {
    const file = join(folder, 'journal');
    writeFileSync(file, begun('a > b') + begun('of two\nlines') + ended('a > b') + begun('c'));
    assert.deepEqual(underWay(file), ['of two lines', 'c']);
    assert.deepEqual(underWay(join(folder, 'none')), []);
  });

  test('are told by libtest when they are slow', () => {
    const { running } = STEPS.find(({ group }) => group === 'rust');
    const output = `test quick ... ok
test slow::one has been running for over 60 seconds
test slow::two has been running for over 60 seconds
test slow::one ... ok
`;
    assert.deepEqual(running(output), ['slow::two']);
  });

  test('are journalled by node --test, in suites too', async () => {
    const [suite, journal] = [join(folder, 'hanging.test.mjs'), join(folder, 'hanging.journal')];
    writeFileSync(
      suite,
      `import { describe, test } from 'node:test';
       describe('a suite', () => { test('ends', () => {}); test('hangs', () => new Promise((r) => setTimeout(r, 600_000))); });`,
    );
    const reporter = pathToFileURL(join(root, 'scripts/test/journal-node.mjs')).href;
    const args = ['--test', `--test-reporter=${reporter}`, `--test-reporter-destination=${journal}`, suite];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    try {
      let running = [];
      while (running.at(-1) !== 'hangs') {
        await new Promise((resolve) => setTimeout(resolve, 20));
        running = underWay(journal);
      }
      assert.deepEqual(running.slice(-2), ['a suite', 'hangs']);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});
