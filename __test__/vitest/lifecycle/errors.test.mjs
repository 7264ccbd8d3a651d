import * as api from 'izzie-memory';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { CASES, checkErrorCase } from '../../support/error-cases.cjs';
import { migratedDatabase } from '../../support/migrated.mjs';

describe('errors under vitest', () => {
  let database;

  beforeAll(async () => {
    database = await migratedDatabase(api);
  });

  afterAll(() => database.drop());

  test.each(CASES)('$name', (errorCase) => checkErrorCase(api, errorCase, database.url));
});
