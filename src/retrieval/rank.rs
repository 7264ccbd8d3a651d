//! From the features of a user's memories to one order of them.

use serde::Deserialize;
use uuid::Uuid;

use super::corpus::{Candidate, Corpus};
use super::time::{Period, closeness, within};
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
#[derive(Debug, Clone)]
pub struct Question {
    pub mode: SearchMode,
    /// Least cosine: in `Vector` of a result, in `Hybrid` of what similarity alone makes a result.
    pub threshold: Option<f64>,
    /// Seconds since 1970.
    pub now: f64,
    /// When it asks about; empty for any time.
    pub periods: Vec<Period>,
    /// It asks for nothing but these times.
    pub only_time: bool,
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
        SearchMode::Text | SearchMode::Hybrid if question.only_time => by_time(corpus, question),
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

/// What names the dates of the question, and what was made then; the newest first, as among all equals.
fn by_time(corpus: &Corpus, question: &Question) -> Vec<Option<ScoreParts>> {
    // Nothing names what is open to one side ("before May"): the words are those of its edge.
    let is_named = question.periods.iter().all(|period| !period.is_open());
    let names_all = if is_named { words::with_all_dates(corpus) } else { Vec::new() };
    let part = |(index, candidate): (usize, &Candidate)| {
        let is_named = names_all.get(index) == Some(&true);
        let is_then = within(&question.periods, candidate.created_at);
        (candidate.allowed && (is_named || is_then)).then(|| ScoreParts {
            words: if is_named { 1.0 } else { 0.0 },
            time: if is_then { WEIGHTS.time } else { 0.0 },
            ..ScoreParts::default()
        })
    };
    corpus.candidates().iter().enumerate().map(part).collect()
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
    let named = rarest_names(corpus);
    let part = |index: usize| {
        let candidate = &candidates[index];
        let admitted = candidate.similarity.is_some_and(|similarity| passes(similarity, question.threshold));
        let found = words[index] > 0.0 || named[index] > 0.0 || admitted;
        (candidate.allowed && found).then(|| ScoreParts {
            words: words[index] / scales.words,
            speaker: if spoken[index] { WEIGHTS.speaker } else { 0.0 },
            similarity: if admitted { WEIGHTS.similarity * scales.similarity(candidate) } else { 0.0 },
            entities: WEIGHTS.entities * named[index],
            time: WEIGHTS.time * closeness(&question.periods, candidate.created_at),
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
    let asked = corpus.terms().iter().filter(|term| corpus.weight(term) >= 1.0);
    for hit in asked.flat_map(|term| &term.hits).filter(|hit| hit.names_speaker) {
        spoken[hit.candidate] = true;
    }
    spoken
}

/// How rare the rarest entity is that the question names and the memory mentions: 1 for one of a single memory, 0 for
/// one of all.
fn rarest_names(corpus: &Corpus) -> Vec<f64> {
    let mut rarest = vec![0.0; corpus.candidates().len()];
    let all = words::count(rarest.len()).ln_1p();
    for mentions in corpus.names() {
        let rarity = (1.0 - words::count(mentions.len().saturating_sub(1)).ln_1p() / all).max(0.0);
        for &index in mentions {
            rarest[index] = rarity.max(rarest[index]);
        }
    }
    rarest
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

#[cfg(test)]
mod tests {
    use super::super::corpus::{Hit, Term};
    use super::*;

    fn candidate(number: u128) -> Candidate {
        Candidate {
            id: Uuid::from_u128(number),
            conversation: Some(1),
            created_at: 0.0,
            arrival: i64::try_from(number).expect("a small number"),
            length: 4.0,
            asks: false,
            importance: 5,
            similarity: None,
            allowed: true,
        }
    }

    fn hit(candidate: usize) -> Hit {
        Hit { candidate, frequency: 1.0, names_speaker: false }
    }

    fn term(hits: Vec<Hit>) -> Term {
        Term { hits, ..Term::default() }
    }

    fn question(mode: SearchMode) -> Question {
        Question { mode, threshold: None, now: 0.0, periods: Vec::new(), only_time: false }
    }

    fn order(corpus: &Corpus, question: &Question) -> Vec<u128> {
        rank(corpus, question).iter().map(|result| result.id.as_u128()).collect()
    }

    #[test]
    fn context_reaches_as_far_as_it_says_and_fades() {
        let memories = || (0..12).map(candidate).collect::<Vec<_>>();
        let corpus = Corpus::new(memories(), vec![term(vec![hit(5)])], Vec::new());
        let found = order(&corpus, &question(SearchMode::Hybrid));
        assert_eq!(found[0], 5);
        let (first, last) = (5 - WEIGHTS.reach as u128, 5 + WEIGHTS.reach as u128);
        let mut reached = found.clone();
        reached.sort_unstable();
        assert_eq!(reached, (first..=last).collect::<Vec<_>>());
        // What follows a word is closer to it than what comes before.
        assert_eq!(found[1], 6);
        assert_eq!(order(&corpus, &question(SearchMode::Text)), [5]);
    }

    #[test]
    fn context_ends_with_the_conversation_and_needs_one() {
        let in_conversation = |number, conversation| Candidate { conversation, ..candidate(number) };
        let memories = vec![
            in_conversation(0, Some(1)),
            in_conversation(1, Some(2)),
            in_conversation(2, None),
            in_conversation(3, None),
        ];
        let corpus = Corpus::new(memories, vec![term(vec![hit(0), hit(2)])], Vec::new());
        let mut found = order(&corpus, &question(SearchMode::Hybrid));
        found.sort_unstable();
        assert_eq!(found, [0, 2]);
    }

    #[test]
    fn what_filters_keep_out_still_counts_for_context() {
        let mut memories: Vec<_> = (0..3).map(candidate).collect();
        memories[0].allowed = false;
        let corpus = Corpus::new(memories, vec![term(vec![hit(0)])], Vec::new());
        assert_eq!(order(&corpus, &question(SearchMode::Hybrid)), [1, 2]);
        assert_eq!(order(&corpus, &question(SearchMode::Text)), Vec::<u128>::new());
    }

    #[test]
    fn similarity_alone_makes_a_result_unless_below_the_threshold() {
        let similar = |number, similarity| Candidate { similarity, conversation: None, ..candidate(number) };
        let memories =
            vec![similar(0, Some(0.2)), similar(1, Some(0.9)), similar(2, None), similar(3, Some(0.5))];
        let corpus = Corpus::new(memories, vec![term(vec![hit(2)])], Vec::new());
        assert_eq!(order(&corpus, &question(SearchMode::Vector)), [1, 3, 0]);
        let strict = Question { threshold: Some(0.5), ..question(SearchMode::Hybrid) };
        let mut found = order(&corpus, &strict);
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3]);
        assert_eq!(order(&corpus, &question(SearchMode::Hybrid)).len(), 4);
    }

    #[test]
    fn rarer_names_count_more() {
        let memories: Vec<_> =
            (0..5).map(|number| Candidate { conversation: None, ..candidate(number) }).collect();
        let corpus = Corpus::new(memories, Vec::new(), vec![vec![0, 1, 2, 3, 4], vec![3]]);
        let ranked = rank(&corpus, &question(SearchMode::Hybrid));
        assert_eq!(ranked[0].id.as_u128(), 3);
        assert!((ranked[0].parts.entities - WEIGHTS.entities).abs() < 1e-12);
        assert!(ranked[1].parts.entities < WEIGHTS.entities / 2.0);
    }

    #[test]
    fn equals_are_ordered_by_date_and_id() {
        let at = |number, created_at| Candidate { conversation: None, created_at, ..candidate(number) };
        let memories = vec![at(3, 1.0), at(1, 1.0), at(2, 2.0)];
        let corpus = Corpus::new(memories, vec![term(vec![hit(0), hit(1), hit(2)])], Vec::new());
        assert_eq!(order(&corpus, &question(SearchMode::Text)), [2, 1, 3]);
    }

    #[test]
    fn nothing_gives_nothing() {
        for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Text] {
            assert_eq!(rank(&Corpus::default(), &question(mode)), []);
        }
    }

    #[test]
    fn no_score_is_other_than_a_number() {
        let one = Candidate { similarity: Some(1.0), length: 0.0, ..candidate(0) };
        for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Text] {
            let corpus =
                Corpus::new(vec![one.clone()], vec![term(vec![hit(0)]), Term::default()], vec![vec![0]]);
            assert!(rank(&corpus, &question(mode)).iter().all(|result| result.score.is_finite()), "{mode:?}");
        }
    }

    #[test]
    fn the_words_of_a_date_make_no_result_but_a_better_one() {
        let memories = vec![candidate(0), candidate(1), candidate(2)]
            .into_iter()
            .enumerate()
            .map(|(index, one)| Candidate { conversation: i64::try_from(index).ok(), ..one })
            .collect::<Vec<_>>();
        let date = Term { is_date: true, ..term(vec![hit(0), hit(1)]) };
        for mode in [SearchMode::Text, SearchMode::Hybrid] {
            let terms = vec![Term { is_date: true, ..term(date.hits.clone()) }, term(vec![hit(1), hit(2)])];
            let corpus = Corpus::new(memories.clone(), terms, Vec::new());
            assert_eq!(order(&corpus, &question(mode)), [1, 2]);
        }
    }

    #[test]
    fn the_question_counts_as_much_as_all_the_text_around_it() {
        let memories: Vec<_> = (0..20).map(candidate).collect();
        let memories: Vec<_> = memories
            .into_iter()
            .zip(0..)
            .map(|(one, place)| Candidate { conversation: Some(place), ..one })
            .collect();
        // Memory 1 has the word of the question, memory 2 half of all the others.
        let mut terms: Vec<_> = (0..10).map(|_| term(vec![hit(2)])).collect();
        terms.extend((0..10).map(|_| term(vec![hit(3)])));
        terms.push(Term { in_focus: true, ..term(vec![hit(1)]) });
        let corpus = Corpus::new(memories, terms, Vec::new());
        assert_eq!(order(&corpus, &question(SearchMode::Text))[0], 1);
    }
}
