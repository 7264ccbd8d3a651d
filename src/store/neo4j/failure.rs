//! What a driver error means for the caller, for a retry and for the breaker.

use std::time::Duration;

use neo4rs::{Neo4jClientErrorKind, Neo4jError, Neo4jErrorKind};

use crate::error::{Error, Reason};
use crate::store::graph::SLOW;

/// Server messages can quote what was sent; this much is enough for a diagnosis.
const LONGEST_MESSAGE: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time, and no sign of life.
    Silent,
    /// No answer in time, though the server answers: it is busy, or has little to work with.
    Slow,
    /// The server answers, but not to these credentials.
    Barred,
    /// The transaction lost against another one or found the server busy: to be repeated as it is.
    Contended,
    /// The same statement will always fail.
    Rejected,
    /// The answer is not what the statement returns.
    Incomprehensible,
}

impl Kind {
    /// Whether the server took the statement.
    pub fn answered(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Silent | Self::Barred)
    }
}

#[derive(Debug)]
pub(super) struct Failure {
    pub kind: Kind,
    code: Option<String>,
    message: String,
}

impl Failure {
    pub fn silent() -> Self {
        Self { kind: Kind::Silent, code: None, message: "no answer in time".into() }
    }

    /// What was waited for, and how long.
    pub fn waited(kind: Kind, what: &str, waited: Duration) -> Self {
        let seconds = waited.as_secs_f64();
        let message = match kind {
            Kind::Slow => format!(
                "no answer to {what} within {seconds:.1} s, though it answers a ping: it is slow; give it more to work with, or try again"
            ),
            _ => format!("no answer to {what} within {seconds:.1} s, nor to a ping"),
        };
        Self { kind, code: None, message }
    }

    fn new(kind: Kind, error: impl std::fmt::Display) -> Self {
        Self { kind, code: None, message: error.to_string() }
    }
}

impl From<neo4rs::Error> for Failure {
    fn from(error: neo4rs::Error) -> Self {
        use neo4rs::Error as Driver;
        match error {
            Driver::Neo4j(error) => {
                let kind = classify(&error);
                Self { kind, code: Some(error.code().to_owned()), message: error.message().to_owned() }
            }
            Driver::AuthenticationError(message) => Self::new(Kind::Barred, message),
            Driver::ConnectionTimedOut => Self::silent(),
            error @ (Driver::StringTooLong
            | Driver::MapTooBig
            | Driver::ListTooLong
            | Driver::BytesTooBig) => Self::new(Kind::Rejected, error),
            error @ (Driver::DeserializationError(_) | Driver::ConversionError | Driver::UnknownType(_)) => {
                Self::new(Kind::Incomprehensible, error)
            }
            error => Self::new(Kind::Unreachable, error),
        }
    }
}

impl From<neo4rs::DeError> for Failure {
    fn from(error: neo4rs::DeError) -> Self {
        Self::new(Kind::Incomprehensible, error)
    }
}

fn classify(error: &Neo4jError) -> Kind {
    match error.code() {
        // A node met in a lookup was deleted by a concurrent clean-up.
        "Neo.ClientError.Statement.EntityNotFound" => return Kind::Contended,
        "Neo.ClientError.Transaction.TransactionTimedOut"
        | "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration" => return Kind::Slow,
        // The server is shutting down, or the database is not there yet.
        "Neo.ClientError.Transaction.Terminated"
        | "Neo.ClientError.Transaction.LockClientStopped"
        | "Neo.ClientError.Database.DatabaseNotFound" => return Kind::Unreachable,
        _ => {}
    }
    match error.kind() {
        Neo4jErrorKind::Transient => Kind::Contended,
        Neo4jErrorKind::Client(Neo4jClientErrorKind::Security(_)) => Kind::Barred,
        Neo4jErrorKind::Client(Neo4jClientErrorKind::SessionExpired) => Kind::Unreachable,
        // A fault inside the server that one row can provoke must not hold up the others as an outage would.
        _ => Kind::Rejected,
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let message: String = failure.message.chars().take(LONGEST_MESSAGE).collect();
        let (reason, text) = match failure.kind {
            Kind::Unreachable => (Reason::Unavailable, format!("Neo4j cannot be reached: {message}")),
            Kind::Silent | Kind::Slow => (Reason::Timeout, format!("Neo4j: {message}")),
            Kind::Barred => (Reason::Unavailable, format!("Neo4j refused the sign-in: {message}")),
            Kind::Contended => (Reason::Unavailable, format!("Neo4j is busy: {message}")),
            Kind::Rejected => (Reason::GraphRejected, format!("Neo4j refused the statement: {message}")),
            Kind::Incomprehensible => {
                (Reason::Internal, format!("Neo4j's answer was not understood: {message}"))
            }
        };
        let mut error = Self::graph(reason, text);
        if failure.kind == Kind::Slow {
            error = error.with(SLOW, true);
        }
        match failure.code {
            Some(code) => error.with("code", code),
            None => error,
        }
    }
}
