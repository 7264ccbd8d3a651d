//! What every sync operation works with.

use std::sync::Arc;
use std::time::Instant;

use super::seat::Seat;
use crate::config::{Limits, PersistenceConfig};
use crate::context::CallContext;
pub use crate::meter::Meter;
use crate::store::postgres::Postgres;

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
        self.context.meter(total)
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
