//! Texts that are longer than the provider takes. Only the provider knows where that is, so they are found by its refusal.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::HttpEmbedder;
use crate::embedding::pieces::{mean, pieces};
use crate::embedding::{TextVector, embedding_failed};
use crate::error::{Error, Result};
use crate::model::EmbeddingPieces;

/// What is behind so many pieces of a text is not embedded.
const MAX_PIECES: usize = 64;
/// A piece that is shorter is not cut again: who refuses it refuses all.
const SHORTEST: usize = 128;
/// The same tokens take up to four times as many bytes in one text as in another. What is so much longer than a text that
/// was refused is not tried.
const SPREAD: usize = 4;
/// Texts whose pieces are remembered.
const REMEMBERED: u64 = 10_000;

/// What was learned of long texts.
pub(super) struct LongTexts {
    /// Bytes of the shortest text that was refused alone.
    refused: AtomicUsize,
    /// Bytes to try for a piece; none before the first refusal.
    piece: AtomicUsize,
    pieces: Cache<[u8; 32], EmbeddingPieces>,
}

impl Default for LongTexts {
    fn default() -> Self {
        let unknown = || AtomicUsize::new(usize::MAX);
        Self { refused: unknown(), piece: unknown(), pieces: Cache::new(REMEMBERED) }
    }
}

impl LongTexts {
    pub fn pieces_of(&self, text: &str) -> Option<EmbeddingPieces> {
        if self.refused.load(Ordering::Relaxed) == usize::MAX {
            return None;
        }
        self.pieces.get(&<[u8; 32]>::from(Sha256::digest(text)))
    }

    /// Whether a text may make a batch fail.
    fn is_doubtful(&self, text: &str) -> bool {
        text.len() >= self.refused.load(Ordering::Relaxed)
    }

    fn is_hopeless(&self, text: &str) -> bool {
        text.len() / SPREAD >= self.refused.load(Ordering::Relaxed)
    }

    fn was_refused(&self, text: &str) {
        self.refused.fetch_min(text.len(), Ordering::Relaxed);
    }

    /// Bytes to try for the pieces of a text: not so few that they would not reach its end.
    fn piece_for(&self, text: &str) -> usize {
        let half = text.len() / 2;
        self.piece.load(Ordering::Relaxed).min(half).max(text.len().div_ceil(MAX_PIECES / 2)).max(SHORTEST)
    }

    /// A length that was taken at once grows again: another text may have fewer bytes for its tokens.
    fn took(&self, piece: usize, at_once: bool) {
        let next = if at_once { piece.saturating_add(piece / 4) } else { piece };
        self.piece.store(next, Ordering::Relaxed);
    }
}

impl HttpEmbedder {
    /// The vectors of a batch, those of long texts from their pieces. What may be too long is asked for apart: a batch is
    /// refused as a whole.
    pub(super) async fn embed_any(&self, texts: &[&str]) -> Result<Vec<TextVector>> {
        let mut vectors: Vec<TextVector> = vec![None; texts.len()];
        let (doubtful, sure): (Vec<usize>, Vec<usize>) = (0..texts.len())
            .filter(|place| !self.long.is_hopeless(texts[*place]))
            .partition(|place| self.long.is_doubtful(texts[*place]));
        for places in [sure, doubtful] {
            let batch: Vec<&str> = places.iter().map(|place| texts[*place]).collect();
            for (place, vector) in places.into_iter().zip(self.embed_apart(&batch).await?) {
                vectors[place] = vector;
            }
        }
        for (text, vector) in texts.iter().zip(&mut vectors) {
            if vector.is_none() {
                *vector = self.in_pieces(text).await?;
            }
        }
        Ok(vectors)
    }

    /// Halves a batch until each text that is too long stands alone; these have none.
    async fn embed_apart(&self, texts: &[&str]) -> Result<Vec<Option<Vec<f32>>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut batches = VecDeque::from([texts]);
        while let Some(batch) = batches.pop_front() {
            if batch.is_empty() {
                continue;
            }
            match self.embed_batch(batch).await {
                Ok(made) => vectors.extend(made),
                Err(error) if !is_too_long(&error) => return Err(error),
                Err(_) if batch.len() == 1 => {
                    self.long.was_refused(batch[0]);
                    vectors.push(None);
                }
                Err(_) => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    batches.push_front(right);
                    batches.push_front(left);
                }
            }
        }
        Ok(vectors)
    }

    /// The first piece tells the length: it is halved until the provider takes it. Others that are refused are cut again.
    async fn in_pieces(&self, whole: &str) -> Result<TextVector> {
        let text = whole.trim();
        if text.len() <= SHORTEST {
            return Err(all_refused(text));
        }
        let planned = self.long.piece_for(text);
        let (length, first) = self.first_piece(text, planned).await?;
        let mut made = vec![first];
        let mut waiting: Vec<&str> = pieces(text, length).skip(1).take(MAX_PIECES - 1).collect();
        while !waiting.is_empty() {
            waiting.retain(|piece| !piece.trim().is_empty());
            let vectors = self.embed_all(&waiting).await?;
            let mut refused = Vec::new();
            for (piece, vector) in waiting.into_iter().zip(vectors) {
                match vector {
                    Some(vector) => made.push((piece.len(), vector)),
                    None => refused.extend(halves(piece)?),
                }
            }
            // The end of the text goes first.
            refused.truncate(MAX_PIECES.saturating_sub(made.len()));
            waiting = refused;
        }
        self.long.took(length, length == planned);
        self.remember(whole, &made);
        Ok(mean(made.iter().map(|(bytes, vector)| (*bytes, vector.as_slice()))))
    }

    /// The longest first piece that the provider takes.
    async fn first_piece(&self, text: &str, mut length: usize) -> Result<(usize, (usize, Vec<f32>))> {
        loop {
            let first = pieces(text, length).next().unwrap_or_default();
            if let Some(vector) = self.embed_apart(&[first]).await?.pop().flatten() {
                return Ok((length, (first.len(), vector)));
            }
            if length <= SHORTEST {
                return Err(all_refused(first));
            }
            length = (length / 2).max(SHORTEST);
        }
    }

    /// In requests of the usual size.
    async fn embed_all(&self, texts: &[&str]) -> Result<Vec<Option<Vec<f32>>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in super::batches(texts, self.batch) {
            vectors.append(&mut self.embed_apart(batch).await?);
        }
        Ok(vectors)
    }

    fn remember(&self, text: &str, made: &[(usize, Vec<f32>)]) {
        let bytes = made.iter().map(|(bytes, _)| bytes).sum();
        let told = EmbeddingPieces { count: made.len(), bytes };
        self.long.pieces.insert(Sha256::digest(text).into(), told);
        log::info!(
            "a text of {} bytes is too long for the embedder: {bytes} of them were embedded in {} pieces",
            text.len(),
            told.count
        );
    }
}

fn halves(piece: &str) -> Result<impl Iterator<Item = &str>> {
    if piece.len() <= SHORTEST {
        return Err(all_refused(piece));
    }
    Ok(pieces(piece, (piece.len() / 2).max(SHORTEST)))
}

fn all_refused(piece: &str) -> Error {
    let bytes = piece.len();
    embedding_failed(format_args!("the text is longer than the model takes, even in pieces of {bytes} bytes"))
        .with("retryable", false)
        .with("tooLong", true)
}

fn is_too_long(error: &Error) -> bool {
    error.details.get("tooLong").is_some()
}
