use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::{LayerConfig, PersistenceConfig};
use crate::context::{CallContext, Resolver};
use crate::embedding::{Cached, Embedder};
use crate::error::{Error, Reason, Result};
use crate::extraction::Extractor;
use crate::input::GraphReader;
use crate::metrics::{MeasuredEmbedder, MeasuredExtractor};
use crate::store::Stores;
use crate::sync::Models;

/// One configured layer: shared stores, its own embedder, extractor and defaults.
pub struct Layer {
    pub(super) config: LayerConfig,
    pub(super) stores: Arc<Stores>,
    pub(super) models: Arc<Models>,
    /// What lies before the embedder.
    pub(super) cache: Option<Arc<Cached>>,
    /// Asked about the conflicts that the background meets.
    pub(super) resolver: Option<Arc<dyn Resolver>>,
    closed: AtomicBool,
    /// Cancelled when the layer closes: calls under way stop where they may.
    closing: CancellationToken,
    /// Held by every call under way.
    running: RwLock<()>,
    /// Auto-sync was started for this layer, or stopped by hand.
    auto_sync: AtomicBool,
    /// The background was started by this layer, so it ends with it.
    owns_background: Arc<AtomicBool>,
}

/// How long a close waits for calls under way.
const PATIENCE: Duration = Duration::from_secs(3);

impl Layer {
    /// No I/O; inside a tokio runtime.
    pub fn new(
        config: LayerConfig,
        embedder: Option<Arc<dyn Embedder>>,
        extractor: Option<Arc<dyn Extractor>>,
    ) -> Result<Self> {
        check_interval(&config.persistence)?;
        let stores = Stores::open(&config)?;
        let metrics = stores.postgres.metrics();
        let cache = embedder.map(|embedder| {
            Arc::new(Cached::new(Arc::new(MeasuredEmbedder::new(embedder, Arc::clone(metrics)))))
        });
        let embedder = cache.clone().map(|cache| cache as Arc<dyn Embedder>);
        let extractor = extractor.map(|extractor| {
            Arc::new(MeasuredExtractor::new(extractor, Arc::clone(metrics))) as Arc<dyn Extractor>
        });
        let models = Arc::new(Models::new(embedder, extractor, Arc::clone(&stores.postgres)));
        Ok(Self {
            config,
            stores,
            models,
            cache,
            resolver: None,
            closed: AtomicBool::new(false),
            closing: CancellationToken::new(),
            running: RwLock::default(),
            auto_sync: AtomicBool::new(false),
            owns_background: Arc::default(),
        })
    }

    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// How entities and relationships of callers are read.
    pub(super) fn reader(&self) -> GraphReader {
        GraphReader { limits: self.config.limits.clone(), strict: self.config.strict_entities }
    }

    /// Further calls reject with `CLOSED`. The last layer of a set of connection settings closes its pools.
    pub async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.closing.cancel();
        let background = async {
            if self.owns_background.load(Ordering::Acquire) {
                self.stores.scheduler.stop().await;
            }
        };
        // Those that hold leases give them back; one that hangs is not waited for.
        let _ = tokio::join!(timeout(PATIENCE, self.running.write()), background);
        if self.stores.release() {
            self.stores.close().await;
        }
    }

    /// Runs a call so that closing the layer stops it as its own abort does.
    pub(super) async fn attended<T>(
        &self,
        context: &CallContext,
        call: impl AsyncFnOnce(&CallContext) -> Result<T>,
    ) -> Result<T> {
        self.check_open()?;
        let _running = self.running.read().await;
        // A close may have come while this waited.
        self.check_open()?;
        let inner = CallContext { cancel: self.closing.child_token(), ..context.clone() };
        let forward = async {
            context.cancel.cancelled().await;
            inner.cancel.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            outcome = call(&inner) => outcome,
            () = forward => Err(aborted()),
        }
    }

    /// Starts auto-sync at the first call of a layer that is configured for it.
    pub(super) fn start_auto_sync_once(&self, config: &PersistenceConfig) {
        if !config.enable_auto_sync || self.auto_sync.swap(true, Ordering::AcqRel) {
            return;
        }
        let (stores, config, resolver) = (Arc::clone(&self.stores), config.clone(), self.resolver.clone());
        let (closing, limits) = (self.closing.clone(), self.config.limits.clone());
        let models = Arc::clone(&self.models);
        let owns = Arc::clone(&self.owns_background);
        tokio::spawn(async move {
            while stores.ready().await.is_err() {
                tokio::select! {
                    () = closing.cancelled() => return,
                    () = sleep(Duration::from_secs(1)) => {}
                }
            }
            if !closing.is_cancelled() && stores.scheduler.start(&config, &limits, models, resolver) {
                owns.store(true, Ordering::Release);
            }
        });
    }

    /// From now on auto-sync is started and stopped by hand only.
    pub(super) fn start_background(&self, config: &PersistenceConfig) {
        self.auto_sync.store(true, Ordering::Release);
        let models = Arc::clone(&self.models);
        if self.stores.scheduler.start(config, &self.config.limits, models, self.resolver.clone()) {
            self.owns_background.store(true, Ordering::Release);
        }
    }

    pub(super) async fn stop_background(&self) {
        self.auto_sync.store(true, Ordering::Release);
        self.owns_background.store(false, Ordering::Release);
        self.stores.scheduler.stop().await;
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
    pub(super) fn persistence(&self, own: Option<PersistenceConfig>) -> Result<PersistenceConfig> {
        let config = own.unwrap_or_else(|| self.config.persistence.clone());
        check_interval(&config)?;
        Ok(config)
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

/// More often would only load the stores.
const SHORTEST_INTERVAL_MS: u64 = 1000;

fn check_interval(config: &PersistenceConfig) -> Result<()> {
    let given = config.sync_interval_ms;
    if given >= SHORTEST_INTERVAL_MS {
        return Ok(());
    }
    let problem = format!("the number {given} is below {SHORTEST_INTERVAL_MS}");
    Err(Error::invalid("syncIntervalMs", problem).with("limit", SHORTEST_INTERVAL_MS))
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
