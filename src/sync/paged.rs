//! Work over all memories, in pages that each hold their locks shortly. A process that dies leaves a row in
//! `izzie_memory.jobs`; whoever comes next goes on behind the last page.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::Result;
use crate::store::postgres::{Postgres, Rest, Settling, Target};

const PAGE: i32 = 2000;
/// Each of these may be projected in the same transaction.
const ALIAS_PAGE: i32 = 200;
const PATIENCE: Duration = Duration::from_secs(1);

const RENEW: &str = "renew";

/// Everything is owed to a graph that was wiped, or is new to this database.
pub async fn owe_everything(postgres: &Postgres, target: &str) -> Result<()> {
    let job = owe_job(target);
    postgres.begin_job(&job, "owe").await?;
    // One that is under way begins anew: what it has owed may be paid already and gone again.
    postgres.set_phase(&job, "owe").await
}

/// Does what is left of such work.
pub async fn finish(postgres: &Postgres, target: &Target) -> Result<()> {
    adopt(postgres).await?;
    if postgres.find_job(RENEW).await?.is_some() {
        while postgres.renew_page(&target.target, PAGE).await? > 0 {}
        postgres.end_job(RENEW).await?;
    }
    let job = owe_job(&target.target);
    if postgres.find_job(&job).await?.is_some() {
        owe_all(postgres, &job, &target.target, None, false).await?;
        postgres.end_job(&job).await?;
    }
    settle_aliases(postgres).await
}

/// Rows that somebody has locked are left to the next sync call.
async fn adopt(postgres: &Postgres) -> Result<()> {
    while postgres.adopt_page().await?.rest == Rest::More {}
    Ok(())
}

/// A writer that takes longer than [`PATIENCE`] leaves it to the next sync call.
async fn settle_aliases(postgres: &Postgres) -> Result<()> {
    let begun = Instant::now();
    loop {
        match postgres.settle_aliases(ALIAS_PAGE).await? {
            Settling::Done => return Ok(()),
            Settling::More => {}
            Settling::Waits if begun.elapsed() > PATIENCE => return Ok(()),
            Settling::Waits => sleep(PATIENCE / 20).await,
        }
    }
}

/// Owes all memories (of a user) in the pages of a job; answers how many it owed in this process.
pub async fn owe_all(
    postgres: &Postgres,
    job: &str,
    target: &str,
    user_id: Option<&str>,
    forget_detached: bool,
) -> Result<u64> {
    let mut owed = 0;
    loop {
        let page = postgres.owe_page(job, target, user_id, forget_detached, PAGE).await?;
        if page == 0 {
            return Ok(owed);
        }
        owed += page;
    }
}

fn owe_job(target: &str) -> String {
    format!("owe:{target}")
}
