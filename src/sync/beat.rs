//! The beat: how a graph knows its database and a database its graph.
//!
//! The database proposes a nonce, writes it to the graph by compare-and-set, then confirms it. Whatever stops in
//! between, the graph's nonce is the confirmed or the proposed one; any other means that a second database (a branch, a
//! restored copy) writes this graph. A graph whose high-water mark is above ours has seen writes that we have lost.

use uuid::Uuid;

use super::paged;
use super::seat::mismatch;
use crate::error::{Error, Reason, Result};
use crate::store::graph::{Beat, GraphStore};
use crate::store::postgres::{Lineage, Postgres, Target};

/// Rounds of compare-and-set against other instances of the same database.
const ROUNDS: usize = 5;

/// What a beat came to.
pub struct Beaten {
    /// The nonce that the graph holds now.
    pub nonce: Uuid,
    /// The graph was wiped or restored, or the database was: everything is owed now, in pages.
    pub owes: bool,
}

/// Verifies that the graph is prepared and belongs to this database, and beats once. `own` is the nonce that this process
/// wrote a moment ago: while the graph still holds it, there is nobody to tell anything new.
pub async fn beat(
    postgres: &Postgres,
    graph: &dyn GraphStore,
    target: Target,
    own: Option<Uuid>,
) -> Result<Beaten> {
    let ((), mut held) = tokio::try_join!(graph.prepare(), graph.read_beat())?;
    let mut target = target;
    let mut owes = false;
    for _ in 0..ROUNDS {
        if let Some(judged) = judge(postgres, graph, &target, held.as_ref()).await? {
            owes |= judged.owes;
            let nonce = held.as_ref().map(|beat| beat.nonce);
            if let Some(nonce) = nonce.filter(|nonce| own == Some(*nonce) && !owes) {
                return Ok(Beaten { nonce, owes });
            }
            if let Some(nonce) = write(postgres, graph, &target, held.as_ref(), judged.lineage).await? {
                return Ok(Beaten { nonce, owes });
            }
        }
        held = graph.read_beat().await?;
        target = postgres.current_target().await?.ok_or_else(unregistered)?;
    }
    Err(Error::sync(Reason::Unavailable, "other instances kept changing the graph's beat; try again"))
}

/// None: another instance was faster.
async fn write(
    postgres: &Postgres,
    graph: &dyn GraphStore,
    target: &Target,
    held: Option<&Beat>,
    Lineage { epoch, high_water }: Lineage,
) -> Result<Option<Uuid>> {
    let nonce = postgres.propose_nonce(&target.target, Uuid::new_v4()).await?;
    // A proposal that got there before: its process died before it confirmed it.
    if held.is_none_or(|beat| beat.nonce != nonce) {
        let next = Beat { store_id: target.store_id, epoch, high_water, nonce, horizon: target.horizon() };
        if !graph.swap_beat(held.map(|beat| beat.nonce), &next).await? {
            return Ok(None);
        }
    }
    postgres.confirm_nonce(&target.target, nonce).await?;
    Ok(Some(nonce))
}

/// Where the database stands after it has learnt what the graph knows.
struct Judged {
    lineage: Lineage,
    owes: bool,
}

/// None: others beat meanwhile, look again.
async fn judge(
    postgres: &Postgres,
    graph: &dyn GraphStore,
    target: &Target,
    held: Option<&Beat>,
) -> Result<Option<Judged>> {
    let lineage = postgres.lineage().await?;
    let Some(held) = held else {
        let owes = target.nonce.is_some();
        if owes {
            paged::owe_everything(postgres, &target.target).await?;
        }
        return Ok(Some(Judged { lineage, owes }));
    };
    if held.store_id != target.store_id {
        return Err(mismatch("this graph belongs to another database"));
    }
    if held.epoch > lineage.epoch || held.high_water > lineage.high_water {
        postgres.raise_epoch(held.epoch.max(lineage.epoch) + 1).await?;
        return Ok(Some(Judged { lineage: postgres.lineage().await?, owes: true }));
    }
    let known = |target: &Target| target.nonce == Some(held.nonce) || target.next_nonce == Some(held.nonce);
    if known(target) {
        return Ok(Some(Judged { lineage, owes: false }));
    }
    if !postgres.knows_nonce(&target.target, held.nonce).await? {
        // Another instance may have proposed it between our two reads.
        if postgres.current_target().await?.is_some_and(|again| known(&again)) {
            return Ok(None);
        }
        return Err(mismatch("another database (a branch or a restored copy) writes this graph"));
    }
    // One of ours, but not the last: others have beaten meanwhile, unless it stays.
    if graph.read_beat().await?.is_none_or(|again| again.nonce != held.nonce)
        || postgres.current_target().await?.is_none_or(|again| known(&again))
    {
        return Ok(None);
    }
    paged::owe_everything(postgres, &target.target).await?;
    Ok(Some(Judged { lineage, owes: true }))
}

fn unregistered() -> Error {
    Error::sync(Reason::Internal, "no graph is registered")
}
