//! Finding drift: both sides are compared bucket by bucket through counts and sums; only buckets that differ are listed,
//! or in which the graph has fewer edges than its nodes say, and what looks different there is looked at again after a pause and kept only if it repeats and is not owed.
//! A deep check lists all buckets and reads every node back.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::confirm::{Confirmed, PAGE, Sides, confirm, deviating};
use super::difference::{Difference, judge};
use super::faults::EntityFaults;
use super::job::{Job, Meter};
use super::paged;
use super::seat::Proven;
use crate::error::Result;
use crate::model::{NodeVersion, bucket};
use crate::store::graph::{BucketDigest, GraphStore};
use crate::store::postgres::Target;

/// Memories listed at once, on either side.
const GROUP: u64 = 20_000;
/// A write in flight is in one store for a moment before it is in the other.
const SETTLE: Duration = Duration::from_millis(250);

/// What to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckScope<'a> {
    pub user_id: Option<&'a str>,
    /// Read every node back instead of believing its digest.
    pub deep: bool,
}

/// A check under way: its differences come group by group, so that they need not be held all at once.
pub struct Check<'a> {
    job: Job<'a>,
    sides: Sides<'a>,
    scope: CheckScope<'a>,
    groups: VecDeque<Group>,
    faults: Option<EntityFaults>,
    meter: Option<Meter>,
    /// Memories of either side that are compared.
    pub compared: u64,
    /// Memories that differ, but are owed or being written.
    pub owed: u64,
    /// Edges of other programs at nodes of ours, once a deep check is through.
    pub foreign_edges: u64,
}

impl<'a> Check<'a> {
    /// Compares the buckets of all memories (of a user).
    pub async fn begin(job: Job<'a>, sides: Sides<'a>, scope: CheckScope<'a>) -> Result<Self> {
        let digests = Digests::read(job, sides.graph, scope.user_id).await?;
        Ok(Self::of(job, sides, scope, &digests))
    }

    /// As [`Check::begin`], of digests that were read already.
    pub fn of(job: Job<'a>, sides: Sides<'a>, scope: CheckScope<'a>, digests: &Digests) -> Self {
        let buckets = Buckets::of(digests);
        let compared = buckets.rows();
        let groups = buckets.grouped(scope.deep);
        let meter = job.meter(compared);
        meter.advance(compared - groups.iter().map(|group| group.rows).sum::<u64>());
        Self {
            job,
            sides,
            scope,
            groups,
            faults: scope.deep.then(EntityFaults::default),
            meter: Some(meter),
            compared,
            owed: 0,
            foreign_edges: 0,
        }
    }

    /// The confirmed differences of the next group of buckets; none after the last group, or once the call was
    /// aborted.
    pub async fn next(&mut self) -> Result<Option<Vec<Difference>>> {
        if self.job.cancelled() {
            return Ok(None);
        }
        if let Some(group) = self.groups.pop_front() {
            return self.look_at(group).await.map(Some);
        }
        if let Some(faults) = self.faults.take() {
            self.foreign_edges = self.sides.graph.foreign_edges(self.scope.user_id).await?;
            return self.settle_faults(faults).await.map(Some);
        }
        if let Some(meter) = self.meter.take() {
            meter.finish();
        }
        Ok(None)
    }

    async fn look_at(&mut self, group: Group) -> Result<Vec<Difference>> {
        // The graph first: a write that lands in between makes it look behind, and is then owed or already paid.
        let nodes = self.sides.graph.list_buckets(self.scope.user_id, &group.buckets).await?;
        let states = self.sides.postgres.list_buckets(self.scope.user_id, &group.buckets).await?;
        let Listing { mut suspects, equal } = Listing::of(states, nodes);
        let torn = self.torn(&group).await?;
        if self.scope.deep {
            suspects.extend(self.read_back(&equal).await?);
        } else {
            suspects.extend(equal.iter().filter(|id| torn.contains(id)));
        }
        self.advance(group.rows.saturating_sub(if self.scope.deep { rows(equal.len()) } else { 0 }));
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        fail::fail_point!("before_second_look");
        sleep(SETTLE).await;
        let Confirmed { differences, owed } = confirm(self.sides, &suspects).await?;
        self.owed += owed;
        // A node that says to be in another bucket than its memory is suspect in both.
        let ours = |difference: &Difference| {
            difference.belongs_to(self.scope.user_id)
                && (difference.state.is_none() || group.buckets.contains(&bucket(difference.memory_id)))
        };
        let differences = differences.into_iter().filter(ours).collect();
        Ok(match &mut self.faults {
            Some(faults) => faults.set_aside(differences),
            // What is wrong with an entity is the deep check's, unless it is gone.
            None => {
                let ordinary = |difference: &Difference| {
                    !difference.only_entities() || torn.contains(&difference.memory_id)
                };
                differences.into_iter().filter(ordinary).collect()
            }
        })
    }

    /// The memories of a group from which other code took mentions or relationships; a deep check finds them anyway.
    async fn torn(&self, group: &Group) -> Result<HashSet<Uuid>> {
        if self.scope.deep || group.torn.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.sides.graph.torn(self.scope.user_id, &group.torn).await?.into_iter().collect())
    }

    async fn read_back(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let mut suspects = Vec::new();
        for page in ids.chunks(PAGE) {
            if self.job.cancelled() {
                break;
            }
            suspects.extend(deviating(self.sides, page).await?);
            self.advance(rows(page.len()));
        }
        Ok(suspects)
    }

    /// Once all memories were seen: entities that are still wrong for a reason of their own.
    async fn settle_faults(&mut self, faults: EntityFaults) -> Result<Vec<Difference>> {
        let confirmed = confirm(self.sides, &faults.suspects()).await?;
        self.owed += confirmed.owed;
        Ok(faults.attribute(confirmed.differences))
    }

    fn advance(&self, by: u64) {
        if let Some(meter) = &self.meter {
            meter.advance(by);
        }
    }
}

fn rows(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The listed memories of some buckets.
struct Listing {
    suspects: Vec<Uuid>,
    /// Live on both sides, equal by version and digest.
    equal: Vec<Uuid>,
}

impl Listing {
    fn of(states: Vec<NodeVersion>, nodes: Vec<NodeVersion>) -> Self {
        let mut nodes: HashMap<Uuid, NodeVersion> =
            nodes.into_iter().map(|node| (node.memory_id, node)).collect();
        let mut listing = Self { suspects: Vec::new(), equal: Vec::new() };
        for state in states {
            let node = nodes.remove(&state.memory_id);
            match judge(Some(&state), node.as_ref()) {
                Some(_) => listing.suspects.push(state.memory_id),
                None => listing.equal.push(state.memory_id),
            }
        }
        listing.suspects.extend(nodes.into_keys());
        listing
    }
}

/// Buckets that are listed together.
struct Group {
    buckets: Vec<i32>,
    /// Those of them in which something is gone.
    torn: Vec<i32>,
    rows: u64,
}

/// What both sides answer of all memories (of a user), bucket by bucket.
pub struct Digests {
    states: Vec<BucketDigest>,
    nodes: Vec<BucketDigest>,
    /// Buckets in which the graph lacks mentions or relationships that its own nodes speak of.
    torn: Vec<i32>,
}

impl Digests {
    async fn read(job: Job<'_>, graph: &dyn GraphStore, user_id: Option<&str>) -> Result<Self> {
        let (states, nodes, torn) = tokio::try_join!(
            job.postgres.digests(user_id),
            graph.digests(user_id),
            graph.torn_buckets(user_id)
        )?;
        Ok(Self { states, nodes, torn })
    }
}

/// [`Seat::ours_now`](super::seat::Seat::ours_now) and the digests, asked for at the same time: reading a graph that turns
/// out to be another database's harms nobody.
pub async fn ours_with_digests<'a>(
    job: Job<'a>,
    user_id: Option<&str>,
) -> Result<(&'a Arc<dyn GraphStore>, Target, Digests)> {
    let graph = job.seat.configured_graph()?;
    let (proven, digests) = tokio::join!(job.seat.proven_now(), Digests::read(job, graph.as_ref(), user_id));
    let Proven { target, unfinished } = proven?;
    if !unfinished {
        return Ok((graph, target, digests?));
    }
    paged::finish(job.postgres, graph.as_ref(), &target).await?;
    let digests = Digests::read(job, graph.as_ref(), user_id).await?;
    Ok((graph, target, digests))
}

/// Both sides' digests by bucket.
struct Buckets<'a> {
    sides: BTreeMap<i32, [Option<&'a BucketDigest>; 2]>,
    torn: HashSet<i32>,
}

impl<'a> Buckets<'a> {
    fn of(digests: &'a Digests) -> Self {
        let mut sides: BTreeMap<i32, [Option<&BucketDigest>; 2]> = BTreeMap::new();
        for (side, digests) in [&digests.states, &digests.nodes].into_iter().enumerate() {
            for digest in digests {
                sides.entry(digest.bucket).or_default()[side] = Some(digest);
            }
        }
        Self { sides, torn: digests.torn.iter().copied().collect() }
    }

    fn rows(&self) -> u64 {
        self.sides.values().map(rows_of).sum()
    }

    /// The buckets that differ, or all of them, in groups of bounded size.
    fn grouped(&self, all: bool) -> VecDeque<Group> {
        let mut groups: VecDeque<Group> = VecDeque::new();
        let differs = |(bucket, sides): &(&i32, &[Option<&BucketDigest>; 2])| {
            all || sides[0] != sides[1] || self.torn.contains(bucket)
        };
        for (bucket, sides) in self.sides.iter().filter(differs) {
            let rows = rows_of(sides);
            if groups.back().is_none_or(|group| group.rows + rows > GROUP) {
                groups.push_back(Group { buckets: Vec::new(), torn: Vec::new(), rows: 0 });
            }
            if let Some(group) = groups.back_mut() {
                group.buckets.push(*bucket);
                group.torn.extend(self.torn.get(bucket));
                group.rows += rows;
            }
        }
        groups
    }
}

fn rows_of(sides: &[Option<&BucketDigest>; 2]) -> u64 {
    let count = sides.iter().flatten().map(|digest| digest.count).max().unwrap_or_default();
    u64::try_from(count).unwrap_or_default()
}
