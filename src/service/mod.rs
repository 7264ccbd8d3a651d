//! What the three exported objects do: parse, validate, write, read, sync.

mod batch;
mod census;
mod check_many;
mod conflicts;
mod dispatch;
mod draft;
mod export;
mod fill;
mod graph;
mod graph_write;
mod health;
mod inspect;
mod layer;
mod lifecycle;
mod memory;
mod metrics;
mod migration;
mod models;
mod queue;
pub mod request;
mod retrieve;
mod search;
mod stats;
mod sync;
mod validate;

pub use layer::Layer;
pub use models::{http_embedder, llm_extractor};
