'use strict';

const { nodeProblem } = require('../node-version.cjs');
const { error, ok } = require('./verdict.cjs');

/** @param {string} version */
function checkNode(version) {
  const problem = nodeProblem(version);
  return problem ? error('node', problem.found, problem.advice) : ok('node', `Node ${version}`);
}

module.exports = { checkNode };
