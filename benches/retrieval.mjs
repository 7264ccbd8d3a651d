#!/usr/bin/env node
// What retrieval finds on real conversations: npm run bench:retrieval [-- FILES…] [-- --json]
// Files in the form of LoCoMo reduced to turns and questions; without any, ../shared/eval/*.json beside the project.
// Each conversation is stored through the package, one turn one memory, then every question is asked in every mode.
// On an embedded database in memory with the offline embedder; with DATABASE_URL (an empty database with pgvector) there.
import { parseArgs } from 'node:util';
import { createMemoryLayer } from 'izzie-memory';
import { findFiles, readConversations } from './retrieval/dataset.mjs';
import { measure } from './retrieval/measure.mjs';
import { asJson, asTable } from './retrieval/report.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});

const files = await findFiles(positionals);
if (files.length === 0) {
  console.log('skipped: no evaluation data (name its files, or put them into ../shared/eval)');
} else {
  const conversations = await readConversations(files);
  const layer = createMemoryLayer(process.env.DATABASE_URL ? {} : { embedded: 'memory://' });
  try {
    await layer.migrate();
    const results = await measure(layer.memory, conversations, (line) => console.error(line));
    console.log(values.json ? JSON.stringify(asJson(results), null, 2) : asTable(results));
  } finally {
    await layer.close();
  }
}
