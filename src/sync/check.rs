//! Finding drift: both sides are compared bucket by bucket through counts and sums; only buckets that differ are listed,
//! and what looks different there is read again after a pause and kept only if it repeats and is not owed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::sleep;
use uuid::Uuid;

use crate::error::Result;
use crate::model::{Inconsistency, Issue, NodeVersion};
use crate::store::graph::{BucketDigest, GraphStore};
use crate::store::postgres::{Postgres, Target};

/// Memories listed at once, on either side.
const GROUP: i64 = 20_000;
/// Ids of one question.
const PAGE: usize = 2000;
/// A write in flight is in one store for a moment before it is in the other.
const SETTLE: Duration = Duration::from_millis(250);

/// One memory with what each side holds of it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub issue: Issue,
    pub memory_id: Uuid,
    pub state: Option<NodeVersion>,
    pub node: Option<NodeVersion>,
}

/// A check under way: its differences come group by group, so that they need not be held all at once.
pub struct Check<'a> {
    postgres: &'a Arc<Postgres>,
    graph: &'a dyn GraphStore,
    target: &'a Target,
    user_id: Option<&'a str>,
    groups: VecDeque<Vec<i32>>,
    /// Memories of either side that are compared.
    pub compared: u64,
    /// Memories that differ, but are owed.
    pub owed: u64,
}

impl<'a> Check<'a> {
    /// Compares the buckets of all memories (of a user).
    pub async fn begin(
        postgres: &'a Arc<Postgres>,
        graph: &'a dyn GraphStore,
        target: &'a Target,
        user_id: Option<&'a str>,
    ) -> Result<Self> {
        let (states, nodes) = tokio::try_join!(postgres.digests(user_id), graph.digests(user_id))?;
        let buckets = Buckets::of(&states, &nodes);
        Ok(Self {
            postgres,
            graph,
            target,
            user_id,
            compared: buckets.compared,
            groups: buckets.grouped(),
            owed: 0,
        })
    }

    /// The confirmed differences of the next group of buckets; none after the last group.
    pub async fn next(&mut self) -> Result<Option<Vec<Difference>>> {
        let Some(group) = self.groups.pop_front() else { return Ok(None) };
        // The graph first: a write that lands in between makes it look behind, and is then owed or already paid.
        let nodes = self.graph.list_buckets(self.user_id, &group).await?;
        let states = self.postgres.list_buckets(self.user_id, &group).await?;
        let suspects: Vec<Uuid> =
            differences(states, nodes).into_iter().map(|difference| difference.memory_id).collect();
        if suspects.is_empty() {
            return Ok(Some(Vec::new()));
        }
        sleep(SETTLE).await;
        let Confirmed { differences, owed } =
            confirm(self.postgres, self.graph, self.target, &suspects).await?;
        self.owed += owed;
        Ok(Some(differences))
    }
}

/// The buckets that differ, with the rows that have to be listed for each.
struct Buckets {
    compared: u64,
    differing: Vec<(i32, i64)>,
}

impl Buckets {
    fn of(states: &[BucketDigest], nodes: &[BucketDigest]) -> Self {
        let mut sides: BTreeMap<i32, [Option<&BucketDigest>; 2]> = BTreeMap::new();
        for (side, digests) in [states, nodes].into_iter().enumerate() {
            for digest in digests {
                sides.entry(digest.bucket).or_default()[side] = Some(digest);
            }
        }
        let rows = |sides: &[Option<&BucketDigest>; 2]| {
            sides.iter().flatten().map(|digest| digest.count).max().unwrap_or_default()
        };
        Self {
            compared: u64::try_from(sides.values().map(rows).sum::<i64>()).unwrap_or_default(),
            differing: sides
                .iter()
                .filter(|(_, sides)| sides[0] != sides[1])
                .map(|(bucket, sides)| (*bucket, rows(sides)))
                .collect(),
        }
    }

    fn grouped(self) -> VecDeque<Vec<i32>> {
        let mut groups: VecDeque<Vec<i32>> = VecDeque::new();
        let mut room = 0;
        for (bucket, rows) in self.differing {
            match groups.back_mut() {
                Some(group) if rows <= room => {
                    group.push(bucket);
                    room -= rows;
                }
                _ => {
                    groups.push_back(vec![bucket]);
                    room = GROUP - rows;
                }
            }
        }
        groups
    }
}

/// What a second look found.
#[derive(Debug, Default)]
pub struct Confirmed {
    pub differences: Vec<Difference>,
    /// Memories that differ, but are owed.
    pub owed: u64,
}

/// The differences among these memories that are not owed.
pub async fn confirm(
    postgres: &Arc<Postgres>,
    graph: &dyn GraphStore,
    target: &Target,
    ids: &[Uuid],
) -> Result<Confirmed> {
    let mut confirmed = Confirmed::default();
    for ids in ids.chunks(PAGE) {
        let nodes = graph.get_nodes(ids).await?;
        let owed: HashSet<Uuid> = postgres.owed_among(&target.target, ids).await?.into_iter().collect();
        let states = postgres.get_states(ids).await?;
        let (waiting, found): (Vec<_>, Vec<_>) = differences(states, nodes)
            .into_iter()
            .partition(|difference| owed.contains(&difference.memory_id));
        confirmed.owed += u64::try_from(waiting.len()).unwrap_or_default();
        confirmed.differences.extend(found);
    }
    Ok(confirmed)
}

fn differences(states: Vec<NodeVersion>, nodes: Vec<NodeVersion>) -> Vec<Difference> {
    let mut nodes: HashMap<Uuid, NodeVersion> =
        nodes.into_iter().map(|node| (node.memory_id, node)).collect();
    let mut found = Vec::new();
    for state in states {
        let node = nodes.remove(&state.memory_id);
        if let Some(issue) = judge(Some(&state), node.as_ref()) {
            found.push(Difference { issue, memory_id: state.memory_id, state: Some(state), node });
        }
    }
    for (memory_id, node) in nodes {
        if let Some(issue) = judge(None, Some(&node)) {
            found.push(Difference { issue, memory_id, state: None, node: Some(node) });
        }
    }
    found.sort_unstable_by_key(|difference| difference.memory_id);
    found
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
