'use strict';

// What `exports` of package.json names for browsers and edge runtimes, in the place of every entry.
throw new Error(
  'izzie-memory has a native addon and runs in Node.js only: import it in code of the server, not of a browser or an edge runtime.',
);
