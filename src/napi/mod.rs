//! The JavaScript boundary, the only folder that knows napi: JSON text in, JSON text out, errors as envelopes.

mod callbacks;
mod calls;
mod error;
mod layer;

use napi_derive::napi;
use serde_json::json;

use crate::config::{Limits, PersistenceConfig};
use crate::error::CATALOGUE;
use crate::model::{EntityType, RelationshipType};

/// Defaults, limits, the error catalogue and the closed sets, so that the facade repeats none of them.
#[napi(catch_unwind)]
pub fn constants() -> String {
    let catalogue: Vec<_> = CATALOGUE
        .iter()
        .map(|(_, reason, retryable, meaning)| json!({ "reason": reason, "retryable": retryable, "meaning": meaning }))
        .collect();
    json!({
        "defaults": PersistenceConfig::default(),
        "limits": Limits::default(),
        "errorCatalogue": catalogue,
        "entityTypes": EntityType::ALL,
        "relationshipTypes": RelationshipType::ALL,
    })
    .to_string()
}
