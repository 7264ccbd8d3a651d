'use strict';

const { after, before, describe, test } = require('node:test');
const api = require('izzie-memory');
const { CASES, checkErrorCase } = require('../support/error-cases.cjs');

describe('errors in a CommonJS module', () => {
  let database;

  before(async () => {
    const { migratedDatabase } = await import('../support/migrated.mjs');
    database = await migratedDatabase(api);
  });

  after(() => database.drop());

  for (const errorCase of CASES) test(errorCase.name, () => checkErrorCase(api, errorCase, database.url));
});
