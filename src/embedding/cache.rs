//! Vectors that were made lately, by the content of their texts.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Embedder, Space, TextVector};
use crate::error::Result;
use crate::model::EmbeddingPieces;

/// How much a cache may hold: some 5,000 vectors of 1,536 numbers.
const MAX_BYTES: u64 = 32 << 20;
/// What an entry takes besides its numbers, roughly.
const ENTRY_BYTES: usize = 200;

type Key = [u8; 32];
/// A [`TextVector`] that is shared.
type Known = Option<Arc<[f32]>>;

/// An embedder that is not asked twice for what it has answered lately, nor for what it is being asked already. Failures
/// are not kept.
///
/// Texts are known by their SHA-256 and not held. Entries that were used long ago go first.
pub struct Cached {
    inner: Arc<dyn Embedder>,
    vectors: Cache<Key, Known>,
    /// Texts that calls are under way for; the token is cancelled when the call has ended, well or badly.
    under_way: Mutex<HashMap<Key, CancellationToken>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often the cache knew a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Texts that were answered without asking for them, those that another call was asking for included.
    pub hits: u64,
    /// Texts that the embedder was asked for.
    pub misses: u64,
}

impl Cached {
    pub fn new(inner: Arc<dyn Embedder>) -> Self {
        Self::bounded(inner, MAX_BYTES)
    }

    fn bounded(inner: Arc<dyn Embedder>, bytes: u64) -> Self {
        let weigh = |_: &Key, known: &Known| {
            let numbers = known.as_deref().map_or(0, size_of_val::<[f32]>);
            u32::try_from(numbers + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        Self {
            inner,
            vectors: Cache::builder().max_capacity(bytes).weigher(weigh).build(),
            under_way: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    pub fn counts(&self) -> CacheCounts {
        CacheCounts { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }

    /// Looks the texts up, and claims those that nobody has asked for. Under one lock: a call that ends in between has
    /// left its vectors in the cache before it gives up its claim.
    fn divide(&self, texts: &[(Key, &String)]) -> Division<'_> {
        let ended = CancellationToken::new();
        let mut claim = Claim { under_way: &self.under_way, keys: Vec::new(), ended };
        let (mut known, mut mine, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, text) in texts {
            if let Some(vector) = self.vectors.get(key) {
                known.push((*key, vector));
            } else if let Some(call) = under_way.get(key) {
                others.push(call.clone());
            } else {
                under_way.insert(*key, claim.ended.clone());
                claim.keys.push(*key);
                mine.push((*text).clone());
            }
        }
        Division { known, claim, mine, others }
    }

    /// Asks for what is claimed, in one call, and keeps it.
    async fn ask(&self, claim: &Claim<'_>, texts: &[String]) -> Result<Vec<(Key, Known)>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        self.misses.fetch_add(count(texts.len()), Ordering::Relaxed);
        let vectors = self.inner.embed(texts).await?;
        self.inner.space().check(&vectors, texts.len())?;
        let known = vectors.into_iter().map(|vector| vector.map(Arc::from));
        let made: Vec<(Key, Known)> = claim.keys.iter().copied().zip(known).collect();
        for (key, vector) in &made {
            self.vectors.insert(*key, vector.clone());
        }
        Ok(made)
    }
}

#[async_trait]
impl Embedder for Cached {
    fn space(&self) -> &Space {
        self.inner.space()
    }

    fn is_paid(&self) -> bool {
        self.inner.is_paid()
    }

    fn pieces_of(&self, text: &str) -> Option<EmbeddingPieces> {
        self.inner.pieces_of(text)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let keys: Vec<Key> = texts.iter().map(|text| Sha256::digest(text).into()).collect();
        let mut found: HashMap<Key, Known> = HashMap::new();
        let mut asked = 0;
        let mut missing = unique(&keys, texts);
        while !missing.is_empty() {
            let Division { known, claim, mine, others } = self.divide(&missing);
            found.extend(known);
            found.extend(self.ask(&claim, &mine).await?);
            asked += mine.len();
            drop(claim);
            for call in others {
                call.cancelled().await;
            }
            // What a call of somebody else did not bring is asked for here.
            missing.retain(|(key, _)| !found.contains_key(key));
        }
        self.hits.fetch_add(count(texts.len() - asked), Ordering::Relaxed);
        let vector = |known: &Known| known.as_deref().map(<[f32]>::to_vec);
        Ok(keys.iter().filter_map(|key| found.get(key)).map(vector).collect())
    }
}

struct Division<'c> {
    known: Vec<(Key, Known)>,
    claim: Claim<'c>,
    /// The texts of `claim`, in its order.
    mine: Vec<String>,
    others: Vec<CancellationToken>,
}

/// Texts that one call asks for. Given up when it is dropped, so also by a call that fails or is dropped itself.
struct Claim<'c> {
    under_way: &'c Mutex<HashMap<Key, CancellationToken>>,
    keys: Vec<Key>,
    ended: CancellationToken,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            under_way.remove(key);
        }
        self.ended.cancel();
    }
}

/// Each text once, in order.
fn unique<'a>(keys: &[Key], texts: &'a [String]) -> Vec<(Key, &'a String)> {
    let mut seen = HashSet::new();
    keys.iter().copied().zip(texts).filter(|(key, _)| seen.insert(*key)).collect()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::*;
    use crate::embedding::embedding_failed;

    /// Answers each call that it gets a permit for, with a failure where `fails` holds.
    struct Scripted {
        space: Space,
        calls: Mutex<Vec<Vec<String>>>,
        permits: Semaphore,
        fails: Mutex<bool>,
    }

    impl Scripted {
        fn new(permits: usize) -> Arc<Self> {
            Arc::new(Self {
                space: Space { model: "scripted".into(), dimensions: 2 },
                calls: Mutex::default(),
                permits: Semaphore::new(permits),
                fails: Mutex::new(false),
            })
        }

        fn calls(&self) -> Vec<Vec<String>> {
            self.calls.lock().unwrap().clone()
        }

        async fn asked(&self, times: usize) {
            while self.calls().len() < times {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    #[async_trait]
    impl Embedder for Scripted {
        fn space(&self) -> &Space {
            &self.space
        }

        fn is_paid(&self) -> bool {
            true
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
            self.calls.lock().unwrap().push(texts.to_vec());
            self.permits.acquire().await.unwrap().forget();
            if *self.fails.lock().unwrap() {
                return Err(embedding_failed("as told"));
            }
            Ok(texts.iter().map(|text| vector_of(text)).collect())
        }
    }

    /// None for `?`.
    fn vector_of(text: &str) -> TextVector {
        let first = text.bytes().next().unwrap_or_default();
        (first != b'?').then(|| vec![1.0, f32::from(first)])
    }

    fn texts(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    async fn embed(cached: &Cached, words: &str) -> Result<Vec<TextVector>> {
        cached.embed(&texts(words)).await
    }

    fn expected(words: &str) -> Vec<TextVector> {
        texts(words).iter().map(|text| vector_of(text)).collect()
    }

    #[tokio::test]
    async fn each_text_is_asked_for_once() {
        let inner = Scripted::new(9);
        let cached = Cached::new(Arc::clone(&inner) as Arc<dyn Embedder>);
        assert_eq!(embed(&cached, "a b a").await.unwrap(), expected("a b a"));
        assert_eq!(embed(&cached, "c b d a").await.unwrap(), expected("c b d a"));
        assert_eq!(embed(&cached, "d ?").await.unwrap(), expected("d ?"));
        assert_eq!(embed(&cached, "?").await.unwrap(), [None]);
        assert_eq!(inner.calls(), [texts("a b"), texts("c d"), texts("?")]);
        assert_eq!(cached.counts(), CacheCounts { hits: 5, misses: 5 });
        assert!(cached.is_paid());
        assert!(cached.embed(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn equal_texts_at_the_same_time_are_one_call() {
        let inner = Scripted::new(0);
        let cached = Arc::new(Cached::new(Arc::clone(&inner) as Arc<dyn Embedder>));
        let first = tokio::spawn({
            let cached = Arc::clone(&cached);
            async move { embed(&cached, "a b").await }
        });
        inner.asked(1).await;
        let second = tokio::spawn({
            let cached = Arc::clone(&cached);
            async move { embed(&cached, "b c").await }
        });
        inner.asked(2).await;
        inner.permits.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), expected("a b"));
        assert_eq!(second.await.unwrap().unwrap(), expected("b c"));
        assert_eq!(inner.calls(), [texts("a b"), texts("c")]);
        assert_eq!(cached.counts(), CacheCounts { hits: 1, misses: 3 });
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_who_waited_asks_itself() {
        let inner = Scripted::new(0);
        let cached = Arc::new(Cached::new(Arc::clone(&inner) as Arc<dyn Embedder>));
        *inner.fails.lock().unwrap() = true;
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let cached = Arc::clone(&cached);
                tokio::spawn(async move { embed(&cached, "a").await })
            })
            .collect();
        inner.asked(1).await;
        inner.permits.add_permits(2);
        for outcome in waiting {
            outcome.await.unwrap().unwrap_err();
        }
        assert_eq!(inner.calls(), [texts("a"), texts("a")]);
        *inner.fails.lock().unwrap() = false;
        inner.permits.add_permits(1);
        assert_eq!(embed(&cached, "a").await.unwrap(), expected("a"));
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_holds_up_nobody() {
        let inner = Scripted::new(0);
        let cached = Cached::new(Arc::clone(&inner) as Arc<dyn Embedder>);
        tokio::select! {
            _ = embed(&cached, "a") => panic!("nobody let it answer"),
            () = inner.asked(1) => {}
        }
        inner.permits.add_permits(1);
        assert_eq!(embed(&cached, "a").await.unwrap(), expected("a"));
    }

    #[tokio::test]
    async fn a_full_cache_forgets() {
        let inner = Scripted::new(100);
        let cached = Cached::bounded(Arc::clone(&inner) as Arc<dyn Embedder>, 3 * 208);
        for word in ["a", "b", "c", "d", "e"] {
            embed(&cached, word).await.unwrap();
        }
        cached.vectors.run_pending_tasks();
        assert!(cached.vectors.weighted_size() <= 3 * 208);
        assert_eq!(cached.vectors.entry_count(), 3);
    }
}
