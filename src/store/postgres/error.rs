//! From sqlx errors to the catalogue. Nothing of a row, a parameter or a URL gets into a message.

use std::fmt::Display;
use std::io::ErrorKind;

use serde::Deserialize;
use serde_json::Value;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::error::{Error, Reason};

/// Whether the connection is gone, so that nobody knows what became of the statement.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("57P") || ENDED.contains(&&*code) || code.starts_with("08")),
        _ => false,
    }
}

/// It was idle in a transaction for too long, or its transaction took too long: nothing of that was committed.
const ENDED: [&str; 2] = ["25P03", "25P04"];

/// Whether the server ended the session before it did anything of the statement, or rolled back what it did: it says so
/// itself, and an answer would have come before. A pooler, which says the same of itself, cannot know.
pub fn did_not_run(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let by_server = || routine(error.as_ref()) == Some("ProcessInterrupts");
    error
        .code()
        .is_some_and(|code| &*code == "57P05" || ENDED.contains(&&*code) || &*code == "57P01" && by_server())
}

/// Whether the server takes no writes.
pub fn is_read_only(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code == READ_ONLY))
}

/// The same, of an error that went on.
pub fn says_read_only(error: &Error) -> bool {
    error.details.get("sqlstate").and_then(Value::as_str) == Some(READ_ONLY)
}

const READ_ONLY: &str = "25006";

/// Whether this is what comes of a prepared statement whose name is unknown to the session, or somebody else's there: other
/// parameters than it takes, other rows than it gives.
pub fn is_of_another_statement(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::RowNotFound => true,
        sqlx::Error::Database(error) => {
            // A pooler has the first code for much else.
            let binds = routine(error.as_ref()) == Some("exec_bind_message");
            error.code().is_some_and(|code| match &*code {
                "08P01" | "22P03" => binds,
                code => UNTRACKED.contains(&code),
            })
        }
        _ => false,
    }
}

/// The name of a prepared statement is unknown, or taken.
const UNTRACKED: [&str; 2] = ["26000", "42P05"];

pub fn lost_track() -> Error {
    Error::vector(
        Reason::StatementRejected,
        "a pooler loses track of prepared statements: set pool.preparedStatements to 'off', or let it keep track \
         (PgBouncer: max_prepared_statements)",
    )
}

/// The function of the server's source that an error comes from.
fn routine(error: &dyn DatabaseError) -> Option<&str> {
    error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine)
}

/// Whether the server rolled the statement back because of concurrent work and it can be repeated at once.
pub fn is_contention(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01")))
}

/// Whether somebody else's lock was in the way, so that the transaction may be tried again.
pub fn is_locked_out(error: &Error) -> bool {
    let sqlstate = error.details.get("sqlstate").and_then(Value::as_str);
    matches!(sqlstate, Some("55P03" | "40P01"))
}

pub fn from_sqlx(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => from_database(error.as_ref()),
        sqlx::Error::PoolTimedOut => Error::vector(
            Reason::Overloaded,
            "no connection to Postgres became free within pool.acquireTimeoutMs",
        ),
        sqlx::Error::PoolClosed => Error::persistence(Reason::Closed, "the layer was closed"),
        // What is wrong with a certificate comes as an error of the socket.
        sqlx::Error::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>()) => {
            handshake_failed(error)
        }
        sqlx::Error::Io(error) if error.kind() == ErrorKind::NotFound => Error::vector(
            Reason::Unavailable,
            "Postgres cannot be reached: there is no such Unix socket, sslrootcert, sslcert or sslkey",
        ),
        sqlx::Error::Io(error) => {
            Error::vector(Reason::Unavailable, format!("Postgres cannot be reached: {}", error.kind()))
        }
        sqlx::Error::Tls(error) => handshake_failed(error),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Error::vector(Reason::Unavailable, "the connection to Postgres broke")
        }
        sqlx::Error::Configuration(_) => Error::invalid("databaseUrl", "is no Postgres URL"),
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => Error::vector(
            Reason::SchemaOutdated,
            "Postgres answered in a form this version does not know; run migrate()",
        ),
        _ => Error::vector(Reason::Internal, "unexpected error of the Postgres driver"),
    }
}

/// What Postgres says when it refuses a statement, or one row of several.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    sqlstate: String,
    message: String,
    /// Of a foreign key: the key that it concerns.
    detail: String,
    /// Of a foreign key: the table that has it.
    table: String,
    /// Empty where none was broken.
    constraint: String,
    /// Where it happened, the innermost function first.
    context: String,
    /// The function of the server's source that says so; empty for one row of several.
    routine: String,
}

/// What keeps a role out whose rows row security would leave out.
pub(super) fn hidden_rows(problem: impl Display) -> Error {
    let message = format!(
        "{problem}: izzie-memory must see every row; connect as the owner of the table (without FORCE ROW LEVEL \
         SECURITY), as a role with BYPASSRLS, or give the role a policy for all rows (using (true) with check (true))"
    );
    Error::vector(Reason::StatementRejected, message).with("rowSecurity", true)
}

fn not_ready(message: &str) -> Error {
    Error::vector(Reason::Unavailable, format!("Postgres is not ready for connections: {message}"))
}

fn handshake_failed(cause: impl Display) -> Error {
    Error::vector(Reason::Unavailable, format!("the TLS handshake with Postgres failed: {cause}"))
}

fn from_database(error: &dyn DatabaseError) -> Error {
    let details = error.try_downcast_ref::<PgDatabaseError>();
    Refusal {
        sqlstate: error.code().unwrap_or_default().into_owned(),
        message: error.message().to_owned(),
        detail: details.and_then(PgDatabaseError::detail).unwrap_or_default().to_owned(),
        table: error.table().unwrap_or_default().to_owned(),
        constraint: error.constraint().unwrap_or_default().to_owned(),
        context: details.and_then(PgDatabaseError::r#where).unwrap_or_default().to_owned(),
        routine: routine(error).unwrap_or_default().to_owned(),
    }
    .to_error()
}

/// The innermost function, unless it is ours: its line comes first in the context, whatever the language.
fn foreign_function(context: &str) -> Option<String> {
    let line = context.lines().find(|line| line.contains("function ") && line.contains('('))?;
    let (_, rest) = line.split_once("function ")?;
    let name = rest.split_once('(').map_or(rest, |(name, _)| name).trim_matches('"');
    (!name.starts_with("izzie_memory.")).then(|| name.to_owned())
}

impl Refusal {
    pub fn to_error(&self) -> Error {
        let Self { sqlstate, message, .. } = self;
        let foreign = foreign_function(&self.context);
        let failure = match sqlstate.as_str() {
            "23503" => self.foreign_key(),
            "IZ001" => Error::vector(Reason::StatementRejected, message.clone()).with(
                "obstacles",
                self.detail.split(", ").filter(|name| !name.is_empty()).collect::<Vec<_>>(),
            ),
            "IZ002" => hidden_rows(message),
            "IZ003" => Error::vector(Reason::StatementRejected, message.clone()),
            "42P01" | "3F000" | "42883" | "42703" if foreign.is_some() => {
                let function = foreign.unwrap_or_default();
                let problem = format!("the application's function {function} failed: {message}");
                Error::vector(Reason::StatementRejected, problem).with("function", function)
            }
            "42P01" | "3F000" | "42883" | "42703" => Error::vector(
                Reason::SchemaOutdated,
                "the schema izzie_memory is missing or of another version; run migrate()",
            ),
            "42501" => {
                Error::vector(Reason::StatementRejected, format!("Postgres denied a right: {message}"))
            }
            "0A000" if message.contains("ON CONFLICT") || message.contains("RETURNING") => Error::vector(
                Reason::StatementRejected,
                format!(
                    "memory_entries: a rule of the application stands on the table, which izzie-memory cannot write \
                     through: {message}; use a trigger instead, doctor names the rule"
                ),
            ),
            READ_ONLY => Error::vector(
                Reason::Unavailable,
                "Postgres takes no writes now (a standby, a failover, or default_transaction_read_only); reads go on",
            ),
            "53300" => Error::vector(
                Reason::Overloaded,
                format!(
                    "Postgres has no connection left: {message}; close some, lower pool.max, or put a pooler before it"
                ),
            ),
            "57P03" => not_ready(message),
            // Other functions say by it that an object is not as the statement needs it.
            "55000" if self.routine == "CheckMyDatabase" => not_ready(message),
            code if UNTRACKED.contains(&code) => lost_track(),
            "28P01" | "28000" => Error::vector(Reason::Unavailable, "Postgres refused the user or password"),
            "3D000" => Error::vector(Reason::Unavailable, "the database does not exist"),
            "55P03" => Error::vector(
                Reason::Timeout,
                format!("other sessions hold a lock that is needed: {message}"),
            ),
            "25P04" => Error::vector(
                Reason::Timeout,
                format!(
                    "{message}; nothing was written. transaction_timeout of the role or database may be too short"
                ),
            ),
            "57014" => Error::vector(
                Reason::Timeout,
                "Postgres cancelled the statement, which took too long; nothing was written. A lock or a trigger on \
                 memory_entries may hold it up",
            ),
            code if ENDED.contains(&code)
                || code.starts_with("53")
                || code.starts_with("57")
                || code.starts_with("58")
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

    /// Only the application's own tables have foreign keys.
    fn foreign_key(&self) -> Error {
        if !self.table.is_empty() && self.table != "memory_entries" {
            let problem = format!("the application's table {} refers to the memory", self.table);
            return Error::vector(Reason::StatementRejected, problem).with("table", self.table.clone());
        }
        let (column, value) = self.key().unwrap_or((&self.constraint, None));
        let field = match column {
            column if column.contains("conversation") => "conversationId",
            column if column.contains("user") => "userId",
            other => other,
        };
        let who = value.map(|value| format!("{value:?} ")).unwrap_or_default();
        Error::invalid(field, format!("{who}is not known to the application (foreign key)"))
            .with("value", value)
    }

    /// Column and value of `Key (user_id)=(ada) is not present in table "users".`, in whatever language. The value is left
    /// out for a role that may not read it.
    fn key(&self) -> Option<(&str, Option<&str>)> {
        let (column, rest) = self.detail.split_once('(')?.1.split_once(")=(")?;
        Some((column, rest.rsplit_once(')').map(|(value, _)| value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(detail: &str, constraint: &str) -> Error {
        let [detail, constraint] = [detail, constraint].map(str::to_owned);
        let (sqlstate, table) = ("23503".to_owned(), "memory_entries".to_owned());
        Refusal { sqlstate, detail, table, constraint, ..Refusal::default() }.to_error()
    }

    #[test]
    fn a_foreign_key_names_the_field_and_the_value_in_any_language() {
        for (detail, field, value) in [
            (r#"Key (user_id)=(ada) is not present in table "users"."#, "userId", "ada"),
            ("Schlüssel (user_id)=(a) (b)) ist nicht in Tabelle »users« vorhanden.", "userId", "a) (b)"),
            (r#"Key (conversation_id)=(7) is not present in table "conversations"."#, "conversationId", "7"),
            (r#"Key (tenant)=(x) is not present in table "tenants"."#, "tenant", "x"),
        ] {
            let error = unknown(detail, "fk_17");
            assert_eq!((error.reason, &error.details["field"]), (Reason::InvalidArgument, &field.into()));
            assert_eq!(error.details["value"], value);
            assert_eq!(error.details["sqlstate"], "23503");
            assert!(error.message.contains(value), "{}", error.message);
        }
    }

    #[test]
    fn what_passes_may_be_tried_again_and_what_does_not_may_not() {
        let reason = |sqlstate: &str, routine: &str| {
            let [sqlstate, routine] = [sqlstate, routine].map(str::to_owned);
            Refusal { sqlstate, routine, ..Refusal::default() }.to_error().reason
        };
        for code in [
            "08006", "08P01", "25006", "25P03", "40001", "53100", "53200", "57P01", "57P03", "57P05", "58030",
        ] {
            assert_eq!(reason(code, ""), Reason::Unavailable, "{code}");
        }
        assert_eq!(reason("55000", "CheckMyDatabase"), Reason::Unavailable);
        for code in ["25P04", "55P03", "57014"] {
            assert_eq!(reason(code, "ProcessInterrupts"), Reason::Timeout, "{code}");
        }
        assert_eq!(reason("53300", ""), Reason::Overloaded);
        for code in ["22001", "22P02", "23505", "23514", "42501", "55000", "54000", "P0001", "XX000"] {
            assert_eq!(reason(code, ""), Reason::StatementRejected, "{code}");
        }
    }

    #[test]
    fn a_foreign_key_without_its_value_is_known_by_its_name() {
        let hidden = r#"Key is not present in table "users"."#;
        assert_eq!(unknown(hidden, "memory_entries_user_id_fkey").details["field"], "userId");
    }
}
