'use strict';

const { error, ok } = require('./verdict.cjs');

const MISSING =
  'On this platform, remove node_modules and run npm install, without --omit=optional. In a checkout of the project, run npm run build.';
const UNLOADABLE =
  'This system cannot load the addon: the message names the library, the symbol or the platform that is missing.';

/** Whether the native addon loads in this process. */
function checkAddon() {
  try {
    require('../../native.cjs');
  } catch (failure) {
    const { message, cause } = /** @type {any} */ (failure);
    return error('addon', message, cause?.code === 'MODULE_NOT_FOUND' ? MISSING : UNLOADABLE);
  }
  return ok('addon', `loads on ${process.platform} ${process.arch}`);
}

module.exports = { checkAddon };
