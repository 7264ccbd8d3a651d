//! The caller's functions as embedder and extractor. The facade has wrapped them: they are asynchronous, check what the
//! user's function gives, and never throw before they return a promise.

use std::sync::Arc;

use async_trait::async_trait;
use napi::Status;
use napi::bindgen_prelude::{Float32Array, FnArgs, Promise};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::Value;

use crate::config::parse_json;
use crate::context::{Listener, Progress, Resolver};
use crate::embedding::{Embedder, Space, TextVector, embedding_failed};
use crate::error::{Error, Reason, Result};
use crate::extraction::{Extraction, ExtractionInput, Extractor, extraction_failed};
use crate::input::GraphReader;

/// Weak: a function that waits to be called must not keep Node alive.
pub type EmbedFunction =
    ThreadsafeFunction<Vec<String>, Promise<Vec<Float32Array>>, Vec<String>, Status, false, true>;
pub type ExtractFunction = ThreadsafeFunction<String, Promise<String>, String, Status, false, true>;

/// Takes the number of a call and JSON.
type ProgressFunction =
    ThreadsafeFunction<FnArgs<(u32, String)>, (), FnArgs<(u32, String)>, Status, false, true>;
type ResolveFunction =
    ThreadsafeFunction<FnArgs<(u32, String)>, Promise<String>, FnArgs<(u32, String)>, Status, false, true>;

#[napi(object, object_to_js = false)]
pub struct Callbacks {
    pub embed: Option<EmbedFunction>,
    pub extract: Option<ExtractFunction>,
    pub progress: Option<ProgressFunction>,
    pub resolve: Option<ResolveFunction>,
}

/// The functions that belong to one call, by its number.
pub struct CallFunctions {
    progress: Option<ProgressFunction>,
    resolve: Option<ResolveFunction>,
}

impl CallFunctions {
    pub fn take(callbacks: &mut Callbacks) -> Arc<Self> {
        Arc::new(Self { progress: callbacks.progress.take(), resolve: callbacks.resolve.take() })
    }
}

/// What one call tells and asks its caller.
pub struct Caller {
    pub call_id: u32,
    pub functions: Arc<CallFunctions>,
}

impl Listener for Caller {
    fn progress(&self, progress: Progress) {
        let Some(function) = &self.functions.progress else { return };
        if let Ok(json) = serde_json::to_string(&progress) {
            // A closing environment listens no more.
            function.call((self.call_id, json).into(), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

#[async_trait]
impl Resolver for Caller {
    async fn resolve(&self, conflict: Value) -> Result<String> {
        let failed = |error: napi::Error| {
            Error::sync(Reason::Internal, "the conflictStrategy function failed")
                .with("cause", error.reason.clone())
        };
        let Some(function) = &self.functions.resolve else {
            return Err(Error::invalid("conflictStrategy", "is no function"));
        };
        let arguments = (self.call_id, conflict.to_string()).into();
        function.call_async_catch(arguments).await.map_err(failed)?.await.map_err(failed)
    }
}

pub struct CallbackEmbedder {
    pub space: Space,
    pub embed: EmbedFunction,
}

#[async_trait]
impl Embedder for CallbackEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn is_paid(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        // What the user's function says may quote the text, so it goes into details, not into the message.
        let failed = |error: napi::Error| {
            embedding_failed("the embed function failed").with("cause", error.reason.clone())
        };
        let promise = self.embed.call_async_catch(texts.to_vec()).await.map_err(failed)?;
        let vectors: Vec<TextVector> =
            promise.await.map_err(failed)?.iter().map(|vector| Some(vector.to_vec())).collect();
        self.space.check(&vectors, texts.len())?;
        Ok(vectors)
    }
}

pub struct CallbackExtractor {
    pub extract: ExtractFunction,
    pub reader: GraphReader,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extracted {
    entities: Vec<Value>,
    relationships: Vec<Value>,
}

#[async_trait]
impl Extractor for CallbackExtractor {
    /// Whatever the function does, it is not ours to have it done unasked.
    fn is_paid(&self) -> bool {
        true
    }

    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction> {
        // What the user's function says may quote the text, so it goes into details, not into the message.
        let failed = |error: napi::Error| {
            extraction_failed("the extract function failed").with("cause", error.reason.clone())
        };
        let input = serde_json::to_string(input)
            .map_err(|error| Error::persistence(Reason::Internal, format!("no JSON: {error}")))?;
        let answer = self.extract.call_async_catch(input).await.map_err(failed)?.await.map_err(failed)?;
        let refused = |error: Error| extraction_failed(error).with("retryable", false);
        let Extracted { entities, relationships } = parse_json(&answer).map_err(refused)?;
        Ok(self.reader.found(&entities, &relationships).map_err(refused)?.into_extraction())
    }
}
