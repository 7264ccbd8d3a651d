use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::models::Models;
use crate::config::{LayerConfig, PersistenceConfig};
use crate::context::Resolver;
use crate::embedding::Embedder;
use crate::error::{Error, Reason, Result};
use crate::extraction::Extractor;
use crate::store::Stores;

/// One configured layer: shared stores, its own embedder, extractor and defaults.
pub struct Layer {
    pub(super) config: LayerConfig,
    pub(super) stores: Arc<Stores>,
    pub(super) models: Models,
    /// Asked about the conflicts that the background meets.
    pub(super) resolver: Option<Arc<dyn Resolver>>,
    closed: AtomicBool,
}

impl Layer {
    /// No I/O; inside a tokio runtime.
    pub fn new(
        config: LayerConfig,
        embedder: Option<Arc<dyn Embedder>>,
        extractor: Option<Arc<dyn Extractor>>,
    ) -> Result<Self> {
        let stores = Stores::open(&config)?;
        let models = Models::new(embedder, extractor, Arc::clone(&stores.postgres));
        Ok(Self { config, stores, models, resolver: None, closed: AtomicBool::new(false) })
    }

    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Further calls reject with `CLOSED`. The last layer of a set of connection settings closes its pools.
    pub async fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) && self.stores.release() {
            self.stores.close().await;
        }
    }

    /// Everything a write needs to know is known.
    pub(super) async fn ready(&self) -> Result<()> {
        self.stores.ready().await?;
        self.models.ready().await
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::persistence(Reason::Closed, "the layer was closed"));
        }
        Ok(())
    }

    /// The calling service's config, else the layer's.
    pub(super) fn persistence(&self, own: Option<PersistenceConfig>) -> PersistenceConfig {
        own.unwrap_or_else(|| self.config.persistence.clone())
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        if !*self.closed.get_mut() {
            // Pools that nobody holds close their connections themselves.
            self.stores.release();
        }
    }
}

/// Runs work that may stop at any point; an abort drops it.
pub(super) async fn until_aborted<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(aborted()),
        outcome = work => outcome,
    }
}

pub(super) fn aborted() -> Error {
    Error::persistence(Reason::Aborted, "the call was aborted before it committed")
}
