import { type NextRequest, NextResponse } from 'next/server';
import { z } from 'zod';
import { memoryService } from '@/lib/memory';

const schema = z.object({
  userId: z.string().min(1),
  query: z.string().min(1),
  limit: z.number().optional(),
  threshold: z.number().optional(),
  conversationId: z.string().optional(),
  minImportance: z.number().optional(),
});

export async function POST(request: NextRequest) {
  const { userId, query, ...options } = schema.parse(await request.json());
  const memories = await memoryService.retrieve(userId, query, options);
  return NextResponse.json({ success: true, count: memories.length, memories });
}
