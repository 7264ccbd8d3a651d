'use strict';

const { fromEnvelope } = require('./errors.cjs');

/** @param {string | null | undefined} iso */
const date = (iso) => (iso == null ? undefined : new Date(iso));

/**
 * What the memory service returns, with the copies in `metadata` that the TypeScript layer put there.
 *
 * @param {any} memory
 * @param {Record<string, unknown>} [more] copies that only this call has
 */
function memoryEntry(memory, more) {
  return {
    id: memory.id,
    userId: memory.userId,
    content: memory.content,
    ...present('summary', memory.summary),
    importance: memory.importance,
    accessCount: memory.accessCount,
    ...present('conversationId', memory.conversationId),
    revision: memory.revision,
    entities: memory.entities,
    ...present('embeddingPieces', memory.embeddingPieces),
    ...present('similarity', memory.similarity),
    ...present('score', memory.score),
    ...present('explain', memory.explain),
    metadata: { ...memory.metadata, ...copies(memory), ...more },
    createdAt: new Date(memory.createdAt),
    updatedAt: new Date(memory.updatedAt),
  };
}

function copies({ importance, accessCount, summary, similarity, entities, ...memory }) {
  return {
    importance,
    accessCount,
    ...present('summary', summary),
    ...present('similarity', similarity),
    entityCount: entities.length,
    ...leftOut(memory),
  };
}

/** What callers have to know of a memory that is not as they gave it, or that no read returns. @param {any} memory */
function leftOut({ rejected, isDeleted }) {
  return {
    ...present('entitiesRejected', rejected?.entities),
    ...present('relationshipsRejected', rejected?.relationships),
    ...(isDeleted ? { deleted: true } : {}),
  };
}

/** @param {any} write how it went in each store */
function writeCopies({ vectorWriteSuccess, graphWriteSuccess }) {
  return { vectorWriteSuccess, ...present('graphWriteSuccess', graphWriteSuccess) };
}

/** A member only where there is a value: `{}` for null and undefined. */
function present(key, value) {
  return value == null ? {} : { [key]: value };
}

/** @param {any} memory */
function memoryRow(memory) {
  return {
    id: memory.id,
    userId: memory.userId,
    conversationId: memory.conversationId,
    content: memory.content,
    summary: memory.summary,
    metadata: memory.metadata,
    importance: memory.importance,
    accessCount: memory.accessCount,
    lastAccessedAt: date(memory.lastAccessedAt) ?? null,
    isDeleted: memory.isDeleted,
    createdAt: new Date(memory.createdAt),
    updatedAt: new Date(memory.updatedAt),
    revision: memory.revision,
    ...present('embeddingPieces', memory.embeddingPieces),
  };
}

/**
 * @param {any} write
 * @param {any} [memory]
 */
function persistenceResult(write, memory) {
  return {
    success: true,
    ...(memory ? { data: memoryRow(memory) } : {}),
    ...(write.graphError ? { error: fromEnvelope(write.graphError) } : {}),
    metadata: { ...writeMetadata(write), ...(memory ? leftOut(memory) : {}) },
  };
}

/** @param {any} write */
function writeMetadata({ timestamp, duration, ...write }) {
  return { ...writeCopies(write), timestamp: new Date(timestamp), duration };
}

/** @param {any} found */
function inconsistency(found) {
  return { ...found, detectedAt: new Date(found.detectedAt) };
}

/** @param {any} told */
function progress({ etaMs, ...counts }) {
  return { ...counts, ...present('etaMs', etaMs) };
}

/**
 * @template T
 * @param {{ items: any[], nextCursor: string | null }} found
 * @param {(item: any) => T} decode
 */
function page({ items, nextCursor }, decode) {
  return { items: items.map((item) => decode(item)), nextCursor };
}

/** One argument, for `map`. @param {any} entity */
function graphEntity(entity) {
  return { ...entity, firstSeen: new Date(entity.firstSeen), lastSeen: new Date(entity.lastSeen) };
}

/** @param {any} debt */
function queueItem({ leasedUntil, lastError, ...debt }) {
  return {
    ...debt,
    nextAttemptAt: new Date(debt.nextAttemptAt),
    ...present('leasedUntil', date(leasedUntil)),
    ...present('lastError', lastError),
    owedAt: new Date(debt.owedAt),
  };
}

/** @param {any} found */
function conflict({ resolvedAt, ...found }) {
  return {
    ...found,
    detectedAt: new Date(found.detectedAt),
    ...present('resolvedAt', date(resolvedAt)),
  };
}

/** @param {any} result */
function syncResult(result) {
  return { ...result, inconsistencies: result.inconsistencies.map(inconsistency) };
}

/** @param {any} stats */
function syncStats({ lastSync, ...stats }) {
  return { ...stats, ...present('lastSync', date(lastSync)) };
}

/** @param {any} health */
function healthCheck({ lastSync, stores, ...health }) {
  return {
    ...health,
    stores: { vectorStore: storeStatus(stores.vectorStore), graphStore: storeStatus(stores.graphStore) },
    ...present('lastSync', date(lastSync)),
  };
}

function storeStatus(status) {
  return { ...status, lastCheck: new Date(status.lastCheck) };
}

module.exports = {
  memoryEntry,
  writeCopies,
  memoryRow,
  persistenceResult,
  inconsistency,
  progress,
  page,
  graphEntity,
  queueItem,
  conflict,
  syncResult,
  syncStats,
  healthCheck,
};
