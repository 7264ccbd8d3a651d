//! What every sync operation works with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::seat::Seat;
use crate::config::{Limits, PersistenceConfig};
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
    /// Of input, and so of what a row may take over from the graph.
    pub limits: &'a Limits,
    pub context: &'a CallContext,
}

impl Job<'_> {
    pub fn cancelled(&self) -> bool {
        self.context.cancelled()
    }

    /// Reports progress towards `total`.
    pub fn meter(&self, total: u64) -> Meter {
        let count = Count { total, done: 0, told: None };
        Meter { listener: self.context.listener.clone(), begun: Instant::now(), count: Mutex::new(count) }
    }
}

/// Counts what is done and tells the caller, now and then.
pub struct Meter {
    listener: Option<Arc<dyn Listener>>,
    begun: Instant,
    count: Mutex<Count>,
}

struct Count {
    total: u64,
    done: u64,
    told: Option<Instant>,
}

impl Meter {
    /// For work within work that is measured already.
    pub fn silent() -> Self {
        let count = Count { total: 0, done: 0, told: None };
        Self { listener: None, begun: Instant::now(), count: Mutex::new(count) }
    }

    pub fn advance(&self, by: u64) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.done += by;
        // Others write meanwhile: there can be more to do than was counted.
        count.total = count.total.max(count.done);
        if count.told.is_none_or(|told| told.elapsed() >= REPORT_EVERY) {
            self.tell(&mut count);
        }
    }

    /// The last word, whatever was told before.
    pub fn finish(self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut count);
    }

    fn tell(&self, count: &mut Count) {
        let Some(listener) = &self.listener else { return };
        count.told = Some(Instant::now());
        let eta_ms = self.eta(count);
        listener.progress(Progress { done: count.done, total: count.total, eta_ms });
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn eta(&self, count: &Count) -> Option<f64> {
        let left = count.total.saturating_sub(count.done) as f64;
        (count.done > 0).then(|| self.begun.elapsed().as_secs_f64() * 1000.0 * left / count.done as f64)
    }
}

/// For answers.
pub fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// A length as answers count.
pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
