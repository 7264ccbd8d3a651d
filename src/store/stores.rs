//! Both stores of one set of connection settings, shared by every layer of the process with equal settings.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::graph::GraphStore;
use super::neo4j::{Neo4jGraph, Tuning};
use super::postgres::{Postgres, PostgresConfig};
use super::postgres_graph::PostgresGraph;
use crate::config::{GraphChoice, LayerConfig, Neo4jOptions};
use crate::error::{Error, Result};
use crate::sync::Seat;

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
    ready: OnceCell<()>,
}

impl Stores {
    /// The stores of these settings: those that are open already, or new ones. No I/O; inside a tokio runtime.
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
        if let Some(stores) = open.get(&settings).and_then(Weak::upgrade) {
            return Ok(stores);
        }
        let stores = Arc::new(Self::new(&settings)?);
        open.insert(settings, Arc::downgrade(&stores));
        Ok(stores)
    }

    fn new(settings: &Settings) -> Result<Self> {
        let postgres = Arc::new(Postgres::new(&settings.postgres)?);
        let graph = graph_of(settings, &postgres)?;
        let seat = Arc::new(Seat::new(Arc::clone(&postgres), graph));
        Ok(Self { postgres, seat, ready: OnceCell::new() })
    }

    /// Makes sure once that the schema is this version's and the graph is registered. The embedded database migrates
    /// itself; any other is migrated by an explicit command only.
    pub async fn ready(&self) -> Result<()> {
        let open = || async {
            if self.postgres.embedded() {
                self.postgres.migrate().await?;
            } else {
                self.postgres.check_schema().await?;
            }
            self.seat.register().await
        };
        self.ready.get_or_try_init(open).await.map(drop)
    }

    /// Strikes paid debts off and closes the pools. The next `open` makes new ones.
    pub async fn close(self: Arc<Self>) {
        OPEN.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, stores| stores.upgrade().is_some_and(|other| !Arc::ptr_eq(&other, &self)));
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
