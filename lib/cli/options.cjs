'use strict';

const { InvalidArgumentError } = require('commander');

/** Options of every command that opens the stores. @param {import('commander').Command} command */
function withStores(command) {
  return withJson(command)
    .option('--database-url <url>', 'Postgres, instead of DATABASE_URL')
    .option('--neo4j-uri <uri>', 'Neo4j, instead of NEO4J_URI; the password is read from NEO4J_PASSWORD only')
    .option('--config <file>', 'a module that exports a configuration, instead of izzie-memory.config.mjs');
}

/** @param {import('commander').Command} command */
function withJson(command) {
  return command.option('--json', 'print one JSON value on stdout');
}

/** @param {string} text */
function wholeNumber(text) {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** A variable of the shell that is not set must not make a command one for all users. @param {string} text */
function userOf(text) {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** @param {...string} lines */
function examples(...lines) {
  return `\nExamples:\n${lines.map((line) => `  izzie-memory ${line}`).join('\n')}`;
}

module.exports = { withStores, withJson, wholeNumber, userOf, examples };
