'use strict';

const { engines } = require('../../package.json');

const REQUIRED = Number.parseInt(engines.node.replace(/\D*/, ''), 10);

/**
 * What is wrong with a version of Node. In words that Node 12 can parse.
 *
 * @param {string} version as in process.versions.node
 * @returns {{ found: string, advice: string } | null}
 */
function nodeProblem(version) {
  if (Number.parseInt(version, 10) >= REQUIRED) return null;
  return {
    found: `Node ${version} is too old`,
    advice: `Install Node ${REQUIRED} or newer, for example with: nvm install --lts`,
  };
}

module.exports = { nodeProblem };
