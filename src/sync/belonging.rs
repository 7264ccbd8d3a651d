//! Whom a graph belongs to, read from its beat without writing one.

use serde::Serialize;

use crate::error::Result;
use crate::store::graph::GraphStore;
use crate::store::postgres::{Postgres, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Belonging {
    Ours,
    /// Nobody has written to it yet.
    Unclaimed,
    /// This database has written to it, and nothing of that is there.
    Wiped,
    /// It has seen later writes than the database knows of: the database was restored to the past.
    Ahead,
    /// Another database, a branch of this one or a restored copy writes to it.
    Foreign,
}

/// As `beat::beat` would judge, at one look: while instances beat at the same moment, the next look may say otherwise.
pub(super) async fn look(
    postgres: &Postgres,
    graph: &dyn GraphStore,
    registered: Option<&Target>,
) -> Result<Belonging> {
    if graph.shares_database() {
        return Ok(Belonging::Ours);
    }
    let Some(held) = graph.read_beat().await? else {
        let wrote = registered.is_some_and(|target| target.nonce.is_some());
        return Ok(if wrote { Belonging::Wiped } else { Belonging::Unclaimed });
    };
    let Some(target) = registered.filter(|target| target.store_id == held.store_id) else {
        return Ok(Belonging::Foreign);
    };
    let lineage = postgres.lineage().await?;
    if held.epoch > lineage.epoch || held.high_water > lineage.high_water {
        return Ok(Belonging::Ahead);
    }
    let known = [target.nonce, target.next_nonce].contains(&Some(held.nonce))
        || postgres.knows_nonce(&target.target, held.nonce).await?;
    Ok(if known { Belonging::Ours } else { Belonging::Foreign })
}
