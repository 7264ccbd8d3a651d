//! From sqlx errors to the catalogue. Nothing of a row, a parameter or a URL gets into a message.

use serde::Deserialize;

use crate::error::{Error, Reason};

/// Whether the connection is gone, so that nobody knows what became of the statement.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "57P03") || code.starts_with("08")),
        _ => false,
    }
}

/// Whether the server rolled the statement back because of concurrent work and it can be repeated at once.
pub fn is_contention(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01")))
}

pub fn from_sqlx(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => from_database(error.as_ref()),
        sqlx::Error::PoolTimedOut => Error::vector(
            Reason::Overloaded,
            "no connection to Postgres became free within pool.acquireTimeoutMs",
        ),
        sqlx::Error::PoolClosed => Error::persistence(Reason::Closed, "the layer was closed"),
        sqlx::Error::Io(error) => {
            Error::vector(Reason::Unavailable, format!("Postgres cannot be reached: {}", error.kind()))
        }
        sqlx::Error::Tls(_) => Error::vector(Reason::Unavailable, "the TLS handshake with Postgres failed"),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Error::vector(Reason::Unavailable, "the connection to Postgres broke")
        }
        sqlx::Error::Configuration(_) => Error::invalid("databaseUrl", "is no Postgres URL"),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Error::vector(
            Reason::SchemaOutdated,
            "Postgres answered in a form this version does not know; run migrate()",
        ),
        _ => Error::vector(Reason::Internal, "unexpected error of the Postgres driver"),
    }
}

/// What Postgres says when it refuses a statement, or one write of a batch.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    sqlstate: String,
    message: String,
    /// Empty where none was broken.
    constraint: String,
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> Error {
    Refusal {
        sqlstate: error.code().unwrap_or_default().into_owned(),
        message: error.message().to_owned(),
        constraint: error.constraint().unwrap_or_default().to_owned(),
    }
    .to_error()
}

impl Refusal {
    pub fn to_error(&self) -> Error {
        let Self { sqlstate, message, constraint } = self;
        let failure = match sqlstate.as_str() {
            "23503" => return foreign_key(constraint),
            "42P01" | "3F000" | "42883" | "42703" => Error::vector(
                Reason::SchemaOutdated,
                "the schema izzie_memory is missing or of another version; run migrate()",
            ),
            "42501" => {
                Error::vector(Reason::StatementRejected, format!("Postgres denied a right: {message}"))
            }
            "28P01" | "28000" => Error::vector(Reason::Unavailable, "Postgres refused the user or password"),
            "3D000" => Error::vector(Reason::Unavailable, "the database does not exist"),
            "57014" => Error::vector(Reason::Timeout, "Postgres cancelled the statement"),
            code if code.starts_with("53")
                || code.starts_with("57")
                || code.starts_with("08")
                || code.starts_with("40") =>
            {
                Error::vector(Reason::Unavailable, format!("Postgres is not available: {message}"))
            }
            _ => {
                Error::vector(Reason::StatementRejected, format!("Postgres refused the statement: {message}"))
            }
        };
        failure.with("sqlstate", sqlstate.clone())
    }
}

/// Only the application's own tables have foreign keys.
fn foreign_key(constraint: &str) -> Error {
    let field = if constraint.contains("conversation") { "conversationId" } else { "userId" };
    Error::invalid(field, "is not known to the application (foreign key)").with("sqlstate", "23503")
}
