'use strict';

const { examine } = require('../doctor/examine.cjs');
const { EXIT } = require('../exit-codes.cjs');
const { examples, withStores } = require('../options.cjs');

const MARKS = { ok: 'ok     ', warning: 'warning', error: 'error  ' };

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('doctor'))
    .description('look for what is wrong with the set-up, and say how to fix it; changes nothing')
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action(action(doctor));
};

async function doctor(context) {
  const checks = await examine(context);
  const ok = checks.every(({ state }) => state !== 'error');
  context.print({ ok, checks }, checks.map(describe).join('\n'));
  return ok ? EXIT.OK : EXIT.UNHEALTHY;
}

/** @param {import('../doctor/verdict.cjs').Check} check */
function describe({ name, state, found, advice }) {
  const line = `${MARKS[state]}  ${name}: ${found}`;
  return advice ? `${line}\n         → ${advice}` : line;
}
