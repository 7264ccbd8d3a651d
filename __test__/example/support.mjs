// The package as it is shipped, and projects outside of the repository that install it.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, processesWithEnvironment, waitUntil } from '../../scripts/lib/process.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What tells the package of stores, Node of being a test, tools of a terminal: nothing of it may reach what is started here. */
const FOREIGN =
  /^(DATABASE_|NEO4J_|TEST_|OPENROUTER_|OPENAI_|(IZZIE_MEMORY_DIR|PERSISTENCE_TOKEN|CRON_SECRET|NODE_ENV|NODE_TEST_CONTEXT|FORCE_COLOR|PORT)$)/;
const MARK = 'IZZIE_MEMORY_EXAMPLE_RUN';

/** A folder outside of the repository, and the processes that run in it. They find their temporary files beside it. */
export class Project {
  constructor() {
    this.home = mkdtempSync(join(tmpdir(), 'izzie-example-'));
    this.folder = join(this.home, 'project');
    this.temporary = join(this.home, 'tmp');
    this.mark = randomUUID();
    for (const folder of [this.folder, this.temporary]) mkdirSync(folder);
  }

  path(...names) {
    return join(this.folder, ...names);
  }

  write(name, content) {
    writeFileSync(this.path(name), content);
  }

  environment(variables = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
    const own = { TMPDIR: this.temporary, NEXT_TELEMETRY_DISABLED: '1', [MARK]: this.mark };
    return { ...Object.fromEntries(inherited), ...own, ...variables };
  }

  /** Runs a command to its end and returns what it printed. */
  run(command, args, variables) {
    return capture(command, args, { cwd: this.folder, env: this.environment(variables) });
  }

  node(args, variables) {
    return this.run(process.execPath, args, variables);
  }

  npm(...args) {
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    return this.run('npm', [...args, ...quiet]);
  }

  /** The package's tarball, in this folder: its name. */
  async pack() {
    await capture('npm', ['pack', '--silent', '--pack-destination', this.folder], { cwd: root });
    return readdirSync(this.folder).find((name) => name.endsWith('.tgz'));
  }

  /** What this project started and still runs, a moment after it should have ended. */
  async processes() {
    let running = [];
    await waitUntil(() => {
      running = processesWithEnvironment(`${MARK}=${this.mark}`).map(({ command }) => command);
      return running.length === 0;
    }, 5000);
    return running;
  }

  remove() {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The files below a folder, without those for which `skipped` holds; sorted, with slashes. */
export function filesBelow(folder, skipped = () => false) {
  const names = (below) =>
    readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
      const path = join(below, entry.name);
      if (skipped(relative(folder, path))) return [];
      return entry.isDirectory() ? names(path) : [relative(folder, path).replaceAll('\\', '/')];
    });
  return names(folder).sort();
}
