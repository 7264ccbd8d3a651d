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
use crate::store::graph_queries::{EntityNode, GraphQueries, Neighbour, RelatedNode};

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
    (from, to): (EntityNode, EntityNode),
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
    fn at(end: EntityNode) -> Self {
        let EntityNode { normalized, kind, key, mentions, .. } = end;
        let met = HashSet::from([key.clone()]);
        let end = Neighbour { normalized, kind, key: key.clone(), mentions };
        Self { layers: vec![HashMap::from([(key, end)])], met }
    }

    fn depth(&self) -> usize {
        self.layers.len() - 1
    }

    fn frontier(&self) -> &Layer {
        &self.layers[self.depth()]
    }

    /// About how many mentions growing it has to look at.
    fn cost(&self) -> i64 {
        self.frontier().values().map(|entity| entity.mentions).sum()
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
    async fn path(
        &self,
        from: EntityNode,
        to: EntityNode,
        max_depth: usize,
        live: &Live,
    ) -> Result<Option<GraphPath>> {
        let first = from.key.clone();
        let Some((start, goal)) = self.meet(Side::at(from), Side::at(to), max_depth).await? else {
            return Ok(None);
        };
        let layers = self.between(start, goal).await?;
        let reached = self.first_of(&first, &layers).await?;
        self.described(&first, reached, live).await.map(Some)
    }

    /// Both sides, grown until their outermost layers meet. None: they do not within so many steps.
    async fn meet(&self, mut start: Side, mut goal: Side, max_depth: usize) -> Result<Option<(Side, Side)>> {
        while !start.meets(&goal) {
            if start.depth() + goal.depth() == max_depth {
                return Ok(None);
            }
            let cheaper = if start.cost() <= goal.cost() { &mut start } else { &mut goal };
            self.grow(cheaper).await?;
            if cheaper.frontier().is_empty() {
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

    async fn described(&self, from: &str, reached: Vec<Reached>, live: &Live) -> Result<GraphPath> {
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
        Ok(GraphPath { entities: entities.ok_or_else(changed)?, steps })
    }
}

fn too_many() -> Error {
    let problem = format!("the search for a path met more than {MOST_MET} entities");
    Error::graph(Reason::Timeout, problem).with("limit", MOST_MET)
}

fn changed() -> Error {
    Error::graph(Reason::Unavailable, "the graph was changed while a path was searched")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use async_trait::async_trait;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use uuid::Uuid;

    use super::*;
    use crate::store::graph_queries::{MemoryPlace, NameSearch, PartlyDetached, TypeCount};

    /// Entities are numbers, their names too; statements go from the first to the second.
    #[derive(Default)]
    struct Sketch {
        beside: BTreeMap<usize, BTreeSet<usize>>,
        stated: BTreeSet<(usize, usize)>,
    }

    impl Sketch {
        fn join(&mut self, a: usize, b: usize) {
            for (one, other) in [(a, b), (b, a)] {
                self.beside.entry(one).or_default().extend([one, other]);
            }
        }

        fn state(&mut self, a: usize, b: usize) {
            self.join(a, b);
            self.stated.insert((a, b));
        }

        fn is_stated(&self, a: usize, b: usize) -> bool {
            self.stated.contains(&(a, b)) || self.stated.contains(&(b, a))
        }

        /// Every way without loops of at most `left` more steps.
        fn ways(&self, way: &mut Vec<usize>, to: usize, left: usize, found: &mut Vec<Vec<usize>>) {
            let Some(&here) = way.last() else { return };
            if here == to {
                found.push(way.clone());
                return;
            }
            if left == 0 {
                return;
            }
            for &next in self.beside.get(&here).into_iter().flatten() {
                if !way.contains(&next) {
                    way.push(next);
                    self.ways(way, to, left - 1, found);
                    way.pop();
                }
            }
        }

        /// The shortest way that comes first, by looking at all.
        fn expected(&self, from: usize, to: usize, max_depth: usize) -> Option<Vec<usize>> {
            let mut found = Vec::new();
            self.ways(&mut vec![from], to, max_depth, &mut found);
            found.into_iter().min_by_key(|way| {
                let order: Vec<_> =
                    way.windows(2).map(|ends| (!self.is_stated(ends[0], ends[1]), name(ends[1]))).collect();
                (way.len(), order)
            })
        }

        async fn found(&self, from: usize, to: usize, max_depth: usize) -> Result<Option<Vec<usize>>> {
            let live = Live::of(self, "u").await?;
            let path = find(self, "u", (node(from), node(to)), max_depth, &live).await?;
            Ok(path.map(|path| path.entities.iter().map(|entity| number(&entity.name)).collect()))
        }
    }

    fn name(number: usize) -> String {
        format!("{number:06}")
    }

    fn number(name: &str) -> usize {
        name.parse().expect("a number")
    }

    fn node(number: usize) -> EntityNode {
        let name = name(number);
        let (key, normalized, kind) = (name.clone(), name.clone(), EntityType::Person);
        EntityNode { key, kind, name, normalized, mentions: 1, confidence: 1.0, first_seen: 0, last_seen: 0 }
    }

    const OTHER: &str = "a search for a path asks no such question";

    #[async_trait]
    impl GraphQueries for Sketch {
        async fn entities(&self, _: &str, keys: &[String]) -> Result<Vec<EntityNode>> {
            Ok(keys.iter().map(|key| node(number(key))).collect())
        }

        async fn partly_detached(&self, _: &str) -> Result<Vec<PartlyDetached>> {
            Ok(Vec::new())
        }

        async fn neighbours(&self, _: &str, keys: &[String], limit: usize) -> Result<Vec<Neighbour>> {
            let met: BTreeSet<usize> = keys
                .iter()
                .flat_map(|key| self.beside.get(&number(key)).into_iter().flatten().copied())
                .collect();
            let neighbour = |number| Neighbour {
                normalized: name(number),
                kind: EntityType::Person,
                key: name(number),
                mentions: 1,
            };
            Ok(met.into_iter().take(limit).map(neighbour).collect())
        }

        async fn stated_relations(
            &self,
            _: &str,
            key: &str,
            _: &[EntityType],
            _: &[RelationshipType],
            _: usize,
        ) -> Result<Vec<RelatedNode>> {
            let here = number(key);
            let relation = Relation::Stated(RelationshipType::Leads);
            let end = |other, direction| RelatedNode {
                entity: node(other),
                relation,
                direction,
                weight: 1,
                confidence: None,
            };
            let out =
                self.stated.iter().filter(|ends| ends.0 == here).map(|ends| end(ends.1, Direction::Out));
            let back =
                self.stated.iter().filter(|ends| ends.1 == here).map(|ends| end(ends.0, Direction::In));
            Ok(out.chain(back).collect())
        }

        async fn supporting_memories(
            &self,
            _: &str,
            (from, to): (&str, &str),
            relation: Relation,
            direction: Direction,
            _: usize,
        ) -> Result<Vec<Uuid>> {
            let (from, to) = (number(from), number(to));
            assert!(self.beside[&from].contains(&to), "every step is one");
            let expected = match (self.stated.contains(&(from, to)), self.stated.contains(&(to, from))) {
                (true, _) => Direction::Out,
                (false, true) => Direction::In,
                (false, false) => Direction::None,
            };
            assert_eq!((direction, relation == Relation::CoOccurs), (expected, expected == Direction::None));
            Ok(Vec::new())
        }

        async fn top_entities(&self, _: &str, _: &[EntityType], _: usize) -> Result<Vec<EntityNode>> {
            unreachable!("{OTHER}")
        }

        async fn search_entities(
            &self,
            _: &str,
            _: &[NameSearch],
            _: &str,
            _: usize,
        ) -> Result<Vec<EntityNode>> {
            unreachable!("{OTHER}")
        }

        async fn unfolded_entities(&self, _: &str, _: &[EntityType], _: &str) -> Result<Vec<EntityNode>> {
            unreachable!("{OTHER}")
        }

        async fn co_occurrences(
            &self,
            _: &str,
            _: &str,
            _: &[EntityType],
            _: usize,
        ) -> Result<Vec<RelatedNode>> {
            unreachable!("{OTHER}")
        }

        async fn memories_of(
            &self,
            _: &str,
            _: &str,
            _: Option<MemoryPlace>,
            _: usize,
        ) -> Result<Vec<MemoryPlace>> {
            unreachable!("{OTHER}")
        }

        async fn type_counts(&self, _: &str) -> Result<Vec<TypeCount>> {
            unreachable!("{OTHER}")
        }

        async fn relationship_counts(&self, _: &str) -> Result<Vec<(RelationshipType, i64)>> {
            unreachable!("{OTHER}")
        }
    }

    /// Sparse and dense graphs of a dozen entities, each asked for every pair and depth.
    #[tokio::test]
    async fn the_path_is_the_one_that_looking_at_all_finds() {
        const SIZE: usize = 12;
        let mut random = StdRng::seed_from_u64(7);
        let (mut with, mut without) = (0, 0);
        for edges in [8, 12, 16, 24].into_iter().cycle().take(40) {
            let mut sketch = Sketch::default();
            for _ in 0..edges {
                let (a, b) = (random.random_range(0..SIZE), random.random_range(0..SIZE));
                match random.random_range(0..4) {
                    _ if a == b => {}
                    0 => sketch.state(a, b),
                    _ => sketch.join(a, b),
                }
            }
            for (from, to) in (0..SIZE).flat_map(|from| (0..SIZE).map(move |to| (from, to))) {
                let max_depth = random.random_range(1..=6);
                let expected = sketch.expected(from, to, max_depth);
                if expected.is_some() {
                    with += 1
                } else {
                    without += 1
                }
                let found = sketch.found(from, to, max_depth).await.expect("searched");
                assert_eq!(found, expected, "{from} to {to} by {:?} and {:?}", sketch.beside, sketch.stated);
            }
        }
        assert!(with > 1000 && without > 1000, "{with} paths, {without} without one");
    }

    #[tokio::test]
    async fn a_search_that_meets_too_many_gives_up() {
        let mut sketch = Sketch::default();
        for other in 2..MOST_MET + 3 {
            sketch.join(0, other);
        }
        for n in 0..MOST_MET {
            sketch.join(1, MOST_MET + 10 + n);
        }
        let error = sketch.found(0, 1, 6).await.expect_err("too many");
        assert_eq!((error.reason, &error.details["limit"]), (Reason::Timeout, &MOST_MET.into()));
        // Whose own surroundings are small is found to be alone before that.
        sketch.join(999_998, 999_999);
        assert_eq!(sketch.found(999_998, 0, 6).await.expect("searched"), None);
    }
}
