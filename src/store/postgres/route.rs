//! What lies between us and Postgres, and how statements have to be sent because of it.
//!
//! A prepared statement belongs to a session of the server. A pooler in transaction mode may give every transaction
//! another session: unless it keeps track of prepared statements, the name of ours may be unknown there, or be the name
//! of somebody else's statement, whose rows we would take for ours.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

use super::session;
use super::startup::is_postgres;
use crate::config::PreparedStatements;

/// How the connections of one layer's pools reach a session of the server.
#[derive(Debug)]
pub(super) struct Route {
    options: PgConnectOptions,
    choice: PreparedStatements,
    /// The relay of the embedded database, which is ours and of one session.
    embedded: bool,
    ends_at_postgres: OnceCell<bool>,
    /// One connection of which nobody can tell makes all of them so, for good.
    untracked: AtomicBool,
}

impl Route {
    pub fn new(options: PgConnectOptions, choice: PreparedStatements, embedded: bool) -> Self {
        let untracked = AtomicBool::new(false);
        Self { options, choice, embedded, ends_at_postgres: OnceCell::new(), untracked }
    }

    /// Whether a statement needs a transaction of its own, within which the session cannot change.
    pub fn transaction_each(&self) -> bool {
        match self.choice {
            PreparedStatements::On => false,
            PreparedStatements::Off => true,
            PreparedStatements::Auto => self.untracked.load(Ordering::Acquire),
        }
    }

    /// Whether a pooler or a proxy is believed to keep track of statements because the caller says so.
    pub fn trusts_a_pooler(&self) -> bool {
        self.choice == PreparedStatements::On && !self.embedded && self.ends_at_postgres.get() == Some(&false)
    }

    /// Looks where a new connection leads, before anything else is sent on it.
    pub async fn look(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.embedded {
            return Ok(());
        }
        if self.ends_at_postgres().await {
            return session::prepare(connection, session::statement_timeout()).await;
        }
        if self.choice != PreparedStatements::Auto {
            return Ok(());
        }
        if !keeps_track(connection).await? {
            self.untracked.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Asked once.
    async fn ends_at_postgres(&self) -> bool {
        *self.ends_at_postgres.get_or_init(|| is_postgres(&self.options)).await
    }
}

/// Whether a pooler gives prepared statements names of its own, as those do that keep track of them, and the sessions
/// behind it are set as ours have to be. False also for a session without a pooler.
async fn keeps_track(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let mut transaction = connection.begin().await?;
    let renamed =
        sqlx::query_scalar(include_str!("queries/statement_renamed.sql")).fetch_one(&mut *transaction).await;
    match renamed {
        Ok(renamed) => {
            // Here the session is still the one that has it.
            transaction.clear_cached_statements().await?;
            transaction.commit().await?;
            Ok(renamed)
        }
        // The name is somebody else's: nobody keeps them apart.
        Err(sqlx::Error::Database(_)) => transaction.rollback().await.map(|()| false),
        Err(error) => Err(error),
    }
}
