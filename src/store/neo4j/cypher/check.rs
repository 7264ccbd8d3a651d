//! What the graph holds, read for comparison with Postgres. Anybody may have edited a node: a value of another type
//! must look different, not break the statement.

use std::sync::LazyLock;

use super::{ByScope, relationship_types};

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

/// A live node by the index `izzie_memory_edges`, with the mentions that it has.
fn counted(user: &str, buckets: &str) -> String {
    format!(
        "\
MATCH (n:IzzieMemory)
WHERE n.deleted = false AND n.detached = false AND n.userId {user} AND n.bucket {buckets}
  AND n.mentions IS NOT NULL AND n.relationships IS NOT NULL
WITH n, n.bucket AS bucket, n.mentions AS mentions, n.relationships AS relationships,
  COUNT {{ (n)<-[:MENTIONED_IN]-(:IzzieEntity) }} AS held"
    )
}

/// By bucket: how many memories have not as many mentions as they say, and how many relationships all of them say to
/// state. A memory that does not say (a node of others) is left to the digests.
pub static MENTIONS_HELD: LazyLock<ByScope> = LazyLock::new(|| {
    let text = |user: &str| {
        format!(
            "{}\nRETURN bucket, sum(CASE WHEN mentions = held THEN 0 ELSE 1 END) AS torn, \
             sum(CASE WHEN relationships >= 0 THEN relationships ELSE 1 END) AS relationships",
            counted(user, ">= 0")
        )
    };
    ByScope { user: text("= $userId"), all: text("IS NOT NULL") }
});

/// The relationships of live memories: those of memories that are kept after their deletion have no bucket, those of
/// others no memory.
fn relationships_held(user: &str, buckets: &str) -> String {
    let types = relationship_types();
    format!(
        "\
MATCH (a:IzzieEntity) WHERE {user}a.key > ''
WITH a
MATCH (a)-[r:{types}]->(:IzzieEntity) WHERE r.bucket {buckets} AND r.memoryId IS NOT NULL"
    )
}

pub static RELATIONSHIPS_HELD: LazyLock<ByScope> = LazyLock::new(|| {
    let text = |user: &str| {
        format!("{}\nRETURN r.bucket AS bucket, count(*) AS relationships", relationships_held(user, ">= 0"))
    };
    ByScope { user: text("a.userId = $userId AND "), all: text("") }
});

/// The live memories of these buckets that have not as many mentions as they say, or say to state relationships.
pub static MENTIONS_HELD_IN: LazyLock<ByScope> = LazyLock::new(|| {
    let text = |user: &str| {
        format!(
            "{}\nWITH n, relationships, NOT coalesce(mentions = held, false) AS torn
WHERE torn OR NOT coalesce(relationships = 0, false)
RETURN n.key AS key, torn, CASE WHEN relationships >= 0 THEN relationships ELSE -1 END AS relationships",
            counted(user, "IN $buckets")
        )
    };
    ByScope { user: text("= $userId"), all: text("IS NOT NULL") }
});

pub static RELATIONSHIPS_HELD_IN: LazyLock<ByScope> = LazyLock::new(|| {
    let text = |user: &str| {
        format!(
            "{}\nRETURN r.memoryId AS key, count(*) AS relationships",
            relationships_held(user, "IN $buckets")
        )
    };
    ByScope { user: text("a.userId = $userId AND "), all: text("") }
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
