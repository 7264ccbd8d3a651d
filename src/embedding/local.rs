//! The offline embedder: a static model that is shipped in a package of its own and run by model2vec-rs. No key, no
//! network; what a text costs is microseconds.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use model2vec_rs::model::StaticModel;
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::pieces::{mean, pieces};
use super::{Embedder, Space, TextVector, embedding_failed};
use crate::error::Result;
use crate::model::EmbeddingPieces;

/// Names the weights: others are another space. `packages/minilm-static` gives new weights a new name.
pub const LOCAL_MODEL: &str = "minilm-static-1";
pub const LOCAL_DIMENSIONS: usize = 256;

/// The model reads 512 tokens at a time, and a token is rarely less than three bytes.
const PART_BYTES: usize = 512 * 3;
/// What comes later in a text is not read: some 1.5 MB, fifty milliseconds.
const MAX_PARTS: usize = 1024;

/// What the process has read, by folder. It stays for the life of the process, some 12 MB.
static MODELS: LazyLock<Mutex<HashMap<PathBuf, Arc<OnceCell<StaticModel>>>>> = LazyLock::new(Mutex::default);

/// Reads the weights when it is first asked, on a thread that may wait, as it does its sums.
pub struct LocalEmbedder {
    directory: PathBuf,
    space: Space,
    model: Arc<OnceCell<StaticModel>>,
}

impl LocalEmbedder {
    /// `directory` holds `model.safetensors`, `tokenizer.json` and `config.json`. Nothing is read.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
        let model = Arc::clone(models.entry(directory.clone()).or_default());
        let space = Space { model: LOCAL_MODEL.to_owned(), dimensions: LOCAL_DIMENSIONS };
        Self { directory, space, model }
    }

    async fn model(&self) -> Result<&StaticModel> {
        self.model
            .get_or_try_init(|| {
                let directory = self.directory.clone();
                off_the_reactor(move || read(&directory))
            })
            .await
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn is_paid(&self) -> bool {
        false
    }

    fn pieces_of(&self, text: &str) -> Option<EmbeddingPieces> {
        cut_off(text)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let (model, texts) = (self.model().await?.clone(), texts.to_vec());
        off_the_reactor(move || Ok(texts.iter().map(|text| vector(&model, text)).collect())).await
    }
}

async fn off_the_reactor<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(embedding_failed("the offline model broke down").with("retryable", false)),
    }
}

#[derive(Deserialize)]
struct Config {
    name: String,
}

/// A failure is the installation's and no memory's, and may be mended while the process runs.
fn read(directory: &Path) -> Result<StaticModel> {
    let broken = |problem: String| {
        embedding_failed(format_args!("the offline model cannot be read: {problem}")).with("retryable", true)
    };
    let file = |name: &str| {
        fs::read(directory.join(name)).map_err(|error| broken(format!("{name}: {}", error.kind())))
    };
    let config = file("config.json")?;
    let Config { name } =
        serde_json::from_slice(&config).map_err(|_| broken("config.json has no name".into()))?;
    if name != LOCAL_MODEL {
        return Err(broken(format!("the weights are {name}, not {LOCAL_MODEL}")));
    }
    let model =
        StaticModel::from_bytes(file("tokenizer.json")?, file("model.safetensors")?, config, Some(true))
            .map_err(|error| broken(error.to_string()))?;
    match model.dim() {
        LOCAL_DIMENSIONS => Ok(model),
        other => Err(broken(format!("{other} dimensions instead of {LOCAL_DIMENSIONS}"))),
    }
}

/// The direction of a text. None where the model knows no word of it.
fn vector(model: &StaticModel, text: &str) -> TextVector {
    let parts: Vec<(usize, Vec<f32>)> = pieces(text, PART_BYTES)
        .take(MAX_PARTS)
        .map(|part| (part.len(), model.encode_single(part)))
        .collect();
    mean(parts.iter().map(|(bytes, vector)| (*bytes, vector.as_slice())))
}

/// None where all of it is read.
fn cut_off(text: &str) -> Option<EmbeddingPieces> {
    let bytes = if text.len() <= PART_BYTES {
        text.len()
    } else {
        pieces(text, PART_BYTES).take(MAX_PARTS).map(str::len).sum()
    };
    (bytes < text.len()).then_some(EmbeddingPieces { count: MAX_PARTS, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_read_to_its_end_is_told() {
        assert_eq!(cut_off(&"word ".repeat(20_000)), None);
        let longer = "word ".repeat(400_000);
        let cut = cut_off(&longer).expect("cut off");
        assert!(cut.bytes > 1 << 20 && cut.bytes < longer.len(), "{cut:?}");
    }
}
