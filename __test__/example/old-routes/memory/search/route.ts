import { type NextRequest, NextResponse } from 'next/server';
import { z } from 'zod';
import { memoryService } from '@/lib/memory';

const schema = z.object({
  userId: z.string().min(1),
  query: z.string().min(1),
  limit: z.number().optional(),
  includeGraph: z.boolean().default(true),
});

export async function POST(request: NextRequest) {
  const { userId, query, ...options } = schema.parse(await request.json());
  const { memories, graphResults, combined, metadata } = await memoryService.hybridSearch(
    userId,
    query,
    options,
  );
  return NextResponse.json({
    memories,
    entities: graphResults.map(({ name }) => name),
    combined: combined.map(({ id, content }) => ({ id, content })),
    counts: [metadata.vectorResults, metadata.graphResults, metadata.combinedResults],
  });
}
