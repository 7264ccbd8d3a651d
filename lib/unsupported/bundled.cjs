'use strict';

throw new Error(
  "izzie-memory has a native addon and cannot be bundled: set serverExternalPackages: ['izzie-memory'] in next.config.",
);
