// The application's own types, unmodified, against ours: what it gives, and what it takes of our answers.

import {
  type Entity,
  type EntityFilter,
  type EntityReference,
  type EntityType,
  type ExtractorCallback,
  enhancedMemoryService,
  graphService,
  type InlineRelationship,
  type MemoryEntry,
  persistenceService,
} from 'izzie-memory';

type AppEntityType = 'person' | 'company' | 'project' | 'date' | 'topic' | 'location' | 'action_item';

interface AppEntity {
  type: AppEntityType;
  value: string;
  normalized: string;
  confidence: number;
  source: 'metadata' | 'body' | 'subject';
  context?: string;
  assignee?: string;
  deadline?: string;
  priority?: 'low' | 'medium' | 'high';
}

/** As its model gives them: any text may be a source. */
interface FoundEntity extends Omit<AppEntity, 'source' | 'priority'> {
  source: string;
  priority?: string;
}

interface AppRelationship {
  fromType: AppEntityType;
  fromValue: string;
  toType: AppEntityType;
  toValue: string;
  relationshipType: 'WORKS_FOR' | 'RELATED_TO';
  confidence: number;
  evidence: string;
}

/** Its table of labels has all types that it knows, and is asked with ours where they came from it. */
const labels: Record<AppEntityType, string> = {
  person: 'Person',
  company: 'Company',
  project: 'Project',
  date: 'Topic',
  topic: 'Topic',
  location: 'Location',
  action_item: 'Topic',
};

export async function backgroundFunction(
  found: FoundEntity[],
  entities: AppEntity[],
  relationships: AppRelationship[],
): Promise<string | undefined> {
  const types: EntityType[] = entities.map(({ type }) => type);
  const ours: Entity[] = [...entities, ...found];
  const stated: InlineRelationship[] = relationships;
  const filter: EntityFilter = { type: types[0], value: ours[0]?.value ?? '' };
  const reference: EntityReference = { type: 'date' satisfies AppEntityType, value: 'May 5' };
  const entry = { userId: 'ada', content: 'c', metadata: { entities } };
  const stored: MemoryEntry = await enhancedMemoryService.store(entry, {
    summary: 's',
    importance: 7,
    entities,
    extractEntities: false,
  });
  const left: { index: number; reason: string }[] = stored.metadata.entitiesRejected ?? [];
  const gone: boolean | undefined = stored.metadata.deleted;
  await enhancedMemoryService.store(entry, {
    entities: found,
    relationships: stated,
    restore: gone && left.length > 0,
  });
  await enhancedMemoryService.update(stored.id, { entities: found }, { strictEntities: true });
  await enhancedMemoryService.retrieve('ada', 'q', { entities: [filter] });
  await graphService.getEntity('ada', reference);
  const result = await persistenceService.store({
    ...entry,
    entities: found,
    importance: 5,
    strictEntities: false,
  });
  const told: string | undefined = result.metadata?.entitiesRejected?.[0]?.reason;
  return told ?? result.data?.id;
}

export const extractor: ExtractorCallback = {
  extract: async () => ({ entities: [] as FoundEntity[], relationships: [] as AppRelationship[] }),
};

/** A type of ours that the application knows, for its own code. */
export function ofTheApplication(type: EntityType): AppEntityType | null {
  return type === 'tool' ? null : type;
}

// @ts-expect-error a dragon is none of the types
export const dragon: Entity = { type: 'dragon', value: 'Smaug' };

export { labels };
