//! Which memories answer a question: pure functions from what the store reads of a user to an order of the memories.

mod corpus;
mod frequency;
mod rank;
mod weights;
mod words;

pub use corpus::{Candidate, Corpus, Hit};
pub use frequency::frequency_of_rank;
pub use rank::{Question, Ranked, SearchMode, rank};
pub use weights::{WEIGHTS, Weights};
