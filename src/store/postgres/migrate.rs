//! Which migrations and functions are missing, and applying them: all of them in one transaction.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection};
use tokio::time::sleep;

use super::adoption::{Adopted, adopt, count_unadopted};
use super::connection::{Effect, Postgres};
use super::error::{from_sqlx, is_locked_out};
use super::functions::{
    AppliedFunctions, FUNCTIONS_VERSION, FunctionFile, function_files, missing_functions, newer_functions,
};
use super::statement::Sql;
use crate::context::CallContext;
use crate::error::{Error, Reason, Result};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

const BEGIN: &str = include_str!("queries/migrate_begin.sql");
const ADOPT_ALL: &str = include_str!("queries/adopt_all.sql");
/// How long a migration tries to get what the application has locked.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts: writers that queued up behind the last one go first.
const PAUSE: Duration = Duration::from_millis(500);

/// What a database lacks of this version of the package.
struct Missing {
    migrations: Vec<&'static Migration>,
    functions: Vec<&'static FunctionFile>,
}

impl Missing {
    /// Of a database that has never been migrated.
    fn all() -> Self {
        Self { migrations: MIGRATIONS.iter().collect(), functions: function_files().iter().collect() }
    }

    fn is_empty(&self) -> bool {
        self.migrations.is_empty() && self.functions.is_empty()
    }

    fn names(&self) -> Vec<String> {
        let migrations = self.migrations.iter().map(|migration| name(migration));
        migrations.chain(self.functions.iter().map(|file| file.title())).collect()
    }

    /// Each with its title, in the order in which they are applied.
    fn steps(&self) -> Vec<(String, String)> {
        let migrations = self.migrations.iter().map(|migration| (name(migration), step(migration)));
        migrations.chain(self.functions.iter().map(|file| (file.title(), file.step()))).collect()
    }
}

/// Names of all migrations and files of functions in order, for example `0001 tables`, `functions writes`.
pub fn migration_names() -> Vec<String> {
    Missing::all().names()
}

/// What a migration did.
#[derive(Debug, Clone, Default)]
pub struct Migrated {
    /// The migrations and files of functions that were missing.
    pub applied: Vec<String>,
    pub adopted: Adopted,
}

/// What a migration would do.
#[derive(Debug, Clone)]
pub struct MigrationPlan {
    /// The migrations and files of functions that are missing.
    pub missing: Vec<String>,
    /// Rows of the application's that have no state yet.
    pub unadopted: u64,
    /// All of it, as psql takes it. Empty where there is nothing to do.
    pub sql: String,
}

/// The newest migration of this version of the package.
pub fn newest_migration() -> Option<i64> {
    MIGRATIONS.iter().map(|m| m.version).max()
}

impl Postgres {
    /// Brings the schema up to date over the direct connection, then gives rows that were there before their state. Safe
    /// when several run at once, and to be dropped at any point: the next one goes on from there.
    pub async fn migrate(&self, context: &CallContext, patience: Duration) -> Result<Migrated> {
        let mut connection = self.connect_direct().await?;
        let applied = apply(&mut connection, patience).await?;
        let adopted = adopt(&mut connection, context, patience).await?;
        connection.close().await.map_err(|error| from_sqlx(&error))?;
        Ok(Migrated { applied, adopted })
    }

    /// What [`Postgres::migrate`] would do. Writes nothing.
    pub async fn plan_migration(&self) -> Result<MigrationPlan> {
        let mut connection = self.connect_direct().await?;
        let known = scalar(&mut connection, include_str!("queries/has_migrations.sql")).await?;
        let missing = if known { missing(&mut connection).await? } else { Missing::all() };
        let unadopted = if known {
            count_unadopted(&mut connection).await?
        } else if scalar(&mut connection, include_str!("queries/has_entries.sql")).await? {
            scalar::<i64>(&mut connection, include_str!("queries/count_entries.sql"))
                .await?
                .try_into()
                .unwrap_or(0)
        } else {
            0
        };
        connection.close().await.map_err(|error| from_sqlx(&error))?;
        let sql = script(&missing, unadopted > 0);
        Ok(MigrationPlan { missing: missing.names(), unadopted, sql })
    }

    /// The newest migration that is there.
    pub async fn schema_version(&self) -> Result<Option<i64>> {
        self.user().scalar(Effect::Repeatable, Sql::new(include_str!("queries/schema_version.sql"))).await
    }

    /// Rejects with `SCHEMA_OUTDATED` unless exactly this version's migrations and functions are there.
    pub async fn check_schema(&self) -> Result<()> {
        let newest = self.schema_version().await?;
        let wanted = newest_migration();
        if newest > wanted {
            return Err(newer(newest, wanted));
        }
        if newest < wanted {
            return Err(behind().with("have", newest).with("want", wanted));
        }
        match self.functions_state().await? {
            FunctionsState::Current => Ok(()),
            FunctionsState::Behind => Err(behind()),
            FunctionsState::Newer(version) => Err(newer(Some(version), Some(FUNCTIONS_VERSION))),
        }
    }

    /// Whether the functions are those of this version of the package.
    pub async fn functions_state(&self) -> Result<FunctionsState> {
        let statement = Sql::new(include_str!("queries/applied_functions.sql"));
        let applied: Vec<AppliedFunctions> = self.user().all(Effect::Repeatable, statement).await?;
        Ok(match newer_functions(&applied) {
            Some(version) => FunctionsState::Newer(version),
            None if missing_functions(&applied).is_empty() => FunctionsState::Current,
            None => FunctionsState::Behind,
        })
    }
}

/// How a database's functions stand to those of this version of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FunctionsState {
    Current,
    /// Some are missing or have another text: migrate() replaces them.
    Behind,
    /// A newer version of the package wrote them, with this number.
    Newer(i64),
}

/// Applies what is missing. While the application holds a lock that this needs, it is tried again: waiting for it would
/// hold up the application's other writers.
async fn apply(connection: &mut PgConnection, patience: Duration) -> Result<Vec<String>> {
    let begun = Instant::now();
    loop {
        match try_apply(connection).await {
            Err(error) if is_locked_out(&error) && begun.elapsed() < patience => sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
}

async fn try_apply(connection: &mut PgConnection) -> Result<Vec<String>> {
    let mut transaction = connection.begin().await.map_err(|error| from_sqlx(&error))?;
    run(&mut transaction, BEGIN.to_owned()).await?;
    let missing = missing(&mut transaction).await?;
    for (_, sql) in missing.steps() {
        run(&mut transaction, sql).await?;
    }
    transaction.commit().await.map_err(|error| from_sqlx(&error))?;
    Ok(missing.names())
}

/// What the database has not seen. An error if it has seen other migrations than these, or newer functions.
async fn missing(connection: &mut PgConnection) -> Result<Missing> {
    let functions = rows(connection, include_str!("queries/applied_functions.sql")).await?;
    let migrations = missing_migrations(connection).await?;
    if let Some(version) = newer_functions(&functions) {
        return Err(newer(Some(version), Some(FUNCTIONS_VERSION)));
    }
    let mut functions = missing_functions(&functions);
    // Somebody may have disabled or dropped them since; the file makes them anew.
    if functions.is_empty() && migrations.is_empty() {
        let silent: i64 = scalar(connection, include_str!("queries/silent_triggers.sql")).await?;
        if silent > 0 {
            functions.extend(function_files().last());
        }
    }
    Ok(Missing { migrations, functions })
}

async fn missing_migrations(connection: &mut PgConnection) -> Result<Vec<&'static Migration>> {
    let applied: Vec<(i64, String)> =
        rows(connection, include_str!("queries/applied_migrations.sql")).await?;
    for (version, found) in &applied {
        match MIGRATIONS.iter().find(|migration| migration.version == *version) {
            Some(migration) if checksum(migration) == *found => {}
            Some(migration) => {
                let problem =
                    format!("migration {} was applied in another form; restore its file", name(migration));
                return Err(Error::vector(Reason::SchemaOutdated, problem).with("have", *version));
            }
            None => return Err(newer(Some(*version), newest_migration())),
        }
    }
    let unseen = |migration: &&Migration| applied.iter().all(|(version, _)| *version != migration.version);
    Ok(MIGRATIONS.iter().filter(unseen).collect())
}

fn behind() -> Error {
    let problem = "the schema izzie_memory is behind this version of izzie-memory; run migrate()";
    Error::vector(Reason::SchemaOutdated, problem)
}

fn newer(have: Option<i64>, want: Option<i64>) -> Error {
    let problem = "the schema izzie_memory is newer than this version of izzie-memory; upgrade the package";
    Error::vector(Reason::SchemaOutdated, problem).with("have", have).with("want", want)
}

/// A migration and the note that it was applied.
fn step(migration: &Migration) -> String {
    let (version, description, checksum) = (migration.version, &migration.description, checksum(migration));
    format!(
        "{}\ninsert into izzie_memory.migrations (version, description, checksum) \
         values ({version}, '{description}', '{checksum}');\n",
        migration.sql.as_str()
    )
}

fn script(missing: &Missing, adopts: bool) -> String {
    let mut sql = String::new();
    if !missing.is_empty() {
        let steps: Vec<_> = missing.steps().iter().map(|(title, sql)| format!("-- {title}\n{sql}")).collect();
        let _ = write!(sql, "begin;\n{BEGIN}\n{}\ncommit;\n", steps.join("\n"));
    }
    if adopts {
        sql.push_str(ADOPT_ALL);
    }
    sql
}

fn name(migration: &Migration) -> String {
    format!("{:04} {}", migration.version, migration.description)
}

fn checksum(migration: &Migration) -> String {
    migration.checksum.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Statements of ours, several at once. Without parameters, so that a pooler of any kind may stand in between.
async fn run(connection: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map_err(|error| from_sqlx(&error))?;
    Ok(())
}

/// The rows of a statement without parameters.
pub(super) async fn rows<O>(connection: &mut PgConnection, sql: &'static str) -> Result<Vec<O>>
where
    O: for<'r> FromRow<'r, PgRow>,
{
    let rows = sqlx::raw_sql(sql).fetch_all(connection).await.map_err(|error| from_sqlx(&error))?;
    rows.iter().map(|row| O::from_row(row).map_err(|error| from_sqlx(&error))).collect()
}

/// The first column of its one row.
pub(super) async fn scalar<T>(connection: &mut PgConnection, sql: &'static str) -> Result<T>
where
    (T,): for<'r> FromRow<'r, PgRow>,
{
    let first = rows::<(T,)>(connection, sql).await?.into_iter().next();
    first.map(|(value,)| value).ok_or_else(|| from_sqlx(&sqlx::Error::RowNotFound))
}
