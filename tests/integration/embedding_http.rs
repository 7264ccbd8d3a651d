//! The HTTP embedder against a real server on the loopback and every way in which one can fail.
use std::time::Duration;

use crate::common::openai::{DIMENSIONS, OpenAi, Reply, item, vector_of};
use izzie_memory::config::Secret;
use izzie_memory::embedding::{Embedder, HttpConfig, HttpEmbedder, TextVector};
use izzie_memory::error::{Class, Error, Reason};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const KEY: &str = "sk-do-not-print-me";
const TEXT: &str = "the secret plan of Alice";

fn config(base_url: String) -> HttpConfig {
    HttpConfig { dimensions: DIMENSIONS, ..HttpConfig::new(base_url, Secret::new(KEY)) }
}

fn embedder(server: &OpenAi) -> HttpEmbedder {
    HttpEmbedder::new(config(server.base_url())).unwrap()
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{TEXT} {number}")).collect()
}

fn expected(texts: &[String]) -> Vec<TextVector> {
    texts.iter().map(|text| Some(vector_of(text))).collect()
}

/// Embeds two texts with success, and tells how many requests that took.
async fn requests_until_success(server: &OpenAi) -> usize {
    let texts = texts(2);
    assert_eq!(embedder(server).embed(&texts).await.unwrap(), expected(&texts));
    server.requests().len()
}

/// Embeds two texts in vain. Every error must have the right class, count its attempts and give nothing away.
async fn failure(server: &OpenAi) -> Error {
    // Only a broken deadline takes two minutes.
    let (embedder, texts) = (embedder(server), texts(2));
    let outcome = tokio::time::timeout(Duration::from_secs(120), embedder.embed(&texts)).await;
    let error = outcome.expect("it gives up in time").unwrap_err();
    assert_eq!(error.details["attempts"], json!(server.requests().len()));
    checked(error)
}

fn checked(error: Error) -> Error {
    assert_eq!((error.class, error.reason), (Class::Persistence, Reason::EmbeddingFailed));
    let shown = format!("{error} {error:?} {}", error.envelope());
    assert!(!shown.contains(KEY), "the key in {shown}");
    assert!(!shown.contains(TEXT), "the text in {shown}");
    error
}

fn retryable(error: &Error) -> bool {
    error.details["retryable"].as_bool().unwrap()
}

/// The error of an embedder whose server always answers this to two texts.
async fn failure_for(body: impl Into<String>) -> Error {
    let body = body.into();
    let server = OpenAi::start(move |_, _| Reply::ok(&body)).await;
    failure(&server).await
}

fn two(first: &str, second: &str) -> String {
    format!(r#"{{"data":[{{"index":0,"embedding":{first}}},{{"index":1,"embedding":{second}}}]}}"#)
}

#[tokio::test]
async fn many_texts_go_in_batches() {
    let server = OpenAi::start(|_, request| Reply::vectors(request)).await;
    let texts = texts(300);
    assert_eq!(embedder(&server).embed(&texts).await.unwrap(), expected(&texts));

    let requests = server.requests();
    let sizes: Vec<_> = requests.iter().map(|request| request.texts().len()).collect();
    assert_eq!(sizes, [128, 128, 44]);
    assert_eq!(requests[0].path, "/v1/embeddings");
    assert_eq!(requests[0].headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(requests[0].headers["content-type"], "application/json");
    assert_eq!(
        requests[2].body,
        json!({ "model": "text-embedding-3-small", "input": &texts[256..], "encoding_format": "float", "dimensions": 4 })
    );
}

#[tokio::test]
async fn the_defaults_send_no_dimensions() {
    let vector = vec![0.25_f32; 1536];
    let answered = vector.clone();
    let server = OpenAi::start(move |_, _| Reply::data([item(0, json!(answered))])).await;
    let embedder = HttpEmbedder::new(HttpConfig::new(server.base_url(), Secret::new(KEY))).unwrap();
    assert_eq!(embedder.space().model, "text-embedding-3-small");
    assert_eq!(embedder.space().dimensions, 1536);
    assert_eq!(embedder.embed(&[TEXT.to_owned()]).await.unwrap(), [Some(vector)]);
    assert_eq!(server.requests()[0].body.get("dimensions"), None);
}

#[tokio::test]
async fn no_texts_are_no_request() {
    let server = OpenAi::start(|_, request| Reply::vectors(request)).await;
    assert!(embedder(&server).embed(&[]).await.unwrap().is_empty());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn answers_out_of_order_are_sorted() {
    let server = OpenAi::start(|_, request| {
        let items = request.texts().into_iter().enumerate().rev();
        Reply::data(items.map(|(index, text)| item(index, json!(vector_of(&text)))))
    })
    .await;
    assert_eq!(requests_until_success(&server).await, 1);
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let server = OpenAi::start(|number, request| match number {
        1 => Reply::status(429, &[("retry-after", "1")], "{}"),
        _ => Reply::vectors(request),
    })
    .await;
    assert_eq!(requests_until_success(&server).await, 2);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    for retry_after in ["3600", "Tue, 31 Dec 2999 23:59:59 GMT"] {
        let server =
            OpenAi::start(move |_, _| Reply::status(429, &[("retry-after", retry_after)], "{}")).await;
        let error = failure(&server).await;
        assert_eq!(server.requests().len(), 1, "{retry_after}");
        assert_eq!(error.details["status"], 429);
        assert!(retryable(&error));
    }
}

#[tokio::test]
async fn a_failing_server_is_asked_again() {
    let server = OpenAi::start(|number, request| match number {
        1 => Reply::status(500, &[], "oops"),
        2 => Reply::status(503, &[], "oops"),
        _ => Reply::vectors(request),
    })
    .await;
    assert_eq!(requests_until_success(&server).await, 3);
}

#[tokio::test]
async fn a_server_that_always_fails_is_asked_three_times() {
    let server = OpenAi::start(|_, _| Reply::status(500, &[], "oops")).await;
    let error = failure(&server).await;
    assert_eq!(server.requests().len(), 3);
    assert_eq!(error.details["status"], 500);
    assert!(retryable(&error));
}

#[tokio::test]
async fn a_slow_answer_is_asked_for_again() {
    let server = OpenAi::start(|number, request| match number {
        1 => Reply::hang(),
        _ => Reply::vectors(request),
    })
    .await;
    let config = HttpConfig { timeout: Duration::from_secs(1), ..config(server.base_url()) };
    let texts = texts(2);
    assert_eq!(HttpEmbedder::new(config).unwrap().embed(&texts).await.unwrap(), expected(&texts));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nothing_is_begun_after_the_deadline() {
    let server = OpenAi::start(|_, _| Reply::hang()).await;
    let config = HttpConfig { deadline: Duration::from_millis(200), ..config(server.base_url()) };
    let error = checked(HttpEmbedder::new(config).unwrap().embed(&texts(2)).await.unwrap_err());
    assert_eq!(error.details["attempts"], 1);
    assert_eq!(error.details.get("status"), None);
    assert!(retryable(&error));
}

#[tokio::test]
async fn dropping_the_future_stops_the_work() {
    let server = OpenAi::start(|_, _| Reply::hang()).await;
    let embedder = embedder(&server);
    let texts = texts(2);
    tokio::select! {
        _ = embedder.embed(&texts) => panic!("the server never answers"),
        () = server.arrived() => {}
    }
    // Work that went on would hold the connection for the 10 s of its own timeout.
    tokio::time::timeout(Duration::from_secs(9), server.hung_up()).await.expect("the connection is given up");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn cut_json_is_asked_for_once_more() {
    let whole = two("[1,2,3,4]", "[5,6,7,8]");
    let cut = whole[..whole.len() - 4].to_owned();
    let error = failure_for(&cut).await;
    assert_eq!(error.details["attempts"], 2);
    assert!(retryable(&error));

    let server = OpenAi::start(move |number, request| match number {
        1 => Reply::ok(&cut),
        _ => Reply::vectors(request),
    })
    .await;
    assert_eq!(requests_until_success(&server).await, 2);
}

#[tokio::test]
async fn a_connection_lost_in_the_answer_is_asked_again() {
    let server = OpenAi::start(|number, request| match number {
        1 => Reply::cut(r#"{"data":[{"index":0,"embedding":[1"#, 500),
        2 => Reply::nothing(),
        _ => Reply::vectors(request),
    })
    .await;
    assert_eq!(requests_until_success(&server).await, 3);

    let server = OpenAi::start(|_, _| Reply::cut("{", 500)).await;
    let error = failure(&server).await;
    assert_eq!(server.requests().len(), 3);
    assert!(retryable(&error));
}

#[tokio::test]
async fn a_closed_port_is_tried_three_times() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let error = checked(HttpEmbedder::new(config(base_url)).unwrap().embed(&texts(2)).await.unwrap_err());
    assert_eq!(error.details["attempts"], 3);
    assert_eq!(error.details.get("status"), None);
    assert!(retryable(&error));
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn wrong_dimensions_are_final() {
    let error = failure_for(two("[1,2,3,4]", "[5,6,7]")).await;
    assert_eq!(error.details["attempts"], 1);
    assert_eq!((&error.details["expected"], &error.details["actual"]), (&json!(4), &json!(3)));
    assert!(!retryable(&error));
}

#[tokio::test]
async fn vectors_that_are_none_are_final() {
    for (vector, problem) in [
        ("[1,null,3,4]", "no list of vectors"),
        ("{}", "no list of vectors"),
        ("\"AACAPw\"", "no base64 of 32-bit floats"),
        ("\"AACAPwA=\"", "no base64 of 32-bit floats"),
        ("\"AACAPw==\"", "1 dimensions instead of 4"),
        ("\"AADAfwAAgD8AAIA/AACAPw==\"", "not finite"),
        ("[1,1e39,3,4]", "not finite"),
        ("[0,0,0,0]", "only zeros"),
        ("[]", "0 dimensions instead of 4"),
    ] {
        let error = failure_for(two("[1,2,3,4]", vector)).await;
        assert!(error.message.contains(problem), "{vector}: {error}");
        assert_eq!(error.details["attempts"], 1, "{vector}");
        assert!(!retryable(&error), "{vector}");
    }
}

#[tokio::test]
async fn packed_numbers_are_read_too() {
    let server = OpenAi::start(|_, _| {
        let vectors = ["AACAPwAAAEAAAEBAAACAQA==", "AACAvwAAAMAAAEDAAACAwA=="];
        Reply::data(vectors.iter().enumerate().map(|(index, packed)| item(index, json!(packed))))
    })
    .await;
    let vectors = embedder(&server).embed(&texts(2)).await.unwrap();
    assert_eq!(vectors, [Some(vec![1.0, 2.0, 3.0, 4.0]), Some(vec![-1.0, -2.0, -3.0, -4.0])]);
}

#[tokio::test]
async fn what_json_does_not_know_is_no_json() {
    for vector in ["[1,NaN,3,4]", "[1,Infinity,3,4]", "[1,1e999,3,4]"] {
        let error = failure_for(two("[1,2,3,4]", vector)).await;
        assert_eq!(error.details["attempts"], 2, "{vector}");
    }
    let error = failure_for(format!("<html>{KEY} {TEXT}</html>")).await;
    assert_eq!(error.details["attempts"], 2);
}

#[tokio::test]
async fn a_wrong_count_or_numbering_is_final() {
    let one = r#"{"index":0,"embedding":[1,2,3,4]}"#;
    for (body, problem) in [
        (format!(r#"{{"data":[{one}]}}"#), "1 vectors for 2 texts"),
        (format!(r#"{{"data":[{one},{one},{one}]}}"#), "3 vectors for 2 texts"),
        (format!(r#"{{"data":[{one},{one}]}}"#), "indexes"),
        (two("[1,2,3,4]", "[5,6,7,8]").replace(r#""index":1"#, r#""index":2"#), "indexes"),
        ("{}".to_owned(), "0 vectors for 2 texts"),
        ("[]".to_owned(), "no list of vectors"),
    ] {
        let error = failure_for(body).await;
        assert!(error.message.contains(problem), "{problem}: {error}");
        assert_eq!(error.details["attempts"], 1, "{problem}");
        assert!(!retryable(&error), "{problem}");
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_its_words_stay_out() {
    // 413 is of the length: tests/embedding_long.rs
    for status in [400, 401, 403, 404, 422] {
        let body = json!({ "error": { "message": format!("bad key {KEY} or input {TEXT}") } }).to_string();
        let server = OpenAi::start(move |_, _| Reply::status(status, &[], &body)).await;
        let error = failure(&server).await;
        assert_eq!(error.details["status"], status);
        assert_eq!(server.requests().len(), 1, "{status}");
        assert!(!retryable(&error), "{status}");
    }
}

#[tokio::test]
async fn an_error_under_the_status_200_counts_as_one() {
    let body =
        |code: Value| json!({ "error": { "message": format!("{KEY} {TEXT}"), "code": code } }).to_string();
    for (code, attempts, retry) in [(json!(502), 3, true), (json!(401), 1, false), (json!("odd"), 2, true)] {
        let error = failure_for(body(code.clone())).await;
        assert_eq!(error.details["attempts"], attempts, "{code}");
        assert_eq!(error.details.get("status"), code.is_u64().then_some(&code));
        assert_eq!(retryable(&error), retry, "{code}");
    }
}

#[tokio::test]
async fn the_key_does_not_follow_a_redirect() {
    let other = OpenAi::start(|_, request| Reply::vectors(request)).await;
    let target = format!("{}/embeddings", other.base_url());
    let server = OpenAi::start(move |_, _| Reply::status(307, &[("location", &target)], "")).await;
    let error = failure(&server).await;
    assert_eq!(error.details["status"], 307);
    assert!(!retryable(&error));
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let announced = OpenAi::start(|_, _| Reply::cut("{", 65 << 20)).await;
    let unannounced = OpenAi::start(|_, _| Reply::until_close(&" ".repeat(65 << 20))).await;
    for server in [announced, unannounced] {
        let error = failure(&server).await;
        assert!(error.message.contains("larger than 64 MiB"), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(!retryable(&error));
    }
}

#[test]
fn bad_settings_are_refused_without_repeating_them() {
    let base = "https://api.openai.com/v1";
    let with_key = |key: &str| HttpConfig::new(base, Secret::new(key));
    for (field, config) in [
        ("embedder.baseUrl", config(format!("{KEY}/v1"))),
        ("embedder.baseUrl", config(format!("ftp://x/{KEY}"))),
        ("embedder.baseUrl", config(format!("https://user:{KEY}@x/v1"))),
        ("embedder.apiKey", with_key("")),
        ("embedder.apiKey", with_key(&format!("{KEY}\n"))),
        ("embedder.dimensions", HttpConfig { dimensions: 0, ..with_key(KEY) }),
    ] {
        let error = HttpEmbedder::new(config).unwrap_err();
        assert_eq!(error.reason, Reason::InvalidArgument);
        assert_eq!(error.details["field"], field);
        assert!(!format!("{error:?}").contains(KEY), "{error:?}");
    }
}

#[test]
fn an_https_client_can_be_built() {
    let embedder = HttpEmbedder::new(HttpConfig::new("https://api.openai.com/v1", Secret::new(KEY))).unwrap();
    assert!(!format!("{embedder:?}").contains(KEY));
}
