//! What a provider says of a refusal, read for one thing: whether a text was too long. Nothing of it is ever told, since
//! providers repeat keys and texts.

use serde_json::Value;

/// Statuses that speak of the key, the credit or the rate, whatever the words.
const NOT_OF_THE_TEXT: [u16; 6] = [401, 402, 403, 404, 407, 429];
/// How much of one message is read, in characters: what it quotes of the text stands behind that or is short.
const READ: usize = 400;
/// How deep an answer holds its message: `error.metadata.raw` of OpenRouter is an answer of its own.
const DEPTH: usize = 6;

/// Members of an answer that hold the message or its code.
const MEMBERS: [&str; 10] =
    ["error", "message", "detail", "msg", "errors", "code", "type", "error_type", "metadata", "raw"];

/// Phrases of refusals of a text for its length, in lower case.
const TOO_LONG: &[&str] = &[
    // OpenAI, Azure, vLLM: "This model's maximum context length is 8192 tokens", code context_length_exceeded
    "context length",
    "context_length",
    "maximum input length",
    "max_tokens_per_request",
    "context window",
    // Ollama
    "input length exceeds",
    // llama.cpp
    "context size",
    "context_size",
    "is too large to process",
    // Voyage, Cohere, Mistral, Bedrock
    "too many tokens",
    "too many input tokens",
    "max allowed tokens",
    // Jina, Together and others
    "maximum length",
    "max length",
    "sequence length",
    "input is too long",
    "input too long",
    "text is too long",
    "text too long",
    "prompt is too long",
    "token limit",
    "longer than the maximum",
];
/// With one of these beside "tokens", as TEI and Gemini say it: "must have less than 512 tokens".
const BOUNDS: [&str; 4] = ["exceed", "less than", "at most", "maximum number of"];

/// Whether an answer with this status refuses a text for its length.
pub(super) fn is_too_long(status: u16, body: &[u8]) -> bool {
    let answer = serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
    says_too_long(status, &answer)
}

pub(super) fn says_too_long(status: u16, answer: &Value) -> bool {
    status == 413 || !NOT_OF_THE_TEXT.contains(&status) && is_said(answer, DEPTH)
}

fn is_said(answer: &Value, depth: usize) -> bool {
    let deeper = |value: &Value| depth > 0 && is_said(value, depth - 1);
    match answer {
        Value::String(text) => {
            let inner = Some(text.trim_start()).filter(|text| text.starts_with('{'));
            inner
                .and_then(|text| serde_json::from_str(text).ok())
                .map_or_else(|| speaks_of_length(text), |answer: Value| deeper(&answer))
        }
        Value::Array(items) => items.iter().take(3).any(deeper),
        Value::Object(members) => MEMBERS.iter().filter_map(|key| members.get(*key)).any(deeper),
        _ => false,
    }
}

fn speaks_of_length(message: &str) -> bool {
    let message: String = message.chars().take(READ).collect::<String>().to_lowercase();
    TOO_LONG.iter().any(|phrase| message.contains(phrase))
        || message.contains("tokens") && BOUNDS.iter().any(|bound| message.contains(bound))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_refusals_of_every_vendor_are_understood() {
        let openai = "This model's maximum context length is 8192 tokens, however you requested 10001 tokens";
        for (status, answer) in [
            (400, json!({ "error": { "message": openai, "type": "invalid_request_error", "code": null } })),
            (
                400,
                json!({ "error": { "message": "Invalid 'input[0]': maximum input length is 8192 tokens." } }),
            ),
            (400, json!({ "error": { "message": "no", "code": "context_length_exceeded" } })),
            (
                400,
                json!({ "error": { "message": "Requested 300001 tokens", "code": "max_tokens_per_request" } }),
            ),
            (
                400,
                json!({ "error": { "message": "Provider returned error", "code": 400, "metadata":
                { "raw": json!({ "error": { "message": openai } }).to_string(), "provider_name": "OpenAI" } } }),
            ),
            (400, json!({ "object": "error", "message": openai, "type": "BadRequestError", "code": 400 })),
            (
                422,
                json!({ "error": "Input validation error: `inputs` must have less than 512 tokens. Given: 1024",
                "error_type": "Validation" }),
            ),
            (413, json!({ "message": "anything" })),
            (400, json!({ "error": { "message": "the input length exceeds the context length" } })),
            (500, json!({ "error": "input length exceeds maximum context length" })),
            (
                500,
                json!({ "error": { "code": 500, "message":
                "input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)" } }),
            ),
            (400, json!({ "error": { "code": 400, "message": "no", "type": "exceed_context_size_error" } })),
            (
                400,
                json!({ "message": "too many tokens: total number of tokens in the text cannot exceed 512" }),
            ),
            (
                400,
                json!({ "detail": "The max allowed tokens per submitted batch is 120000. Your batch has 240000 tokens" }),
            ),
            (400, json!({ "message": "Input id 0 has 9000 tokens, exceeding max 8192 tokens." })),
            (
                400,
                json!({ "error": [{ "message": "the input token count (9000) exceeds the maximum number of tokens allowed (2048)" }] }),
            ),
            (422, json!({ "detail": [{ "msg": "Input text exceeds maximum length of 8194 tokens" }] })),
        ] {
            assert!(is_too_long(status, answer.to_string().as_bytes()), "{status} {answer}");
        }
        assert!(is_too_long(400, b"input is too long"));
        assert!(is_too_long(413, b"<html>Request Entity Too Large</html>"));
    }

    #[test]
    fn other_refusals_are_not_of_the_length() {
        for (status, message) in [
            (400, "invalid model"),
            (401, "Incorrect API key provided, context length"),
            (400, "Unknown parameter: dimensions"),
            (422, "batch size 64 > maximum allowed batch size 32"),
            (402, "This request requires more credits, or fewer max_tokens: too many tokens"),
            (429, "Rate limit reached: tokens per min exceeded"),
            (404, "no such model; its context length is unknown"),
            (500, "oops"),
        ] {
            assert!(
                !is_too_long(status, json!({ "error": { "message": message } }).to_string().as_bytes()),
                "{message}"
            );
        }
        assert!(!is_too_long(400, b""));
        // What is quoted of the text is not what is said.
        let quoting = json!({ "detail": [{ "msg": "field required", "input": "it is a long text: input is too long" }] });
        assert!(!is_too_long(422, quoting.to_string().as_bytes()));
        let nested = "{\"error\":".repeat(50) + "\"input is too long\"" + &"}".repeat(50);
        assert!(!is_too_long(400, nested.as_bytes()));
    }
}
