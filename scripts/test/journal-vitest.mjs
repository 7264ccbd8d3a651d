// A reporter of vitest that keeps the journal, see journal.mjs.
import { appendFileSync } from 'node:fs';
import { begun, ended, JOURNAL } from './journal.mjs';

export default class {
  #write = (line) => appendFileSync(process.env[JOURNAL], line);

  onTestModuleStart(file) {
    this.#write(begun(file.relativeModuleId));
  }

  onTestModuleEnd(file) {
    this.#write(ended(file.relativeModuleId));
  }

  onTestCaseReady(test) {
    this.#write(begun(fullName(test)));
  }

  onTestCaseResult(test) {
    this.#write(ended(fullName(test)));
  }

  onHookStart({ name, entity }) {
    this.#write(begun(`${name} of ${fullName(entity)}`));
  }

  onHookEnd({ name, entity }) {
    this.#write(ended(`${name} of ${fullName(entity)}`));
  }
}

/** A file is not in its tests' names. */
function fullName(entity) {
  const file = entity.module ?? entity;
  return entity === file ? file.relativeModuleId : `${file.relativeModuleId} > ${entity.fullName}`;
}
