//! The graph as this instance sees it: whether it is the database's own, and the fast path that applies one write.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use super::acknowledger::Acknowledger;
use super::beat;
use crate::error::{Error, Reason, Result};
use crate::model::Projection;
use crate::store::graph::GraphStore;
use crate::store::postgres::{Postgres, Target};

/// Writes that may be on their way to the graph at once; more stay owed.
const IN_FLIGHT: usize = 64;

/// How this instance's graph relates to the one the database is registered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No graph is configured here.
    None,
    /// The database belongs to a graph of another kind: this instance only enqueues.
    Mismatch {
        registered: String,
    },
    Ours(Target),
}

/// What came of a write's way to the graph within the time it had.
#[derive(Debug, Clone)]
pub enum Applying {
    Applied,
    /// Not in time; it goes on in the background and stays owed until it is done.
    Late,
    Failed(Error),
}

pub struct Seat {
    postgres: Arc<Postgres>,
    graph: Option<Arc<dyn GraphStore>>,
    acknowledger: OnceCell<Arc<Acknowledger>>,
    standing: OnceCell<Standing>,
    verified: OnceCell<()>,
    in_flight: Arc<Semaphore>,
}

impl Seat {
    pub fn new(postgres: Arc<Postgres>, graph: Option<Arc<dyn GraphStore>>) -> Self {
        Self {
            postgres,
            graph,
            acknowledger: OnceCell::new(),
            standing: OnceCell::new(),
            verified: OnceCell::new(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }

    pub fn graph(&self) -> Option<&Arc<dyn GraphStore>> {
        self.graph.as_ref()
    }

    /// Registers our graph if the database has none yet.
    pub async fn register(&self) -> Result<()> {
        self.standing().await.map(drop)
    }

    /// Found out once: a registration is changed by an explicit command only.
    pub async fn standing(&self) -> Result<&Standing> {
        self.standing
            .get_or_try_init(|| async {
                let Some(graph) = &self.graph else { return Ok(Standing::None) };
                let target = self.postgres.register_target(graph.kind()).await?;
                Ok(if target.kind == graph.kind().name() {
                    Standing::Ours(target)
                } else {
                    Standing::Mismatch { registered: target.kind }
                })
            })
            .await
    }

    /// Our graph, reachable, prepared and proven to be the database's own (once per process).
    pub async fn ours(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        let (graph, target) = self.configured().await?;
        self.verified.get_or_try_init(|| self.verify(graph)).await?;
        Ok((graph, target))
    }

    /// As [`Seat::ours`], proven now: sync operations begin with it.
    pub async fn ours_now(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        let (graph, target) = self.configured().await?;
        self.verify(graph).await?;
        Ok((graph, target))
    }

    async fn configured(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        match (&self.graph, self.standing().await?) {
            (Some(graph), Standing::Ours(target)) => Ok((graph, target.clone())),
            (_, Standing::Mismatch { registered }) => {
                Err(beat::mismatch(&format!("this database belongs to a {registered} graph")))
            }
            _ => Err(Error::graph(Reason::NotConfigured, "no graph is configured")),
        }
    }

    async fn verify(&self, graph: &Arc<dyn GraphStore>) -> Result<()> {
        if graph.shares_database() {
            return Ok(());
        }
        graph.prepare().await?;
        beat::beat(&self.postgres, graph.as_ref()).await
    }

    /// Applies one projection and strikes its debt off, waiting at most `wait`.
    pub async fn apply(self: &Arc<Self>, projection: Projection, wait: Duration) -> Applying {
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            return Applying::Late;
        };
        let seat = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _permit = permit;
            seat.apply_now(&projection).await
        });
        match timeout(wait, task).await {
            Ok(Ok(Ok(()))) => Applying::Applied,
            Ok(Ok(Err(error))) => Applying::Failed(error),
            Ok(Err(_)) => Applying::Failed(Error::graph(Reason::Internal, "the graph write panicked")),
            Err(_) => Applying::Late,
        }
    }

    async fn apply_now(&self, projection: &Projection) -> Result<()> {
        fail::fail_point!("before_graph_write");
        let (graph, target) = self.ours().await?;
        let applied = graph.project(std::slice::from_ref(projection)).await?;
        fail::fail_point!("after_graph_write");
        if applied.len() != 1 {
            return Err(Error::graph(
                Reason::Internal,
                "the graph answered for another number of memories than were sent",
            ));
        }
        // Refused means that the graph holds a newer version, which pays this one too.
        self.acknowledger().await.paid(&target.target, projection.memory_id, projection.version.revision);
        Ok(())
    }

    async fn acknowledger(&self) -> &Arc<Acknowledger> {
        self.acknowledger
            .get_or_init(|| async { Arc::new(Acknowledger::start(Arc::clone(&self.postgres))) })
            .await
    }

    /// Waits until every payment made so far is struck off.
    pub async fn flush(&self) {
        if let Some(acknowledger) = self.acknowledger.get() {
            acknowledger.flush().await;
        }
    }

    pub async fn close(&self) {
        self.flush().await;
        if let Some(graph) = &self.graph {
            graph.close().await;
        }
    }
}
