//! Whether memories have the mentions and relationships that their nodes say to have: what other code removes shows in no
//! property of theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::answers::{MemoryHeld, MentionsHeld, RelationshipsHeld};
use super::{Neo4jGraph, cypher, numbers, scoped};
use crate::error::Result;

impl Neo4jGraph {
    pub(super) async fn buckets_torn(&self, user_id: Option<&str>) -> Result<Vec<i32>> {
        let mentions = scoped("the counts of mentions", cypher::MENTIONS_HELD.of(user_id), user_id);
        let relationships =
            scoped("the counts of relationships", cypher::RELATIONSHIPS_HELD.of(user_id), user_id);
        let (mentions, relationships): (Vec<MentionsHeld>, Vec<RelationshipsHeld<i64>>) =
            tokio::try_join!(self.ask(mentions), self.ask(relationships))?;
        let mut there: BTreeMap<i64, i64> =
            relationships.into_iter().map(|held| (held.of, held.relationships)).collect();
        let mut torn = BTreeSet::new();
        for held in mentions {
            // A bucket of another type is none of ours; its nodes are missing elsewhere.
            let Some(bucket) = held.bucket.whole() else { continue };
            let there = there.remove(&bucket).unwrap_or_default();
            if held.torn > 0 || held.relationships.whole() != Some(there) {
                torn.insert(bucket);
            }
        }
        torn.extend(there.into_keys());
        Ok(torn.into_iter().filter_map(|bucket| i32::try_from(bucket).ok()).collect())
    }

    pub(super) async fn memories_torn(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<Uuid>> {
        let mentions = scoped("the counts of mentions", cypher::MENTIONS_HELD_IN.of(user_id), user_id);
        let relationships =
            scoped("the counts of relationships", cypher::RELATIONSHIPS_HELD_IN.of(user_id), user_id);
        let (memories, relationships): (Vec<MemoryHeld>, Vec<RelationshipsHeld<String>>) = tokio::try_join!(
            self.ask(mentions.param("buckets", numbers(buckets))),
            self.ask(relationships.param("buckets", numbers(buckets)))
        )?;
        let mut there: HashMap<String, i64> =
            relationships.into_iter().map(|held| (held.of, held.relationships)).collect();
        let mut torn = BTreeSet::new();
        for held in memories {
            let there = there.remove(&held.key).unwrap_or_default();
            if held.torn || held.relationships.whole() != Some(there) {
                torn.insert(held.key);
            }
        }
        torn.extend(there.into_keys());
        Ok(torn.iter().filter_map(|key| Uuid::parse_str(key).ok()).collect())
    }
}
