'use strict';

const { error, ok } = require('./verdict.cjs');

/** Whether the native addon loads in this process. */
function checkAddon() {
  try {
    require('../../native.cjs');
  } catch (failure) {
    const { message, cause } = /** @type {any} */ (failure);
    const found = cause ? `${message} ${firstLine(cause.message)}` : message;
    return error('addon', found, adviceOf(cause));
  }
  return ok('addon', `loads on ${process.platform} ${process.arch}`);
}

const firstLine = (text) => text.split('\n', 1)[0];

function adviceOf(cause) {
  if (cause && cause.code !== 'MODULE_NOT_FOUND') {
    return 'The file is there but this system cannot load it: the message names the library or symbol it lacks.';
  }
  return (
    'Install the package on this platform with its optional dependencies: remove node_modules, then npm install ' +
    '(without --omit=optional). In a checkout of the project, run npm run build.'
  );
}

module.exports = { checkAddon };
