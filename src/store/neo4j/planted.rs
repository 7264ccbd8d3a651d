//! Bugs on purpose, switched on as fail points (`return`): the suite has to fail on each.

use std::sync::atomic::{AtomicBool, Ordering};

use neo4rs::BoltType;

use super::exchange::Statement;

const HELD: &str = " ELSE [] END AS held\n";
/// Some work between looking and writing, or the race would be too rare to see.
const PAUSE: &str =
    "  WHERE reduce(n = 0, i IN range(1, 50000) | n + CASE fate WHEN 'refused' THEN 0 ELSE 1 END) >= 0\n";

/// The projecting statement with the bugs that are switched on.
///
/// `plant_no_memory_lock`: versions are compared without the memory's lock. `plant_unsorted_batch`: every second batch
/// takes its locks in the opposite order.
pub(super) fn statement(text: &str, batch: BoltType) -> Statement {
    static BACKWARDS: AtomicBool = AtomicBool::new(false);
    let (mut text, mut batch) = (text.to_owned(), batch);
    if on("plant_no_memory_lock") {
        text =
            text.replace("SET m._lock = true REMOVE m._lock\n", "").replace(HELD, &format!("{HELD}{PAUSE}"));
    }
    if on("plant_unsorted_batch") && BACKWARDS.fetch_not(Ordering::Relaxed) {
        text = text.replace("ORDER BY key", "ORDER BY key DESC");
        reverse_memories(&mut batch);
    }
    Statement::new(&text).param("batch", batch)
}

fn on(name: &str) -> bool {
    fail::eval(name, |_| ()).is_some()
}

fn reverse_memories(batch: &mut BoltType) {
    let BoltType::Map(map) = batch else { return };
    if let Some(BoltType::List(memories)) = map.value.get_mut("memories") {
        memories.value.reverse();
    }
}
