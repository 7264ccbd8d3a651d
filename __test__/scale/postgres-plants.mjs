// Differences planted into the graph inside Postgres, past the package. `$1` is the victim. That graph holds no content
// and no label of a memory: other kinds take their place.
import { SPARE, STRANGER } from './data.mjs';

/** How often each kind is planted. */
export const COUNTS = {
  nodeMissing: 4,
  nodeIsTombstone: 3,
  nodeIsDetached: 3,
  nodeWithoutRow: 3,
  nodeOfDeletedRow: 2,
  nodeOfRemovedRow: 1,
  olderVersion: 3,
  newerVersion: 2,
  digestChanged: 2,
  bucketChanged: 1,
  userChanged: 1,
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

const update = (change) =>
  `update izzie_memory.graph_memories set ${change} where memory_id = $1 returning 1 as planted`;
const updateEntity = (change) =>
  `update izzie_memory.graph_entities set ${change}
   where key = (select min(entity_key) from izzie_memory.graph_mentions where memory_id = $1)
   returning key as planted`;
const mention = (owner) => `
  insert into izzie_memory.graph_mentions (memory_id, entity_key, user_id, confidence, source, extracted_at)
  select g.memory_id, e.key, g.user_id, 1, 'body', 0
  from izzie_memory.graph_memories g join izzie_memory.graph_entities e on e.user_id = ${owner}
  where g.memory_id = $1 and e.normalized = '${SPARE}' returning 1 as planted`;
/** What a loss of the whole node leaves behind: entities that know of it. */
const FORGET = `
  gone as (delete from izzie_memory.graph_mentions where memory_id = $1 returning entity_key),
  counted as (update izzie_memory.graph_entities set frequency = frequency - 1
              where key in (select entity_key from gone))`;

/** Each statement answers one row if it found its victim, with the entity's key where that is what it changed. */
export const PLANTS = {
  nodeMissing: `with ${FORGET} delete from izzie_memory.graph_memories where memory_id = $1 returning 1 as planted`,
  nodeIsTombstone: `with ${FORGET} ${update('deleted = true')}`,
  nodeIsDetached: update('detached = true'),
  nodeWithoutRow: `
    insert into izzie_memory.graph_memories (memory_id, user_id, epoch, revision, h1, h2, bucket, deleted, detached)
    values ($1, 'user-1', 1, 1, 1, 1, 1, false, false) returning 1 as planted`,
  nodeOfDeletedRow: update('deleted = false'),
  nodeOfRemovedRow: update('deleted = false'),
  olderVersion: update('revision = revision - 1'),
  newerVersion: update('revision = revision + 1'),
  digestChanged: update('h1 = (h1 + 1) % 4294967296'),
  bucketChanged: update('bucket = (bucket + 1) % 1024'),
  userChanged: update(`user_id = '${STRANGER}'`),
  mentionRemoved: `
    delete from izzie_memory.graph_mentions
    where memory_id = $1 and entity_key = (select min(entity_key) from izzie_memory.graph_mentions where memory_id = $1)
    returning 1 as planted`,
  mentionAdded: mention('g.user_id'),
  mentionEdited: `
    update izzie_memory.graph_mentions set confidence = 0.5
    where memory_id = $1 and entity_key = (select min(entity_key) from izzie_memory.graph_mentions where memory_id = $1)
    returning 1 as planted`,
  mentionOfStranger: mention(`'${STRANGER}'`),
  relationshipRemoved: 'delete from izzie_memory.graph_relations where memory_id = $1 returning 1 as planted',
  relationshipAdded: `
    insert into izzie_memory.graph_relations (memory_id, type, from_key, to_key, user_id, confidence, evidence)
    select g.memory_id, 'OWNS', min(m.entity_key), max(m.entity_key), g.user_id, 1, ''
    from izzie_memory.graph_memories g join izzie_memory.graph_mentions m on m.memory_id = g.memory_id
    where g.memory_id = $1 group by g.memory_id returning 1 as planted`,
  relationshipEdited: `update izzie_memory.graph_relations set evidence = 'edited by hand'
    where memory_id = $1 returning 1 as planted`,
  frequencyWrong: updateEntity('frequency = frequency + 3'),
  entityRenamed: updateEntity(`normalized = 'somebody else'`),
  entityRelabelled: updateEntity(`label = 'Location'`),
};
