//! What all providers' answers have in common.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Attempt, Failure, refusal};

/// What gateways report of a failure behind them under the status 200.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ProviderError(Value);

impl ProviderError {
    pub fn failure(&self) -> Failure {
        let code = self.0.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let (failure, status) = match code {
            Some(status @ 400..=599) => (Failure::status(status, &HeaderMap::new()), status),
            _ => (Failure::doubtful("the provider answered 200 with an error"), 200),
        };
        failure.of_length(refusal::says_too_long(status, &self.0))
    }
}

/// `shape` says in words what the answer should have been. The parser's own message is left out: it may quote the
/// answer.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8], shape: &str) -> Attempt<T> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Failure::lasting(format_args!("the answer is JSON, but no {shape}"))
        } else {
            Failure::doubtful("the answer is not JSON or was cut off")
        }
    })
}
