//! Which embedding space is in use, remembered for a moment: a switch by another process is noticed within seconds, and
//! until then the statements that write name the space their vectors were made for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::RwLock;

use crate::embedding::Space;
use crate::error::{Error, Result};
use crate::store::postgres::{CurrentSpace, Postgres, SpaceMatch};

/// How long a look is believed.
pub(super) const SPACE_TTL: Duration = Duration::from_secs(5);

type Seen<T> = RwLock<Option<(Instant, T)>>;

pub(super) struct Spaces {
    postgres: Arc<Postgres>,
    matched: Seen<SpaceMatch>,
    current: Seen<CurrentSpace>,
}

impl Spaces {
    pub fn new(postgres: Arc<Postgres>) -> Self {
        Self { postgres, matched: RwLock::default(), current: RwLock::default() }
    }

    /// How an embedder's space relates to the database's. While that has no vector, the embedder's becomes current.
    pub async fn matched(&self, space: &Space) -> Result<SpaceMatch> {
        if let Some(matched) = fresh(&self.matched).await {
            return Ok(matched);
        }
        let matched = self.postgres.match_space(&space.model, dimensions(space)?).await?;
        *self.matched.write().await = Some((Instant::now(), matched.clone()));
        Ok(matched)
    }

    pub async fn current(&self) -> Result<CurrentSpace> {
        if let Some(current) = fresh(&self.current).await {
            return Ok(current);
        }
        let current = self.postgres.current_space().await?;
        *self.current.write().await = Some((Instant::now(), current.clone()));
        Ok(current)
    }

    /// Looks again at the next call.
    pub async fn forget(&self) {
        *self.matched.write().await = None;
        *self.current.write().await = None;
    }
}

async fn fresh<T: Clone>(seen: &Seen<T>) -> Option<T> {
    let seen = seen.read().await;
    seen.as_ref().filter(|(since, _)| since.elapsed() < SPACE_TTL).map(|(_, value)| value.clone())
}

/// As Postgres counts.
pub(super) fn dimensions(space: &Space) -> Result<i32> {
    i32::try_from(space.dimensions)
        .map_err(|_| Error::invalid("embedder.dimensions", "is over the limit of 16000"))
}
