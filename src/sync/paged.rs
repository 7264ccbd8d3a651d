//! Work over all memories, in pages that each hold their locks shortly. A process that dies leaves a row in
//! `izzie_memory.jobs`; whoever comes next goes on behind the last page.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::Result;
use crate::store::graph::GraphKind;
use crate::store::postgres::{PagedJob, Postgres, Rest, Settling, Target};

const PAGE: i32 = 2000;
/// Each of these may be projected in the same transaction.
const ALIAS_PAGE: i32 = 200;
const PATIENCE: Duration = Duration::from_secs(1);

const RENEW: &str = "renew";

// The phases in which everything is owed to a graph. A writer that did not see it owes it nothing and may end after its
// page was read: what is owed before all of those have ended is owed again after.
const EARLY: &str = "early";
const LATE: &str = "late";
const OWE: &str = "owe";

/// Registers a graph, unless one is, and owes it the first page: a small database is done with it.
pub async fn register(postgres: &Postgres, kind: GraphKind) -> Result<Target> {
    let target = postgres.register_target(kind).await?;
    let job = owe_job(&target.target);
    let settled = postgres.job_settled(&job).await?;
    if settled {
        postgres.set_phase(&job, OWE).await?;
    }
    let complete =
        postgres.owe_page(&job, &target.target, None, false, PAGE).await? < u64::from(PAGE.unsigned_abs());
    match (complete, settled) {
        (true, true) => postgres.end_owing(&job).await?,
        (true, false) => postgres.set_phase(&job, LATE).await?,
        (false, _) => {}
    }
    Ok(Target { unfinished: !(complete && settled), ..target })
}

/// Everything is owed to a graph that was wiped, or is new to this database.
pub async fn owe_everything(postgres: &Postgres, target: &str) -> Result<()> {
    let job = owe_job(target);
    postgres.begin_job(&job, EARLY).await?;
    // One that is under way begins anew: what it has owed may be paid already and gone again.
    postgres.set_phase(&job, EARLY).await
}

/// Does what is left of such work.
pub async fn finish(postgres: &Postgres, target: &Target) -> Result<()> {
    adopt(postgres).await?;
    if postgres.find_job(RENEW).await?.is_some() {
        while postgres.renew_page(&target.target, PAGE).await? > 0 {}
        postgres.end_job(RENEW).await?;
    }
    if let Some(job) = postgres.find_job(&owe_job(&target.target)).await? {
        go_on_owing(postgres, &job, &target.target).await?;
    }
    settle_aliases(postgres).await
}

async fn go_on_owing(postgres: &Postgres, job: &PagedJob, target: &str) -> Result<()> {
    if job.phase != OWE {
        if !settled(postgres, &job.name).await? {
            if job.phase == EARLY {
                owe_all(postgres, &job.name, target, None, false).await?;
                postgres.set_phase(&job.name, LATE).await?;
            }
            return Ok(());
        }
        postgres.set_phase(&job.name, OWE).await?;
    }
    owe_all(postgres, &job.name, target, None, false).await?;
    postgres.end_owing(&job.name).await
}

/// Waits for writers, but not for one that takes longer than [`PATIENCE`].
async fn settled(postgres: &Postgres, job: &str) -> Result<bool> {
    let begun = Instant::now();
    while !postgres.job_settled(job).await? {
        if begun.elapsed() > PATIENCE {
            return Ok(false);
        }
        sleep(PATIENCE / 20).await;
    }
    Ok(true)
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
