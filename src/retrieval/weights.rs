//! Every number that retrieval weighs with. They were chosen on five conversations and lie on plateaus: neighbouring
//! values find about the same, and those chosen on four conversations find as much on the fifth.

/// How much of a word a neighbour adds to a memory, and how the parts of a fused score compare. The part of the words is
/// at most 1; each weight below is what its own part is at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Saturation and length normalisation of Okapi BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework:
    /// BM25 and Beyond", 2009), at the usual values.
    pub k1: f64,
    pub b: f64,
    /// A memory is read together with its neighbours of the conversation, as fields of one document (BM25F: Robertson,
    /// Zaragoza & Taylor, "Simple BM25 Extension to Multiple Weighted Fields", 2004). The weight of the memory that is
    /// `n` places before it is `before` to the power of `n`.
    pub before: f64,
    /// The same for the memories after it.
    pub after: f64,
    /// How many neighbours there are on each side.
    pub reach: usize,
    /// The question names who said it.
    pub speaker: f64,
    /// Cosine similarity of question and memory, between the least and the most similar memory of the user.
    pub similarity: f64,
    /// It mentions an entity that the question names, the more the rarer the entity is.
    pub entities: f64,
    /// It was made at a time that the question speaks of.
    pub time: f64,
    /// How much is said, as the logarithm of the number of words, compared with the longest memory: a greeting seldom
    /// answers anything.
    pub substance: f64,
    /// It does not end by asking something: a question seldom answers another.
    pub statement: f64,
    /// Importance, from 1 to 10.
    pub importance: f64,
    /// How new it is: half of it is left after `half_life_days`.
    pub recency: f64,
    pub half_life_days: f64,
}

pub const WEIGHTS: Weights = Weights {
    k1: 1.2,
    b: 0.75,
    before: 0.7,
    after: 0.5,
    reach: 4,
    speaker: 0.3,
    similarity: 0.5,
    entities: 0.1,
    time: 0.2,
    substance: 0.2,
    statement: 0.05,
    importance: 0.05,
    recency: 0.02,
    half_life_days: 30.0,
};
