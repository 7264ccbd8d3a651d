//! The graph as this instance sees it: whether it is the database's own, and the fast path that applies one write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify, OnceCell, RwLock, Semaphore};
use uuid::Uuid;

use super::acknowledger::Acknowledger;
use super::belonging::{self, Belonging};
use super::group::Group;
use super::{beat, paged};
use crate::error::{Error, Reason, Result};
use crate::model::PROJECTION_VERSION;
use crate::store::graph::{GraphKind, GraphStore};
use crate::store::postgres::{Postgres, Target};

/// Writes that may be on their way to the graph at once; more stay owed.
const IN_FLIGHT: usize = 64;

/// How long the database's registration and the graph's beat are believed.
const TRUST: Duration = Duration::from_secs(60);

/// How this instance's graph relates to the one the database is registered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No graph is configured here.
    None,
    /// The database belongs to a graph of another kind: this instance only enqueues.
    Mismatch {
        registered: String,
    },
    /// A newer version of this package projects other properties: this instance only enqueues.
    Newer,
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

type Known = (Instant, Standing);

/// When the graph was last proven to be the database's own, by which beat, and since when that beat stands.
#[derive(Debug, Clone, Copy)]
struct Proof {
    at: Instant,
    nonce: Uuid,
    written: Instant,
}

/// The database's own graph, and whether work in pages is left over.
pub(super) struct Proven {
    pub target: Target,
    pub unfinished: bool,
}

pub struct Seat {
    postgres: Arc<Postgres>,
    graph: Option<Arc<dyn GraphStore>>,
    acknowledger: OnceCell<Arc<Acknowledger>>,
    standing: RwLock<Option<Known>>,
    verified: Mutex<Option<Proof>>,
    nudged: Notify,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) group: Group,
}

impl Seat {
    pub fn new(postgres: Arc<Postgres>, graph: Option<Arc<dyn GraphStore>>) -> Self {
        Self {
            postgres,
            graph,
            acknowledger: OnceCell::new(),
            standing: RwLock::default(),
            verified: Mutex::default(),
            nudged: Notify::new(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
            group: Group::default(),
        }
    }

    pub fn graph(&self) -> Option<&Arc<dyn GraphStore>> {
        self.graph.as_ref()
    }

    /// Registers our graph if the database has none yet.
    pub async fn register(&self) -> Result<()> {
        self.standing().await.map(drop)
    }

    pub async fn standing(&self) -> Result<Standing> {
        let known = self.standing.read().await.clone();
        match known {
            Some((since, standing)) if since.elapsed() < TRUST => Ok(standing),
            _ => self.find_standing().await,
        }
    }

    async fn find_standing(&self) -> Result<Standing> {
        self.postgres.must_see_all_rows().await?;
        let standing = match &self.graph {
            None => Standing::None,
            Some(graph) => {
                let registered = match self.postgres.current_target().await? {
                    Some(target) => target,
                    None => paged::register(&self.postgres, graph.kind()).await?,
                };
                self.relate(graph.kind(), registered).await?
            }
        };
        *self.standing.write().await = Some((Instant::now(), standing.clone()));
        Ok(standing)
    }

    async fn relate(&self, kind: GraphKind, registered: Target) -> Result<Standing> {
        if registered.kind != kind.name() {
            return Ok(Standing::Mismatch { registered: registered.kind });
        }
        if registered.projection_version > PROJECTION_VERSION {
            return Ok(Standing::Newer);
        }
        let outdated = registered.projection_version < PROJECTION_VERSION;
        if outdated {
            self.postgres.upgrade_projection(&registered.target).await?;
        }
        Ok(Standing::Ours(Target { unfinished: registered.unfinished || outdated, ..registered }))
    }

    /// A write was answered with this target's name: what is known is forgotten if it is another one.
    pub async fn notice(&self, target: &str) {
        let outdated = |known: &Known| match known {
            (_, Standing::Ours(ours)) => ours.target != target,
            _ => true,
        };
        if self.standing.read().await.as_ref().is_some_and(outdated) {
            self.forget().await;
        }
    }

    /// Everything known of the graph is asked again at the next use.
    pub async fn forget(&self) {
        *self.standing.write().await = None;
        *self.verified.lock().await = None;
    }

    /// Our graph, reachable, prepared and proven to be the database's own within the last minute.
    pub async fn ours(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        let (graph, target) = self.configured(self.standing().await?)?;
        // One proof for all who wait.
        let mut verified = self.verified.lock().await;
        if verified.is_none_or(|proof| proof.at.elapsed() >= TRUST) {
            let (proof, _) = self.verify(graph, &target, *verified).await?;
            *verified = Some(proof);
        }
        Ok((graph, target))
    }

    /// As [`Seat::ours`], proven now, with the work done that a restored database or a new graph left in pages: sync
    /// operations begin with it.
    pub async fn ours_now(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        let graph = self.configured_graph()?;
        let Proven { target, unfinished } = self.proven_now().await?;
        if unfinished {
            paged::finish(&self.postgres, graph.as_ref(), &target).await?;
        }
        Ok((graph, target))
    }

    /// As [`Seat::ours_now`], with work in pages left undone.
    pub(super) async fn proven_now(&self) -> Result<Proven> {
        let (graph, target) = self.configured(self.find_standing().await?)?;
        let known = *self.verified.lock().await;
        let proven = self.verify(graph, &target, known).await;
        *self.verified.lock().await = proven.as_ref().ok().map(|(proof, _)| *proof);
        let (_, owes) = proven?;
        let unfinished = owes || target.unfinished;
        Ok(Proven { target, unfinished })
    }

    pub(super) fn configured_graph(&self) -> Result<&Arc<dyn GraphStore>> {
        self.graph.as_ref().ok_or_else(not_configured)
    }

    fn configured(&self, standing: Standing) -> Result<(&Arc<dyn GraphStore>, Target)> {
        match (&self.graph, standing) {
            (Some(graph), Standing::Ours(target)) => Ok((graph, target)),
            (_, Standing::Mismatch { registered }) => {
                Err(mismatch(&format!("this database belongs to a {registered} graph")))
            }
            (_, Standing::Newer) => Err(mismatch("this database belongs to a newer version of izzie-memory")),
            _ => Err(not_configured()),
        }
    }

    /// Makes our graph the database's, whatever it was before.
    pub(super) async fn switch(&self) -> Result<(&Arc<dyn GraphStore>, Target)> {
        let graph = self.configured_graph()?;
        // A graph that cannot be reached must not become the current one.
        graph.ping().await?;
        let target = self.postgres.switch_target(graph.kind()).await?;
        self.forget().await;
        self.verify(graph, &target, None).await?;
        Ok((graph, target))
    }

    /// True: everything is owed now, in pages.
    async fn verify(
        &self,
        graph: &Arc<dyn GraphStore>,
        target: &Target,
        known: Option<Proof>,
    ) -> Result<(Proof, bool)> {
        let now = Instant::now();
        if graph.shares_database() {
            return Ok((Proof { at: now, nonce: Uuid::nil(), written: now }, false));
        }
        let recent = known.filter(|proof| proof.written.elapsed() < TRUST);
        let own = recent.map(|proof| proof.nonce);
        let beaten = beat::beat(&self.postgres, graph.as_ref(), target.clone(), own).await?;
        let written = recent.filter(|proof| proof.nonce == beaten.nonce).map_or(now, |proof| proof.written);
        Ok((Proof { at: now, nonce: beaten.nonce, written }, beaten.owes))
    }

    /// Whom the graph says it belongs to; `registered` is what the database is registered with, if it is. Changes nothing.
    pub async fn belonging(&self, registered: Option<&Target>) -> Result<Belonging> {
        belonging::look(&self.postgres, self.configured_graph()?.as_ref(), registered).await
    }

    /// There may be something to pay.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    pub(super) async fn nudged(&self) {
        self.nudged.notified().await;
    }

    pub(super) async fn acknowledger(&self) -> &Arc<Acknowledger> {
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

fn not_configured() -> Error {
    Error::graph(Reason::NotConfigured, "no graph is configured")
}

pub fn mismatch(problem: &str) -> Error {
    Error::graph(
        Reason::GraphStoreMismatch,
        format!("{problem}; memories stay owed and nothing is written to it"),
    )
}
