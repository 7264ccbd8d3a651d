//! How far long work is, told to the caller.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::context::{Listener, Progress};

/// Often enough for a progress bar.
const REPORT_EVERY: Duration = Duration::from_millis(100);

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
    pub fn new(listener: Option<Arc<dyn Listener>>, total: u64) -> Self {
        let count = Count { total, done: 0, told: None };
        Self { listener, begun: Instant::now(), count: Mutex::new(count) }
    }

    /// For work within work that is measured already.
    pub fn silent() -> Self {
        Self::new(None, 0)
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
