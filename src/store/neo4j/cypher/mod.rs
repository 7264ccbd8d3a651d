//! The statements. Every edge that one of them follows or counts lies between two nodes of ours: other programs' edges
//! have the same types (`MENTIONED_IN`, `WORKS_WITH`), and a relationship of ours names its memory. Labels and relationship types come from the tables of the model, never from input; everything else
//! is a parameter. Each list parameter is planned anew per size class, so every statement has at most one.
//!
//! Only syntax common to all of Neo4j 5 is used: no dynamic labels (5.24), no scoped subqueries (5.23), no type
//! predicates (5.9).

mod beat;
mod check;
mod clear;
mod entities;
mod foreign;
mod project;
mod read_back;
mod relations;
mod schema;

use crate::model::RelationshipType;

pub(super) use self::beat::{COLLECT_TOMBSTONES, FIRST_BEAT, NEXT_BEAT, RAISE_HORIZON, READ_BEAT};
pub(super) use self::check::{
    COUNT_LIVE, DIGESTS, GET_NODES, LIST_BUCKETS, MENTIONS_HELD, MENTIONS_HELD_IN, RELATIONSHIPS_HELD,
    RELATIONSHIPS_HELD_IN,
};
pub(super) use self::clear::{CLEAR_MEMORIES, SETTLE_ENTITIES, SWEEP_ENTITIES};
pub(super) use self::entities::{
    GET_ENTITIES, MEMORIES_OF, PARTLY_DETACHED, SEARCH_ENTITIES, TOP_ENTITIES, TYPE_COUNTS, UNFOLDED_ENTITIES,
};
pub(super) use self::foreign::{FOREIGN_EDGES, RENEW_ENTITIES};
pub(super) use self::project::{PROJECT, PROJECT_WITH_RELATIONSHIPS};
pub(super) use self::read_back::{DISTRUST, READ_MEMORIES, READ_MENTIONS, READ_RELATIONSHIPS};
pub(super) use self::relations::{
    CO_OCCURRENCES, CO_OCCURRENCES_OF, EXPLICIT_RELATIONS, NEIGHBOURS, RELATIONSHIP_COUNTS, SHARED_MEMORIES,
    STATED_RELATIONS, STATING_MEMORIES,
};
pub(super) use self::schema::{SCHEMA, SHOW_CONSTRAINTS, SHOW_SCHEMA, SchemaRule};

pub(super) const PING: &str = "RETURN 1";

fn relationship_types() -> String {
    RelationshipType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("|")
}

/// A statement for one user's nodes and the same for all. One text with an optional predicate would use no index, and
/// the order must name all columns of the index to be read from it.
pub(super) struct ByScope {
    user: String,
    all: String,
}

impl ByScope {
    /// `text` gets the predicate on the node `n` and the order of its keys.
    fn new(text: impl Fn(&str, &str) -> String) -> Self {
        Self { user: text("n.userId = $userId AND ", "n.userId, n.key"), all: text("", "n.key") }
    }

    pub fn of(&self, user_id: Option<&str>) -> &str {
        if user_id.is_some() { &self.user } else { &self.all }
    }
}
