import { connection, NextResponse } from 'next/server';
import { MemoryService } from '@/lib/memory';

export async function GET() {
  await connection();
  const service = new MemoryService({
    enableGraph: true,
    enableVectorPersistence: true,
    llmModel: 'any/model',
  });
  const stored = await service.store({
    userId: 'memory-test',
    content: 'A walk of the memory service',
    metadata: {},
  });
  const found = await service.retrieve('memory-test', 'walk', { limit: 5 });
  const all = await service.getAll('memory-test', { limit: 5000 });
  const { total } = await service.getStats('memory-test');
  await service.delete(stored.id, true);
  return NextResponse.json({
    found: found.length,
    all: all.length,
    total,
    gone: await service.getById(stored.id),
  });
}
