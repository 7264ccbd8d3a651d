//! Work over all memories, in pages that each hold their locks shortly. A process that dies leaves a row in
//! `izzie_memory.jobs`; whoever comes next goes on behind the last page.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::Result;
use crate::store::graph::{GraphKind, GraphStore};
use crate::store::postgres::{Postgres, Rest, Settling, Target};

const PAGE: i32 = 2000;
/// Each of these may be projected in the same transaction.
const ALIAS_PAGE: i32 = 200;
/// Of these all names are made anew.
const RENEWAL_PAGE: i32 = 200;
const PATIENCE: Duration = Duration::from_secs(1);

// The phases of a job. A writer that did not see what it was begun for (a new graph, a higher epoch) may end after its
// page was read. `early`: not all of those have ended; `late`: all pages were read, and will be once more when they have;
// `last`: they have.
const EARLY: &str = "early";
const LATE: &str = "late";
const LAST: &str = "last";

/// Registers a graph, unless one is, and owes it the first page: a small database is done with it.
pub async fn register(postgres: &Postgres, kind: GraphKind) -> Result<Target> {
    let target = postgres.register_target(kind).await?;
    let Some(job) = postgres.find_job(&Work::Owe.job(&target.target)).await? else { return Ok(target) };
    let settled = postgres.job_settled(&job.name).await?;
    if settled {
        postgres.set_phase(&job, LAST).await?;
    }
    let owed = postgres.owe_page(&job.name, &target.target, None, false, PAGE).await?;
    let complete = owed < u64::from(PAGE.unsigned_abs());
    match (complete, settled) {
        (true, true) => postgres.end_settled(&job).await?,
        (true, false) => postgres.set_phase(&job, LATE).await?,
        (false, _) => {}
    }
    Ok(Target { unfinished: !(complete && settled), ..target })
}

/// Everything is owed to a graph that was wiped, or is new to this database. Work that is under way begins anew: what it
/// has owed may be paid already and gone again.
pub async fn owe_everything(postgres: &Postgres, target: &str) -> Result<()> {
    postgres.restart_job(&Work::Owe.job(target), EARLY).await
}

/// Does what is left of such work.
pub async fn finish(postgres: &Postgres, graph: &dyn GraphStore, target: &Target) -> Result<()> {
    adopt(postgres).await?;
    if postgres.find_job(&Work::Renew.job(&target.target)).await?.is_some() {
        // Before memories are owed: what an older process still writes meanwhile, their projections bring in order.
        graph.renew_entities().await?;
    }
    for work in [Work::Renew, Work::Owe] {
        work.go_on(postgres, &target.target).await?;
    }
    settle_aliases(postgres).await
}

/// What is done to all memories.
#[derive(Clone, Copy)]
enum Work {
    /// They get a new revision in the present epoch and form.
    Renew,
    /// They are owed to the graph.
    Owe,
}

impl Work {
    fn job(self, target: &str) -> String {
        match self {
            Self::Renew => "renew".into(),
            Self::Owe => format!("owe:{target}"),
        }
    }

    /// Goes through all pages of the job, if it has been begun: once more, if not all writers had ended before.
    async fn go_on(self, postgres: &Postgres, target: &str) -> Result<()> {
        let name = self.job(target);
        let Some(job) = postgres.find_job(&name).await? else { return Ok(()) };
        if job.phase != LAST {
            if !settled(postgres, &name).await? {
                if job.phase == EARLY {
                    self.all_pages(postgres, &name, target).await?;
                    postgres.set_phase(&job, LATE).await?;
                }
                return Ok(());
            }
            postgres.set_phase(&job, LAST).await?;
        }
        self.all_pages(postgres, &name, target).await?;
        postgres.end_settled(&job).await
    }

    async fn all_pages(self, postgres: &Postgres, name: &str, target: &str) -> Result<()> {
        match self {
            Self::Renew => while postgres.renew_page(target, RENEWAL_PAGE).await? > 0 {},
            Self::Owe => drop(owe_all(postgres, name, target, None, false).await?),
        }
        Ok(())
    }
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
