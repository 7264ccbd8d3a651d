//! Asking a model's provider over HTTP: the client, the address, and which failures are worth another attempt.
//!
//! Whatever the provider answers, an error tells the host, the HTTP status and what went wrong in words of ours.
//! It never quotes the answer, because providers echo keys and texts.

mod answer;
mod client;
mod failure;
mod refusal;

use std::fmt;
use std::time::Duration;

use reqwest::{Client, Response, Url};
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use crate::config::Secret;
use crate::error::{Error, Reason, Result};

pub(crate) use answer::{ProviderError, from_json};
pub(crate) use failure::{Attempt, Failure};

pub(crate) const OPENAI: &str = "https://api.openai.com/v1";
pub(crate) const OPENROUTER: &str = "https://openrouter.ai/api/v1";

/// Whose key this is: keys of OpenRouter say so themselves.
pub(crate) fn default_base_url(key: &Secret) -> &'static str {
    if key.reveal().starts_with("sk-or-") { OPENROUTER } else { OPENAI }
}

/// What a provider is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    /// In front of every error.
    pub name: &'static str,
    pub reason: Reason,
    /// The option that configures it.
    pub option: &'static str,
    /// Behind the base URL.
    pub path: &'static [&'static str],
}

impl Task {
    /// `problem` must quote neither a text nor a key.
    pub fn failed(self, problem: impl fmt::Display) -> Error {
        Error::persistence(self.reason, format!("{} failed: {problem}", self.name))
    }
}

/// How much a provider may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// For one request, from connecting to the last byte.
    pub timeout: Duration,
    /// For one question with all its repetitions.
    pub deadline: Duration,
    pub answer_bytes: usize,
}

/// One address with the client that asks it.
///
/// 408, 429, 5xx, lost connections and timeouts are tried up to three times with growing, jittered pauses and at least
/// the provider's `Retry-After`; an answer that is no JSON is asked for once more. Nothing is repeated that would
/// not end before the deadline.
///
/// Making one reads the system's root certificates, so keep it and share it; its connections are reused.
pub(crate) struct Provider {
    task: Task,
    client: Client,
    endpoint: Url,
    bounds: Bounds,
}

/// Of an answer that refuses so much is read, within this time.
const REFUSAL_BYTES: usize = 16 << 10;
const REFUSAL_TIME: Duration = Duration::from_secs(2);

impl Provider {
    pub fn new(task: Task, base_url: &str, key: &Secret, bounds: Bounds) -> Result<Self> {
        let endpoint = client::endpoint(task, base_url)?;
        Ok(Self { task, client: client::build(task, &endpoint, key)?, endpoint, bounds })
    }

    pub fn host(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    /// Sends `question` as JSON until `read` accepts the answer or no other attempt makes sense. The error's details
    /// hold `attempts`, `retryable` (whether a later call may succeed), `status`, where there was one, and `tooLong` where a
    /// text was refused for its length.
    pub async fn ask<A>(
        &self,
        question: &(impl Serialize + Sync),
        read: impl Fn(&[u8]) -> Attempt<A>,
    ) -> Result<A> {
        let deadline = Instant::now() + self.bounds.deadline;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let outcome = self.attempt(question, self.bounds.timeout.min(left)).await;
            let failure = match outcome.and_then(|body| read(&body)) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = failure.pause(attempts).filter(|pause| *pause < left) else {
                return Err(failure.into_error(self.task, self.host(), attempts));
            };
            log::debug!("{}: {failure}; attempt {attempts}, the next one in {pause:?}", self.task.name);
            sleep(pause).await;
        }
    }

    async fn attempt(&self, question: &(impl Serialize + Sync), limit: Duration) -> Attempt<Vec<u8>> {
        match timeout(limit, self.request(question)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::passing(format_args!("no whole answer within {} ms", limit.as_millis()))),
        }
    }

    async fn request(&self, question: &(impl Serialize + Sync)) -> Attempt<Vec<u8>> {
        let request = self.client.post(self.endpoint.clone()).json(question);
        let response = request.send().await.map_err(Failure::transport)?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let failure = Failure::status(status, response.headers());
            let body = read_refusal(response).await;
            return Err(failure.of_length(refusal::is_too_long(status, &body)));
        }
        read_body(response, self.bounds.answer_bytes).await
    }
}

/// What comes of it in time.
async fn read_refusal(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let whole = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > REFUSAL_BYTES {
                break;
            }
        }
    };
    // Half an answer may say enough.
    let _ = timeout(REFUSAL_TIME, whole).await;
    body
}

async fn read_body(mut response: Response, limit: usize) -> Attempt<Vec<u8>> {
    let too_large = || Failure::lasting(format_args!("the answer is larger than {} MiB", limit >> 20));
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::transport)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
