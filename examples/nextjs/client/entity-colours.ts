import type { EntityType } from 'izzie-memory';

/** One colour of each kind that holds on both grounds. */
export const ENTITY_COLOURS: Record<EntityType, string> = {
  person: '#6478f0',
  company: '#12a594',
  project: '#d6409f',
  date: '#8a6d3b',
  topic: '#e08a1e',
  location: '#3d9a50',
  tool: '#0f94c7',
  action_item: '#d9534f',
};

export function kindOf(type: EntityType): string {
  return type.replace('_', ' ');
}
