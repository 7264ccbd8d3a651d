//! What a database is like, for `izzie-memory doctor`. Nothing here writes, or needs our schema to be there.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::Connection;

use super::connection::{Effect, Postgres};
use super::error::from_sqlx;
use super::sharing::shares_sessions;
use super::statement::Sql;
use crate::error::Result;

#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    pub database: String,
    pub role: String,
    pub version: String,
    /// When the server was started: tells whether two URLs lead to the same one.
    pub started: String,
    /// Versions of pgvector: the one in this database, the one that could be created.
    pub vector: Option<String>,
    pub vector_available: Option<String>,
    /// Our schema is there, of whatever version.
    pub migrated: bool,
    pub may_create: bool,
    pub encoding: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// How far the server's clock is ahead of ours.
    pub ahead_ms: i64,
    /// The answer took this long, so the figure may be wrong by half of it.
    pub round_trip_ms: i64,
}

/// The current embedding space.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct UsedSpace {
    pub model: String,
    pub dimensions: i32,
    /// While there are none, any model may come.
    pub holds_vectors: bool,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pooler {
    pub pooled: bool,
    /// It does not keep track of prepared statements: each statement takes a transaction of its own.
    pub transaction_each: bool,
}

/// What the direct URL leads to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectWay {
    pub database: String,
    pub started: String,
    pub pooled: bool,
}

impl Postgres {
    pub async fn inspect_server(&self) -> Result<Server> {
        self.user().one(Effect::Repeatable, Sql::new(include_str!("queries/inspect_database.sql"))).await
    }

    pub async fn inspect_clock(&self) -> Result<Clock> {
        let asked = Utc::now();
        let theirs: DateTime<Utc> =
            self.user().scalar(Effect::Repeatable, Sql::new(include_str!("queries/now.sql"))).await?;
        let round_trip = Utc::now() - asked;
        let ahead: TimeDelta = theirs - (asked + round_trip / 2);
        Ok(Clock { ahead_ms: ahead.num_milliseconds(), round_trip_ms: round_trip.num_milliseconds() })
    }

    /// What the role may not do, such as `USAGE on schema izzie_memory`.
    pub async fn inspect_rights(&self) -> Result<Vec<String>> {
        self.user().scalars(Effect::Repeatable, Sql::new(include_str!("queries/inspect_rights.sql"))).await
    }

    pub async fn inspect_space(&self) -> Result<UsedSpace> {
        self.user().one(Effect::Repeatable, Sql::new(include_str!("queries/inspect_space.sql"))).await
    }

    /// Whether a pooler in transaction (or statement) mode stands between us and the server.
    pub async fn inspect_pooler(&self) -> Result<Pooler> {
        let pooled = shares_sessions(self.options()).await?;
        Ok(Pooler { pooled, transaction_each: self.transaction_each() })
    }

    pub async fn inspect_direct(&self) -> Result<DirectWay> {
        let direct = self.direct();
        let mut connection = direct.connect_anywhere().await?;
        let server: Server = Sql::new(include_str!("queries/inspect_database.sql"))
            .fetch_in_transaction(&mut connection)
            .await
            .and_then(|rows| rows.into_iter().next().ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| from_sqlx(&error))?;
        connection.close().await.map_err(|error| from_sqlx(&error))?;
        let pooled = direct.is_pooled().await?;
        Ok(DirectWay { database: server.database, started: server.started, pooled })
    }
}
