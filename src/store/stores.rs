//! Both stores of one set of connection settings, shared by every layer of the process with equal settings.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::graph::GraphStore;
use super::neo4j::{Neo4jGraph, Tuning};
use super::postgres::{LOCK_PATIENCE, Postgres, PostgresConfig, says_read_only};
use super::postgres_graph::PostgresGraph;
use crate::config::{GraphChoice, LayerConfig, Neo4jOptions};
use crate::context::CallContext;
use crate::error::{Error, Result};
use crate::sync::{Scheduler, Seat};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Settings {
    postgres: PostgresConfig,
    graph: GraphChoice,
    neo4j: Option<Neo4jOptions>,
}

/// Pools are never opened twice for the same settings, however often the JavaScript side is loaded.
static OPEN: LazyLock<Mutex<HashMap<Settings, Weak<Stores>>>> = LazyLock::new(Mutex::default);

pub struct Stores {
    pub postgres: Arc<Postgres>,
    pub seat: Arc<Seat>,
    /// Auto-sync, for all layers that share these stores.
    pub scheduler: Scheduler,
    ready: OnceCell<()>,
    /// Layers that use these stores; changed only under the lock of [`OPEN`].
    holders: AtomicUsize,
}

impl Stores {
    /// The stores of these settings: those that are open already, or new ones. No I/O; inside a tokio runtime. Whoever
    /// opens them lets them go with [`Stores::release`].
    pub fn open(config: &LayerConfig) -> Result<Arc<Self>> {
        let settings = Settings {
            postgres: PostgresConfig {
                url: config.database_url.clone(),
                direct_url: config.direct_url.clone(),
                embedded: config.embedded,
                pool: config.pool.clone(),
            },
            graph: config.graph_store,
            neo4j: config.neo4j.clone(),
        };
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, stores| stores.strong_count() > 0);
        let stores = match open.get(&settings).and_then(Weak::upgrade) {
            Some(stores) => stores,
            None => {
                let stores = Arc::new(Self::new(&settings)?);
                open.insert(settings, Arc::downgrade(&stores));
                stores
            }
        };
        stores.holders.fetch_add(1, Ordering::Relaxed);
        Ok(stores)
    }

    fn new(settings: &Settings) -> Result<Self> {
        let postgres = Arc::new(Postgres::new(&settings.postgres)?);
        let graph = graph_of(settings, &postgres)?;
        let seat = Arc::new(Seat::new(Arc::clone(&postgres), graph));
        let scheduler = Scheduler::new(Arc::clone(&postgres), Arc::clone(&seat));
        Ok(Self { postgres, seat, scheduler, ready: OnceCell::new(), holders: AtomicUsize::new(0) })
    }

    /// Makes sure once that the schema is this version's and the graph is registered. The embedded database migrates
    /// itself; any other is migrated by an explicit command only.
    pub async fn ready(&self) -> Result<()> {
        // On the heap: every call waits for this, and only the first one needs its room.
        self.ready.get_or_try_init(|| Box::pin(self.open_schema())).await.map(drop)
    }

    async fn open_schema(&self) -> Result<()> {
        if self.postgres.embedded() {
            self.postgres.migrate(&CallContext::default(), LOCK_PATIENCE).await?;
        } else {
            self.postgres.check_schema().await?;
        }
        match self.seat.register().await {
            // A standby, or a primary that is being replaced: reads need no registration, and writes ask again.
            Err(error) if says_read_only(&error) => {
                log::warn!("the graph cannot be registered: {error}");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Lets the stores go. True for the last holder, who then has to [`close`](Self::close) them; the next `open` makes
    /// new ones.
    pub fn release(self: &Arc<Self>) -> bool {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if self.holders.fetch_sub(1, Ordering::Relaxed) > 1 {
            return false;
        }
        open.retain(|_, stores| stores.upgrade().is_some_and(|other| !Arc::ptr_eq(&other, self)));
        true
    }

    /// Ends the background, strikes paid debts off and closes the pools.
    pub async fn close(&self) {
        self.scheduler.close().await;
        self.seat.close().await;
        self.postgres.close().await;
    }
}

fn graph_of(settings: &Settings, postgres: &Arc<Postgres>) -> Result<Option<Arc<dyn GraphStore>>> {
    match (settings.graph, &settings.neo4j) {
        (GraphChoice::None, _) => Ok(None),
        (GraphChoice::Neo4j, None) => Err(Error::invalid("neo4j", "is missing, but graphStore is 'neo4j'")),
        (GraphChoice::Auto | GraphChoice::Neo4j, Some(options)) => {
            Ok(Some(Arc::new(Neo4jGraph::new(options, Tuning::default())?)))
        }
        (GraphChoice::Auto, None) | (GraphChoice::Postgres, _) => {
            Ok(Some(Arc::new(PostgresGraph::new(Arc::clone(postgres)))))
        }
    }
}
