//! What a memory is made of, as callers, extractors and edited graphs give it, and the checks it passes before a byte
//! reaches a store. Every refusal names the field, the value's kind and the limit.

mod fields;
mod graph;
mod lenient;
pub(crate) mod moment;
mod stored;
mod strict;

pub use fields::{ID_BYTES, content, created_at, importance, metadata, summary, user_id};
pub(crate) use fields::{date, name, text};
pub use graph::{EntityInput, GraphInput, GraphReader, RelationshipInput, graph_input, join};
pub use stored::{storable_json, storable_text};
