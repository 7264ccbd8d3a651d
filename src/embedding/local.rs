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

use super::{Embedder, Space, TextVector, embedding_failed};
use crate::error::Result;

/// Names the weights: others are another space. `packages/minilm-static` gives new weights a new name.
pub const LOCAL_MODEL: &str = "minilm-static-1";
pub const LOCAL_DIMENSIONS: usize = 256;

/// The model reads 512 tokens at a time, and a token is rarely less than three bytes.
const PART_BYTES: usize = 512 * 3;
/// What comes later in a text is not read: some 100 KB, three milliseconds.
const MAX_PARTS: usize = 64;

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

/// The direction of a text: the sum of its parts'. None where the model knows no word of it.
fn vector(model: &StaticModel, text: &str) -> TextVector {
    let mut sum = vec![0.0_f32; LOCAL_DIMENSIONS];
    for part in parts(text).take(MAX_PARTS) {
        for (total, number) in sum.iter_mut().zip(model.encode_single(part)) {
            *total += number;
        }
    }
    let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt();
    (length > f32::EPSILON).then(|| sum.into_iter().map(|number| number / length).collect())
}

/// Cuts a text into parts of at most [`PART_BYTES`], behind a space where there is one in the second half.
fn parts(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut longest = rest.len().min(PART_BYTES);
        while !rest.is_char_boundary(longest) {
            longest -= 1;
        }
        let whole = &rest[..longest];
        let end = match whole.rfind(char::is_whitespace) {
            Some(space) if whole.len() < rest.len() && space > PART_BYTES / 2 => space,
            _ => whole.len(),
        };
        let (part, later) = rest.split_at(end);
        rest = later;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lose_nothing_and_break_no_character() {
        for text in ["", "short", &"日本".repeat(2000), &"word ".repeat(2000), &"x".repeat(5000)] {
            let cut: Vec<_> = parts(text).collect();
            assert_eq!(cut.concat(), text);
            assert!(cut.iter().all(|part| part.len() <= PART_BYTES));
        }
        let words = "word ".repeat(2000);
        assert!(parts(&words).skip(1).all(|part| part.starts_with(" word")));
    }
}
