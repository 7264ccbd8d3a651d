//! The one error catalogue: reason, class and whether a retry can help.
//!
//! Messages may change, reasons do not. The table of docs/errors.md and the TypeScript union are compared with [`CATALOGUE`].

use serde::Serialize;
use serde_json::{Map, Value, json};

pub type Result<T> = std::result::Result<T, Error>;

/// Which JavaScript class an error becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Class {
    #[serde(rename = "PersistenceError")]
    Persistence,
    #[serde(rename = "VectorStoreError")]
    VectorStore,
    #[serde(rename = "GraphStoreError")]
    GraphStore,
    #[serde(rename = "SyncError")]
    Sync,
}

macro_rules! catalogue {
    ($($variant:ident $name:literal $retryable:literal $meaning:literal;)+) => {
        /// Why a call failed. Stable: callers switch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $(#[doc = $meaning] $variant,)+ }

        /// Every reason with its name, retryability and meaning.
        pub const CATALOGUE: &[(Reason, &str, bool, &str)] = &[$((Reason::$variant, $name, $retryable, $meaning),)+];

        impl Reason {
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            /// Whether the same call may succeed later without a change by the caller.
            pub fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)+ }
            }
        }
    };
}

catalogue! {
    NotConfigured "NOT_CONFIGURED" false "Nothing is configured that could serve the call: no database (production, a build), no way to it without a pooler (migrate), no graph or no embedder.";
    AlreadyConfigured "ALREADY_CONFIGURED" false "configure() was called with other settings after the first use.";
    InvalidArgument "INVALID_ARGUMENT" false "An argument is missing, of the wrong kind or over a limit; details name the field and the limit.";
    NotFound "NOT_FOUND" false "There is no such memory for this user.";
    IdConflict "ID_CONFLICT" false "The id or idempotency key is taken by other content or another user.";
    RevisionConflict "REVISION_CONFLICT" false "The memory is at another revision than expected; details hold the current row.";
    DimensionMismatch "DIMENSION_MISMATCH" false "The embedding's length fits no embedding space; details hold both numbers.";
    SchemaOutdated "SCHEMA_OUTDATED" false "The database schema is behind or ahead of this version; run migrate().";
    Unavailable "UNAVAILABLE" true "A store cannot be reached.";
    Timeout "TIMEOUT" true "A store did not answer in time; nothing was acknowledged.";
    OutcomeUnknown "OUTCOME_UNKNOWN" true "The connection was lost during the commit; repeat with the same id, it cannot be stored twice.";
    Overloaded "OVERLOADED" true "No connection became free in time.";
    Aborted "ABORTED" false "The caller's signal aborted the call before it committed.";
    Closed "CLOSED" false "The layer was closed.";
    GraphStoreMismatch "GRAPH_STORE_MISMATCH" false "This instance is configured for another graph than the one this database belongs to.";
    GraphRejected "GRAPH_REJECTED" false "The graph store refused the statement for good.";
    RolledBack "ROLLED_BACK" true "The graph write failed and rollbackOnPartialFailure undid the vector write.";
    RollbackSuperseded "ROLLBACK_SUPERSEDED" false "The graph write failed, but a newer write had replaced this one, so it was left in place.";
    EmbeddingSpaceMismatch "EMBEDDING_SPACE_MISMATCH" false "The stored vectors are of another model than the embedder's, and the call needs one that compares (mode 'vector', backfill); reembed() changes the model.";
    EmbeddingFailed "EMBEDDING_FAILED" true "The embedder failed where an embedding was indispensable (mode 'vector').";
    ExtractionFailed "EXTRACTION_FAILED" true "The extractor failed; the memory is kept, its extraction owed (never thrown, seen in the queue).";
    StatementRejected "STATEMENT_REJECTED" false "Postgres refused the statement; details hold its SQLSTATE.";
    Internal "INTERNAL" false "A bug in this package (a Rust panic included); the process is intact.";
}

/// An error of the layer. `Display` is the message for people.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub reason: Reason,
    pub class: Class,
    pub message: String,
    pub details: Map<String, Value>,
}

impl Error {
    pub fn new(class: Class, reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, class, message: message.into(), details: Map::new() }
    }

    pub fn persistence(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Class::Persistence, reason, message)
    }

    pub fn vector(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Class::VectorStore, reason, message)
    }

    pub fn graph(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Class::GraphStore, reason, message)
    }

    pub fn sync(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Class::Sync, reason, message)
    }

    /// Bad input: names the field; `problem` says the value's kind and the limit.
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::persistence(Reason::InvalidArgument, format!("{field}: {problem}")).with("field", field)
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// `code` as the TypeScript layer had it: the class's for the store errors, the reason for plain ones.
    pub fn code(&self) -> &'static str {
        match self.class {
            Class::Persistence => self.reason.name(),
            Class::VectorStore => "VECTOR_STORE_ERROR",
            Class::GraphStore => "GRAPH_STORE_ERROR",
            Class::Sync => "SYNC_ERROR",
        }
    }

    /// The form in which an error crosses the JavaScript boundary.
    pub fn envelope(&self) -> Value {
        json!({
            "class": self.class,
            "code": self.code(),
            "reason": self.reason.name(),
            "message": self.message,
            "details": self.details,
            "retryable": self.reason.retryable(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelope_keeps_the_old_codes() {
        assert_eq!(Error::vector(Reason::Unavailable, "x").code(), "VECTOR_STORE_ERROR");
        assert_eq!(Error::graph(Reason::Timeout, "x").code(), "GRAPH_STORE_ERROR");
        assert_eq!(Error::sync(Reason::Timeout, "x").code(), "SYNC_ERROR");
        let invalid = Error::invalid("importance", "11 is above 10").envelope();
        assert_eq!(invalid["code"], "INVALID_ARGUMENT");
        assert_eq!(invalid["details"]["field"], "importance");
    }

    #[test]
    fn reasons_are_unique() {
        let mut names: Vec<_> = CATALOGUE.iter().map(|row| row.1).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
