// The background functions of the application: what its model found in a mail goes to the memory layer.
import type { Extraction } from '../lib/extraction/types';
import { enhancedMemoryService } from '../lib/memory/enhanced';
import { persistenceService } from '../lib/persistence';

export interface Processed {
  success: boolean;
  memoryId?: string;
}

/** After extraction: by the persistence service, without an embedding. */
export async function saveMail({ mail, entities }: Extraction): Promise<Processed> {
  const result = await persistenceService.store({
    userId: mail.userId,
    content: `${mail.subject}\n\n${mail.body}`,
    summary: mail.subject,
    metadata: { source: 'mail', mailId: mail.id, entities },
    entities,
    importance: 6,
  });
  if (!result.success) throw result.error ?? new Error('the memory was not stored');
  return { success: result.success, memoryId: result.data?.id };
}

/** When the graph was updated: by the enhanced service. */
export async function saveEvent({ mail, entities }: Extraction): Promise<Processed> {
  const stored = await enhancedMemoryService.store(
    { userId: mail.userId, content: mail.body, metadata: { source: 'calendar', eventId: mail.id } },
    { summary: mail.subject, importance: 7, entities, extractEntities: false },
  );
  return { success: true, memoryId: stored.id };
}
