'use strict';

/** By SQLSTATE, where Postgres itself refused. */
const BY_STATE = {
  28000: signIn,
  '28P01': signIn,
  '3D000': (name) => `Create the database (createdb), or correct its name in ${name}.`,
  42501: () => 'Run doctor as the role that the app uses; the message names what it may not do.',
  25006: (name) =>
    `The server takes no writes (a standby, or default_transaction_read_only): give ${name} the address of the primary.`,
  IZ002: () =>
    'Connect as the owner of the table (without FORCE ROW LEVEL SECURITY) or as a role with BYPASSRLS, or give the role a policy for all rows.',
  IZ003: () =>
    "Make a database with the encoding UTF8: create database NAME encoding 'UTF8' template template0;",
  53300: () => 'Postgres has no connection left: close some, lower pool.max, or put a pooler before it.',
};

function signIn(name) {
  return `Correct user and password in ${name}; characters such as @ : / # must be written as %40 %3A %2F %23.`;
}

/**
 * What to do about a Postgres that cannot be asked.
 *
 * @param {{ message: string, reason: string, details?: Record<string, any> }} error
 * @param {string} [name] of the setting that holds the URL
 */
function postgresAdvice({ message, reason, details }, name = 'DATABASE_URL') {
  const bySqlState = BY_STATE[details?.sqlstate];
  if (bySqlState) return bySqlState(name);
  if (/TLS/.test(message)) {
    return `Does the server speak TLS? Set sslmode in ${name}, and sslrootcert for a certificate authority of your own.`;
  }
  if (/no such host/.test(message)) return `Correct the host in ${name}: no name server knows it.`;
  if (reason === 'UNAVAILABLE' || reason === 'TIMEOUT') {
    return `Is Postgres running, and are host and port in ${name} right? A firewall may be in between.`;
  }
  return `See the message; ${name} says which server it is about.`;
}

module.exports = { postgresAdvice };
