//! BM25 over memories, and BM25F over memories with their neighbours.

use super::corpus::{Corpus, Hit, Term};
use super::weights::Weights;

/// What a place of the conversation counts, by its distance from the memory.
type Window = Vec<(isize, f64)>;

/// Each memory by its own words alone: Okapi BM25.
pub fn plain(corpus: &Corpus, weights: &Weights) -> Vec<f64> {
    scores(corpus, weights, &vec![(0, 1.0)])
}

/// Each memory by its words and those around it, neighbours counting less the farther they are.
pub fn in_context(corpus: &Corpus, weights: &Weights) -> Vec<f64> {
    let mut window: Window = vec![(0, 1.0)];
    let (mut before, mut after) = (1.0, 1.0);
    for distance in (1..).take(weights.reach) {
        before *= weights.before;
        after *= weights.after;
        window.extend([(-distance, before), (distance, after)]);
    }
    scores(corpus, weights, &window)
}

/// Which memories have every word of the question's dates; none where it has no date.
pub fn with_all_dates(corpus: &Corpus) -> Vec<bool> {
    let mut hits = vec![0; corpus.candidates().len()];
    let dates = || corpus.terms().iter().filter(|term| term.is_date);
    for hit in dates().flat_map(|term| &term.hits) {
        hits[hit.candidate] += 1;
    }
    let all = dates().count();
    hits.into_iter().map(|hits| all > 0 && hits == all).collect()
}

fn scores(corpus: &Corpus, weights: &Weights, window: &Window) -> Vec<f64> {
    let norms = length_norms(corpus, weights, window);
    let mut scores = vec![0.0; norms.len()];
    let mut frequencies = vec![0.0; norms.len()];
    // Dates last: they add to memories that have something else of the question.
    let (dates, words): (Vec<&Term>, Vec<&Term>) = corpus.terms().iter().partition(|term| term.is_date);
    for term in words.into_iter().chain(dates) {
        frequencies.fill(0.0);
        for hit in &term.hits {
            spread(corpus, hit, window, &mut frequencies);
        }
        let idf = corpus.weight(term) * inverse_document_frequency(term.hits.len(), norms.len());
        for ((score, frequency), norm) in scores.iter_mut().zip(&frequencies).zip(&norms) {
            if !term.is_date || *score > 0.0 {
                *score += idf * frequency * (weights.k1 + 1.0) / (frequency + weights.k1 * norm);
            }
        }
    }
    scores
}

/// Adds a hit to the memories in whose window it lies.
fn spread(corpus: &Corpus, hit: &Hit, window: &Window, frequencies: &mut [f64]) {
    for (offset, weight) in window {
        if let Some(center) = corpus.neighbour(hit.candidate, -offset) {
            frequencies[center] += weight * hit.frequency;
        }
    }
}

/// `1 - b + b * length / mean length`, where a length is that of the whole window.
fn length_norms(corpus: &Corpus, weights: &Weights, window: &Window) -> Vec<f64> {
    let candidates = corpus.candidates();
    let length = |index| {
        let part = |&(offset, weight): &(isize, f64)| {
            corpus.neighbour(index, offset).map_or(0.0, |other| weight * candidates[other].length)
        };
        window.iter().map(part).sum::<f64>()
    };
    let lengths: Vec<f64> = (0..candidates.len()).map(length).collect();
    let mean = (lengths.iter().sum::<f64>() / count(lengths.len())).max(1.0);
    lengths.into_iter().map(|length| 1.0 - weights.b + weights.b * length / mean).collect()
}

/// Never negative: a word of more than half of the memories still counts a little.
fn inverse_document_frequency(holders: usize, documents: usize) -> f64 {
    let (holders, documents) = (count(holders), count(documents));
    (1.0 + (documents - holders + 0.5) / (holders + 0.5)).ln()
}

#[expect(clippy::cast_precision_loss, reason = "no user has 2^53 memories")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}
