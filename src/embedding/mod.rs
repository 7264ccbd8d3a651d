//! Turning texts into vectors. Where no embedder is configured nothing is made up: the vector stays owed.

mod cache;
mod http;
mod local;
mod pieces;

use std::fmt;

use async_trait::async_trait;

use crate::error::{Error, Reason, Result};
use crate::http::Task;
use crate::model::EmbeddingPieces;

pub use cache::{CacheCounts, Cached};
pub use http::{DEFAULT_DIMENSIONS, DEFAULT_MODEL, HttpConfig, HttpEmbedder};
pub use local::{LOCAL_DIMENSIONS, LOCAL_MODEL, LocalEmbedder};

const TASK: Task =
    Task { name: "embedding", reason: Reason::EmbeddingFailed, option: "embedder", path: &["embeddings"] };

/// Vectors can be compared only within one space: the same model and the same length.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Space {
    pub model: String,
    pub dimensions: usize,
}

/// What a model makes of a text. `None`: it has no vector for it, now or later, as the offline model has none for a text
/// of which it knows no word. Nothing is owed then.
pub type TextVector = Option<Vec<f32>>;

/// A source of vectors. Dropping the future of [`embed`](Self::embed) stops the work.
#[async_trait]
pub trait Embedder: Send + Sync {
    fn space(&self) -> &Space;

    /// Whether asking costs money or passes texts to somebody else. The layer never asks such a one by itself about
    /// memories that other code wrote.
    fn is_paid(&self) -> bool;

    /// One answer per text, in order, each vector of `space().dimensions` finite numbers. All or nothing.
    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>>;

    /// How a text was embedded lately that was too long for it; none for others.
    fn pieces_of(&self, _text: &str) -> Option<EmbeddingPieces> {
        None
    }
}

/// The error of every embedder. `problem` must quote neither a text nor a key.
pub(crate) fn embedding_failed(problem: impl fmt::Display) -> Error {
    TASK.failed(problem)
}

impl Space {
    /// Refuses what an embedder must not hand on: a wrong count or length, NaN, infinity, and a vector of zeros,
    /// which has no direction to compare.
    pub(crate) fn check(&self, vectors: &[TextVector], texts: usize) -> Result<()> {
        if vectors.len() != texts {
            return Err(embedding_failed(format_args!("{} vectors for {texts} texts", vectors.len())));
        }
        vectors.iter().flatten().try_for_each(|vector| self.check_one(vector))
    }

    fn check_one(&self, vector: &[f32]) -> Result<()> {
        if vector.len() != self.dimensions {
            let problem = format!("a vector has {} dimensions instead of {}", vector.len(), self.dimensions);
            return Err(embedding_failed(problem)
                .with("expected", self.dimensions)
                .with("actual", vector.len()));
        }
        if !vector.iter().all(|number| number.is_finite()) {
            return Err(embedding_failed("a vector holds a number that is not finite"));
        }
        if vector.iter().all(|number| *number == 0.0) {
            return Err(embedding_failed("a vector holds only zeros"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(vectors: &[Vec<f32>], texts: usize) -> String {
        let vectors: Vec<TextVector> = vectors.iter().cloned().map(Some).collect();
        let space = Space { model: "m".to_owned(), dimensions: 2 };
        space.check(&vectors, texts).map_or_else(|error| error.message, |()| "none".to_owned())
    }

    #[test]
    fn only_whole_answers_pass() {
        assert_eq!(problem(&[vec![0.0, 1.0], vec![-1.0, 0.5]], 2), "none");
        assert_eq!(problem(&[], 0), "none");
        assert!(problem(&[vec![0.0, 1.0]], 2).contains("1 vectors for 2 texts"));
        assert!(problem(&[vec![0.0, 1.0, 2.0]], 1).contains("3 dimensions instead of 2"));
        assert!(problem(&[vec![0.0, f32::NAN]], 1).contains("not finite"));
        assert!(problem(&[vec![f32::NEG_INFINITY, 1.0]], 1).contains("not finite"));
        assert!(problem(&[vec![0.0, -0.0]], 1).contains("only zeros"));
    }
}
