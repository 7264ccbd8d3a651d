//! What every sync operation works with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::seat::Seat;
use crate::config::PersistenceConfig;
use crate::context::{CallContext, Listener, Progress};
use crate::store::postgres::Postgres;

/// Often enough for a progress bar.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Both stores, the caller's configuration, and what accompanies the call.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub postgres: &'a Arc<Postgres>,
    pub seat: &'a Arc<Seat>,
    pub config: &'a PersistenceConfig,
    pub context: &'a CallContext,
}

impl Job<'_> {
    pub fn cancelled(&self) -> bool {
        self.context.cancelled()
    }

    /// Reports progress towards `total`.
    pub fn meter(&self, total: u64) -> Meter {
        Meter { listener: self.context.listener.clone(), total, done: 0, begun: Instant::now(), told: None }
    }
}

/// Counts what is done and tells the caller, now and then.
pub struct Meter {
    listener: Option<Arc<dyn Listener>>,
    total: u64,
    done: u64,
    begun: Instant,
    told: Option<Instant>,
}

impl Meter {
    pub fn advance(&mut self, by: u64) {
        self.done += by;
        // Others write meanwhile: there can be more to do than was counted.
        self.total = self.total.max(self.done);
        if self.told.is_none_or(|told| told.elapsed() >= REPORT_EVERY) {
            self.tell();
        }
    }

    /// The last word, whatever was told before.
    pub fn finish(mut self) {
        self.tell();
    }

    fn tell(&mut self) {
        let Some(listener) = &self.listener else { return };
        self.told = Some(Instant::now());
        listener.progress(Progress { done: self.done, total: self.total, eta_ms: self.eta() });
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn eta(&self) -> Option<f64> {
        let left = self.total.saturating_sub(self.done) as f64;
        (self.done > 0).then(|| self.begun.elapsed().as_secs_f64() * 1000.0 * left / self.done as f64)
    }
}
