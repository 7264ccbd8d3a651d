//! Finding drift: both sides are read in id order, page by page, and compared; what looks different is read again after
//! a pause and kept only if it repeats and is not owed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Result;
use crate::model::{Inconsistency, Issue, NodeVersion};
use crate::store::graph::{GraphStore, NodeRange};
use crate::store::postgres::{Postgres, Target};

const PAGE: usize = 2000;
/// A write in flight is in one store for a moment before it is in the other.
const SETTLE: Duration = Duration::from_millis(250);

/// A check's result.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Memories of either side that were compared.
    pub compared: u64,
    pub differences: Vec<Difference>,
}

/// One memory with what each side holds of it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub issue: Issue,
    pub memory_id: Uuid,
    pub state: Option<NodeVersion>,
    pub node: Option<NodeVersion>,
}

/// Compares all memories (of a user). `limit` bounds the differences returned, never what is compared.
pub async fn check(
    postgres: &Arc<Postgres>,
    graph: &dyn GraphStore,
    target: &Target,
    user_id: Option<&str>,
    limit: Option<usize>,
    cancel: &CancellationToken,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut suspects = Vec::new();
    let mut after = None;
    while !cancel.is_cancelled() {
        let page = compare_page(postgres, graph, user_id, after).await?;
        checked.compared += page.compared;
        suspects.extend(page.suspects);
        match page.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    if !suspects.is_empty() {
        sleep(SETTLE).await;
        checked.differences = confirm(postgres, graph, target, &suspects).await?;
    }
    if let Some(limit) = limit {
        checked.differences.truncate(limit);
    }
    Ok(checked)
}

/// The differences among these memories that are not owed.
pub async fn confirm(
    postgres: &Arc<Postgres>,
    graph: &dyn GraphStore,
    target: &Target,
    ids: &[Uuid],
) -> Result<Vec<Difference>> {
    let mut confirmed = Vec::new();
    for ids in ids.chunks(PAGE) {
        // The graph first: a write that lands in between makes it look behind, and is then owed or already paid.
        let nodes = graph.get_nodes(ids).await?;
        let owed: HashSet<Uuid> = postgres.owed_among(&target.target, ids).await?.into_iter().collect();
        let states = postgres.get_states(ids).await?;
        confirmed.extend(differences(states, nodes).into_iter().filter(|d| !owed.contains(&d.memory_id)));
    }
    Ok(confirmed)
}

struct Page {
    compared: u64,
    suspects: Vec<Uuid>,
    /// Where the next page begins; none after the last.
    last: Option<Uuid>,
}

async fn compare_page(
    postgres: &Arc<Postgres>,
    graph: &dyn GraphStore,
    user_id: Option<&str>,
    after: Option<Uuid>,
) -> Result<Page> {
    let range = NodeRange { user_id: user_id.map(str::to_owned), after, up_to: None };
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let mut states = postgres.list_states(&range, limit).await?;
    let mut nodes = graph.list_nodes(&range, PAGE).await?;
    // Compare up to where both sides are known; beyond it the fuller one was cut off by the page.
    let ends = [(&states, PAGE), (&nodes, PAGE)];
    let last = ends
        .iter()
        .filter(|(rows, page)| rows.len() >= *page)
        .filter_map(|(rows, _)| rows.last())
        .map(|row| row.memory_id)
        .min();
    if let Some(last) = last {
        states.retain(|row| row.memory_id <= last);
        nodes.retain(|row| row.memory_id <= last);
    }
    let ids: HashSet<Uuid> =
        states.iter().chain(&nodes).filter(|row| !row.deleted).map(|row| row.memory_id).collect();
    let suspects = differences(states, nodes).into_iter().map(|difference| difference.memory_id).collect();
    Ok(Page { compared: u64::try_from(ids.len()).unwrap_or_default(), suspects, last })
}

fn differences(states: Vec<NodeVersion>, nodes: Vec<NodeVersion>) -> Vec<Difference> {
    let mut pairs: BTreeMap<Uuid, (Option<NodeVersion>, Option<NodeVersion>)> = BTreeMap::new();
    for state in states {
        let id = state.memory_id;
        pairs.entry(id).or_default().0 = Some(state);
    }
    for node in nodes {
        let id = node.memory_id;
        pairs.entry(id).or_default().1 = Some(node);
    }
    let found = pairs.into_iter().filter_map(|(memory_id, (state, node))| {
        judge(state.as_ref(), node.as_ref()).map(|issue| Difference { issue, memory_id, state, node })
    });
    found.collect()
}

/// What is wrong between a state and a node. A detached memory's node is nobody's business.
fn judge(state: Option<&NodeVersion>, node: Option<&NodeVersion>) -> Option<Issue> {
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

impl From<&Difference> for Inconsistency {
    fn from(difference: &Difference) -> Self {
        let details = match (difference.issue, &difference.state, &difference.node) {
            (Issue::MissingInGraph, _, None) => "the memory has no node in the graph".to_owned(),
            (Issue::MissingInGraph, ..) => "the memory is live, but its node is a tombstone".to_owned(),
            (Issue::MissingInVector, None, _) => "the node belongs to no memory".to_owned(),
            (Issue::MissingInVector, ..) => "the memory is deleted, but its node is not".to_owned(),
            (Issue::MetadataMismatch, Some(state), Some(node)) if state.version != node.version => format!(
                "the memory is at revision {}, its node at {}",
                state.version.revision, node.version.revision
            ),
            (Issue::MetadataMismatch, ..) => {
                "the node has the memory's revision, but other properties".to_owned()
            }
        };
        Self { memory_id: difference.memory_id, issue: difference.issue, details, detected_at: Utc::now() }
    }
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
