import { z } from 'zod';

const userId = z.string().min(1);

const json = z.string().transform((text, context): unknown => {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'The body is not JSON' });
    return z.NEVER;
  }
});

/** From the text of a body. An empty one is an empty object; one that is not JSON is an issue like others. */
const body = <Shape extends z.ZodRawShape>(shape: Shape) => json.pipe(z.strictObject(shape));

/** From a query string. */
const query = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.instanceof(URLSearchParams).transform(Object.fromEntries).pipe(z.strictObject(shape));

export const syncRequest = body({
  operation: z.enum(['check', 'repair', 'full', 'rebuild', 'delta']).default('check'),
  /** Without one, or with an empty one: all users. */
  userId: z.string().optional(),
  limit: z.int().min(1).max(1000).default(100),
  /** Whatever the operation, write nothing and say what differs. */
  dryRun: z.boolean().default(false),
  /** For rebuild: remove what is in the graph first. */
  clearExisting: z.boolean().default(false),
});

export type SyncRequest = z.infer<typeof syncRequest>;

export const queueQuery = query({
  state: z.enum(['pending', 'dead']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  cursor: z.string().min(1).optional(),
});

/** Without ids: all that is dead. */
export const retryRequest = body({ ids: z.array(z.uuid()).min(1).max(1000).optional() });

export const graphQuery = query({ userId, limit: z.coerce.number().int().min(1).max(100).default(30) });

export const memoryRequest = body({ userId, content: z.string().min(1) });

export const searchQuery = query({
  userId,
  q: z.string().min(1),
  mode: z.enum(['hybrid', 'vector', 'text']).default('hybrid'),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
