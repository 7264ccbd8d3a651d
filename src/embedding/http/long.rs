//! Texts that are longer than the provider takes. Only the provider knows where that is, so they are found by its refusal.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::HttpEmbedder;
use crate::embedding::pieces::{mean, pieces};
use crate::embedding::{Pieces, TextVector};
use crate::error::{Error, Result};

/// What is behind so many pieces of a text is not embedded.
const MAX_PIECES: usize = 64;
/// A provider that refuses so short a text refuses all.
const SHORTEST: usize = 128;
/// Texts whose pieces are remembered.
const REMEMBERED: u64 = 10_000;

/// What is known of long texts.
pub(super) struct LongTexts {
    /// Bytes of a piece that was taken last; 0 before the first.
    taken: AtomicUsize,
    pieces: Cache<[u8; 32], Pieces>,
}

impl Default for LongTexts {
    fn default() -> Self {
        Self { taken: AtomicUsize::new(0), pieces: Cache::new(REMEMBERED) }
    }
}

impl LongTexts {
    pub fn pieces_of(&self, text: &str) -> Option<Pieces> {
        if self.pieces.entry_count() == 0 && self.taken.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.pieces.get(&<[u8; 32]>::from(Sha256::digest(text)))
    }
}

impl HttpEmbedder {
    /// The vectors of a batch, long texts among them.
    pub(super) async fn embed_any(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for (text, outcome) in texts.iter().zip(self.embed_apart(texts).await?) {
            vectors.push(match outcome {
                Ok(vector) => vector,
                Err(refusal) => self.in_pieces(text, refusal).await?,
            });
        }
        Ok(vectors)
    }

    /// Halves a batch until each text that is too long stands alone; the inner errors are theirs.
    async fn embed_apart(&self, texts: &[String]) -> Result<Vec<Result<TextVector>>> {
        let mut outcomes = Vec::with_capacity(texts.len());
        let mut batches = VecDeque::from([texts]);
        while let Some(batch) = batches.pop_front() {
            match self.embed_batch(batch).await {
                Ok(vectors) => outcomes.extend(vectors.into_iter().map(Ok)),
                Err(error) if !is_too_long(&error) => return Err(error),
                Err(error) if batch.len() <= 1 => outcomes.push(Err(error)),
                Err(_) => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    batches.push_front(right);
                    batches.push_front(left);
                }
            }
        }
        Ok(outcomes)
    }

    /// Halves the length until the provider takes the first piece, then asks for all of them.
    async fn in_pieces(&self, text: &str, refusal: Error) -> Result<TextVector> {
        let half = text.len() / 2;
        let mut length = match self.long.taken.load(Ordering::Relaxed) {
            0 => half,
            taken => taken.min(half),
        };
        while length >= SHORTEST {
            let cut: Vec<String> = pieces(text, length)
                .filter(|piece| !piece.trim().is_empty())
                .take(MAX_PIECES)
                .map(str::to_owned)
                .collect();
            if let Some(vectors) = self.embed_pieces(&cut).await? {
                self.remember(text, &cut, length);
                let weighed = cut.iter().map(String::len).zip(vectors.iter().map(Vec::as_slice));
                return Ok(mean(weighed));
            }
            length /= 2;
        }
        Err(refusal)
    }

    /// None where a piece is still too long.
    async fn embed_pieces(&self, cut: &[String]) -> Result<Option<Vec<Vec<f32>>>> {
        let (first, rest) = cut.split_at(cut.len().min(1));
        let mut vectors = Vec::with_capacity(cut.len());
        for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
            for outcome in self.embed_apart(part).await? {
                match outcome {
                    Ok(vector) => vectors.extend(vector),
                    Err(_) => return Ok(None),
                }
            }
        }
        Ok(Some(vectors))
    }

    fn remember(&self, text: &str, cut: &[String], length: usize) {
        let bytes = cut.iter().map(String::len).sum();
        self.long.taken.store(length, Ordering::Relaxed);
        self.long.pieces.insert(Sha256::digest(text).into(), Pieces { count: cut.len(), bytes });
        log::info!(
            "a text of {} bytes is too long for the embedder: {bytes} of them in {} pieces",
            text.len(),
            cut.len()
        );
    }
}

fn is_too_long(error: &Error) -> bool {
    error.details.get("tooLong").is_some()
}
