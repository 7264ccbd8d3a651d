// The package where it cannot work: one sentence says why.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, test } from 'node:test';

const NODE_ONLY = 'izzie-memory has a native addon and runs in Node.js only';
const NOT_BUNDLED = "set serverExternalPackages: ['izzie-memory'] in next.config";

const LAYOUT = `
export default ({ children }) => <html lang="en"><body>{children}</body></html>;
`;
const ROUTE = `
import { syncService } from 'izzie-memory/persistence/sync';
export const GET = async () => Response.json(await syncService.getStats());
`;

export function misplaced(app) {
  describe('the package where it cannot work', { concurrency: false }, () => {
    /** A small app below the example, which has the dependencies. Resolves to what its build says. */
    const build = async (name, { config = {}, route, bundler }) => {
      const folder = `misplaced/${name}`;
      mkdirSync(app.path(folder, 'app', 'api'), { recursive: true });
      app.write(`${folder}/app/layout.jsx`, LAYOUT);
      app.write(`${folder}/app/api/route.js`, route);
      const settings = { ...config, turbopack: { root: app.folder } };
      app.write(`${folder}/next.config.mjs`, `export default ${JSON.stringify(settings)};`);
      return app.next(['build', folder, `--${bundler}`]).then(
        () => assert.fail('the build should have failed'),
        ({ message }) => message,
      );
    };

    for (const bundler of ['turbopack', 'webpack']) {
      test(`bundled by ${bundler} for want of serverExternalPackages: a build says what to set`, async () => {
        const said = await build(`bundled-${bundler}`, { route: ROUTE, bundler });
        assert.ok(said.includes(NOT_BUNDLED), said);
      });
    }

    test('in an edge route: a build says that it cannot be there', async () => {
      const config = { serverExternalPackages: ['izzie-memory'] };
      const route = `export const runtime = 'edge';\n${ROUTE}`;
      const said = await build('edge', { config, route, bundler: 'turbopack' });
      assert.ok(said.includes(NODE_ONLY), said);
    });

    for (const condition of ['browser', 'edge-light', 'workerd']) {
      for (const [name, code] of [
        ['imported', "import { syncService } from 'izzie-memory/persistence/sync'"],
        ['required', "require('izzie-memory')"],
      ]) {
        test(`${name} under ${condition}: an error says so`, async () => {
          const type = name === 'imported' ? 'module' : 'commonjs';
          const args = [`--conditions=${condition}`, `--input-type=${type}`, '--eval', code];
          const said = await app.node(args).then(
            () => assert.fail('it should have failed'),
            ({ message }) => message,
          );
          assert.ok(said.includes(`Error: ${NODE_ONLY}`), said);
        });
      }
    }
  });
}
