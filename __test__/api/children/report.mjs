// Stores a memory with nothing configured but the environment, and prints how that went as JSON.
import { createMemoryLayer, enhancedMemoryService, shutdown } from 'izzie-memory';

async function report() {
  if (process.env.MIGRATE) return await createMemoryLayer().migrate();
  const embedding = process.env.OWN_EMBEDDING && Array(1536).fill(0.5);
  const entry = { userId: 'environment', content: 'Lunch with Grace Hopper' };
  const stored = await enhancedMemoryService.store(entry, { embedding }).catch((error) => error);
  const { status, reasons } = await enhancedMemoryService.getHealth();
  const { id, reason, metadata } = stored;
  return { id, reason, ...metadata, status, reasons: reasons.map(({ code }) => code) };
}

console.log(JSON.stringify(await report()));
await shutdown();
