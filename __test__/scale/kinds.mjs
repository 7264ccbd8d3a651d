// Every way in which a graph can differ from its rows, and what a deep check has to call it.

const lag = (issue) => ({ issue, conflict: false, fields: [] });
const edited = (...fields) => ({ issue: 'metadata_mismatch', conflict: true, fields });
/** An entity that is wrong itself is nobody's edit of a memory. */
const faulty = (field) => ({ issue: 'metadata_mismatch', conflict: false, fields: [field] });

export const KINDS = {
  nodeMissing: lag('missing_in_graph'),
  nodeIsTombstone: lag('missing_in_graph'),
  nodeIsDetached: lag('missing_in_graph'),
  nodeWithoutRow: { issue: 'missing_in_vector', conflict: true, fields: [] },
  nodeOfDeletedRow: lag('missing_in_vector'),
  nodeOfRemovedRow: lag('missing_in_vector'),
  olderVersion: lag('metadata_mismatch'),
  newerVersion: lag('metadata_mismatch'),
  digestChanged: edited('digest'),
  bucketChanged: edited('bucket'),
  userChanged: edited('userId'),
  contentEdited: edited('content'),
  summaryEdited: edited('summary'),
  importanceEdited: edited('importance'),
  timeEdited: edited('createdAt'),
  labelAdded: edited('labels'),
  mentionRemoved: edited('mentions'),
  mentionAdded: edited('mentions'),
  mentionEdited: edited('mentions'),
  mentionOfStranger: edited('mentions'),
  relationshipRemoved: edited('relationships'),
  relationshipAdded: edited('relationships'),
  relationshipEdited: edited('relationships'),
  frequencyWrong: faulty('frequency'),
  entityRenamed: faulty('entities'),
  entityRelabelled: faulty('labels'),
};

/** Memories that were deleted in Postgres, and that never were there. */
export const SOFT_DELETED = ['nodeOfDeletedRow'];
export const REMOVED = ['nodeOfRemovedRow'];
export const INVENTED = ['nodeWithoutRow'];
/** Memories with a relationship, which only the package's own calls can give. */
export const RELATED = ['relationshipRemoved', 'relationshipEdited'];
