use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Float32Array, PromiseRaw};
use napi_derive::napi;

use super::callbacks::{
    CallFunctions, CallbackEmbedder, CallbackExtractor, Callbacks, Caller, ExtractFunction,
};
use super::calls::Calls;
use super::error::to_napi;
use crate::config::{EmbedderKind, EmbedderOptions, ExtractorKind, ExtractorOptions, LayerConfig, Named};
use crate::context::{CallContext, Listener, Resolver};
use crate::embedding::{Embedder, LocalEmbedder, Space};
use crate::error::{Error, Result};
use crate::extraction::{Extractor, RulesExtractor};
use crate::input::GraphReader;
use crate::runtime::{run, runtime};
use crate::service::{Layer, http_embedder, llm_extractor};

/// One layer. Connects at the first call.
#[napi]
pub struct NativeLayer {
    layer: Arc<Layer>,
    calls: Arc<Calls>,
    functions: Arc<CallFunctions>,
}

#[napi]
impl NativeLayer {
    #[napi(constructor, catch_unwind)]
    pub fn new(config: String, mut callbacks: Callbacks) -> napi::Result<Self> {
        let functions = CallFunctions::take(&mut callbacks);
        // Conflicts that the background meets belong to no call: number 0.
        let resolver = Arc::new(Caller { call_id: 0, functions: Arc::clone(&functions) });
        let layer = build(&config, callbacks, resolver).map_err(|error| to_napi(&error))?;
        Ok(Self { layer: Arc::new(layer), calls: Arc::default(), functions })
    }

    /// One operation: JSON in, JSON out. The embedding is copied before this returns.
    #[napi(catch_unwind)]
    pub fn invoke<'env>(
        &self,
        env: &'env Env,
        request: String,
        embedding: Option<Float32Array>,
        call_id: u32,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let embedding = embedding.map(|values| values.to_vec());
        let layer = Arc::clone(&self.layer);
        let call = self.calls.begin(call_id);
        let caller = Arc::new(Caller { call_id, functions: Arc::clone(&self.functions) });
        let work = async move {
            let context = CallContext {
                cancel: call.token.clone(),
                listener: Some(Arc::clone(&caller) as Arc<dyn Listener>),
                resolver: Some(caller),
            };
            layer.call(&request, embedding, &context).await
        };
        env.spawn_future(async move { run(work).await.map_err(|error| to_napi(&error)) })
    }

    /// Stops a call that has not begun to commit.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call_id: u32) {
        self.calls.cancel(call_id);
    }

    /// Strikes paid debts off and closes the pools that layers with equal settings share.
    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let layer = Arc::clone(&self.layer);
        let work = async move {
            layer.close().await;
            Ok(())
        };
        env.spawn_future(async move { run(work).await.map_err(|error| to_napi(&error)) })
    }
}

fn build(json: &str, callbacks: Callbacks, resolver: Arc<dyn Resolver>) -> Result<Layer> {
    let config = LayerConfig::parse(json)?;
    // sqlx starts tasks of its own when a pool is made.
    let _entered = runtime()?.enter();
    let embedder = embedder(&config, callbacks.embed)?;
    let extractor = extractor(&config, callbacks.extract)?;
    Ok(Layer::new(config, embedder, extractor)?.with_resolver(resolver))
}

fn embedder(
    config: &LayerConfig,
    embed: Option<super::callbacks::EmbedFunction>,
) -> Result<Option<Arc<dyn Embedder>>> {
    match (&config.embedder, embed) {
        (None | Some(EmbedderOptions::Named(Named::None)), _) => Ok(None),
        (Some(EmbedderOptions::Named(Named::Local)), _) => {
            Err(Error::invalid("embedder", "'local' comes without the folder of its weights"))
        }
        (Some(EmbedderOptions::Some(EmbedderKind::Local { directory })), _) => {
            Ok(Some(Arc::new(LocalEmbedder::new(directory))))
        }
        (Some(EmbedderOptions::Some(EmbedderKind::Callback { model, dimensions })), Some(embed)) => {
            let space = Space { model: model.clone(), dimensions: *dimensions };
            Ok(Some(Arc::new(CallbackEmbedder { space, embed })))
        }
        (Some(EmbedderOptions::Some(EmbedderKind::Callback { .. })), None) => {
            Err(Error::invalid("embedder.embed", "is no function"))
        }
        (Some(EmbedderOptions::Some(kind)), _) => http_embedder(kind),
    }
}

fn extractor(config: &LayerConfig, extract: Option<ExtractFunction>) -> Result<Option<Arc<dyn Extractor>>> {
    match (&config.extractor, extract) {
        (Some(ExtractorOptions::Named(Named::None)), _) => Ok(None),
        (None | Some(ExtractorOptions::Named(Named::Local)), _) => Ok(Some(Arc::new(RulesExtractor))),
        (Some(ExtractorOptions::Some(ExtractorKind::Callback {})), Some(extract)) => {
            Ok(Some(Arc::new(CallbackExtractor { extract, reader: reader(config) })))
        }
        (Some(ExtractorOptions::Some(ExtractorKind::Callback {})), None) => {
            Err(Error::invalid("extractor.extract", "is no function"))
        }
        (Some(ExtractorOptions::Some(kind)), _) => llm_extractor(kind, &reader(config)),
    }
}

/// How what an extractor says is read.
fn reader(config: &LayerConfig) -> GraphReader {
    GraphReader { limits: config.limits.clone(), strict: config.strict_entities }
}
