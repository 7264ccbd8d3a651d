//! Giving rows their state that were written before the triggers came, or past them. A job in pages, each of which holds its
//! locks shortly: a migration begins it, and whoever comes next goes on where it stopped.

use std::time::{Duration, Instant};

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use tokio::time::sleep;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::error::{Refusal, from_sqlx};
use super::migrate::{rows, scalar};
use super::statement::Sql;
use crate::context::CallContext;
use crate::error::{Error, Result};

const PAGE: &str = include_str!("queries/adopt_page.sql");
/// Before rows are looked at again that others have locked.
const PAUSE: Duration = Duration::from_millis(200);

/// What an adoption did.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    pub rows: u64,
    /// Rows that our tables refuse. They go on without a state.
    pub failed: Vec<(Uuid, Error)>,
    /// Rows that others had locked all the time: the next sync call or migration meets them again.
    pub pending: u64,
}

/// What one page did.
#[derive(FromRow)]
pub struct AdoptionPage {
    adopted: i64,
    refused: Json<Vec<Refused>>,
    #[sqlx(try_from = "String")]
    pub rest: Rest,
}

/// What is left after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    More,
    /// Only rows that others have locked.
    Locked,
    Done,
}

#[derive(Deserialize)]
struct Refused {
    id: Uuid,
    #[serde(flatten)]
    refusal: Refusal,
}

impl From<String> for Rest {
    fn from(name: String) -> Self {
        match name.as_str() {
            "more" => Self::More,
            "locked" => Self::Locked,
            _ => Self::Done,
        }
    }
}

impl Postgres {
    /// The next page of an adoption that a migration has begun and did not finish.
    pub async fn adopt_page(&self) -> Result<AdoptionPage> {
        let page: AdoptionPage = self.background().one(Effect::Repeatable, Sql::new(PAGE)).await?;
        for Refused { id, refusal } in &page.refused.0 {
            log::warn!("memory {id} was not adopted: {}", refusal.to_error());
        }
        Ok(page)
    }
}

/// Adopts all there is. Rows that are locked are waited for as long as `patience` lasts without any success.
pub(super) async fn adopt(
    connection: &mut PgConnection,
    context: &CallContext,
    patience: Duration,
) -> Result<Adopted> {
    let mut adopted = Adopted::default();
    let unadopted: i64 = scalar(connection, include_str!("queries/begin_adoption.sql")).await?;
    let meter = context.meter(count(unadopted));
    let mut idle_since = Instant::now();
    loop {
        let page = one_page(connection).await?;
        if page.adopted > 0 {
            idle_since = Instant::now();
        }
        meter.advance(count(page.adopted));
        adopted.rows += count(page.adopted);
        adopted
            .failed
            .extend(page.refused.0.into_iter().map(|Refused { id, refusal }| (id, refusal.to_error())));
        match page.rest {
            Rest::More => {}
            Rest::Locked if idle_since.elapsed() < patience => sleep(PAUSE).await,
            Rest::Locked | Rest::Done => break,
        }
    }
    // A row that is refused is met in every pass.
    adopted.failed.sort_by_key(|(id, _)| *id);
    adopted.failed.dedup_by_key(|(id, _)| *id);
    if unadopted > 0 {
        let left = count_unadopted(connection).await?;
        adopted.pending = left.saturating_sub(u64::try_from(adopted.failed.len()).unwrap_or(u64::MAX));
    }
    meter.finish();
    Ok(adopted)
}

/// Rows without a state.
pub(super) async fn count_unadopted(connection: &mut PgConnection) -> Result<u64> {
    scalar(connection, include_str!("queries/count_unadopted.sql")).await.map(count)
}

async fn one_page(connection: &mut PgConnection) -> Result<AdoptionPage> {
    let page = rows(connection, PAGE).await?.into_iter().next();
    page.ok_or_else(|| from_sqlx(&sqlx::Error::RowNotFound))
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
