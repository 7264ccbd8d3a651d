import { createMemoryLayer } from 'izzie-memory';
import { readConversations } from './retrieval/dataset.mjs';
const cs = await readConversations(['/work/shared/eval/locomo-dev.json']);
const layer = createMemoryLayer({ embedded: 'memory://', limits: { queryBytes: 70000 } });
await layer.migrate();
const [a, b] = cs;
const pad = (n, from) => { const w = []; for (let i = from; w.length < n; i++) w.push(...b.memories[i % b.memories.length].content.replace(/^\w+: /,'').replace(/\?/g, '.').split(/\s+/)); return w.slice(0, n).join(' '); };
const entries = a.memories.map(({ turn, content, conversationId, createdAt, speaker }) => ({ userId: 'u', content, conversationId, createdAt, metadata: { speaker, turn } }));
const { stored } = await layer.memory.storeMany(entries, { chunkSize: 200 });
const turn = new Map(stored.map(({ id, metadata }) => [id, metadata.turn]));
const qs = a.questions.filter((q) => q.category < 5 && q.evidence.length).slice(0, 80);
for (const n of [0, 60, 150, 400, 1200]) for (const where of ['end', 'start']) {
  if (n === 0 && where === 'start') continue;
  for (const mode of ['text', 'hybrid']) {
    let sum = 0; let ms = 0;
    for (const [i, q] of qs.entries()) {
      const p = pad(n, i * 7);
      const text = n === 0 ? q.text : where === 'end' ? `${p}\n\n${q.text}` : `${q.text}\n\n${p}`;
      const t = performance.now();
      const f = new Set((await layer.memory.retrieve('u', text, { mode, limit: 10 })).map(({ id }) => turn.get(id)));
      ms += performance.now() - t;
      sum += q.evidence.filter((e) => f.has(e)).length / q.evidence.length;
    }
    console.log(n, where, mode, (100 * sum / qs.length).toFixed(1), (ms / qs.length).toFixed(1) + ' ms');
  }
}
await layer.close();
