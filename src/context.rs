//! What accompanies a call: its abort, its progress, its way to ask about conflicts.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::meter::Meter;

/// How far long work is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    /// Milliseconds left at the present pace; none before there is a pace.
    pub eta_ms: Option<f64>,
}

/// Is told about progress.
pub trait Listener: Send + Sync {
    fn progress(&self, progress: Progress);
}

/// Decides conflicts: the caller's function.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// `conflict` as `syncService.getConflicts` shows it; the answer is a strategy's name.
    async fn resolve(&self, conflict: Value) -> Result<String>;
}

#[derive(Clone, Default)]
pub struct CallContext {
    pub cancel: CancellationToken,
    pub listener: Option<Arc<dyn Listener>>,
    pub resolver: Option<Arc<dyn Resolver>>,
}

impl CallContext {
    pub fn cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Reports progress towards `total`.
    pub fn meter(&self, total: u64) -> Meter {
        Meter::new(self.listener.clone(), total)
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("cancelled", &self.cancelled()).finish_non_exhaustive()
    }
}
