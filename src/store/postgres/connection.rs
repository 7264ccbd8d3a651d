use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{Connection, FromRow, PgConnection, PgPool, Postgres as Pg};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::direct::Direct;
use super::error::{from_sqlx, is_contention, is_lost};
use super::route::Route;
use super::statement::Sql;
use crate::config::{PoolOptions, PreparedStatements, Secret};
use crate::error::{Error, Reason, Result};
use crate::metrics::Metrics;

/// No statement of ours takes longer on a store that works.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an acquire may hang before it is asked whether anybody listens at all.
const REFUSAL_PROBE: Duration = Duration::from_millis(300);
/// A connection that idled this long is pinged before use: poolers and NATs drop silent ones.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// How long a server has to answer when it is asked whether it is there at all.
const ANSWER_PROBE: Duration = Duration::from_secs(2);
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
    user_pool: PgPool,
    background_pool: PgPool,
    direct: Direct,
    options: PgConnectOptions,
    route: Arc<Route>,
    embedded: bool,
    /// When it was last asked whether anybody listens, and the answer: one question for all who wait.
    listening: Mutex<Option<(Instant, bool)>>,
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
        let direct = Direct {
            options: match &config.direct_url {
                Some(url) => parse_url("directUrl", url)?,
                None => options.clone(),
            },
            given: config.direct_url.is_some(),
        };
        let max = if config.embedded { 1 } else { config.pool.max };
        let route = Arc::new(Route::new(options.clone(), statements(config)));
        let user_pool = pool(max, &config.pool, &options, &route);
        // The embedded database has one session: a second pool would only wait for the first.
        let background_pool =
            if config.embedded { user_pool.clone() } else { pool(2, &config.pool, &options, &route) };
        let embedded = config.embedded;
        let metrics = Arc::new(Metrics::new()?);
        Ok(Self {
            user_pool,
            background_pool,
            direct,
            options,
            route,
            embedded,
            listening: Mutex::default(),
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

    async fn acquire(&self, pool: &PgPool) -> Result<PoolConnection<Pg>> {
        let waiting = pool.acquire();
        tokio::pin!(waiting);
        if let Ok(outcome) = timeout(REFUSAL_PROBE, &mut waiting).await {
            return self.acquired(outcome).await;
        }
        // sqlx takes a refused connection for a server that is starting and goes on until the acquire timeout. That is
        // right while another process takes the embedded database over; a server that is down should be told at once.
        if !self.embedded && !self.listens().await {
            return Err(unreachable());
        }
        let outcome = waiting.await;
        self.acquired(outcome).await
    }

    /// Tells a pool that is busy from a server that does not answer.
    async fn acquired(&self, outcome: sqlx::Result<PoolConnection<Pg>>) -> Result<PoolConnection<Pg>> {
        match outcome {
            Err(sqlx::Error::PoolTimedOut) if !self.answers().await => Err(unreachable()),
            other => other.map_err(|error| from_sqlx(&error)),
        }
    }

    /// Whether anything accepts connections where the server should be. A question that hangs counts as yes: the
    /// acquire timeout decides then.
    async fn listens(&self) -> bool {
        // A Unix socket answers at once or not at all; sqlx's own attempt tells.
        if self.options.get_socket().is_some() {
            return true;
        }
        let mut listening = self.listening.lock().await;
        if let Some((since, answer)) = *listening
            && since.elapsed() < REFUSAL_PROBE
        {
            return answer;
        }
        let address = (self.options.get_host(), self.options.get_port());
        let attempt = timeout(ANSWER_PROBE, TcpStream::connect(address)).await;
        let answer = !matches!(attempt, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused);
        *listening = Some((Instant::now(), answer));
        answer
    }

    async fn answers(&self) -> bool {
        matches!(timeout(ANSWER_PROBE, PgConnection::connect_with(&self.options)).await, Ok(Ok(_)))
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

/// A way to Postgres: retries, timeouts and errors of single statements on one of the pools.
#[derive(Clone, Copy)]
pub struct Lane<'a> {
    postgres: &'a Postgres,
    pool: &'a PgPool,
    name: &'static str,
}

impl Lane<'_> {
    fn state(self) -> PoolState {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        let max = self.pool.options().get_max_connections();
        PoolState { name: self.name, max, open: self.pool.size(), idle }
    }

    /// All rows.
    pub async fn all<O: Row>(self, effect: Effect, sql: Sql) -> Result<Vec<O>> {
        let (mut contended, mut lost) = (0, 0);
        loop {
            // On the heap: making a connection takes 15 KB, which every caller's future would have to hold.
            let waiting = self.postgres.metrics.waiting(self.name);
            let mut connection = Box::pin(self.postgres.acquire(self.pool)).await?;
            drop(waiting);
            let error = match timeout(STATEMENT_TIMEOUT, self.send(sql.clone(), &mut connection)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => error,
                Err(_) => {
                    // The statement may still run there: that session must not serve anybody else.
                    connection.close_on_drop();
                    return Err(timed_out(effect));
                }
            };
            if is_contention(&error) && contended < CONTENTION_RETRIES {
                contended += 1;
                drop(connection);
                sleep(jitter(contended)).await;
            } else if is_lost(&error) {
                connection.close_on_drop();
                if effect == Effect::Once {
                    return Err(outcome_unknown());
                }
                if lost == LOST_RETRIES {
                    return Err(from_sqlx(&error));
                }
                lost += 1;
                drop(connection);
                sleep(jitter(lost)).await;
            } else {
                return Err(from_sqlx(&error));
            }
        }
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

fn parse_url(field: &str, url: &Secret) -> Result<PgConnectOptions> {
    url.reveal()
        .parse::<PgConnectOptions>()
        // Poolers refuse startup parameters that they do not know; nothing of ours depends on this one.
        .map(|options| options.application_name("izzie-memory").extra_float_digits(None))
        .map_err(|_| {
            Error::invalid(field, "is no Postgres URL (postgres://user:password@host:port/database)")
        })
}

/// The relay of the embedded database keeps the statements of its clients apart.
fn statements(config: &PostgresConfig) -> PreparedStatements {
    if config.embedded { PreparedStatements::On } else { config.pool.prepared_statements }
}

fn pool(max: u32, config: &PoolOptions, options: &PgConnectOptions, route: &Arc<Route>) -> PgPool {
    let route = Arc::clone(route);
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(1800))
        .after_connect(move |connection, _| {
            let route = Arc::clone(&route);
            Box::pin(async move { route.look(connection).await })
        })
        // One round trip a statement; see PING_AFTER_IDLE.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < PING_AFTER_IDLE {
                    return Ok(true);
                }
                Ok(connection.ping().await.is_ok())
            })
        })
        .connect_lazy_with(options.clone())
}

fn jitter(attempt: u32) -> Duration {
    Duration::from_millis(rand::rng().random_range(5..=40 * u64::from(attempt)))
}

fn unreachable() -> Error {
    Error::vector(Reason::Unavailable, "Postgres cannot be reached")
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
