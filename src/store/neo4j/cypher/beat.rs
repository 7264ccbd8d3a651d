//! The beat with its horizon, and the tombstones that the horizon lets go.

use std::sync::LazyLock;

use super::foreign::edges_of_others;

pub const READ_BEAT: &str = "\
MATCH (b:IzzieBeat {key: 'beat'})
RETURN b.storeId AS storeId, b.epoch AS epoch, b.highWater AS highWater, b.nonce AS nonce,
  b.horizonEpoch AS horizonEpoch, b.horizonRevision AS horizonRevision";

/// Raises the horizon to `$horizonEpoch`, `$horizonRevision`, never lowers it.
macro_rules! raise_horizon {
    () => {
        "\
FOREACH (_ IN CASE WHEN b.horizonEpoch > $horizonEpoch
    OR (b.horizonEpoch = $horizonEpoch AND b.horizonRevision >= $horizonRevision) THEN [] ELSE [1] END |
  SET b.horizonEpoch = $horizonEpoch, b.horizonRevision = $horizonRevision)
RETURN b.key AS key"
    };
}

macro_rules! set_beat {
    () => {
        concat!(
            "SET b.storeId = $storeId, b.epoch = $epoch, b.highWater = $highWater, b.nonce = $nonce\n",
            raise_horizon!()
        )
    };
}

/// The first beat. A racer that comes second finds the other's nonce.
pub const FIRST_BEAT: &str = concat!(
    "\
MERGE (b:IzzieBeat {key: 'beat'})
SET b._lock = true REMOVE b._lock
WITH b WHERE b.nonce IS NULL OR b.nonce = $nonce
",
    set_beat!()
);

/// `b.nonce = $nonce`: this very swap was made already and its answer got lost.
pub const NEXT_BEAT: &str = concat!(
    "\
MATCH (b:IzzieBeat {key: 'beat'})
SET b._lock = true REMOVE b._lock
WITH b WHERE b.nonce = $expected OR b.nonce = $nonce
",
    set_beat!()
);

pub const RAISE_HORIZON: &str = concat!(
    "\
MATCH (b:IzzieBeat {key: 'beat'})
SET b._lock = true REMOVE b._lock
WITH b
",
    raise_horizon!()
);

/// Tombstones not above the horizon; what became anything else before it was locked stays.
pub static COLLECT_TOMBSTONES: LazyLock<String> = LazyLock::new(|| {
    let foreign = edges_of_others("other IN batch");
    format!(
        "\
UNWIND $keys AS key
MATCH (n:IzzieMemory {{key: key}})
SET n._lock = true REMOVE n._lock
WITH n WHERE n.deleted = true AND n.detached = false
  AND (n.epoch < $horizonEpoch OR (n.epoch = $horizonEpoch AND n.revision <= $horizonRevision))
WITH collect(n) AS batch
UNWIND batch AS n
WITH n, {foreign} AS foreign
DETACH DELETE n
RETURN count(*) AS gone, coalesce(sum(foreign), 0) AS foreign"
    )
});
