import { configure, enhancedMemoryService } from 'izzie-memory';

if (process.env.SILENT) await configure({ logger: {} });
const entry = { userId: 'lifecycle', content: 'Lunch with Grace' };
const { metadata } = await enhancedMemoryService.store(entry, { idempotencyKey: 'lunch' });
const found = await enhancedMemoryService.retrieve('lifecycle', 'lunch');
console.log(JSON.stringify({ created: metadata.created, found: found.length }));
