'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { UnavailableError, codeOf } = require('./errors.cjs');

const FOLDER_NAME = '.izzie-memory';

/**
 * The default folder: beside the nearest package.json above the working directory, so that the dev
 * server, the tests and a CLI of one project meet in one database wherever they are started.
 *
 * @param {string} [from]
 * @returns {string} an absolute path; nothing is created
 */
function resolveFolder(from = process.cwd()) {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'package.json'))) return path.join(folder, FOLDER_NAME);
    if (folder === path.dirname(folder)) return path.resolve(from, FOLDER_NAME);
  }
}

/**
 * Creates the folder and the .gitignore that keeps it out of the project's repository.
 *
 * @param {string} folder an absolute path
 * @returns {string} its real path, by which processes recognise that they mean the same database
 */
function prepareFolder(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const real = fs.realpathSync(folder);
    fs.accessSync(real, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    writeIfMissing(path.join(real, '.gitignore'), '*\n');
    return real;
  } catch (error) {
    const hint = 'make it writable, choose another folder with IZZIE_MEMORY_DIR, or set DATABASE_URL';
    throw new UnavailableError(
      `cannot use ${folder} for the embedded database (${codeOf(error)}): ${hint}`,
      error,
    );
  }
}

/**
 * @param {string} file
 * @param {string} content
 */
function writeIfMissing(file, content) {
  try {
    fs.writeFileSync(file, content, { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

module.exports = { resolveFolder, prepareFolder };
