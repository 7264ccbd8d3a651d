import { type NextRequest, NextResponse } from 'next/server';
import { z } from 'zod';
import { memoryService } from '@/lib/memory';
import { PersistenceError } from '@/lib/persistence/types';

const schema = z.object({
  userId: z.string().min(1),
  content: z.string().min(1),
  metadata: z.record(z.string(), z.unknown()).optional(),
  conversationId: z.string().optional(),
  importance: z.number().optional(),
  summary: z.string().optional(),
});

export async function POST(request: NextRequest) {
  try {
    const { conversationId, importance, summary, ...entry } = schema.parse(await request.json());
    const memory = await memoryService.store(entry, { conversationId, importance, summary });
    return NextResponse.json({ success: true, memory });
  } catch (error) {
    if (error instanceof z.ZodError) return NextResponse.json({ error: error.issues }, { status: 400 });
    if (error instanceof PersistenceError)
      return NextResponse.json({ error: error.code, details: error.details }, { status: 500 });
    throw error;
  }
}
