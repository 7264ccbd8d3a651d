// Runs the programs of the documentation: each a module of its own, those of a page in one folder, as a reader would who
// types them in.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { root } from './markdown.mjs';

const run = promisify(execFile);

/** Variables that would lead an example to other stores or models than the ones it names. */
const STORES = /^(DATABASE_|NEO4J_|IZZIE_MEMORY_|OPENROUTER_|OPENAI_|NODE_ENV$|VITEST)/;

/** A project of a reader's that has this package installed. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), 'izzie-readme-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'izzie-memory'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Type-checks the programs as one project and writes them as JavaScript, each into the folder of its page.
 *
 * @param {(path: string) => string} folderOf
 * @returns {{ files: string[], problems: string[] }}
 */
export function compile(folderOf, programs) {
  const sources = programs.map(({ path, code, line }) => {
    const file = join(folderOf(path), `${basename(path, '.md')}-line-${line}.mts`);
    writeFileSync(file, code);
    return file;
  });
  const program = ts.createProgram(sources, {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  });
  program.emit();
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    return `${file && basename(file.fileName)}: ${text}`;
  });
  return { files: sources.map((file) => file.replace(/\.mts$/, '.mjs')), problems };
}

/** Resolves to what it printed; rejects when it fails or does not end by itself. */
export async function execute(folder, file, env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !STORES.test(name));
  const { stdout } = await run(process.execPath, [file], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...env },
    timeout: 480_000,
  });
  return stdout.split('\n').slice(0, -1);
}

/** What the comments of a program say that it prints: `console.log(…); // prints …`. */
export function announced(code) {
  return [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text);
}
