//! What the graph holds, read for comparison with Postgres. Anybody may have edited a node: a value of another type
//! must look different, not break the statement.

use std::sync::LazyLock;

use super::ByScope;

/// A live node, by predicates on every property of the index `izzie_memory_live`, which lets the index answer alone.
pub fn live(user: &str) -> String {
    indexed("false", user)
}

/// A node kept of a memory that was deleted in Postgres.
pub fn detached(user: &str) -> String {
    indexed("true", user)
}

fn indexed(detached: &str, user: &str) -> String {
    format!(
        "n.deleted = false AND n.detached = {detached} AND n.userId {user} AND n.bucket >= 0 \
         AND n.h1 IS NOT NULL AND n.h2 IS NOT NULL AND n.epoch IS NOT NULL AND n.revision IS NOT NULL"
    )
}

fn live_by_scope(text: impl Fn(&str) -> String) -> ByScope {
    ByScope { user: text(&live("= $userId")), all: text(&live("IS NOT NULL")) }
}

pub static COUNT_LIVE: LazyLock<ByScope> = LazyLock::new(|| {
    live_by_scope(|live| format!("MATCH (n:IzzieMemory) WHERE {live}\nRETURN count(n) AS value"))
});

/// Sums of remainders, for a sum that overflows silently becomes a float. What is no number counts as -1, which no
/// remainder is; what is a float makes the sum one. Read from the index only in a clause of their own.
pub static DIGESTS: LazyLock<ByScope> = LazyLock::new(|| {
    let sum =
        |name: &str| format!("sum(CASE WHEN {name} >= 0 THEN {name} % 4294967296 ELSE -1 END) AS {name}");
    let sums = ["h1", "h2", "epochs", "revisions"].map(sum).join(", ");
    live_by_scope(|live| {
        format!(
            "\
MATCH (n:IzzieMemory) WHERE {live}
WITH n.bucket AS bucket, n.h1 AS h1, n.h2 AS h2, n.epoch AS epochs, n.revision AS revisions
RETURN bucket, count(*) AS count, {sums}"
        )
    })
});

/// Null, or `''`, for what is of another type: comparisons with those are null.
const NODE_VERSION: &str = "\
RETURN CASE WHEN n.key >= '' THEN n.key ELSE '' END AS key,
  CASE WHEN n.userId >= '' THEN n.userId ELSE '' END AS userId,
  CASE WHEN n.epoch >= 0 THEN n.epoch END AS epoch, CASE WHEN n.revision >= 0 THEN n.revision END AS revision,
  CASE WHEN n.h1 >= 0 THEN n.h1 END AS h1, CASE WHEN n.h2 >= 0 THEN n.h2 END AS h2,
  CASE WHEN n.bucket >= 0 THEN n.bucket END AS bucket,
  NOT coalesce(n.deleted = false, false) AS deleted, NOT coalesce(n.detached = false, false) AS detached";

/// One user's nodes are found by user, all users' by bucket.
pub static LIST_BUCKETS: LazyLock<ByScope> = LazyLock::new(|| {
    let user = live("= $userId");
    ByScope {
        user: format!("MATCH (n:IzzieMemory) WHERE {user} AND n.bucket IN $buckets\n{NODE_VERSION}"),
        all: format!(
            "\
MATCH (n:IzzieMemory) WHERE n.bucket IN $buckets AND n.deleted = false AND n.detached = false
{NODE_VERSION}"
        ),
    }
});

pub static GET_NODES: LazyLock<String> =
    LazyLock::new(|| format!("UNWIND $keys AS key MATCH (n:IzzieMemory {{key: key}})\n{NODE_VERSION}"));
