//! The shortest way between two entities, by breadth-first search from both ends.
//!
//! Two entities are one step apart when a live memory mentions both; a memory that states a relationship mentions both
//! of its ends, so relationships shorten nothing and only say more of a step. Of several shortest ways the first is
//! taken: step by step from the start, stated relationships before co-occurrences, then by name.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::timeout;

use super::live::Live;
use crate::error::{Error, Reason, Result};
use crate::model::{Direction, EntityType, GraphPath, PathStep, Relation, RelationshipType};
use crate::store::graph_queries::{GraphQueries, Neighbour, RelatedNode};

/// The time of a search.
const PATIENCE: Duration = Duration::from_secs(10);
/// Entities that a search meets before it gives up.
const MOST_MET: usize = 100_000;
/// Entities whose neighbours one statement asks for.
const KEYS_PER_STATEMENT: usize = 2000;
/// Memories named for a step.
const MEMORIES_PER_STEP: usize = 10;

/// A shortest path of at most `max_depth` steps between two entities that are there.
pub(super) async fn find<G: GraphQueries + ?Sized>(
    graph: &G,
    user_id: &str,
    (from, to): (&str, &str),
    max_depth: usize,
    live: &Live,
) -> Result<Option<GraphPath>> {
    let search = Search { graph, user_id };
    let answer = timeout(PATIENCE, search.path(from, to, max_depth, live)).await;
    answer.unwrap_or_else(|_| Err(Error::graph(Reason::Timeout, "the search for a path took too long")))
}

/// Entities at one distance, by key.
type Layer = HashMap<String, Neighbour>;

/// The entities met from one end, by distance.
struct Side {
    layers: Vec<Layer>,
    met: HashSet<String>,
}

impl Side {
    fn at(key: &str) -> Self {
        let end = Neighbour { normalized: String::new(), kind: EntityType::Person, key: key.to_owned() };
        Self { layers: vec![HashMap::from([(key.to_owned(), end)])], met: HashSet::from([key.to_owned()]) }
    }

    fn depth(&self) -> usize {
        self.layers.len() - 1
    }

    fn frontier(&self) -> &Layer {
        &self.layers[self.depth()]
    }

    fn meets(&self, other: &Self) -> bool {
        self.frontier().keys().any(|key| other.frontier().contains_key(key))
    }
}

struct Search<'a, G: ?Sized> {
    graph: &'a G,
    user_id: &'a str,
}

/// An entity's place on the path, and how it is reached.
struct Reached {
    key: String,
    relation: Relation,
    direction: Direction,
}

impl<G: GraphQueries + ?Sized> Search<'_, G> {
    async fn path(&self, from: &str, to: &str, max_depth: usize, live: &Live) -> Result<Option<GraphPath>> {
        let Some((start, goal)) = self.meet(from, to, max_depth).await? else { return Ok(None) };
        let layers = self.between(start, goal).await?;
        let reached = self.first_of(from, &layers).await?;
        self.described(from, reached, live).await
    }

    /// Both sides, grown until their outermost layers meet. None: they do not within so many steps.
    async fn meet(&self, from: &str, to: &str, max_depth: usize) -> Result<Option<(Side, Side)>> {
        let (mut start, mut goal) = (Side::at(from), Side::at(to));
        while !start.meets(&goal) {
            if start.depth() + goal.depth() == max_depth {
                return Ok(None);
            }
            let smaller =
                if start.frontier().len() <= goal.frontier().len() { &mut start } else { &mut goal };
            self.grow(smaller).await?;
            if smaller.frontier().is_empty() {
                return Ok(None);
            }
            if start.met.len() + goal.met.len() > MOST_MET {
                return Err(too_many());
            }
        }
        Ok(Some((start, goal)))
    }

    async fn grow(&self, side: &mut Side) -> Result<()> {
        let mut next = self.neighbours(side.frontier()).await?;
        next.retain(|key, _| side.met.insert(key.clone()));
        side.layers.push(next);
        Ok(())
    }

    /// Whatever is at most one step from any of these.
    async fn neighbours(&self, of: &Layer) -> Result<Layer> {
        self.beside(&of.keys().cloned().collect::<Vec<_>>()).await
    }

    async fn beside(&self, keys: &[String]) -> Result<Layer> {
        let mut all = Layer::new();
        for keys in keys.chunks(KEYS_PER_STATEMENT) {
            let met = self.graph.neighbours(self.user_id, keys, MOST_MET + 1).await?;
            all.extend(met.into_iter().map(|neighbour| (neighbour.key.clone(), neighbour)));
            if all.len() > MOST_MET {
                return Err(too_many());
            }
        }
        Ok(all)
    }

    /// The entities on shortest ways, by distance from the start, which itself is left out.
    async fn between(&self, mut start: Side, mut goal: Side) -> Result<Vec<Layer>> {
        let mut next = start.layers.pop().unwrap_or_default();
        next.retain(|key, _| goal.frontier().contains_key(key));
        let mut backwards = Vec::new();
        // All that the goal's side met leads to it; of what the start's side met, only what is beside such an entity.
        while let Some(mut layer) = start.layers.pop() {
            if !start.layers.is_empty() {
                let beside = self.neighbours(&next).await?;
                layer.retain(|key, _| beside.contains_key(key));
            }
            backwards.push(std::mem::replace(&mut next, layer));
        }
        backwards.reverse();
        goal.layers.pop();
        Ok(backwards.into_iter().chain(goal.layers.into_iter().rev()).collect())
    }

    /// The first of the shortest ways, without its start.
    async fn first_of(&self, from: &str, layers: &[Layer]) -> Result<Vec<Reached>> {
        let mut reached: Vec<Reached> = Vec::with_capacity(layers.len());
        for layer in layers {
            let here = reached.last().map_or(from, |last| &last.key);
            let next = self.next(here, layer).await?;
            reached.push(next);
        }
        Ok(reached)
    }

    /// The entity of the next layer that comes first, seen from one on a shortest way.
    async fn next(&self, here: &str, layer: &Layer) -> Result<Reached> {
        let stated = self.stated(here).await?;
        let first = match stated.iter().filter_map(|end| layer.get(&end.entity.key)).min() {
            Some(first) => first,
            // Whoever is on a shortest way has a successor, which can only be this one.
            None if layer.len() == 1 => layer.values().min().ok_or_else(changed)?,
            None => {
                let beside = self.beside(&[here.to_owned()]).await?;
                layer.values().filter(|next| beside.contains_key(&next.key)).min().ok_or_else(changed)?
            }
        };
        // The strongest comes first.
        let statement = stated.iter().find(|end| end.entity.key == first.key);
        let (relation, direction) =
            statement.map_or((Relation::CoOccurs, Direction::None), |end| (end.relation, end.direction));
        Ok(Reached { key: first.key.clone(), relation, direction })
    }

    async fn stated(&self, key: &str) -> Result<Vec<RelatedNode>> {
        self.graph
            .stated_relations(self.user_id, key, &EntityType::ALL, RelationshipType::ALL, MOST_MET)
            .await
    }

    async fn described(&self, from: &str, reached: Vec<Reached>, live: &Live) -> Result<Option<GraphPath>> {
        let keys: Vec<String> = std::iter::once(from)
            .chain(reached.iter().map(|one| one.key.as_str()))
            .map(str::to_owned)
            .collect();
        let nodes = self.graph.entities(self.user_id, &keys).await?;
        let mut known: HashMap<String, _> = nodes.into_iter().map(|node| (node.key.clone(), node)).collect();
        let entities: Option<Vec<_>> = keys.iter().map(|key| live.entity(known.remove(key)?)).collect();
        let mut steps = Vec::with_capacity(reached.len());
        for (place, Reached { relation, direction, .. }) in reached.into_iter().enumerate() {
            let ends = (keys[place].as_str(), keys[place + 1].as_str());
            let memory_ids = self
                .graph
                .supporting_memories(self.user_id, ends, relation, direction, MEMORIES_PER_STEP)
                .await?;
            steps.push(PathStep {
                from: place,
                to: place + 1,
                relationship: relation,
                direction,
                memory_ids,
            });
        }
        Ok(Some(GraphPath { entities: entities.ok_or_else(changed)?, steps }))
    }
}

fn too_many() -> Error {
    let problem = format!("the search for a path met more than {MOST_MET} entities");
    Error::graph(Reason::Timeout, problem).with("limit", MOST_MET)
}

fn changed() -> Error {
    Error::graph(Reason::Unavailable, "the graph was changed while a path was searched")
}
