'use strict';

/** By SQLSTATE, where Postgres itself refused. */
const BY_STATE = {
  28000: signIn,
  '28P01': signIn,
  '3D000': (name) => `Create the database (createdb), or correct its name in ${name}.`,
  42501: () => 'Run doctor as the role that the app uses; the message names what it may not do.',
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
  if (reason === 'UNAVAILABLE' || reason === 'TIMEOUT') {
    return `Is Postgres running, and are host and port in ${name} right? A firewall may be in between.`;
  }
  return `See the message; ${name} says which server it is about.`;
}

module.exports = { postgresAdvice };
