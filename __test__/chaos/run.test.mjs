// The chaos run in its short form. The long one is `npm run chaos`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../../chaos/run.mjs', import.meta.url));

/** @returns {Promise<{ code: number | null, figures: any }>} */
async function chaos(...args) {
  const child = spawn(process.execPath, [RUN, '--json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.notEqual(output, '', `it ended with ${code} before it had figures`);
  return { code, figures: JSON.parse(output) };
}

/** Everything happened that was to happen, and nothing was lost. */
function judge(t, { code, figures }) {
  const { problems, faults, ...counts } = figures;
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(problems, [], `seed ${figures.seed}`);
  assert.deepEqual(faults, [], `seed ${figures.seed}`);
  assert.ok(figures.passed, `seed ${figures.seed}: ${JSON.stringify(counts)}`);
  assert.equal(code, 0);
  assert.ok(figures.acknowledged > 100 && figures.repeated > 0);
  for (const [kind, kills] of Object.entries(figures.kills)) assert.ok(kills > 0, `no ${kind} was killed`);
}

test('60 seconds on Neo4j: no acknowledged write is lost, no memory diverges', async (t) => {
  judge(t, await chaos('--seconds', '60'));
});

test('20 seconds on the graph in Postgres', async (t) => {
  judge(t, await chaos('--seconds', '20', '--graph', 'postgres'));
});
