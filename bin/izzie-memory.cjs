#!/usr/bin/env node
'use strict';

// Everything behind this line may need a newer Node than the one that runs: say so instead of failing to parse.
const { nodeProblem } = require('../lib/cli/node-version.cjs');

const problem = nodeProblem(process.versions.node);
if (problem) {
  process.stderr.write(`izzie-memory: ${problem.found}. ${problem.advice}\n`);
  process.exitCode = 1;
} else {
  require('../lib/cli/main.cjs').run(process.argv);
}
