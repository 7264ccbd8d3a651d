//! Reading the provider's answer.

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
    embedding: Vec<f32>,
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
    let vectors: Vec<_> = items.into_iter().map(|item| Some(item.embedding)).collect();
    space.check(&vectors, texts)?;
    if !in_place {
        return Err(Failure::lasting("the indexes in the answer are not those of the texts"));
    }
    Ok(vectors)
}
