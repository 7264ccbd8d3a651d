// Differences planted into Neo4j, past the package. `$id` is the victim.
import { SPARE, STRANGER } from './data.mjs';

/** How often each kind is planted. */
export const COUNTS = {
  nodeMissing: 2,
  nodeIsTombstone: 3,
  nodeIsDetached: 2,
  nodeWithoutRow: 3,
  nodeOfDeletedRow: 2,
  nodeOfRemovedRow: 1,
  olderVersion: 2,
  newerVersion: 2,
  digestChanged: 1,
  bucketChanged: 1,
  userChanged: 1,
  contentEdited: 1,
  summaryEdited: 1,
  importanceEdited: 1,
  timeEdited: 1,
  labelAdded: 1,
  mentionRemoved: 2,
  mentionAdded: 1,
  mentionEdited: 1,
  mentionOfStranger: 1,
  relationshipRemoved: 1,
  relationshipAdded: 1,
  relationshipEdited: 1,
  frequencyWrong: 2,
  entityRenamed: 1,
  entityRelabelled: 1,
};

const NODE = 'MATCH (m:IzzieMemory {key: $id})';
const MENTION = `${NODE} MATCH (m)<-[r:MENTIONED_IN]-(e:IzzieEntity) WITH m, r, e ORDER BY e.key LIMIT 1`;
const RELATION = 'MATCH (a:IzzieEntity)-[r {memoryId: $id}]->(b:IzzieEntity)';
/** What a loss of the whole node leaves behind: entities that know of it. */
const FORGET = `
  OPTIONAL MATCH (m)<-[r:MENTIONED_IN]-(e:IzzieEntity) DELETE r
  WITH m, collect(e) AS entities FOREACH (e IN entities | SET e.frequency = e.frequency - 1) WITH m`;
const AS_LIVE = `
  SET m.deleted = false, m.content = 'came back', m.importance = 5, m.createdAt = datetime(), m.relationships = 0`;

const mention = (owner) => `
  ${NODE} MATCH (e:IzzieEntity {userId: ${owner}, normalized: '${SPARE}'})
  CREATE (e)-[:MENTIONED_IN {confidence: 1.0, source: 'body', extractedAt: m.createdAt}]->(m) RETURN 1 AS planted`;

/** Each statement answers one row if it found its victim, with the entity's key where that is what it changed. */
export const PLANTS = {
  nodeMissing: `${NODE} ${FORGET} DELETE m RETURN 1 AS planted`,
  nodeIsTombstone: `${NODE} ${FORGET} SET m.deleted = true RETURN 1 AS planted`,
  nodeIsDetached: `${NODE} SET m.detached = true RETURN 1 AS planted`,
  nodeWithoutRow: `
    CREATE (:IzzieMemory {key: $id, userId: 'user-1', epoch: 1, revision: 1, h1: 1, h2: 1, bucket: 1,
      content: 'invented', importance: 5, createdAt: datetime(), deleted: false, detached: false, relationships: 0})
    RETURN 1 AS planted`,
  nodeOfDeletedRow: `${NODE} ${AS_LIVE} RETURN 1 AS planted`,
  nodeOfRemovedRow: `${NODE} ${AS_LIVE} RETURN 1 AS planted`,
  olderVersion: `${NODE} SET m.revision = m.revision - 1, m.content = 'an older one' RETURN 1 AS planted`,
  newerVersion: `${NODE} SET m.revision = m.revision + 1, m.content = 'of a lost future' RETURN 1 AS planted`,
  digestChanged: `${NODE} SET m.h1 = (m.h1 + 1) % 4294967296 RETURN 1 AS planted`,
  bucketChanged: `${NODE} SET m.bucket = (m.bucket + 1) % 1024 RETURN 1 AS planted`,
  userChanged: `${NODE} SET m.userId = '${STRANGER}' RETURN 1 AS planted`,
  contentEdited: `${NODE} SET m.content = 'edited by hand' RETURN 1 AS planted`,
  summaryEdited: `${NODE} REMOVE m.summary RETURN 1 AS planted`,
  importanceEdited: `${NODE} SET m.importance = m.importance + 1 RETURN 1 AS planted`,
  timeEdited: `${NODE} SET m.createdAt = m.createdAt + duration({seconds: 1}) RETURN 1 AS planted`,
  labelAdded: `${NODE} SET m:Memory RETURN 1 AS planted`,
  mentionRemoved: `${MENTION} DELETE r RETURN 1 AS planted`,
  mentionAdded: mention('m.userId'),
  mentionEdited: `${MENTION} SET r.confidence = 0.5 RETURN 1 AS planted`,
  mentionOfStranger: mention(`'${STRANGER}'`),
  relationshipRemoved: `${RELATION} DELETE r RETURN 1 AS planted`,
  relationshipAdded: `
    ${NODE} MATCH (m)<-[:MENTIONED_IN]-(e:IzzieEntity) WITH m, collect(e) AS ends
    WITH m, ends[0] AS a, ends[1] AS b
    CREATE (a)-[:OWNS {memoryId: m.key, userId: m.userId, confidence: 1.0, evidence: ''}]->(b) RETURN 1 AS planted`,
  relationshipEdited: `${RELATION} SET r.evidence = 'edited by hand' RETURN 1 AS planted`,
  frequencyWrong: `${MENTION} SET e.frequency = e.frequency + 3 RETURN e.key AS planted`,
  entityRenamed: `${MENTION} SET e.normalized = 'somebody else' RETURN e.key AS planted`,
  entityRelabelled: `${MENTION} REMOVE e:IzziePerson:IzzieCompany SET e:IzzieLocation RETURN e.key AS planted`,
};
