use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, Postgres as Pg, raw_sql};
use tokio::time::{sleep, timeout};

use super::direct::Direct;
use super::error::{
    did_not_run, from_sqlx, is_contention, is_lost, is_of_another_statement, is_read_only, lost_track,
};
use super::freshness::Freshness;
use super::pool::Pool;
use super::reach::Reach;
use super::route::Route;
use super::session::{cancelling, statement_timeout};
use super::statement::Sql;
use super::url::parse_url;
use crate::config::{PoolOptions, PreparedStatements, Secret};
use crate::error::{Error, Reason, Result};
use crate::metrics::Metrics;

/// How much later than the server we give a statement up, and for how long the answer to its cancellation is waited for.
const GRACE: Duration = Duration::from_secs(2);
const CONTENTION_RETRIES: u32 = 8;
const LOST_RETRIES: u32 = 3;

/// What a statement does if its connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing or gives the same when repeated: it is repeated.
    Repeatable,
    /// May have been committed: the caller is told that nobody knows.
    Once,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PostgresConfig {
    pub url: Secret,
    pub direct_url: Option<Secret>,
    pub embedded: bool,
    pub pool: PoolOptions,
}

/// The pools of one database. Connects at first use.
#[derive(Debug)]
pub struct Postgres {
    user_pool: Arc<Pool>,
    background_pool: Arc<Pool>,
    direct: Direct,
    options: PgConnectOptions,
    route: Arc<Route>,
    freshness: Arc<Freshness>,
    embedded: bool,
    reach: Reach,
    metrics: Arc<Metrics>,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    pub name: &'static str,
    pub max: u32,
    pub open: u32,
    pub idle: u32,
}

const USER: &str = "user";
const BACKGROUND: &str = "background";

impl Postgres {
    /// No I/O; must be called inside a tokio runtime.
    pub fn new(config: &PostgresConfig) -> Result<Self> {
        if config.pool.max == 0 {
            return Err(Error::invalid("pool.max", "the number 0 is below 1").with("limit", 1));
        }
        let options = parse_url("databaseUrl", &config.url)?;
        let direct_options = match &config.direct_url {
            Some(url) => parse_url("directUrl", url)?,
            None => options.clone(),
        };
        let direct = Direct {
            reach: Reach::new(direct_options.clone()),
            options: direct_options,
            given: config.direct_url.is_some(),
        };
        let max = if config.embedded { 1 } else { config.pool.max };
        let route = Arc::new(Route::new(options.clone(), statements(config), config.embedded));
        let freshness = Arc::new(Freshness::default());
        let acquire_timeout = config.pool.acquire_timeout(config.embedded);
        let pool = |max| Arc::new(Pool::new(max, acquire_timeout, &options, &route, &freshness));
        let user_pool = pool(max);
        // The embedded database has one session: a second pool would only wait for the first.
        let background_pool = if config.embedded { Arc::clone(&user_pool) } else { pool(2) };
        let embedded = config.embedded;
        let metrics = Arc::new(Metrics::new()?);
        Ok(Self {
            user_pool,
            background_pool,
            direct,
            reach: Reach::new(options.clone()),
            options,
            route,
            freshness,
            embedded,
            metrics,
        })
    }

    pub fn embedded(&self) -> bool {
        self.embedded
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The pools; the embedded database has one.
    pub fn pools(&self) -> Vec<PoolState> {
        let mut lanes = vec![self.user()];
        if !self.embedded {
            lanes.push(self.background());
        }
        lanes.into_iter().map(Lane::state).collect()
    }

    /// For the statements of users' calls.
    pub fn user(&self) -> Lane<'_> {
        Lane { postgres: self, pool: &self.user_pool, name: USER }
    }

    /// For the layer's own work, which never takes a user's connection.
    pub fn background(&self) -> Lane<'_> {
        let name = if self.embedded { USER } else { BACKGROUND };
        Lane { postgres: self, pool: &self.background_pool, name }
    }

    /// What connecting failed for lately, where something waits for it.
    pub fn last_problem(&self) -> Option<Error> {
        self.reach.last_problem()
    }

    /// Whether every statement is sent in a transaction of its own, because of what lies between us and the server.
    pub(super) fn transaction_each(&self) -> bool {
        self.route.transaction_each()
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) fn direct(&self) -> &Direct {
        &self.direct
    }

    /// A connection of its own that never goes through a pooler, for migrations.
    pub(super) async fn connect_direct(&self) -> Result<PgConnection> {
        // The relay of the embedded database, which is ours, changes sessions between transactions only when its host
        // changes, and then the connection ends.
        if self.embedded { self.direct.connect_anywhere().await } else { self.direct.connect().await }
    }

    pub async fn close(&self) {
        self.background_pool.close().await;
        self.user_pool.close().await;
    }
}

/// What a statement was sent again for.
#[derive(Default)]
struct Failures {
    contended: u32,
    lost: u32,
    read_only: u32,
}

/// A way to Postgres: retries, timeouts and errors of single statements on one of the pools.
#[derive(Clone, Copy)]
pub struct Lane<'a> {
    postgres: &'a Postgres,
    pool: &'a Pool,
    name: &'static str,
}

impl Lane<'_> {
    fn state(self) -> PoolState {
        let [max, open, idle] = self.pool.counts();
        PoolState { name: self.name, max, open, idle }
    }

    /// All rows.
    pub async fn all<O: Row>(self, effect: Effect, sql: Sql) -> Result<Vec<O>> {
        let mut failures = Failures::default();
        loop {
            // On the heap: making a connection takes 15 KB, which every caller's future would have to hold.
            let waiting = self.postgres.metrics.waiting(self.name);
            let acquiring = self.pool.acquire(&self.postgres.reach, self.postgres.embedded);
            let mut connection = Box::pin(acquiring).await?;
            drop(waiting);
            let Some(outcome) = self.bounded(&sql, &mut connection).await else {
                // The statement may still run there: that session must not serve anybody else.
                connection.close_on_drop();
                return Err(timed_out(effect));
            };
            let error = match outcome {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            let pause = self.pause_after(&error, effect, &mut failures, &mut connection)?;
            drop(connection);
            sleep(pause).await;
        }
    }

    /// How long to wait before the statement is sent again; the error, where it is not.
    fn pause_after(
        self,
        error: &sqlx::Error,
        effect: Effect,
        failures: &mut Failures,
        connection: &mut PoolConnection<Pg>,
    ) -> Result<Duration> {
        if self.postgres.route.trusts_a_pooler() && is_of_another_statement(error) {
            connection.close_on_drop();
            return Err(lost_track());
        }
        if is_contention(error) && failures.contended < CONTENTION_RETRIES {
            failures.contended += 1;
            return Ok(jitter(failures.contended));
        }
        if is_read_only(error) {
            connection.close_on_drop();
            self.postgres.freshness.one_was_read_only();
            // Once: a new session may lead to the server that has taken over.
            failures.read_only += 1;
            return if failures.read_only > 1 { Err(from_sqlx(error)) } else { Ok(Duration::ZERO) };
        }
        if !is_lost(error) {
            return Err(from_sqlx(error));
        }
        connection.close_on_drop();
        self.postgres.freshness.one_was_lost();
        if effect == Effect::Once && !did_not_run(error) {
            return Err(outcome_unknown());
        }
        if failures.lost == LOST_RETRIES {
            return Err(from_sqlx(error));
        }
        failures.lost += 1;
        Ok(jitter(failures.lost))
    }

    /// Sends a statement and waits for as long as it may take. The server ends it by then; where a pooler keeps it from
    /// having a limit of ours, it is cancelled. `None`: nobody knows what becomes of it.
    async fn bounded<O: Row>(self, sql: &Sql, connection: &mut PgConnection) -> Option<sqlx::Result<Vec<O>>> {
        let answer = self.send(sql.clone(), connection);
        tokio::pin!(answer);
        if let Ok(outcome) = timeout(statement_timeout() + GRACE, &mut answer).await {
            return Some(outcome);
        }
        if self.postgres.embedded {
            return None; // It has one session, which is busy.
        }
        let cancelled = async {
            let text = AssertSqlSafe(cancelling(sql.text()));
            let mut other = PgConnection::connect_with(&self.postgres.options).await?;
            raw_sql(text).execute(&mut other).await?;
            other.close().await
        };
        match timeout(GRACE, cancelled).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log::warn!("a statement that takes too long could not be cancelled: {}", from_sqlx(&error))
            }
            Err(_) => log::warn!("a statement that takes too long could not be cancelled: no answer"),
        }
        timeout(GRACE, answer).await.ok()
    }

    async fn send<O: Row>(self, sql: Sql, connection: &mut PgConnection) -> sqlx::Result<Vec<O>> {
        if self.postgres.transaction_each() {
            sql.fetch_in_transaction(connection).await
        } else {
            sql.fetch(connection).await
        }
    }

    /// The first row, if there is one.
    pub async fn optional<O: Row>(self, effect: Effect, sql: Sql) -> Result<Option<O>> {
        Ok(self.all(effect, sql).await?.into_iter().next())
    }

    /// The one row of a statement that always gives one.
    pub async fn one<O: Row>(self, effect: Effect, sql: Sql) -> Result<O> {
        self.optional(effect, sql).await?.ok_or_else(|| from_sqlx(&sqlx::Error::RowNotFound))
    }

    /// The first column of the one row.
    pub async fn scalar<T: Send + Unpin>(self, effect: Effect, sql: Sql) -> Result<T>
    where
        (T,): Row,
    {
        let (value,) = self.one::<(T,)>(effect, sql).await?;
        Ok(value)
    }

    /// The first column of all rows.
    pub async fn scalars<T: Send + Unpin>(self, effect: Effect, sql: Sql) -> Result<Vec<T>>
    where
        (T,): Row,
    {
        Ok(self.all::<(T,)>(effect, sql).await?.into_iter().map(|(value,)| value).collect())
    }

    /// A statement whose rows do not matter.
    pub async fn execute(self, effect: Effect, sql: Sql) -> Result<()> {
        self.all::<()>(effect, sql).await.map(drop)
    }
}

/// What a row of a statement becomes.
pub trait Row: for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// The relay of the embedded database keeps the statements of its clients apart.
fn statements(config: &PostgresConfig) -> PreparedStatements {
    if config.embedded { PreparedStatements::On } else { config.pool.prepared_statements }
}

fn jitter(attempt: u32) -> Duration {
    Duration::from_millis(rand::rng().random_range(5..=40 * u64::from(attempt)))
}

fn timed_out(effect: Effect) -> Error {
    match effect {
        Effect::Repeatable => Error::vector(Reason::Timeout, "Postgres did not answer in time"),
        Effect::Once => outcome_unknown(),
    }
}

pub(super) fn outcome_unknown() -> Error {
    Error::vector(
        Reason::OutcomeUnknown,
        "the connection to Postgres was lost before the answer came; the write may or may not have been committed",
    )
}
