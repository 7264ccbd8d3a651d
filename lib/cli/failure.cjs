'use strict';

const { EXIT } = require('./exit-codes.cjs');

/** What to do about an error whose message does not say it. */
const ADVICE = {
  SCHEMA_OUTDATED: 'Run: npx izzie-memory migrate',
  UNAVAILABLE: 'To see what is wrong, run: npx izzie-memory doctor',
  TIMEOUT: 'Try again; if it stays, run: npx izzie-memory doctor',
  OVERLOADED: 'Try again when less is going on, or raise pool.max.',
  GRAPH_STORE_MISMATCH: 'To see to whom the graph belongs, run: npx izzie-memory doctor',
  EMBEDDING_SPACE_MISMATCH: 'Run: npx izzie-memory reembed',
  EMBEDDING_FAILED:
    'Check the key and the address of the embedder, then run the command again; it goes on from there.',
  STATEMENT_REJECTED: 'To see what the role may not do, run: npx izzie-memory doctor',
  OUTCOME_UNKNOWN: 'Run the command again: nothing is written twice.',
};

/** A sentence for people, with what to do next where that is known. Messages of the package hold no secrets. */
function sentenceOf(error) {
  const message = String(error?.message ?? error).trim();
  const advice = isNewer(error) ? undefined : ADVICE[error?.reason];
  const sentence = /[.!?…]$/.test(message) ? message : `${message}.`;
  return advice ? `${sentence} ${advice}` : sentence;
}

/** A schema that is ahead of this version needs no migration; the message says what. */
const isNewer = (error) => error?.reason === 'SCHEMA_OUTDATED' && error.details?.have > error.details?.want;

/** @returns {number} the exit code */
function exitCodeOf(error) {
  return error?.reason === 'INVALID_ARGUMENT' ? EXIT.USAGE : EXIT.FAILED;
}

/** An error as `--json` shows it; errors of Node, such as a file that is not there, have a code in place of a reason. */
function jsonOf(error) {
  const { code, reason = code ?? 'FAILED', details, retryable = false } = error ?? {};
  return { error: { reason, message: sentenceOf(error), details, retryable } };
}

module.exports = { sentenceOf, exitCodeOf, jsonOf };
