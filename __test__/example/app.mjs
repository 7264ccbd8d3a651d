// The example as a newcomer gets it: copied out of the repository, with the packed package installed.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { filesBelow, Project, root } from './support.mjs';

export const EXAMPLE = join(root, 'examples', 'nextjs');
const SOURCES = /^(app|client|components|lib|next\.config\.ts|package(-lock)?\.json|tsconfig\.json)$/;
export const NEXT = join('node_modules', 'next', 'dist', 'bin', 'next');
/** Routes as an app has them that was written for the TypeScript layer: they come into the example as they are. */
const OLD_ROUTES = join(root, '__test__', 'example', 'old-routes');

export class App extends Project {
  /** The folder for the embedded database, not yet there. */
  store = join(this.home, 'store');
  /** Where a build that used the package would leave a database. */
  storeOfBuild = join(this.home, 'store-of-build');

  async install() {
    for (const name of readdirSync(EXAMPLE)) {
      if (SOURCES.test(name)) cpSync(join(EXAMPLE, name), this.path(name), { recursive: true });
    }
    cpSync(OLD_ROUTES, this.path('app', 'api', 'old'), { recursive: true });
    await this.pack();
    await this.npm('ci');
  }

  /**
   * Builds it, in the place of the build before.
   *
   * @param {{ bundler?: 'turbopack' | 'webpack', checksTypes?: boolean }} [how]
   * @param {object} [settings] what the app's next.config.ts says beside its own
   */
  build({ bundler = 'turbopack', checksTypes = true } = {}, settings = {}) {
    const config = readFileSync(join(EXAMPLE, 'next.config.ts'), 'utf8');
    const added = JSON.stringify({ ...settings, typescript: { ignoreBuildErrors: !checksTypes } });
    const changed = config.replace('NextConfig = {', `$& ...${added},`);
    if (changed === config) throw new Error('next.config.ts has another form than this expects');
    this.write('next.config.ts', changed);
    return this.next(['build', `--${bundler}`], { IZZIE_MEMORY_DIR: this.storeOfBuild });
  }

  /** Runs a command of Next.js to its end. */
  next(args, variables) {
    return this.node([NEXT, ...args], variables);
  }

  /** The files that Next.js copies, or a platform uploads, for a route or a page: paths below the project. */
  traced(name) {
    const file = this.path('.next', 'server', 'app', `${name}.js.nft.json`);
    const { files } = JSON.parse(readFileSync(file, 'utf8'));
    return files.map((path) => relative(this.folder, resolve(file, '..', path)).replaceAll('\\', '/'));
  }

  /** All files, without the app's dependencies and its build. */
  files() {
    return filesBelow(this.home, (path) => /^project.(node_modules|\.next)$/.test(path));
  }
}
