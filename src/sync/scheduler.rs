//! Auto-sync: pays what is due all the time, and has one process of all that share the database look after the rest.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use rand::Rng;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::drain::{DrainScope, drain};
use super::job::Job;
use super::job::Meter;
use super::models::{ModelScope, Models, go_on_with_reembed, pay_models};
use super::seat::Seat;
use super::upkeep::upkeep;
use crate::config::{Limits, PersistenceConfig};
use crate::context::{CallContext, Resolver};
use crate::error::{Error, Reason, Result};
use crate::store::postgres::Postgres;

/// Between two looks at what is due, when nothing else wakes the worker.
const POLL: Duration = Duration::from_secs(1);
/// The longest pause while a store is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a stop may take.
const PATIENCE: Duration = Duration::from_millis(4500);
/// How long a round of upkeep may go on after a stop: long enough for its drain to give leases back.
const GRACE: Duration = Duration::from_millis(3500);
const LEADER: &str = "leader";
const LEADER_LEASE_MS: i64 = 15_000;
/// The leader renews its lease, the others ask for it.
const ASK: Duration = Duration::from_secs(5);

/// The background of one set of stores.
pub struct Scheduler {
    postgres: Arc<Postgres>,
    seat: Arc<Seat>,
    running: Mutex<Option<Running>>,
    closed: AtomicBool,
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Scheduler {
    pub fn new(postgres: Arc<Postgres>, seat: Arc<Seat>) -> Self {
        Self { postgres, seat, running: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// Starts the background; false if it ran already or its stores are closed. Inside a tokio runtime.
    pub fn start(
        &self,
        config: &PersistenceConfig,
        limits: &Limits,
        models: Arc<Models>,
        resolver: Option<Arc<dyn Resolver>>,
    ) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() || self.closed.load(Ordering::Acquire) {
            return false;
        }
        let stop = CancellationToken::new();
        let background = Background {
            postgres: Arc::clone(&self.postgres),
            seat: Arc::clone(&self.seat),
            config: config.clone(),
            limits: limits.clone(),
            models,
            context: CallContext { cancel: stop.clone(), listener: None, resolver },
            holder: Uuid::new_v4(),
        };
        let task = tokio::spawn(async move { Box::pin(background.run()).await });
        *running = Some(Running { stop, task });
        true
    }

    pub fn is_running(&self) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Stops claiming, gives leases back, and ends within five seconds.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, mut task }) = running else { return };
        stop.cancel();
        if timeout(PATIENCE, &mut task).await.is_err() {
            log::warn!("the background did not end in time; its leases end by themselves");
            task.abort();
        }
    }

    /// As [`Scheduler::stop`], for good.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.stop().await;
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().unwrap_or_else(PoisonError::into_inner) {
            running.stop.cancel();
        }
    }
}

struct Background {
    postgres: Arc<Postgres>,
    seat: Arc<Seat>,
    config: PersistenceConfig,
    limits: Limits,
    models: Arc<Models>,
    context: CallContext,
    /// Who this is in leases.
    holder: Uuid,
}

impl Background {
    fn job(&self) -> Job<'_> {
        Job {
            postgres: &self.postgres,
            seat: &self.seat,
            config: &self.config,
            limits: &self.limits,
            context: &self.context,
        }
    }

    async fn run(&self) {
        tokio::join!(self.pay(), self.pay_models(), self.look_after());
    }

    /// Pays what is due, again and again.
    async fn pay(&self) {
        let mut pause = POLL;
        while self.wait(pause, pause == POLL).await {
            pause = match caught(self.pay_due()).await {
                Ok(()) => POLL,
                Err(error) => {
                    log::info!("debts to the graph stay owed: {error}");
                    (pause * 2).min(LONGEST_PAUSE)
                }
            };
        }
    }

    async fn pay_due(&self) -> Result<()> {
        let (graph, target) = self.seat.ours().await?;
        let scope = DrainScope { due: true, ..DrainScope::default() };
        drain(self.job(), graph.as_ref(), &target, &scope).await.map(drop)
    }

    /// Pays what is owed to the models and due, again and again. How long one that does not answer is left in peace is its
    /// own matter.
    async fn pay_models(&self) {
        let scope = ModelScope { embed: true, extract: true, due: true, ..ModelScope::default() };
        while self.wait(POLL, false).await {
            let round = async { pay_models(self.job(), &self.models, &scope, &Meter::silent()).await };
            match caught(round).await {
                Ok(paid) if paid.extracted > 0 => self.seat.nudge(),
                Ok(_) => {}
                Err(error) => log::info!("debts to the models stay owed: {error}"),
            }
        }
    }

    /// Leads whenever nobody else does.
    async fn look_after(&self) {
        while !self.context.cancelled() {
            match self.take_lead().await {
                Ok(true) => Box::pin(self.lead()).await,
                Ok(false) => {}
                Err(error) => log::info!("the background cannot ask who leads: {error}"),
            }
            if !self.wait(ASK, false).await {
                break;
            }
        }
        if let Err(error) = self.postgres.give_lease(LEADER, self.holder).await {
            log::info!("the lead ends by itself: {error}");
        }
    }

    async fn take_lead(&self) -> Result<bool> {
        self.postgres.take_lease(LEADER, self.holder, leader_lease_ms()).await
    }

    /// One round of upkeep; it is dropped when the lead is lost meanwhile.
    async fn lead(&self) {
        tokio::select! {
            outcome = caught(self.look_after_all()) => if let Err(error) = outcome {
                log::info!("upkeep has to wait: {error}");
            },
            () = self.lose_lead() => log::info!("another process leads now"),
            () = self.grace() => {}
        }
    }

    /// What concerns Postgres alone does not wait for the graph.
    async fn look_after_all(&self) -> Result<()> {
        go_on_with_reembed(self.job()).await?;
        upkeep(self.job()).await
    }

    /// A store that hangs must not hold up a stop.
    async fn grace(&self) {
        self.context.cancel.cancelled().await;
        sleep(GRACE).await;
    }

    /// Ends when the lease could not be renewed.
    async fn lose_lead(&self) {
        loop {
            sleep(jittered(ASK)).await;
            if !self.take_lead().await.unwrap_or(false) {
                return;
            }
        }
    }

    /// False: stopped.
    async fn wait(&self, pause: Duration, nudged: bool) -> bool {
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => false,
            () = self.seat.nudged(), if nudged => true,
            () = sleep(jittered(pause)) => true,
        }
    }
}

/// A bug in one round must not end all rounds.
async fn caught<T>(round: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(round).catch_unwind().await.unwrap_or_else(|_| {
        Err(Error::sync(Reason::Internal, "a bug in izzie-memory: the background panicked"))
    })
}

/// Many processes must not ask all at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.5..1.0))
}

fn leader_lease_ms() -> i64 {
    fail::fail_point!("leader_lease_ms", |value| value
        .and_then(|ms| ms.parse().ok())
        .unwrap_or(LEADER_LEASE_MS));
    LEADER_LEASE_MS
}
