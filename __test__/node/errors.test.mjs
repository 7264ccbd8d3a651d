import { after, before, describe, test } from 'node:test';
import * as api from 'izzie-memory';
import { CASES, checkErrorCase } from '../support/error-cases.cjs';
import { migratedDatabase } from '../support/migrated.mjs';

describe('errors in an ES module', () => {
  let database;

  before(async () => {
    database = await migratedDatabase(api);
  });

  after(() => database.drop());

  for (const errorCase of CASES) test(errorCase.name, () => checkErrorCase(api, errorCase, database.url));
});
