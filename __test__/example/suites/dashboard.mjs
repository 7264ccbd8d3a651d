// The dashboard in Chromium, on Postgres and Neo4j: search, the graph, a graph store that breaks and is repaired.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { lacks } from '../../../scripts/test/needs.mjs';
import { DashboardPage } from '../dashboard.mjs';
import { Server, TOKEN } from '../server.mjs';
import { openStores } from '../stores.mjs';

const CONTENTS = [
  'Lunch with Grace Hopper from Remington Rand in New York',
  'Grace Hopper works for Remington Rand',
  'Alan Turing leads Project Colossus in Manchester',
  'Ordered paper for the printer',
];

export function inChromium(app, bundler) {
  const skip = lacks('chromium', import.meta.url);
  describe(`the dashboard, built by ${bundler}, in Chromium`, { skip, concurrency: false }, () => {
    let stores;
    let server;
    let dashboard;

    before(async () => {
      stores = await openStores();
      server = await Server.start(app, stores.variables);
      dashboard = await DashboardPage.open(server.url, bundler);
    });

    after(async () => {
      await dashboard?.close();
      await server?.stop();
      await stores?.close();
    });

    test('lets nobody in without the token', async () => {
      await dashboard.logIn('a guess');
      await dashboard.page.getByText('This is not the token.').waitFor();
      await dashboard.screenshot('login');
      await dashboard.logIn(TOKEN);
      await dashboard.says(dashboard.health, 'healthy');
    });

    test('stores memories, which reach both stores', async () => {
      for (const content of CONTENTS) await dashboard.store(content);
      await dashboard.deliver();
      await dashboard.says(dashboard.panel('Health').getByRole('listitem').filter({ hasText: 'Graph' }), '4');
      await dashboard.says(dashboard.figure('Synchronised'), '100 %');
    });

    test('finds memories and explains their scores', async () => {
      const results = await dashboard.search('who had lunch in New York?');
      const best = results.getByRole('listitem').first();
      await dashboard.says(best, CONTENTS[0]);
      const parts = await best.getByLabel(/^Score \d/).textContent();
      assert.match(parts, /^score\d\.\d{3}words\d\.\d{3}/);
    });

    test('draws the graph, and lists what it draws', async () => {
      const drawing = dashboard.page.getByRole('img', { name: /^Graph of \d+ entities and \d+ relations/ });
      await drawing.locator('canvas').first().waitFor();
      const isDrawn = (element) =>
        [...element.querySelectorAll('canvas')].some((canvas) =>
          canvas
            .getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height)
            .data.some((byte) => byte > 0),
        );
      await dashboard.page.waitForFunction(isDrawn, await drawing.elementHandle());
      const list = dashboard.page.getByRole('list', { name: 'Entities' });
      await list.getByRole('button', { name: /^Grace Hopper/ }).click();
      const relations = dashboard.page.getByRole('region', { name: 'Relations of Grace Hopper' });
      await dashboard.says(
        relations,
        /Grace Hopper is mentioned with New York|New York is mentioned with Grace Hopper/,
      );
    });

    test('holds in both themes and at all widths, and keeps the choice', async () => {
      const { page } = dashboard;
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await dashboard.screenshot('dark');
      const dark = await ground();
      await page.getByRole('radio', { name: 'Light' }).check({ force: true });
      await dashboard.screenshot('light');
      const light = await ground();
      assert.notEqual(light, dark);
      await page.reload();
      await dashboard.says(dashboard.health, 'healthy');
      assert.equal(await ground(), light);
      for (const width of [1440, 1024, 768, 390, 320]) await dashboard.fits(width);
      await page.setViewportSize({ width: 390, height: 844 });
      await dashboard.screenshot('narrow');
      await page.setViewportSize({ width: 1440, height: 1000 });
    });

    test('can be used by keyboard', async () => {
      const { page } = dashboard;
      const focused = () => page.evaluate(() => document.activeElement.textContent);
      await page.getByRole('textbox', { name: 'User' }).focus();
      const reached = [];
      for (let presses = 0; presses < 12 && reached.at(-1) !== 'Check'; presses += 1) {
        await page.keyboard.press('Tab');
        reached.push(await focused());
      }
      assert.equal(reached.at(-1), 'Check', reached.join(', '));
      await page.keyboard.press('Enter');
      await dashboard.says(dashboard.outcome, '4 compared, 0 differ');
    });

    test('stops a check that does not come to an end', async () => {
      stores.proxies.neo4j.blackhole();
      await dashboard.button('Check').click();
      await dashboard.page.getByRole('progressbar', { name: 'Progress' }).waitFor();
      await dashboard.button('Stop').click();
      await dashboard.says(dashboard.outcome, 'Stopped.');
      stores.proxies.neo4j.reset();
      stores.proxies.neo4j.pass();
      await dashboard.says(dashboard.health, 'healthy');
    });

    test('shows a graph store that is away, and what is owed to it', async () => {
      stores.proxies.neo4j.refuse();
      await dashboard.says(dashboard.health, 'degraded');
      await dashboard.store('Dinner with Ada Lovelace in London');
      const owed = dashboard.page.getByRole('list', { name: 'Pending' }).getByRole('listitem');
      await dashboard.says(owed, 'graph');
      // Nobody can count what the graph holds; what waits for it, Postgres knows.
      const graph = dashboard.panel('Health').getByRole('listitem').filter({ hasText: 'Graph' });
      await dashboard.says(graph, /away–memories, unknown/);
      await dashboard.says(dashboard.figure('Synchronised'), 'unknown');
      await dashboard.says(dashboard.figure('Backlog'), '1 owed');
      await dashboard.says(dashboard.button(/^Pending/), 'Pending 1');
      await dashboard.screenshot('degraded');
    });

    test('shows what was given up, and tries it again', async () => {
      await stores.database.query(
        `update izzie_memory.memory_sync set state = 'dead', attempts = 3, last_error = 'refused by a test'`,
      );
      stores.proxies.neo4j.pass();
      await dashboard.says(dashboard.figure('Synchronised'), '80 %');
      await dashboard.button(/^Dead letters/).click();
      const dead = dashboard.page.getByRole('list', { name: 'Dead letters' }).getByRole('listitem');
      await dashboard.says(dead, 'refused by a test');
      await dead.getByRole('button', { name: /^Retry/ }).click();
      await dashboard.says(dashboard.figure('Synchronised'), '100 %');
      await dashboard.page.getByText('Nothing was given up.').waitFor();
    });

    test('finds what the graph lost, repairs it, and is at 100 % again', async () => {
      const [lost] = await stores.graph.memories();
      await stores.graph.lose(lost);
      await dashboard.says(dashboard.figure('Synchronised'), '80 %');
      assert.match(await dashboard.run('Check'), /^5 compared, 1 differ/);
      const differences = dashboard.page.getByRole('list', { name: 'Differences' });
      await dashboard.says(differences, lost);
      await dashboard.screenshot('divergent');
      assert.match(await dashboard.run('Repair'), /^1 written, 0 failed/);
      await dashboard.says(dashboard.figure('Synchronised'), '100 %');
      await dashboard.says(dashboard.health, 'healthy');
      await dashboard.screenshot('repaired');
    });

    test('complained of nothing but what was broken', () => {
      const strange = dashboard.complaints.filter((text) => !/Failed to load resource.* 500 /.test(text));
      assert.deepEqual(strange, []);
    });
  });
}
