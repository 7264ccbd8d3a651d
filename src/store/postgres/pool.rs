//! A pool of connections, and what is done while one of it is waited for.

use std::mem::replace;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool, Postgres as Pg};
use tokio::time::timeout;

use super::error::from_sqlx;
use super::freshness::{Check, Freshness};
use super::reach::Reach;
use super::route::Route;
use crate::error::{Error, Result};

/// How long nobody may get a connection before the server is asked whether it is there at all.
const REFUSAL_PROBE: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct Pool {
    connections: PgPool,
    /// How often one was given out.
    given: AtomicU64,
}

impl Pool {
    /// Connects at first use.
    pub fn new(
        max: u32,
        acquire_timeout: Duration,
        options: &PgConnectOptions,
        route: &Arc<Route>,
        freshness: &Arc<Freshness>,
    ) -> Self {
        let (route, freshness) = (Arc::clone(route), Arc::clone(freshness));
        let connections = PgPoolOptions::new()
            .max_connections(max)
            .acquire_timeout(acquire_timeout)
            .idle_timeout(Duration::from_secs(300))
            .max_lifetime(Duration::from_secs(1800))
            .after_connect(move |connection, _| {
                let route = Arc::clone(&route);
                Box::pin(async move { route.look(connection).await })
            })
            // One round trip a statement: not before each of them.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let check = freshness.check(&meta);
                Box::pin(async move {
                    Ok(match check {
                        Check::None => true,
                        Check::Ping => connection.ping().await.is_ok(),
                        Check::LetGo => false,
                    })
                })
            })
            .connect_lazy_with(options.clone());
        Self { connections, given: AtomicU64::new(0) }
    }

    pub async fn acquire(&self, reach: &Reach, embedded: bool) -> Result<PoolConnection<Pg>> {
        let waiting = self.connections.acquire();
        tokio::pin!(waiting);
        let mut given = self.given.load(Ordering::Relaxed);
        loop {
            if let Ok(outcome) = timeout(REFUSAL_PROBE, &mut waiting).await {
                return self.acquired(outcome, reach).await;
            }
            // While calls hand connections on, the server is there and only busy: asking it would take one more from it.
            let now = self.given.load(Ordering::Relaxed);
            if replace(&mut given, now) == now {
                break;
            }
        }
        // sqlx takes a refused connection for a server that is starting and goes on until the acquire timeout. That is
        // right while another process takes the embedded database over; a server that is down should be told at once.
        if !embedded {
            if !reach.listens().await {
                return Err(reach.refused());
            }
            // It also goes on while the server has no connection left; what it says is remembered for whoever asks.
            tokio::select! {
                biased;
                outcome = &mut waiting => return self.acquired(outcome, reach).await,
                _ = reach.problem() => {}
            }
        }
        let outcome = waiting.await;
        self.acquired(outcome, reach).await
    }

    /// Tells a pool that is busy from a server that does not answer.
    async fn acquired(
        &self,
        outcome: sqlx::Result<PoolConnection<Pg>>,
        reach: &Reach,
    ) -> Result<PoolConnection<Pg>> {
        match outcome {
            Ok(connection) => {
                self.given.fetch_add(1, Ordering::Relaxed);
                Ok(connection)
            }
            Err(error @ sqlx::Error::PoolTimedOut) => Err(self.explained(&error, reach).await),
            Err(error) => Err(reach.explain(&error)),
        }
    }

    async fn explained(&self, error: &sqlx::Error, reach: &Reach) -> Error {
        reach.problem().await.unwrap_or_else(|| from_sqlx(error))
    }

    /// The most there may be, how many there are, and how many of them are idle.
    pub fn counts(&self) -> [u32; 3] {
        let idle = u32::try_from(self.connections.num_idle()).unwrap_or(u32::MAX);
        [self.connections.options().get_max_connections(), self.connections.size(), idle]
    }

    pub async fn close(&self) {
        self.connections.close().await;
    }
}
