//! An extractor behind an OpenAI-compatible `POST {base}/chat/completions`: OpenAI, OpenRouter, Ollama, vLLM and others.
//!
//! The model is asked, never believed: its answer is parsed and checked by our own code ([`reading`]), and what the
//! memory does not contain is left out ([`ground`]). An answer that breaks the rules is sent back once with what is
//! wrong; if the second one breaks them too, the extraction fails and stays owed.

mod answer;
mod ground;
mod memory_text;
mod question;
mod reading;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{Extraction, ExtractionInput, Extractor, TASK, extraction_failed};
use crate::config::{Limits, Secret};
use crate::error::{Error, Result};
use crate::http::{Bounds, Provider};
use crate::input::{GraphInput, GraphReader};
use memory_text::Piece;
use question::{FORMS, Message, Question};

pub const DEFAULT_MODEL: &str = "gpt-4o-mini";

/// 200 entities with their contexts are some 100 KB.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Where and how to ask. [`LlmConfig::new`] fills in the defaults.
#[derive(Clone)]
pub struct LlmConfig {
    /// `https://host/v1` without `/chat/completions`. Over plain `http` the key travels readable.
    pub base_url: String,
    pub api_key: Secret,
    pub model: String,
    /// For one request, from connecting to the last byte. With its repetitions it may take twice that.
    pub timeout: Duration,
    /// Of what is found in one memory.
    pub limits: Limits,
    /// Whether an answer that is not as asked for breaks the rules; else what is understood of it is taken.
    pub strict: bool,
}

impl LlmConfig {
    pub fn new(base_url: impl Into<String>, api_key: Secret) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            model: DEFAULT_MODEL.to_owned(),
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
            strict: false,
        }
    }
}

/// Asks a language model what a memory names. Sends content, summary and the mail headers among the metadata (`from`,
/// `to`, `cc`, `bcc`, `sender`, `reply-to`, `subject`), and nothing else of it.
///
/// Long contents are asked about in pieces, one after the other; all or nothing. Keep one and share it.
pub struct LlmExtractor {
    provider: Provider,
    model: String,
    reader: GraphReader,
    /// The place in [`FORMS`] of the fullest form that the server takes, once one was taken.
    form: AtomicUsize,
}

impl LlmExtractor {
    pub fn new(config: LlmConfig) -> Result<Self> {
        if config.timeout.is_zero() {
            return Err(Error::invalid("extractor.timeoutMs", "0 is below 1"));
        }
        let bounds =
            Bounds { timeout: config.timeout, deadline: config.timeout * 2, answer_bytes: MAX_ANSWER_BYTES };
        let provider = Provider::new(TASK, &config.base_url, &config.api_key, bounds)?;
        Ok(Self {
            model: wire_model(provider.host(), &config.model),
            provider,
            reader: GraphReader { limits: config.limits, strict: config.strict },
            form: AtomicUsize::new(0),
        })
    }

    /// What one piece names; asked again once if the answer breaks the rules.
    async fn read_piece(&self, piece: &Piece) -> Result<GraphInput> {
        let mut messages = question::about(piece);
        let answer = self.ask(&messages).await?;
        let problem = match reading::read(&answer, piece, &self.reader) {
            Ok(reading) => return Ok(reading),
            Err(problem) => problem,
        };
        log::debug!("extraction: the answer is sent back: {problem}");
        messages.extend(question::repair(&answer, &problem));
        let second = self.ask(&messages).await?;
        reading::read(&second, piece, &self.reader)
            .map_err(|problem| self.refused(format_args!("both answers break the rules: {problem}")))
    }

    /// Servers differ in what they take: a schema, only the promise of JSON, a temperature. A form that is refused is
    /// given up for the next one; the first that is taken is kept.
    async fn ask(&self, messages: &[Message]) -> Result<answer::Answer> {
        let mut form = self.form.load(Ordering::Relaxed);
        loop {
            let question = Question::new(&self.model, messages, &FORMS[form]);
            let outcome = self.provider.ask(&question, answer::of_chat).await;
            match outcome {
                Ok(answer) => {
                    self.form.store(form, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) if refuses_form(&error) && form + 1 < FORMS.len() => form += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn refused(&self, problem: impl fmt::Display) -> Error {
        let error = extraction_failed(format_args!("{problem} (host {})", self.provider.host()));
        error.with("retryable", false)
    }
}

#[async_trait]
impl Extractor for LlmExtractor {
    fn is_paid(&self) -> bool {
        true
    }

    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction> {
        let mut readings = Vec::new();
        for piece in memory_text::pieces(input) {
            readings.push(self.read_piece(&piece).await?);
        }
        Ok(reading::combine(readings, &self.reader))
    }
}

/// Without the endpoint, whose query may hold a secret.
impl fmt::Debug for LlmExtractor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LlmExtractor")
            .field("host", &self.provider.host())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

fn refuses_form(error: &Error) -> bool {
    matches!(error.details.get("status").and_then(serde_json::Value::as_u64), Some(400 | 422))
}

/// OpenRouter lists OpenAI's models as `openai/…`.
fn wire_model(host: &str, model: &str) -> String {
    match host {
        "openrouter.ai" if model.starts_with("gpt-") => format!("openai/{model}"),
        _ => model.to_owned(),
    }
}
