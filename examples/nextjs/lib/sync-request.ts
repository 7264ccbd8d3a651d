import { z } from 'zod';

const options = z.strictObject({
  operation: z.enum(['check', 'repair', 'full', 'rebuild']).default('check'),
  /** Without one: all users. */
  userId: z.string().min(1).optional(),
  limit: z.int().min(1).max(1000).default(100),
  /** Whatever the operation, write nothing and say what differs. */
  dryRun: z.boolean().default(false),
  /** For rebuild: remove what is in the graph first. */
  clearExisting: z.boolean().default(false),
});

export type SyncRequest = z.infer<typeof options>;

/** From the text of a body. An empty one asks for the defaults; one that is not JSON is an issue like others. */
export const syncRequest = z
  .string()
  .transform((text, context): unknown => {
    if (text.trim() === '') return {};
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'The body is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(options);
