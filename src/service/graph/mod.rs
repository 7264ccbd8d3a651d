//! What a user's graph knows: entities, how they belong together, and the memories behind them. Only live memories
//! count; an entity that none mentions is not there.

mod live;
mod names;
mod path;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use self::live::Live;
use super::layer::Layer;
use super::queue::Page;
use super::request::{
    EntityArgs, EntityMemoriesArgs, EntityRef, PathArgs, RelatedEntitiesArgs, SearchEntitiesArgs,
    TopEntitiesArgs,
};
use super::validate;
use crate::error::{Error, Result};
use crate::model::{
    EntityStats, EntityType, GraphEntity, GraphPath, Label, Memory, RelatedEntity, Relation,
    RelationshipType, entity_key,
};
use crate::store::graph::GraphStore;
use crate::store::graph_queries::{EntityNode, MemoryPlace, NameSearch, RelatedNode};
use crate::store::postgres::Spelling;

const DEFAULT_ENTITIES: i64 = 20;
const DEFAULT_MEMORIES: i64 = 20;
const DEFAULT_DEPTH: usize = 4;
/// How many spellings beside the names themselves a search looks at.
const MOST_SPELLINGS: i64 = 500;

impl Layer {
    /// The database's own graph.
    async fn graph(&self) -> Result<&Arc<dyn GraphStore>> {
        self.stores.ready().await?;
        let (graph, _) = self.stores.seat.ours().await?;
        Ok(graph)
    }

    pub(super) async fn entity(&self, args: EntityArgs) -> Result<Option<GraphEntity>> {
        check_reference(&args.user_id, "entity", &args.entity)?;
        let graph = self.graph().await?.as_ref();
        let (live, node) = self.found(graph, &args.user_id, &args.entity).await?;
        Ok(node.and_then(|node| live.entity(node)))
    }

    pub(super) async fn search_entities(&self, args: SearchEntitiesArgs) -> Result<Vec<GraphEntity>> {
        let SearchEntitiesArgs { user_id, text, types, limit } = args;
        validate::user_id(&user_id)?;
        validate::entity_name("text", &text)?;
        let limit = entity_limit(limit)?;
        let types = different(types);
        let graph = self.graph().await?.as_ref();
        let searches = names::searches(&text, &types);
        let find = |limit| graph.search_entities(&user_id, &searches, &names::UNFOLDED, limit);
        let (live, mut nodes, unfolded, (spelled, spellings)) = tokio::try_join!(
            Live::of(graph, &user_id),
            find(limit),
            graph.unfolded_entities(&user_id, &types, &names::UNFOLDED),
            self.spelled(graph, &user_id, &searches)
        )?;
        if live.hidden() > 0 {
            nodes = find(limit + live.hidden()).await?;
        }
        nodes.extend(unfolded);
        nodes.extend(spelled);
        Ok(ranked(nodes, &searches, &spellings, &live, limit))
    }

    /// The entities that were spelled in such a way, beside their names, and those spellings by the entities' keys.
    async fn spelled(
        &self,
        graph: &dyn GraphStore,
        user_id: &str,
        searches: &[NameSearch],
    ) -> Result<(Vec<EntityNode>, HashMap<String, Vec<String>>)> {
        let labels: BTreeSet<Label> = searches.iter().map(|search| search.kind.label()).collect();
        let texts: BTreeSet<&String> = searches.iter().flat_map(|search| &search.texts).collect();
        let (labels, texts): (Vec<_>, Vec<_>) =
            (labels.into_iter().collect(), texts.into_iter().cloned().collect());
        let found = self.stores.postgres.spelled_like(user_id, &labels, &texts, MOST_SPELLINGS).await?;
        let mut spellings: HashMap<String, Vec<String>> = HashMap::new();
        for Spelling { label, name, known_as } in found {
            if let Some(label) = labels.iter().find(|known| known.name() == label) {
                spellings.entry(entity_key(user_id, *label, &known_as)).or_default().push(name);
            }
        }
        if spellings.is_empty() {
            return Ok((Vec::new(), spellings));
        }
        let keys: Vec<String> = spellings.keys().cloned().collect();
        Ok((graph.entities(user_id, &keys).await?, spellings))
    }

    pub(super) async fn top_entities(&self, args: TopEntitiesArgs) -> Result<Vec<GraphEntity>> {
        let TopEntitiesArgs { user_id, types, limit } = args;
        validate::user_id(&user_id)?;
        let limit = entity_limit(limit)?;
        let types = different(types);
        let graph = self.graph().await?.as_ref();
        let read = |limit| graph.top_entities(&user_id, &types, limit);
        let (live, mut nodes) = tokio::try_join!(Live::of(graph, &user_id), read(limit))?;
        if live.hidden() > 0 {
            nodes = read(limit + live.hidden()).await?;
        }
        let mut entities: Vec<_> = nodes.into_iter().filter_map(|node| live.entity(node)).collect();
        entities.sort_by(by_frequency);
        entities.truncate(limit);
        Ok(entities)
    }

    /// Stated relationships first, then co-occurrences.
    pub(super) async fn related_entities(&self, args: RelatedEntitiesArgs) -> Result<Vec<RelatedEntity>> {
        check_reference(&args.user_id, "entity", &args.entity)?;
        let (limit, user_id) = (entity_limit(args.limit)?, &args.user_id);
        let types = different(args.types);
        let (stated, co_occurs) = wanted_relations(args.relationship_types);
        let graph = self.graph().await?.as_ref();
        let (live, Some(node)) = self.found(graph, user_id, &args.entity).await? else {
            return Ok(Vec::new());
        };
        let mut related = Vec::new();
        if !stated.is_empty() {
            related = graph.stated_relations(user_id, &node.key, &types, &stated, limit).await?;
        }
        if co_occurs && related.len() < limit {
            let rest = limit - related.len();
            related.extend(graph.co_occurrences(user_id, &node.key, &types, rest).await?);
        }
        let end = |node: RelatedNode| {
            Some(RelatedEntity {
                entity: live.entity(node.entity)?,
                relationship: node.relation,
                direction: node.direction,
                weight: node.weight,
                confidence: node.confidence,
            })
        };
        Ok(related.into_iter().filter_map(end).collect())
    }

    /// The graph tells which and in what order, Postgres what they are. One that is gone there, which the graph does not
    /// know yet, is left out.
    pub(super) async fn memories_for_entity(&self, args: EntityMemoriesArgs) -> Result<Page<Memory>> {
        check_reference(&args.user_id, "entity", &args.entity)?;
        let limit = usize::try_from(validate::limit(args.limit, DEFAULT_MEMORIES)?).unwrap_or_default();
        let mut after = args.cursor.as_deref().map(parse_cursor).transpose()?;
        let graph = self.graph().await?.as_ref();
        let (_, Some(node)) = self.found(graph, &args.user_id, &args.entity).await? else {
            return Ok(Page::new(Vec::new(), None));
        };
        let mut memories = Vec::new();
        loop {
            let missing = limit - memories.len();
            let mut places = graph.memories_of(&args.user_id, &node.key, after, missing + 1).await?;
            let more = places.len() > missing;
            places.truncate(missing);
            after = places.last().copied();
            let ids: Vec<Uuid> = places.iter().map(|place| place.memory_id).collect();
            memories.extend(self.stores.postgres.get_many(&ids, Some(&args.user_id)).await?);
            if !more || memories.len() == limit {
                return Ok(Page::new(memories, after.filter(|_| more).map(cursor)));
            }
        }
    }

    pub(super) async fn path(&self, args: PathArgs) -> Result<Option<GraphPath>> {
        check_reference(&args.user_id, "from", &args.from)?;
        check_reference(&args.user_id, "to", &args.to)?;
        let max_depth = validate::max_depth(args.max_depth, DEFAULT_DEPTH)?;
        let graph = self.graph().await?.as_ref();
        let (live, from, to) = tokio::try_join!(
            Live::of(graph, &args.user_id),
            self.meant(graph, &args.user_id, &args.from),
            self.meant(graph, &args.user_id, &args.to)
        )?;
        let (Some(from), Some(to)) = (live.first(from), live.first(to)) else { return Ok(None) };
        path::find(graph, &args.user_id, (from, to), max_depth, &live).await
    }

    pub(super) async fn entity_stats(&self, user_id: &str) -> Result<EntityStats> {
        validate::user_id(user_id)?;
        let graph = self.graph().await?.as_ref();
        let (live, types, relationships) = tokio::try_join!(
            Live::of(graph, user_id),
            graph.type_counts(user_id),
            graph.relationship_counts(user_id)
        )?;
        let mut by_type: BTreeMap<_, _> = EntityType::ALL.iter().map(|kind| (kind.name(), 0)).collect();
        for count in &types {
            by_type.insert(count.kind.name(), count.entities - live.hidden_entirely(count.kind));
        }
        let mut by_relationship: BTreeMap<_, _> =
            RelationshipType::ALL.iter().map(|kind| (kind.name(), 0)).collect();
        by_relationship.extend(relationships.into_iter().map(|(kind, count)| (kind.name(), count)));
        Ok(EntityStats {
            total: by_type.values().sum(),
            by_type,
            mentions: types.iter().map(|count| count.mentions).sum::<i64>() - live.hidden_mentions(),
            relationships: by_relationship,
        })
    }

    /// The entities that a reference may mean, likeliest first: under its own names, then under those that the entities
    /// of these names are known by.
    async fn meant(
        &self,
        graph: &dyn GraphStore,
        user_id: &str,
        entity: &EntityRef,
    ) -> Result<Vec<EntityNode>> {
        let label = entity.kind.label();
        let mut names = names::names_of(entity);
        names.extend(self.stores.postgres.known_as(user_id, label, &names).await?);
        let mut keys: Vec<String> = Vec::with_capacity(names.len());
        for key in names.iter().map(|name| entity_key(user_id, label, name)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let mut nodes = graph.entities(user_id, &keys).await?;
        nodes.sort_by_key(|node| keys.iter().position(|key| *key == node.key));
        Ok(nodes)
    }

    /// The entity that a reference means, if a live memory mentions it.
    async fn found(
        &self,
        graph: &dyn GraphStore,
        user_id: &str,
        entity: &EntityRef,
    ) -> Result<(Live, Option<EntityNode>)> {
        let (live, nodes) = tokio::try_join!(Live::of(graph, user_id), self.meant(graph, user_id, entity))?;
        let node = live.first(nodes);
        Ok((live, node))
    }
}

fn check_reference(user_id: &str, field: &str, entity: &EntityRef) -> Result<()> {
    validate::user_id(user_id)?;
    validate::entity_name(&format!("{field}.value"), &entity.value)
}

fn entity_limit(limit: Option<i64>) -> Result<usize> {
    Ok(usize::try_from(validate::limit(limit, DEFAULT_ENTITIES)?).unwrap_or_default())
}

fn different(types: Option<Vec<EntityType>>) -> Vec<EntityType> {
    let Some(mut types) = types else { return EntityType::ALL.to_vec() };
    types.sort_unstable();
    types.dedup();
    types
}

/// The types of stated relationships, and whether co-occurrences are wanted too.
fn wanted_relations(wanted: Option<Vec<Relation>>) -> (Vec<RelationshipType>, bool) {
    let Some(wanted) = wanted else { return (RelationshipType::ALL.to_vec(), true) };
    let stated = wanted.iter().filter_map(|relation| match relation {
        Relation::Stated(kind) => Some(*kind),
        Relation::CoOccurs => None,
    });
    (stated.collect(), wanted.contains(&Relation::CoOccurs))
}

/// By rank, the best of any spelling, then frequency, name and type. An entity may have been found in several ways.
fn ranked(
    mut nodes: Vec<EntityNode>,
    searches: &[NameSearch],
    spellings: &HashMap<String, Vec<String>>,
    live: &Live,
    limit: usize,
) -> Vec<GraphEntity> {
    let searches: HashMap<EntityType, &NameSearch> =
        searches.iter().map(|search| (search.kind, search)).collect();
    nodes.sort_by(|one, other| one.key.cmp(&other.key));
    nodes.dedup_by(|one, other| one.key == other.key);
    let rank = |node: EntityNode| {
        let search = searches.get(&node.kind)?;
        let others = spellings.get(&node.key).into_iter().flatten();
        let rank = others.chain([&node.normalized]).filter_map(|name| names::rank(search, name)).min()?;
        Some((rank, live.entity(node)?))
    };
    let mut ranked: Vec<_> = nodes.into_iter().filter_map(rank).collect();
    ranked.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| by_frequency(one, other)));
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, entity)| entity).collect()
}

/// As the stores order.
fn by_frequency(a: &GraphEntity, b: &GraphEntity) -> std::cmp::Ordering {
    let ties = |entity: &GraphEntity| (entity.normalized.clone(), entity.kind.name());
    b.frequency.cmp(&a.frequency).then_with(|| ties(a).cmp(&ties(b)))
}

fn cursor(place: MemoryPlace) -> String {
    format!("{}/{}", place.at, place.memory_id)
}

fn parse_cursor(cursor: &str) -> Result<MemoryPlace> {
    cursor
        .split_once('/')
        .and_then(|(at, id)| Some(MemoryPlace { at: at.parse().ok()?, memory_id: Uuid::try_parse(id).ok()? }))
        .ok_or_else(|| Error::invalid("cursor", "the string is no cursor of this list"))
}
