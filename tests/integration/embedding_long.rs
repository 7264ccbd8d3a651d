//! The HTTP embedder and texts that are longer than the provider takes, in every form in which providers say so.

use crate::common::openai::{DIMENSIONS, OpenAi, Reply, item, vector_of};
use izzie_memory::config::Secret;
use izzie_memory::embedding::{Embedder, HttpConfig, HttpEmbedder};
use izzie_memory::error::Reason;
use serde_json::{Value, json};

/// Bytes that the provider takes.
const LIMIT: usize = 1000;

fn embedder(server: &OpenAi) -> HttpEmbedder {
    let config = HttpConfig::new(server.base_url(), Secret::new("sk-1"));
    HttpEmbedder::new(HttpConfig { dimensions: DIMENSIONS, ..config }).unwrap()
}

/// Counts a text's words of four kinds, so that its vector is known from its parts.
fn counts(text: &str) -> Vec<f32> {
    let of = |word: &str| text.split_whitespace().filter(|it| *it == word).map(|_| 1.0).sum::<f32>();
    vec![of("one"), of("two"), of("three"), of("four").max(0.001)]
}

/// Takes texts of up to `limit` bytes, refuses a request with a longer one or an empty one.
async fn limited(limit: usize, status: u16, refusal: Value) -> OpenAi {
    let refusal = refusal.to_string();
    OpenAi::start(move |_, request| {
        let texts = request.texts();
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Reply::status(400, &[], r#"{"error":{"message":"input cannot be an empty string"}}"#);
        }
        if texts.iter().any(|text| text.len() > limit) {
            return Reply::status(status, &[], &refusal);
        }
        Reply::data(texts.iter().enumerate().map(|(index, text)| item(index, json!(counts(text)))))
    })
    .await
}

fn openai_says() -> Value {
    json!({ "error": { "message": "This model's maximum context length is 250 tokens", "type": "invalid_request_error" } })
}

fn long(word: &str, bytes: usize) -> String {
    format!("{word} ").repeat(bytes / (word.len() + 1))
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

#[tokio::test]
async fn every_vendors_refusal_leads_to_pieces() {
    let raw = openai_says().to_string();
    for (status, refusal) in [
        (400, openai_says()),
        (400, json!({ "error": { "message": "Provider returned error", "metadata": { "raw": raw } } })),
        (
            413,
            json!({ "message": "Input validation error: `inputs` must have less than 512 tokens. Given: 1024" }),
        ),
        (422, json!({ "detail": [{ "msg": "Input text exceeds maximum length of 8194 tokens" }] })),
        (400, json!({ "error": { "message": "the input length exceeds the context length" } })),
        (
            500,
            json!({ "error": { "message": "input (900 tokens) is too large to process. increase the physical batch size" } }),
        ),
        (400, json!({ "detail": "Your batch has too many tokens" })),
        (200, json!({ "error": { "message": "maximum context length is 8192 tokens", "code": 400 } })),
        (200, json!({ "error": { "message": "maximum context length is 8192 tokens" } })),
    ] {
        let server = limited(LIMIT, status, refusal.clone()).await;
        let embedder = embedder(&server);
        let text = long("one", 1500) + &long("two", 1500);
        let vectors = embedder.embed(std::slice::from_ref(&text)).await.unwrap();
        let vector = vectors[0].as_ref().unwrap();
        assert!(cosine(vector, &[1.0, 1.0, 0.0, 0.0]) > 0.99, "{refusal}: {vector:?}");
        let pieces = embedder.pieces_of(&text).expect("told");
        assert!((3..=8).contains(&pieces.count) && pieces.bytes >= text.trim().len() - 8, "{pieces:?}");
        assert_eq!(embedder.pieces_of("one"), None);
    }
}

#[tokio::test]
async fn a_batch_keeps_its_order_and_the_vectors_of_the_others() {
    let server = limited(LIMIT, 400, openai_says()).await;
    let embedder = embedder(&server);
    let mut texts: Vec<String> = (0..20).map(|number| long("three", 10 + number)).collect();
    texts[3] = long("one", 2500);
    texts[11] = long("two", 5000);
    texts[19] = long("four", 1100);
    for _ in 0..2 {
        let vectors = embedder.embed(&texts).await.unwrap();
        for (place, (text, vector)) in texts.iter().zip(&vectors).enumerate() {
            let vector = vector.as_ref().unwrap();
            assert!(cosine(vector, &counts(text)) > 0.999, "{place}: {vector:?}");
            assert_eq!(embedder.pieces_of(text).is_some(), [3, 11, 19].contains(&place), "{place}");
        }
    }
}

#[tokio::test]
async fn what_was_learned_spares_refusals() {
    let server = limited(LIMIT, 400, openai_says()).await;
    let embedder = embedder(&server);
    let refused = || {
        let too_long = |text: &String| text.len() > LIMIT;
        server.requests().iter().filter(|request| request.texts().iter().any(too_long)).count()
    };
    let batch = |word: &str| vec![long(word, 400), long(word, 600), long(word, 30_000), long(word, 500)];
    embedder.embed(&batch("one")).await.unwrap();
    let first = refused();
    assert!(first >= 5, "{first}: the length is found by halving");
    for word in ["two", "three", "four"] {
        embedder.embed(&batch(word)).await.unwrap();
    }
    assert!(refused() - first <= 3 * 3, "{} after {first}", refused());
}

#[tokio::test]
async fn parts_that_hold_more_tokens_are_cut_smaller_than_the_others() {
    // As base64 or another script: each character a token.
    let server = OpenAi::start(|_, request| {
        let tokens = |text: &String| {
            text.split_whitespace().map(|word| if word == "four" { 8 } else { 1 }).sum::<usize>()
        };
        let texts = request.texts();
        if texts.iter().any(|text| tokens(text) > 256) {
            return Reply::status(400, &[], &openai_says().to_string());
        }
        Reply::data(texts.iter().enumerate().map(|(index, text)| item(index, json!(counts(text)))))
    })
    .await;
    let embedder = embedder(&server);
    let text = long("one", 4000) + &long("four", 1000);
    let vector = embedder.embed(std::slice::from_ref(&text)).await.unwrap().pop().flatten().unwrap();
    assert!(cosine(&vector, &[0.8, 0.0, 0.0, 0.2]) > 0.99, "{vector:?}");
    assert!(embedder.pieces_of(&text).unwrap().bytes >= text.len() - 8);
    let words: usize =
        server.requests().last().unwrap().texts().iter().map(|text| text.matches("one").count()).sum();
    assert_eq!(words, 0, "only what was refused is asked for again");
}

#[tokio::test]
async fn what_is_behind_the_last_piece_is_told() {
    let server = limited(LIMIT, 413, json!({})).await;
    let embedder = embedder(&server);
    let text = long("one", 300_000) + &long("two", 300_000);
    let vector = embedder.embed(std::slice::from_ref(&text)).await.unwrap().pop().flatten().unwrap();
    let pieces = embedder.pieces_of(&text).unwrap();
    assert_eq!(pieces.count, 64);
    assert!(pieces.bytes < 64 * LIMIT && pieces.bytes > 16 * LIMIT, "{pieces:?}");
    assert!(cosine(&vector, &[1.0, 0.0, 0.0, 0.0]) > 0.999, "{vector:?}");
    assert!(server.requests().len() < 20, "{}", server.requests().len());
}

#[tokio::test]
async fn a_provider_that_refuses_the_smallest_piece_is_told_of() {
    let server = limited(10, 400, openai_says()).await;
    let error = embedder(&server).embed(&[long("one", 5000), "two".to_owned()]).await.unwrap_err();
    assert_eq!(error.reason, Reason::EmbeddingFailed);
    assert_eq!((&error.details["retryable"], &error.details["tooLong"]), (&json!(false), &json!(true)));
    assert!(
        error.message.contains("the text is longer than the model takes, even in pieces of"),
        "{}",
        error.message
    );
    assert!(server.requests().len() < 20);
    // One that is short itself is not cut at all.
    let error = embedder(&server).embed(&["one two three".to_owned()]).await.unwrap_err();
    assert!(error.message.contains("in pieces of 13 bytes"), "{}", error.message);
}

#[tokio::test]
async fn a_failure_among_the_pieces_is_the_providers() {
    let server = OpenAi::start(|number, request| match number {
        1 => Reply::status(413, &[], ""),
        2 => Reply::data([item(0, json!(vector_of(&request.texts()[0])))]),
        _ => Reply::status(401, &[], ""),
    })
    .await;
    let embedder = embedder(&server);
    let text = long("one", 3000);
    let error = embedder.embed(std::slice::from_ref(&text)).await.unwrap_err();
    assert_eq!((&error.details["status"], error.details.get("tooLong")), (&json!(401), None));
    assert_eq!(embedder.pieces_of(&text), None);
}

#[tokio::test]
async fn blank_stretches_are_no_pieces() {
    let server = limited(LIMIT, 400, openai_says()).await;
    let embedder = embedder(&server);
    let text = format!("{}{}{}{}", " ".repeat(3000), long("one", 900), "\n".repeat(5000), long("one", 900));
    let vector = embedder.embed(std::slice::from_ref(&text)).await.unwrap().pop().flatten().unwrap();
    assert!(cosine(&vector, &[1.0, 0.0, 0.0, 0.0]) > 0.999, "{vector:?}");
}
