//! The offline embedder with the weights that are shipped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use izzie_memory::embedding::{Embedder, LocalEmbedder};
use izzie_memory::error::{Error, Reason};

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packages/minilm-static");
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

async fn embed(texts: &[&str]) -> Vec<Vec<f32>> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let vectors = LocalEmbedder::new(WEIGHTS).embed(&texts).await.unwrap();
    vectors.into_iter().map(|vector| vector.expect("a text with words")).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_are_those_of_the_recipe() {
    // Computed with numpy from the same files: the sum of the tokens' weighted rows, scaled to length 1.
    let reference = [0.07558363, -0.07425909, -0.09676717, 0.24898025, -0.07352763, 0.02085172];
    let [vector] = &embed(&["Grace Hopper wrote the first compiler at Remington Rand."]).await[..] else {
        panic!("one text, one vector");
    };
    assert_eq!(vector.len(), 256);
    assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
    for (number, expected) in vector.iter().zip(reference) {
        assert!((number - expected).abs() < 1e-5, "{number} instead of {expected}");
    }
}

#[tokio::test]
async fn what_is_meant_is_nearest() {
    let memories = [
        "The dentist appointment was moved to Friday.",
        "Ada plays the piano every evening.",
        "We deployed the new version of the website.",
        "My sister is allergic to peanuts.",
    ];
    let queries = [
        "When do I see the doctor for my teeth?",
        "Who is a musician?",
        "software release",
        "food allergies",
    ];
    let (memories, queries) = (embed(&memories).await, embed(&queries).await);
    for (at, query) in queries.iter().enumerate() {
        let similarities: Vec<f32> = memories.iter().map(|memory| cosine(query, memory)).collect();
        let nearest = similarities.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0;
        assert_eq!(nearest, at, "{similarities:?}");
    }
}

#[tokio::test]
async fn the_same_text_has_the_same_vector_in_any_company() {
    let alone = embed(&["déjà vu"]).await;
    let together = embed(&["something else", "déjà vu", "[SEP] [MASK] [UNK]"]).await;
    assert_eq!(alone[0], together[1]);
    assert_eq!(embed(&["Deja Vu"]).await, alone, "case and accents do not count");
}

#[tokio::test]
async fn a_text_without_a_known_word_has_no_vector_and_harms_no_other() {
    let texts = ["\u{1f642}", "word", "", " \n"].map(str::to_owned);
    let vectors = LocalEmbedder::new(WEIGHTS).embed(&texts).await.unwrap();
    assert_eq!(vectors.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
}

#[tokio::test]
async fn a_long_text_counts_with_its_end_too_and_has_a_bound() {
    let filler = "The weather was fine and we went for a walk in the park. ".repeat(60);
    let vectors = embed(&[&filler, &format!("{filler} peanut allergy"), "peanut allergy"]).await;
    assert!(cosine(&vectors[1], &vectors[2]) > cosine(&vectors[0], &vectors[2]));

    let begun = Instant::now();
    embed(&[&"word ".repeat(4_000_000)]).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "20 MB took {:?}", begun.elapsed());
}

#[test]
fn costs_nothing_and_reads_nothing_before_it_is_asked() {
    let embedder = LocalEmbedder::new("/there/is/no/such/folder");
    assert!(!embedder.is_paid());
    assert_eq!((embedder.space().model.as_str(), embedder.space().dimensions), ("minilm-static-1", 256));
}

async fn failure(directory: &Path) -> Error {
    LocalEmbedder::new(directory).embed(&["text".to_owned()]).await.unwrap_err()
}

/// A copy of the weights, with one file changed or missing.
struct Broken(PathBuf);

impl Broken {
    fn new(file: &str, content: Option<&[u8]>) -> Self {
        let folder = std::env::temp_dir().join(format!("izzie-weights-{}-{file}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in FILES {
            if name != file {
                fs::copy(Path::new(WEIGHTS).join(name), folder.join(name)).unwrap();
            } else if let Some(content) = content {
                fs::write(folder.join(name), content).unwrap();
            }
        }
        Self(folder)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn broken_weights_are_an_error_until_they_are_mended() {
    for (file, content, problem) in [
        ("model.safetensors", None, "model.safetensors: entity not found"),
        ("tokenizer.json", Some(&b"{}"[..]), "cannot be read"),
        ("config.json", Some(br#"{"name":"minilm-static-2"}"#), "minilm-static-2, not minilm-static-1"),
    ] {
        let broken = Broken::new(file, content);
        let error = failure(&broken.0).await;
        assert_eq!(error.reason, Reason::EmbeddingFailed);
        assert!(error.message.contains(problem), "{error}");
        assert_eq!(error.details["retryable"], true);

        fs::copy(Path::new(WEIGHTS).join(file), broken.0.join(file)).unwrap();
        LocalEmbedder::new(&broken.0).embed(&["text".to_owned()]).await.unwrap();
    }
}
