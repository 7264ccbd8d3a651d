// The set-up that works, of which the tests of `doctor` break one part each.
import { afterAll, beforeAll, expect } from 'vitest';
import { useGraph } from '../../api/support.mjs';
import { cliJson, useFolder } from '../../support/cli.mjs';

/** A database and a Neo4j that belong together and hold a memory, and an empty folder to run in. */
export function useSetUp() {
  const database = useGraph('neo4j');
  const folder = useFolder();
  const dropped = [];
  afterAll(() => Promise.all(dropped.map((own) => own.drop())));
  beforeAll(async () => {
    const layer = database.layer({ embedder: 'local' });
    await layer.memory.store({ userId: 'ada', content: 'Lunch with Grace Hopper.' });
    await layer.sync.fullSync();
  });

  function setUp(env = {}) {
    const { uri, user, password } = database.neo4j;
    const stores = { DATABASE_URL: database.url, NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
    return { cwd: folder.path, env: { ...stores, ...env } };
  }

  return {
    database,
    folder,
    setUp,
    /** A database of the test's own, dropped with the suite. */
    async ownDatabase(make) {
      const own = await make();
      dropped.push(own);
      return own;
    },
    /** What doctor says, each check under its name. */
    async examine(place = setUp(), ...options) {
      const { code, answer } = await cliJson(['doctor', ...options], place);
      const checks = Object.fromEntries(answer.checks.map((check) => [check.name, check]));
      return { code, ok: answer.ok, checks };
    },
  };
}

/** The one check that is not ok. */
export function onlyComplaint({ checks }) {
  const complaints = Object.values(checks).filter(({ state }) => state !== 'ok');
  expect(complaints).toHaveLength(1);
  return complaints[0];
}
