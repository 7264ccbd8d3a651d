// The example as a newcomer gets it: copied out of the repository, with the packed package installed.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, Project, root } from './support.mjs';

export const EXAMPLE = join(root, 'examples', 'nextjs');
const SOURCES = /^(app|lib|next\.config\.ts|package(-lock)?\.json|tsconfig\.json)$/;

export class App extends Project {
  /** The folder for the embedded database, not yet there. */
  store = join(this.home, 'store');

  async install() {
    for (const name of readdirSync(EXAMPLE)) {
      if (SOURCES.test(name)) cpSync(join(EXAMPLE, name), this.path(name), { recursive: true });
    }
    await this.pack();
    await this.npm('ci');
  }

  build(variables) {
    return this.node([join('node_modules', 'next', 'dist', 'bin', 'next'), 'build'], variables);
  }

  /** All files, without the app's dependencies and its build. */
  files() {
    return filesBelow(this.home, (path) => /^project.(node_modules|\.next)$/.test(path));
  }
}
