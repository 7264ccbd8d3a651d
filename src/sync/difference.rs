//! What a check finds: one memory with what each side holds of it.

use chrono::Utc;
use uuid::Uuid;

use super::deep::{Deviation, Field};
use crate::model::{Inconsistency, Issue, NodeVersion};

#[derive(Debug, Clone)]
pub struct Difference {
    pub issue: Issue,
    pub memory_id: Uuid,
    pub state: Option<NodeVersion>,
    pub node: Option<NodeVersion>,
    /// Where both have one version: what was found to differ when the node was read back.
    pub deviation: Deviation,
    /// A node that got lost may have left relationships: they can be found once its mentions are back.
    pub remains: bool,
}

impl Difference {
    /// Somebody edited the graph; anything else is lag.
    pub fn conflict(&self) -> bool {
        match self.issue {
            Issue::MissingInGraph => false,
            Issue::MissingInVector => self.state.is_none(),
            Issue::MetadataMismatch => !self.deviation.fields.is_empty(),
        }
    }

    /// Mending it once may not be enough.
    pub fn thorough(&self) -> bool {
        self.remains || !self.deviation.is_none()
    }

    /// The memory's own node is as it should be; an entity that it mentions is not.
    pub fn only_entities(&self) -> bool {
        self.deviation.fields.is_empty() && !self.deviation.entities.is_empty()
    }

    /// Whether this is about memories of that user (all, without one).
    pub fn belongs_to(&self, user_id: Option<&str>) -> bool {
        let owner = self.state.as_ref().or(self.node.as_ref()).map(|version| version.user_id.as_str());
        user_id.is_none() || owner == user_id
    }

    fn details(&self) -> String {
        match (self.issue, &self.state, &self.node) {
            (Issue::MissingInGraph, _, None) => "the memory has no node in the graph".to_owned(),
            (Issue::MissingInGraph, ..) => "the memory is live, but its node is a tombstone".to_owned(),
            (Issue::MissingInVector, None, _) => "the node belongs to no memory".to_owned(),
            (Issue::MissingInVector, ..) => "the memory is deleted, but its node is not".to_owned(),
            (Issue::MetadataMismatch, Some(state), Some(node)) if state.version != node.version => format!(
                "the memory is at revision {}, its node at {}",
                state.version.revision, node.version.revision
            ),
            (Issue::MetadataMismatch, ..) => {
                let fields: Vec<&str> = self.deviation.all_fields().into_iter().map(Field::name).collect();
                format!("the node has the memory's revision, but differs in {}", fields.join(", "))
            }
        }
    }
}

impl From<&Difference> for Inconsistency {
    fn from(difference: &Difference) -> Self {
        let fields = difference.deviation.all_fields();
        Self {
            memory_id: difference.memory_id,
            issue: difference.issue,
            details: difference.details(),
            detected_at: Utc::now(),
            conflict: difference.conflict(),
            fields: fields.into_iter().map(|field| field.name().to_owned()).collect(),
        }
    }
}

/// What is wrong between a state and a node. A detached memory's node is nobody's business.
pub fn judge(state: Option<&NodeVersion>, node: Option<&NodeVersion>) -> Option<Issue> {
    let alive = |row: &&NodeVersion| !row.deleted && !row.detached;
    match (state, node) {
        (Some(state), _) if state.detached => None,
        (Some(state), node) if !state.deleted => match node {
            None => Some(Issue::MissingInGraph),
            Some(node) if node.deleted || node.detached => Some(Issue::MissingInGraph),
            Some(node) if !same(state, node) => Some(Issue::MetadataMismatch),
            Some(_) => None,
        },
        (_, node) => node.filter(alive).map(|_| Issue::MissingInVector),
    }
}

fn same(state: &NodeVersion, node: &NodeVersion) -> bool {
    state.version == node.version
        && state.h1 == node.h1
        && state.h2 == node.h2
        && state.user_id == node.user_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Version;

    fn row(revision: i64, deleted: bool, detached: bool) -> NodeVersion {
        NodeVersion {
            memory_id: Uuid::from_u128(1),
            user_id: "u".into(),
            version: Version { epoch: 1, revision },
            h1: if deleted { 0 } else { 7 },
            h2: if deleted { 0 } else { 8 },
            deleted,
            detached,
        }
    }

    #[test]
    fn every_pair_of_sides_is_judged() {
        let live = row(5, false, false);
        let tombstone = row(6, true, false);
        assert_eq!(judge(Some(&live), Some(&live)), None);
        assert_eq!(judge(Some(&live), None), Some(Issue::MissingInGraph));
        assert_eq!(judge(Some(&live), Some(&row(4, true, false))), Some(Issue::MissingInGraph));
        assert_eq!(judge(Some(&live), Some(&row(4, false, false))), Some(Issue::MetadataMismatch));
        assert_eq!(judge(Some(&tombstone), Some(&live)), Some(Issue::MissingInVector));
        assert_eq!(judge(None, Some(&live)), Some(Issue::MissingInVector));
        assert_eq!(judge(Some(&tombstone), None), None);
        assert_eq!(judge(Some(&tombstone), Some(&tombstone)), None);
        assert_eq!(judge(None, Some(&tombstone)), None);
        assert_eq!(judge(Some(&row(6, true, true)), Some(&live)), None, "detached is not drift");
        let other = NodeVersion { h1: 9, ..live.clone() };
        assert_eq!(judge(Some(&live), Some(&other)), Some(Issue::MetadataMismatch));
    }
}
