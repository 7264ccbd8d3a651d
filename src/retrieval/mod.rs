//! Which memories answer a question: pure functions from what the store reads of a user to an order of the memories.

mod content;
mod corpus;
mod focus;
mod frequency;
mod names;
mod rank;
mod time;
mod weights;
mod words;

pub use content::has_content;
pub use corpus::{Candidate, Corpus, Hit, Term};
pub use focus::focus;
pub use frequency::frequency_of_rank;
pub use names::possible_names;
pub use rank::{Question, Ranked, SearchMode, rank};
pub use time::{Period, Times};
pub use weights::{WEIGHTS, Weights};
