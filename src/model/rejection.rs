use serde::{Deserialize, Serialize};

/// Most rejections of one list that a memory keeps.
const KEPT: usize = 50;

/// An entity or a relationship that was left out of a memory, since it could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Its place in the list that was given.
    pub index: usize,
    /// The beginning of its type, where that is a text.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<String>,
    /// The beginning of its value, where that is a text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    pub reason: String,
}

/// What was left out of a memory's entities and relationships. The SQL function `izzie_memory.rejected_entities` gives the
/// same for rows of other code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Rejection>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relationships: Vec<Rejection>,
}

impl Rejected {
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.relationships.is_empty()
    }

    /// What a memory keeps of it; `None` where nothing was left out.
    pub fn kept(&self) -> Option<Self> {
        let kept = Self { entities: bounded(&self.entities), relationships: bounded(&self.relationships) };
        (!kept.is_empty()).then_some(kept)
    }
}

fn bounded(all: &[Rejection]) -> Vec<Rejection> {
    let mut kept: Vec<Rejection> = all.iter().take(KEPT).cloned().collect();
    if let Some(next) = all.get(KEPT) {
        let reason = format!("and {} more", all.len() - KEPT);
        kept.push(Rejection { index: next.index, kind: None, value: None, reason });
    }
    kept
}
