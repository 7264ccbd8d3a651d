//! What the layer speaks of: memories, entities, relationships, their projection, sync and health results.

mod digest;
mod entity;
mod export;
mod graph;
mod health;
mod memory;
mod projection;
mod rejection;
mod relationship;
mod sync;

pub use digest::{bucket, digest};
pub use entity::{Entity, EntitySource, EntityType, Label, Priority, entity_key};
pub use export::{ExportedMemory, ExportedRelationship};
pub use graph::{Direction, EntityStats, GraphEntity, GraphPath, PathStep, RelatedEntity, Relation};
pub use health::{HealthCheck, HealthMetrics, HealthReason, HealthStatus, StoreStatus, Stores};
pub use memory::{EmbeddingPieces, Memory, ScoreParts, Write};
pub use projection::{
    EdgeKey, HeldMemory, HeldMention, HeldRelationship, NodeVersion, PROJECTION_VERSION, Projection, Version,
};
pub use rejection::{Rejected, Rejection};
pub use relationship::{Relationship, RelationshipType};
pub use sync::{
    Depth, Inconsistency, Issue, Owed, OwedToModels, StrongRelation, SyncResult, SyncStats, Unavailable,
    Verdict, VerdictState,
};
