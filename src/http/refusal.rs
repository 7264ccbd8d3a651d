//! What a provider says of a refusal: read for its meaning, and told without what it repeats of keys and texts.

use serde_json::Value;

use crate::config::Secret;

/// Of what was said so much is told.
const LONGEST: usize = 200;
/// Words that tell nothing of a text, whatever it holds. Others of a refusal that the request holds as well are left out.
const VOCABULARY: &str = "a above account actual allowed an and api application are array at bad batch be been below body but by bytes
    cannot character characters content context correct could count deployed does each either embedding embeddings empty error
    exceed exceeded exceeds expected expects failed field fields fit float for found format from given got has have however
    if in input inputs instead integer invalid is it its key large larger least length less limit limited list longer max maximum
    message messages minimum missing model models more must no none not number object of on one only or out over parameter
    payload please process prompt property provided range reduce rejected request requested required requires resulted
    sequence server service should size small smaller string support supported text texts than that the their these this to token
    tokens too total try type unsupported valid value values was were with you your";

/// Phrases of refusals of a text for its length, in lower case.
const TOO_LONG: [&str; 17] = [
    "context length",
    "context_length",
    "context size",
    "context_size",
    "maximum context",
    "context window",
    "too long",
    "too many tokens",
    "too many input tokens",
    "token limit",
    "input length",
    "sequence length",
    "input is too large",
    "maximum number of tokens",
    "max_tokens",
    "max tokens",
    "longer than the maximum",
];

/// The words of an error answer, however it is built: OpenAI's `error.message`, `detail`, `message`, `error` as text.
pub(super) fn said(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    from_value(&answer)
}

pub(super) fn from_value(answer: &Value) -> Option<String> {
    let text = match answer {
        Value::String(text) => text.clone(),
        Value::Array(items) => from_value(items.first()?)?,
        Value::Object(members) => {
            let code = ["code", "type", "error_type"].iter().filter_map(|key| members.get(*key)?.as_str());
            let message =
                ["error", "message", "detail", "msg"].iter().find_map(|key| from_value(members.get(*key)?));
            message.into_iter().chain(code.take(1).map(str::to_owned)).collect::<Vec<_>>().join(", ")
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// Whether it is the length of a text that is refused.
pub(super) fn is_too_long(said: &str) -> bool {
    let said = said.to_lowercase();
    TOO_LONG.iter().any(|phrase| said.contains(phrase))
        || said.contains("tokens")
            && ["exceed", "maximum", "less than", "at most"].iter().any(|word| said.contains(word))
}

/// Without the key, what looks like one, and every word that the request holds, but for those of [`VOCABULARY`].
pub(super) fn without_secrets(said: &str, key: &Secret, sent: &str) -> String {
    let sent = sent.to_lowercase();
    let said = match key.reveal() {
        "" => said.to_owned(),
        key => said.replace(key, "…"),
    };
    let mut told = String::new();
    for word in said.split_whitespace() {
        let mut last_hidden = told.ends_with('…');
        if !told.is_empty() && !last_hidden {
            told.push(' ');
        }
        for part in word.split_inclusive(|c: char| !is_of_word(c)) {
            let bare = part.trim_end_matches(|c| !is_of_word(c));
            if is_secret(bare, &sent) {
                if !last_hidden {
                    told.push('…');
                }
                last_hidden = true;
            } else {
                if last_hidden && !bare.is_empty() && told.ends_with('…') {
                    told.push(' ');
                }
                told.push_str(part);
                last_hidden = part.ends_with('…');
            }
        }
        if told.chars().count() > LONGEST {
            return told.chars().take(LONGEST).chain(['…']).collect();
        }
    }
    told
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "-_*".contains(c)
}

fn is_secret(word: &str, sent: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let lower = word.to_lowercase();
    let looks_like_key =
        lower.starts_with("sk-") || lower == "bearer" || word.contains('*') || word.chars().count() >= 32;
    looks_like_key || !VOCABULARY.split_whitespace().any(|known| known == lower) && sent.contains(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_found_in_every_form() {
        for (body, expected) in [
            (r#"{"error":{"message":"m","type":"t","code":"c"}}"#, "m, c"),
            (r#"{"error":"m"}"#, "m"),
            (r#"{"message":"m"}"#, "m"),
            (r#"{"detail":[{"msg":"m","type":"t"}]}"#, "m, t"),
            (r#"{"error":"m","error_type":"Validation"}"#, "m, Validation"),
        ] {
            assert_eq!(said(body.as_bytes()).as_deref(), Some(expected), "{body}");
        }
        for body in ["", "<html>", "{}", r#"{"error":{"message":" "}}"#] {
            assert_eq!(said(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn what_providers_say_of_long_texts_is_understood() {
        for message in [
            "This model's maximum context length is 8192 tokens, however you requested 10000 tokens",
            "Invalid 'input[0]': maximum input length is 8192 tokens.",
            "bad request, context_length_exceeded",
            "Input validation error: `inputs` must have less than 512 tokens. Given: 1024",
            "the input length exceeds the context length",
            "input is too large to process. increase the physical batch size",
            "the request exceeds the available context size",
            "too many tokens: max tokens per text is 512",
        ] {
            assert!(is_too_long(message), "{message}");
        }
        for message in [
            "invalid model",
            "Incorrect API key provided",
            "Unknown parameter: dimensions",
            "batch size 64 > maximum 32",
        ] {
            assert!(!is_too_long(message), "{message}");
        }
    }

    #[test]
    fn nothing_of_keys_and_texts_is_told() {
        let sent = r#"{"model":"m-1","input":["Alice's PIN is 4711, the context of hunter2"]}"#;
        let key = Secret::new("my key");
        for (said, told) in [
            ("maximum context length is 8192 tokens", "maximum context length is 8192 tokens"),
            ("invalid input 'Alice PIN 4711'", "invalid input '…'"),
            ("Bearer sk-abc and my key, hunt hunter2 done", "… and … , … done"),
            ("bad key sk-ab****yz", "bad key …"),
        ] {
            assert_eq!(without_secrets(said, &key, sent), told, "{said}");
        }
        assert!(without_secrets(&"maximum ".repeat(100), &key, sent).chars().count() <= LONGEST + 1);
    }
}
