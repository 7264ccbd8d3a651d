//! Connections that no pooler shares, for migrations: a long transaction, and rows that are adopted page by page after it.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::error::from_sqlx;
use super::reach::Reach;
use super::session::prepare;
use super::sharing::shares_sessions;
use super::startup::is_postgres;
use crate::error::{Error, Reason, Result};

/// Of a page of an adoption. What a migration itself may take stands in migrate_begin.sql.
const STATEMENT_LIMIT: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Direct {
    pub options: PgConnectOptions,
    /// Whether somebody says of these options that no pooler is behind them.
    pub given: bool,
    pub reach: Reach,
}

impl Direct {
    /// Rejects with `NOT_CONFIGURED` where the session may not be ours as long as the connection.
    pub async fn connect(&self) -> Result<PgConnection> {
        let mut connection = self.connect_anywhere().await?;
        if is_postgres(&self.options).await {
            prepare(&mut connection, STATEMENT_LIMIT).await.map_err(|error| from_sqlx(&error))?;
            return Ok(connection);
        }
        // Some hosts have a proxy before every server, which nobody can tell from a pooler: then a URL that was given
        // for this is believed, unless it shows to be one.
        if !self.given || self.is_pooled().await? {
            return Err(not_direct());
        }
        prepare(&mut connection, STATEMENT_LIMIT).await.map_err(|error| from_sqlx(&error))?;
        Ok(connection)
    }

    /// Without a look at what answers.
    pub async fn connect_anywhere(&self) -> Result<PgConnection> {
        match timeout(LIMIT, PgConnection::connect_with(&self.options)).await {
            Ok(outcome) => outcome.map_err(|error| self.reach.explain(&error)),
            Err(_) => Err(Error::vector(Reason::Timeout, "Postgres does not answer")),
        }
    }

    pub async fn is_pooled(&self) -> Result<bool> {
        shares_sessions(&self.options).await
    }
}

fn not_direct() -> Error {
    Error::persistence(
        Reason::NotConfigured,
        "migrate() needs a connection without a pooler in transaction mode: set directUrl (DATABASE_DIRECT_URL) to the \
         address of the server itself. Where a proxy leads to it and no pooler is in between, set it to the same URL",
    )
    .with("field", "directUrl")
}
