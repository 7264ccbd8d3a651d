//! Reading the provider's answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::embedding::{Space, TextVector};
use crate::http::{Attempt, Failure, ProviderError, from_json};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Vec<Item>,
    error: Option<ProviderError>,
}

#[derive(Deserialize)]
struct Item {
    /// Servers that write protobuf as JSON leave a 0 out.
    #[serde(default)]
    index: usize,
    embedding: Numbers,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    List(Vec<f32>),
    /// Little-endian 32-bit floats in base64: some servers answer so whatever they were asked for.
    Packed(String),
}

impl Numbers {
    fn unpacked(self) -> Attempt<Vec<f32>> {
        let text = match self {
            Self::List(numbers) => return Ok(numbers),
            Self::Packed(text) => text,
        };
        let bytes = STANDARD.decode(text).unwrap_or_default();
        let (numbers, rest) = bytes.as_chunks();
        if bytes.is_empty() || !rest.is_empty() {
            return Err(Failure::lasting("a vector is no base64 of 32-bit floats"));
        }
        Ok(numbers.iter().copied().map(f32::from_le_bytes).collect())
    }
}

/// One checked vector per text, in the order of the texts.
pub(super) fn vectors(body: &[u8], space: &Space, texts: usize) -> Attempt<Vec<TextVector>> {
    let answer: Answer = from_json(body, "list of vectors of numbers")?;
    if let Some(error) = answer.error {
        return Err(error.failure());
    }
    let mut items = answer.data;
    items.sort_unstable_by_key(|item| item.index);
    let in_place = items.iter().enumerate().all(|(place, item)| item.index == place);
    let vectors: Vec<_> =
        items.into_iter().map(|item| item.embedding.unpacked().map(Some)).collect::<Attempt<_>>()?;
    space.check(&vectors, texts)?;
    if !in_place {
        return Err(Failure::lasting("the indexes in the answer are not those of the texts"));
    }
    Ok(vectors)
}
