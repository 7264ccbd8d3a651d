// The dashboard as a person with a browser meets it: by the names of its parts.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from '../../scripts/browser.mjs';
import { waitUntil } from '../../scripts/lib/process.mjs';
import { root } from './support.mjs';

const SCREENSHOTS = join(root, 'target', 'screenshots');
const PATIENCE_MS = 240_000;
/** A Neo4j that has just started takes its time, on a busy machine more than one statement may. */
const DELIVERY_MS = 480_000;

export class DashboardPage {
  /** @param {string} url @param {string} name what the screenshots are called */
  static async open(url, name) {
    const browser = await launchBrowser();
    const context = await browser.newContext({
      baseURL: url,
      viewport: { width: 1440, height: 1000 },
      colorScheme: 'dark',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const opened = new DashboardPage(browser, page, name);
    await page.goto(url);
    return opened;
  }

  /** What the page complained of. */
  complaints = [];

  constructor(browser, page, name) {
    this.browser = browser;
    this.page = page;
    this.name = name;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  async logIn(token) {
    await this.page.getByLabel('Token').fill(token);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }

  panel(name) {
    return this.page.getByRole('region', { name, exact: true });
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  get health() {
    return this.panel('Health').getByRole('status', { name: 'Overall' });
  }

  get outcome() {
    return this.page.getByRole('status', { name: 'Outcome' });
  }

  /** One of the two figures that have a line. */
  figure(name) {
    return this.panel('In step').getByRole('status', { name });
  }

  async store(content) {
    const panel = this.panel('New memory');
    await panel.getByLabel('Content').fill(content);
    // What the panel says may be of the memory before.
    const answer = this.page.waitForResponse((response) => response.request().method() === 'POST');
    await panel.getByRole('button', { name: 'Store' }).click();
    assert.equal((await answer).status(), 200);
    await panel.getByText('Stored.').waitFor();
  }

  async search(text) {
    const form = this.page.getByRole('search', { name: 'Memories' });
    await form.getByRole('searchbox', { name: 'Query' }).fill(text);
    await form.getByRole('button', { name: 'Search' }).click();
    return this.page.getByRole('list', { name: 'Results' });
  }

  /** Runs an operation to its end and resolves to what is told of it. */
  async run(operation) {
    await this.button(operation).click();
    const ending = this.outcome.or(this.panel('Check and repair').getByRole('alert'));
    await ending.waitFor();
    return ending.textContent();
  }

  /** Has the graph be brought what it is owed, until it has it all. */
  async deliver() {
    const isDone = async () => {
      await this.run('Deliver');
      return (await this.page.request.get('/api/persistence/status'))
        .json()
        .then(({ sync }) => sync?.pending === 0);
    };
    assert.ok(await waitUntil(isDone, DELIVERY_MS));
  }

  /** Waits until a part of the page says so. */
  async says(locator, text) {
    await locator.filter({ hasText: text }).waitFor();
  }

  /** For people to look at, in target/screenshots. */
  async screenshot(state) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${this.name}-${state}.png`), fullPage: true });
  }

  /** Nothing sticks out at this width. */
  async fits(width) {
    await this.page.setViewportSize({ width, height: 900 });
    const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
    assert.equal(await this.page.evaluate(overflow), 0, `at a width of ${width}`);
  }

  close() {
    return this.browser.close();
  }
}
