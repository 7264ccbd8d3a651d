//! The second look at memories that seem to differ.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::deep::{Deviation, compare};
use super::difference::{Difference, judge};
use crate::error::Result;
use crate::model::{HeldMemory, Issue, NodeVersion, Projection};
use crate::store::graph::GraphStore;
use crate::store::postgres::{DebtState, Postgres, Target};

/// Memories read back at once: their contents are held twice meanwhile.
pub(super) const PAGE: usize = 200;

/// The two stores that are compared.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    pub postgres: &'a Arc<Postgres>,
    pub graph: &'a dyn GraphStore,
    pub target: &'a Target,
}

/// What a second look found.
#[derive(Debug, Default)]
pub struct Confirmed {
    /// Sorted by id.
    pub differences: Vec<Difference>,
    /// Memories that differ, but are owed or being written.
    pub owed: u64,
}

/// The differences among these memories that are not owed. Nodes of the right version are read back.
pub async fn confirm(sides: Sides<'_>, ids: &[Uuid]) -> Result<Confirmed> {
    let mut confirmed = Confirmed::default();
    for ids in ids.chunks(PAGE) {
        let page = Page::read(sides, ids).await?;
        for id in ids {
            match page.look_at(*id) {
                Found::Nothing => {}
                Found::Unsettled => confirmed.owed += 1,
                Found::Difference(difference) => confirmed.differences.push(*difference),
            }
        }
    }
    confirmed.differences.sort_unstable_by_key(|difference| difference.memory_id);
    Ok(confirmed)
}

enum Found {
    Nothing,
    /// It is owed, or was written while it was looked at.
    Unsettled,
    Difference(Box<Difference>),
}

/// What both sides hold of some memories. Postgres is read before the graph and after it: what was not owed before, and
/// is at the same version after, the graph must have held in between.
struct Page {
    /// Owed before, or at another version after.
    unsettled: HashSet<Uuid>,
    nodes: HashMap<Uuid, NodeVersion>,
    held: HashMap<Uuid, HeldMemory>,
    states: HashMap<Uuid, NodeVersion>,
    wanted: HashMap<Uuid, Projection>,
    with_row: bool,
}

impl Page {
    async fn read(sides: Sides<'_>, ids: &[Uuid]) -> Result<Self> {
        let (wanted, owed) = tokio::try_join!(
            sides.postgres.projections(ids),
            sides.postgres.owed_among(&sides.target.target, ids, DebtState::Pending)
        )?;
        let wanted = by_id(wanted, |wanted| wanted.memory_id);
        let nodes = sides.graph.get_nodes(ids).await?;
        let there: Vec<Uuid> = nodes.iter().map(|node| node.memory_id).collect();
        let held = sides.graph.read_back(&there).await?;
        let states = by_id(sides.postgres.get_states(ids).await?, |state| state.memory_id);
        let mut unsettled: HashSet<Uuid> = owed.into_iter().collect();
        unsettled.extend(ids.iter().filter(|id| {
            wanted.get(id).map(|wanted| wanted.version) != states.get(id).map(|state| state.version)
        }));
        Ok(Self {
            unsettled,
            nodes: by_id(nodes, |node| node.memory_id),
            held: by_id(held, |held| held.memory_id),
            states,
            wanted,
            with_row: !sides.graph.shares_database(),
        })
    }

    fn look_at(&self, id: Uuid) -> Found {
        match self.judged(id) {
            Found::Difference(_) if self.unsettled.contains(&id) => Found::Unsettled,
            found => found,
        }
    }

    fn judged(&self, id: Uuid) -> Found {
        let (state, node) = (self.states.get(&id), self.nodes.get(&id));
        let issue = judge(state, node);
        let deviation = match (state, node) {
            (Some(state), Some(node))
                if state.version == node.version
                    && !(state.deleted || state.detached || node.deleted || node.detached) =>
            {
                match self.deviation(state) {
                    Some(deviation) if deviation.is_none() => return Found::Nothing,
                    Some(deviation) => deviation,
                    None => return Found::Unsettled,
                }
            }
            _ => Deviation::default(),
        };
        self.difference(id, issue, deviation)
    }

    fn difference(&self, id: Uuid, issue: Option<Issue>, mut deviation: Deviation) -> Found {
        let (state, node) = (self.states.get(&id), self.nodes.get(&id));
        let lost = self.wanted.get(&id).filter(|_| issue == Some(Issue::MissingInGraph));
        deviation.misplaced.extend(lost.into_iter().flat_map(|wanted| wanted.mentions().into_keys()));
        let issue = if deviation.is_none() { issue } else { Some(Issue::MetadataMismatch) };
        let Some(issue) = issue else { return Found::Nothing };
        let difference = Difference {
            issue,
            memory_id: id,
            state: state.cloned(),
            node: node.cloned(),
            deviation,
            remains: lost.is_some_and(|wanted| !wanted.relationships.is_empty()),
        };
        Found::Difference(Box::new(difference))
    }

    /// None where the two were not read at the state's version.
    fn deviation(&self, state: &NodeVersion) -> Option<Deviation> {
        let wanted = self.wanted.get(&state.memory_id)?;
        let held = self.held.get(&state.memory_id)?;
        let settled =
            wanted.version == state.version && held.version.is_none_or(|version| version == state.version);
        settled.then(|| compare(wanted, held, self.with_row))
    }
}

pub(super) fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> HashMap<Uuid, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// Which of these memories, equal by version, seem to deviate from what is read back. They need a second look.
pub(super) async fn deviating(sides: Sides<'_>, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let held = sides.graph.read_back(ids).await?;
    let wanted = by_id(sides.postgres.projections(ids).await?, |wanted| wanted.memory_id);
    let held = by_id(held, |held| held.memory_id);
    let with_row = !sides.graph.shares_database();
    let equal = |id: &Uuid| match (wanted.get(id), held.get(id)) {
        (Some(wanted), Some(held)) => {
            held.version == Some(wanted.version) && compare(wanted, held, with_row).is_none()
        }
        _ => false,
    };
    Ok(ids.iter().copied().filter(|id| !equal(id)).collect())
}
