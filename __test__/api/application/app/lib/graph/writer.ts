// The application's own graph: entities of mails, by their names alone, in the Neo4j that the package uses too.
import neo4j, { type Driver } from 'neo4j-driver';
import type { Entity, EntityType, Extraction } from '../extraction/types';

const LABELS: Record<EntityType, string> = {
  person: 'Person',
  company: 'Company',
  project: 'Project',
  date: 'Topic',
  topic: 'Topic',
  action_item: 'Topic',
  location: 'Location',
};
const DISTINCT = [...new Set(Object.values(LABELS))];

export class GraphWriter {
  #driver: Driver;

  constructor(uri: string, user: string, password: string) {
    this.#driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  }

  /** Uniqueness by `normalized`, and an index on `name`, for each label. */
  async initialize(): Promise<void> {
    for (const label of DISTINCT) {
      const name = label.toLowerCase();
      await this.run(
        `CREATE CONSTRAINT app_${name}_normalized IF NOT EXISTS FOR (n:${label}) REQUIRE n.normalized IS UNIQUE`,
      );
      await this.run(`CREATE INDEX app_${name}_name IF NOT EXISTS FOR (n:${label}) ON (n.name)`);
    }
  }

  async write({ mail, entities }: Extraction): Promise<void> {
    await this.run('MERGE (m:Email {id: $id}) SET m.subject = $subject, m.userId = $userId', {
      id: mail.id,
      subject: mail.subject,
      userId: mail.userId,
    });
    for (const entity of entities) await this.#entity(entity, mail.id);
    const [first, ...others] = entities;
    for (const other of first ? others : []) await this.#together(first as Entity, other);
  }

  async #entity({ type, value, normalized, confidence }: Entity, mailId: string): Promise<void> {
    const label = LABELS[type];
    await this.run(
      `MERGE (n:${label} {normalized: $normalized})
       ON CREATE SET n.name = $name, n.frequency = 1, n.confidence = $confidence, n.firstSeen = datetime(),
         n.lastSeen = datetime()
       ON MATCH SET n.name = $name, n.frequency = coalesce(n.frequency, 0) + 1, n.lastSeen = datetime()`,
      { normalized, name: value, confidence },
    );
    await this.run(
      `MATCH (entity:${label} {normalized: $normalized}) MATCH (email:Email {id: $mailId})
       MERGE (entity)-[r:MENTIONED_IN]->(email) SET r.confidence = $confidence`,
      { normalized, mailId, confidence },
    );
  }

  async #together(a: Entity, b: Entity): Promise<void> {
    await this.run(
      `MATCH (e1:${LABELS[a.type]} {normalized: $a}) MATCH (e2:${LABELS[b.type]} {normalized: $b})
       MERGE (e1)-[r:WORKS_WITH]-(e2)
       ON CREATE SET r.weight = 1 ON MATCH SET r.weight = coalesce(r.weight, 0) + 1`,
      { a: a.normalized, b: b.normalized },
    );
  }

  /** As its routes do it. */
  async clear(): Promise<void> {
    for (const label of [...DISTINCT, 'Email']) await this.run(`MATCH (n:${label}) DETACH DELETE n`);
  }

  /** Everything that `initialize` has made. */
  async uninitialize(): Promise<void> {
    for (const label of DISTINCT) {
      const name = label.toLowerCase();
      await this.run(`DROP CONSTRAINT app_${name}_normalized IF EXISTS`);
      await this.run(`DROP INDEX app_${name}_name IF EXISTS`);
    }
  }

  async run(cypher: string, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>[]> {
    const { records } = await this.#driver.executeQuery(cypher, parameters);
    return records.map((record) => record.toObject());
  }

  async close(): Promise<void> {
    await this.#driver.close();
  }
}
