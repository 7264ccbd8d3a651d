use std::collections::HashSet;

use sqlx::migrate::{Migrate, Migration, Migrator};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::error::from_sqlx;
use super::statement::Sql;
use crate::error::{Error, Reason, Result};

const SCHEMA: &str = "izzie_memory";
const TABLE: &str = "izzie_memory.migrations";
const ADOPT_BATCH: i32 = 1000;

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.dangerous_set_table_name(TABLE);
    // We hold the lock already: the schema and the list of what is there come under it too.
    migrator.set_locking(false);
    migrator
}

/// Names of all migrations in order, for example `0001 tables`.
pub fn migration_names() -> Vec<String> {
    migrator().iter().map(name).collect()
}

/// The newest migration of this version of the package.
pub fn newest_migration() -> Option<i64> {
    migrator().iter().map(|m| m.version).max()
}

impl Postgres {
    /// Brings the schema up to date over the direct connection; safe when two run at once (session advisory lock).
    /// Then gives rows that were there before their state. Answers the migrations that were missing.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let mut connection = self.connect_direct().await?;
        connection.lock().await.map_err(|error| failed(&error))?;
        // Closing the session gives the lock back whatever happens in between.
        let applied = apply(&mut connection).await?;
        adopt(&mut connection).await?;
        connection.close().await.map_err(|error| from_sqlx(&error))?;
        Ok(applied)
    }

    /// The newest migration that is there.
    pub async fn schema_version(&self) -> Result<Option<i64>> {
        self.user().scalar(Effect::Repeatable, Sql::new(include_str!("queries/schema_version.sql"))).await
    }

    /// Rejects with `SCHEMA_OUTDATED` unless exactly this version's migrations are there.
    pub async fn check_schema(&self) -> Result<()> {
        let newest = self.schema_version().await?;
        let wanted = newest_migration();
        if newest == wanted {
            return Ok(());
        }
        let problem = match (newest, wanted) {
            (Some(have), Some(want)) if have > want => {
                "is newer than this version of izzie-memory; upgrade the package"
            }
            _ => "is behind this version of izzie-memory; run migrate()",
        };
        Err(Error::vector(Reason::SchemaOutdated, format!("the schema izzie_memory {problem}"))
            .with("have", newest)
            .with("want", wanted))
    }
}

async fn apply(connection: &mut PgConnection) -> Result<Vec<String>> {
    let migrator = migrator();
    connection.create_schema_if_not_exists(SCHEMA).await.map_err(|error| failed(&error))?;
    connection.ensure_migrations_table(TABLE).await.map_err(|error| failed(&error))?;
    let present = connection.list_applied_migrations(TABLE).await.map_err(|error| failed(&error))?;
    let present: HashSet<i64> = present.into_iter().map(|m| m.version).collect();
    // `run` makes futures that are not provably Send; this is the way around that sqlx offers.
    migrator.run_direct(None, connection, false).await.map_err(|error| failed(&error))?;
    Ok(migrator.iter().filter(|m| !present.contains(&m.version)).map(name).collect())
}

/// Gives rows without a state one, in batches that each hold their locks shortly.
async fn adopt(connection: &mut PgConnection) -> Result<()> {
    let mut after: Option<Uuid> = None;
    loop {
        after = sqlx::query_scalar(include_str!("queries/adopt.sql"))
            .bind(after)
            .bind(ADOPT_BATCH)
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| from_sqlx(&error))?;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn name(migration: &Migration) -> String {
    format!("{:04} {}", migration.version, migration.description)
}

fn failed(error: &sqlx::migrate::MigrateError) -> Error {
    match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => from_sqlx(error),
        other => Error::vector(Reason::SchemaOutdated, format!("the migration failed: {other}")),
    }
}
