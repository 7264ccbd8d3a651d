//! Entities that are wrong themselves: each is found with every memory that mentions it, but is one fault, and often
//! only the echo of a memory whose mention was taken away or added.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::difference::Difference;

/// Faulty entities that are remembered at once; further ones wait for the next check.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct EntityFaults {
    /// A memory to mend each faulty entity through.
    suspects: HashMap<String, Uuid>,
    /// Entities that come right when the differences that were found are mended.
    explained: HashSet<String>,
}

impl EntityFaults {
    /// Keeps back what is wrong with entities only.
    pub fn set_aside(&mut self, differences: Vec<Difference>) -> Vec<Difference> {
        let (aside, found): (Vec<_>, Vec<_>) = differences.into_iter().partition(Difference::only_entities);
        for difference in &found {
            let deviation = &difference.deviation;
            self.explained.extend(deviation.misplaced.iter().cloned());
            self.explained.extend(deviation.entities.iter().map(|(key, _)| key.clone()));
        }
        for difference in aside {
            for (key, _) in difference.deviation.entities {
                if self.suspects.len() < MOST {
                    self.suspects.entry(key).or_insert(difference.memory_id);
                }
            }
        }
        found
    }

    /// The memories through which the faults that nothing else explains can be seen, sorted.
    pub fn suspects(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self
            .suspects
            .iter()
            .filter(|(key, _)| !self.explained.contains(*key))
            .map(|(_, memory_id)| *memory_id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Each fault once, with the first of these memories that shows it.
    pub fn attribute(mut self, differences: Vec<Difference>) -> Vec<Difference> {
        let mut attributed = Vec::new();
        for mut difference in differences {
            let only_entities = difference.only_entities();
            let entities = &mut difference.deviation.entities;
            entities.retain(|(key, _)| !self.explained.contains(key));
            self.explained.extend(entities.iter().map(|(key, _)| key.clone()));
            if !only_entities || !entities.is_empty() {
                attributed.push(difference);
            }
        }
        attributed
    }
}
