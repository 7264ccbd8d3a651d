// @ts-nocheck: what tells the bundlers apart exists only in their output.
'use strict';

/**
 * The native addon. Next.js puts a constant in the place of the condition while it bundles, webpack and Turbopack each
 * for their part of it, and never looks at the branch that is left over: the app is built, and says what is missing.
 */
module.exports =
  typeof __webpack_require__ === 'function' || process.turbopack
    ? require('./unsupported/bundled.cjs')
    : require('./native.cjs');
