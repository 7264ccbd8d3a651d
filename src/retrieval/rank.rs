//! From the features of a user's memories to one order of them.

use serde::Deserialize;
use uuid::Uuid;

use super::corpus::{Candidate, Corpus};
use super::weights::{WEIGHTS, Weights};
use super::words;
use crate::model::ScoreParts;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    #[default]
    Hybrid,
    Vector,
    Text,
}

/// What of a question ranking knows beside the corpus.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub mode: SearchMode,
    /// Least cosine: in `Vector` of a result, in `Hybrid` of what similarity alone makes a result.
    pub threshold: Option<f64>,
    /// Seconds since 1970.
    pub now: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub id: Uuid,
    pub created_at: f64,
    pub similarity: Option<f64>,
    /// The sum of the parts.
    pub score: f64,
    pub parts: ScoreParts,
}

/// All memories that are results, best first; equal ones newest first.
pub fn rank(corpus: &Corpus, question: &Question) -> Vec<Ranked> {
    let parts = match question.mode {
        SearchMode::Text => by_words(corpus),
        SearchMode::Vector => by_similarity(corpus, question.threshold),
        SearchMode::Hybrid => by_everything(corpus, question),
    };
    let candidates = corpus.candidates();
    let mut ranked: Vec<_> = (candidates.iter().zip(parts))
        .filter_map(|(candidate, parts)| Some(ranked(candidate, parts?, question)))
        .collect();
    ranked.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(b.created_at.total_cmp(&a.created_at)).then(a.id.cmp(&b.id))
    });
    ranked
}

fn ranked(candidate: &Candidate, parts: ScoreParts, question: &Question) -> Ranked {
    let Candidate { id, created_at, .. } = *candidate;
    let similarity = candidate.similarity.filter(|&similarity| passes(similarity, question.threshold));
    Ranked { id, created_at, similarity, score: parts.sum(), parts }
}

fn by_words(corpus: &Corpus) -> Vec<Option<ScoreParts>> {
    let part = |(candidate, words): (&Candidate, f64)| {
        (candidate.allowed && words > 0.0).then(|| ScoreParts { words, ..ScoreParts::default() })
    };
    corpus.candidates().iter().zip(words::plain(corpus, &WEIGHTS)).map(part).collect()
}

fn by_similarity(corpus: &Corpus, threshold: Option<f64>) -> Vec<Option<ScoreParts>> {
    let part = |candidate: &Candidate| {
        let similarity =
            candidate.similarity.filter(|_| candidate.allowed).filter(|&s| passes(s, threshold))?;
        Some(ScoreParts { similarity, ..ScoreParts::default() })
    };
    corpus.candidates().iter().map(part).collect()
}

fn passes(similarity: f64, threshold: Option<f64>) -> bool {
    threshold.is_none_or(|threshold| similarity >= threshold)
}

fn by_everything(corpus: &Corpus, question: &Question) -> Vec<Option<ScoreParts>> {
    let candidates = corpus.candidates();
    let words = words::in_context(corpus, &WEIGHTS);
    let scales = Scales::of(candidates, &words);
    let spoken = speakers(corpus);
    let part = |index: usize| {
        let candidate = &candidates[index];
        let admitted = candidate.similarity.is_some_and(|similarity| passes(similarity, question.threshold));
        (candidate.allowed && (words[index] > 0.0 || admitted)).then(|| ScoreParts {
            words: words[index] / scales.words,
            speaker: if spoken[index] { WEIGHTS.speaker } else { 0.0 },
            similarity: if admitted { WEIGHTS.similarity * scales.similarity(candidate) } else { 0.0 },
            substance: WEIGHTS.substance * candidate.length.ln_1p() / scales.substance,
            importance: WEIGHTS.importance * f64::from(candidate.importance - 1) / 9.0,
            statement: if candidate.asks { 0.0 } else { WEIGHTS.statement },
            recency: recency(candidate.created_at, question.now, &WEIGHTS),
        })
    };
    (0..candidates.len()).map(part).collect()
}

/// Exponential decay; what lies in the future is new.
fn recency(created_at: f64, now: f64, weights: &Weights) -> f64 {
    let days = ((now - created_at) / 86_400.0).max(0.0);
    weights.recency * (-days / weights.half_life_days).exp2()
}

/// Which memories were said by somebody whom the question names.
fn speakers(corpus: &Corpus) -> Vec<bool> {
    let mut spoken = vec![false; corpus.candidates().len()];
    for hit in corpus.terms().iter().flatten().filter(|hit| hit.names_speaker) {
        spoken[hit.candidate] = true;
    }
    spoken
}

/// What makes the parts of one question comparable.
struct Scales {
    words: f64,
    substance: f64,
    least_similar: f64,
    most_similar: f64,
}

impl Scales {
    fn of(candidates: &[Candidate], words: &[f64]) -> Self {
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
        let allowed = candidates.iter().zip(words).filter(|(candidate, _)| candidate.allowed);
        let similarities = || candidates.iter().filter_map(|candidate| candidate.similarity);
        Self {
            words: positive(most(&mut allowed.map(|(_, words)| *words))),
            substance: positive(most(&mut candidates.iter().map(|candidate| candidate.length.ln_1p()))),
            least_similar: -most(&mut similarities().map(|similarity| -similarity)),
            most_similar: most(&mut similarities()),
        }
    }

    /// From 0 for the least similar to 1 for the most similar.
    fn similarity(&self, candidate: &Candidate) -> f64 {
        let range = self.most_similar - self.least_similar;
        match candidate.similarity {
            Some(similarity) if range > 0.0 => (similarity - self.least_similar) / range,
            Some(_) => 1.0,
            None => 0.0,
        }
    }
}

/// A divisor that leaves nothing as nothing.
fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 1.0 }
}
