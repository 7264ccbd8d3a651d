// The application's own types of what its model finds.
export type EntityType = 'person' | 'company' | 'project' | 'date' | 'topic' | 'location' | 'action_item';

export interface Entity {
  type: EntityType;
  value: string;
  /** Lower case, words joined by underscores. */
  normalized: string;
  confidence: number;
  source: 'metadata' | 'body' | 'subject';
  context?: string;
  assignee?: string;
  deadline?: string;
  priority?: 'low' | 'medium' | 'high';
}

export interface Mail {
  id: string;
  userId: string;
  subject: string;
  body: string;
}

export interface Extraction {
  mail: Mail;
  entities: Entity[];
}
