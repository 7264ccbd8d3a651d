//! Reading the envelope of a chat completion.

use serde::Deserialize;

use crate::http::{Attempt, Failure, ProviderError, from_json};

/// What the model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub text: String,
    /// It ran out of tokens before it was done.
    pub cut_off: bool,
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<ProviderError>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

pub(super) fn of_chat(body: &[u8]) -> Attempt<Answer> {
    let completion: Completion = from_json(body, "chat completion")?;
    if let Some(error) = completion.error {
        return Err(error.failure());
    }
    let Some(choice) = completion.choices.into_iter().next() else {
        return Err(Failure::doubtful("the answer has no choices"));
    };
    let finish = choice.finish_reason.unwrap_or_default();
    if choice.message.refusal.is_some_and(|refusal| !refusal.is_empty()) || finish == "content_filter" {
        return Err(Failure::lasting("the model refuses to read this memory"));
    }
    Ok(Answer { text: choice.message.content.unwrap_or_default(), cut_off: finish == "length" })
}
