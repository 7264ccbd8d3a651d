'use strict';

/** What the command ends with. Documented in docs/operations.md and in `--help`. */
const EXIT = Object.freeze({
  OK: 0,
  /** It failed; stderr says why. */
  FAILED: 1,
  /** Wrong arguments, or a value that the package refuses. */
  USAGE: 2,
  /** It worked, and what it looked at is not well: doctor, status, sync check. */
  UNHEALTHY: 3,
  INTERRUPTED: 130,
});

const EXIT_HELP = `
Exit codes:
  0    done
  1    failed; stderr says why
  2    wrong arguments
  3    not healthy, or differences found (doctor, status, sync check)
  130  interrupted (Ctrl-C); what was done stays done`;

module.exports = { EXIT, EXIT_HELP };
