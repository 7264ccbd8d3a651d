// The tables of the documentation say what the code says.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { pages, root, table } from './markdown.mjs';

const require = createRequire(import.meta.url);
const documentation = pages.map(({ text }) => text).join('\n');
const { defaults, limits, errorCatalogue } = JSON.parse(require('../../lib/native.cjs').constants());
const { resolveConfig } = require('../../lib/config.cjs');
const { DEFAULT_PERSISTENCE_CONFIG } = require('izzie-memory');

test('every reason of an error, whether it is retryable, and its meaning', () => {
  const known = errorCatalogue.map(({ reason, retryable, meaning }) => [
    reason,
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  expect(table('Error reasons')).toEqual(known);
});

test('the names of metrics are those of the table, whose rows a test compares with what is told', () => {
  const known = new Set(table('Metrics').map(([name]) => name));
  const named = documentation.match(/\bizzie_memory_[a-z_]+\b/g);
  expect(named.length).toBeGreaterThan(known.size);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

describe('settings', () => {
  const rows = table('Settings').map(([key, environment, byDefault]) => ({
    key,
    environment: environment === '' ? [] : environment.split(', '),
    byDefault,
  }));
  const documented = (key) => rows.find((row) => row.key === key).byDefault;

  test('every key of the declarations, and no other', () => {
    expect(rows.map(({ key }) => key).sort()).toEqual(declaredKeys().sort());
  });

  test('every variable that is read, and no other', () => {
    const named = [...rows.flatMap(({ environment }) => environment), 'NODE_ENV', 'NEXT_PHASE'];
    expect(named.sort()).toEqual([...variablesRead()].sort());
    for (const name of named) expect(documentation).toContain(`\`${name}\``);
  });

  test('the defaults of persistence', () => {
    for (const [name, value] of Object.entries(DEFAULT_PERSISTENCE_CONFIG)) {
      expect(documented(`persistence.${name}`), name).toBe(value === undefined ? '' : String(value));
    }
    expect(DEFAULT_PERSISTENCE_CONFIG).toMatchObject(defaults);
  });

  test('the limits', () => {
    for (const [name, value] of Object.entries(limits)) expect(documented(`limits.${name}`)).toBe(`${value}`);
  });

  test('the defaults of the pool, of Neo4j, of the graph and of the models', () => {
    const core = readFileSync(join(root, 'src/config.rs'), 'utf8');
    const [, max] = core.match(/Self \{ max: (\d+), acquire_timeout_ms: None, /);
    const [, shared, timeout] = core.match(/if embedded \{ ([\d_]+) \} else \{ ([\d_]+) \}/);
    expect([documented('pool.max'), documented('pool.acquireTimeoutMs')]).toEqual([
      max,
      timeout.replaceAll('_', ''),
    ]);
    expect(readFileSync(join(root, 'docs/configuration.md'), 'utf8')).toContain(
      `all processes share, \`${shared.replaceAll('_', '')}\``,
    );
    expect(core).toMatch(/enum GraphChoice \{[^}]*#\[default\]\s+Auto/);
    expect(core).toMatch(/enum PreparedStatements \{[^}]*#\[default\]\s+Auto/);
    expect(documented('graphStore')).toBe('auto');
    expect(documented('pool.preparedStatements')).toBe('auto');
    const config = { databaseUrl: 'postgres://h/d', neo4j: { uri: 'bolt://h', password: '' } };
    const { settings } = resolveConfig(config, {});
    expect(documented('neo4j.user')).toBe(settings.neo4j.user);
    expect(documented('extractor')).toBe(settings.extractor);
    expect(documented('embedder')).toBe(`${settings.embedder.kind} without a key`);
  });
});

describe('the tests that prove the promise and cover the faults', () => {
  const cells = [...table('The promise').map((row) => row[2]), ...table('Faults').map((row) => row[1])];
  const named = cells
    .flatMap((cell) => cell.split('; '))
    .map((part) => {
      const [, file, names] = part.match(/^(\S+?): (.+)$/);
      return { file, names: names.split(' / ') };
    });

  test.each(named)('are there: $file', ({ file, names }) => {
    expect(existsSync(join(root, file)), file).toBe(true);
    const source = readFileSync(join(root, file), 'utf8');
    for (const name of names) expect(source.includes(name), `${file}: ${name}`).toBe(true);
  });
});

/** The keys of IzzieMemoryConfig, with those of the interfaces it holds: `neo4j.uri`, `pool.max` … */
function declaredKeys() {
  const nested = {
    neo4j: 'Neo4jConfig',
    persistence: 'PersistenceConfig',
    limits: 'Limits',
    pool: 'PoolConfig',
  };
  const source = readFileSync(join(root, 'index.d.ts'), 'utf8');
  const file = ts.createSourceFile('index.d.ts', source, ts.ScriptTarget.Latest);
  const keysOf = (name) => {
    const declared = file.statements.find((s) => ts.isInterfaceDeclaration(s) && s.name.text === name);
    return declared.members.map((member) => member.name.text);
  };
  return keysOf('IzzieMemoryConfig').flatMap((key) =>
    key in nested ? keysOf(nested[key]).map((inner) => `${key}.${inner}`) : [key],
  );
}

/** Resolves configurations that between them reach every variable, in an environment that writes down what is read. */
function variablesRead() {
  const read = new Set();
  const watched = (values) =>
    new Proxy(values, {
      get(target, name) {
        read.add(name);
        return target[name];
      },
    });
  resolveConfig({}, watched({}));
  resolveConfig({}, watched({ DATABASE_URL: 'postgres://h/d', NEO4J_URI: 'bolt://h', NEO4J_PASSWORD: 'p' }));
  return read;
}
