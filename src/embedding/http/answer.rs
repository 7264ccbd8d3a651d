//! Reading the provider's answer.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::embedding::Space;
use crate::http::{Attempt, Failure};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Vec<Item>,
    /// Gateways report a failure behind them under the status 200.
    error: Option<ProviderError>,
}

#[derive(Deserialize)]
struct Item {
    /// Servers that write protobuf as JSON leave a 0 out.
    #[serde(default)]
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct ProviderError {
    code: Option<Value>,
}

/// One checked vector per text, in the order of the texts.
pub(super) fn vectors(body: &[u8], space: &Space, texts: usize) -> Attempt<Vec<Vec<f32>>> {
    let answer = parse(body)?;
    if let Some(error) = answer.error {
        return Err(reported(&error));
    }
    let mut items = answer.data;
    items.sort_unstable_by_key(|item| item.index);
    let in_place = items.iter().enumerate().all(|(place, item)| item.index == place);
    let vectors: Vec<_> = items.into_iter().map(|item| item.embedding).collect();
    space.check(&vectors, texts)?;
    if !in_place {
        return Err(Failure::lasting("the indexes in the answer are not those of the texts"));
    }
    Ok(vectors)
}

fn parse(body: &[u8]) -> Attempt<Answer> {
    // The parser's own message is left out: it may quote the answer.
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Failure::lasting("the answer is JSON, but no list of vectors of numbers")
        } else {
            Failure::doubtful("the answer is not JSON or was cut off")
        }
    })
}

fn reported(error: &ProviderError) -> Failure {
    let code = error.code.as_ref().and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    match code {
        Some(status @ 400..=599) => Failure::status(status, &HeaderMap::new()),
        _ => Failure::doubtful("the provider answered 200 with an error"),
    }
}
