//! Projections to test graph stores with.

use izzie_memory::model::{
    Entity, EntitySource, EntityType, Projection, Relationship, RelationshipType, Version, bucket,
};
use uuid::Uuid;

/// A user nobody else has.
pub fn user(name: &str) -> String {
    format!("{name}-{}", Uuid::new_v4())
}

/// A live memory that mentions these people.
pub fn memory(user_id: &str, id: Uuid, revision: i64, people: &[&str]) -> Projection {
    Projection {
        memory_id: id,
        user_id: user_id.to_owned(),
        version: Version { epoch: 1, revision },
        deleted: false,
        detached: false,
        projection_version: izzie_memory::model::PROJECTION_VERSION,
        h1: revision * 7,
        h2: revision * 11,
        bucket: bucket(id),
        content: format!("revision {revision}"),
        summary: None,
        importance: 5,
        created_at: 1_700_000_000_123_456,
        entities: people.iter().map(|name| entity(EntityType::Person, name)).collect(),
        relationships: Vec::new(),
    }
}

/// The same memory, deleted at this revision.
pub fn tombstone(of: &Projection, revision: i64) -> Projection {
    Projection {
        version: Version { revision, ..of.version },
        deleted: true,
        entities: Vec::new(),
        relationships: Vec::new(),
        ..of.clone()
    }
}

/// Deleted in Postgres, but the graph shall keep it.
pub fn detached(of: &Projection, revision: i64) -> Projection {
    Projection { detached: true, ..tombstone(of, revision) }
}

pub fn entity(kind: EntityType, value: &str) -> Entity {
    Entity {
        kind,
        value: value.to_owned(),
        normalized: value.to_lowercase(),
        confidence: 0.5,
        source: EntitySource::Body,
        context: None,
        assignee: None,
        deadline: None,
        priority: None,
    }
}

/// A relationship between two people.
pub fn relationship(from: &str, kind: RelationshipType, to: &str) -> Relationship {
    Relationship {
        from_type: EntityType::Person,
        from_value: from.to_owned(),
        from_normalized: from.to_lowercase(),
        to_type: EntityType::Person,
        to_value: to.to_owned(),
        to_normalized: to.to_lowercase(),
        relationship_type: kind,
        confidence: 0.75,
        evidence: format!("{from} and {to}"),
    }
}
