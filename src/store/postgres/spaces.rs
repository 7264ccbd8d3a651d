use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::error::says_read_only;
use super::statement::Sql;
use crate::error::Result;

/// The application's own column.
pub const APP_SPACE: i32 = 1;
pub const APP_DIMENSIONS: usize = 1536;

/// How an embedder's model and dimensions relate to what the database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpaceMatch {
    /// Its vectors belong to this, the current space.
    Current { space: i32 },
    /// The current space is another and already holds vectors.
    Mismatch { model: String, dimensions: i32 },
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CurrentSpace {
    pub space_id: i32,
    pub model: String,
    pub dimensions: i32,
}

/// A space that is to become the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Filling {
    /// None: it is the current one already.
    pub space: Option<i32>,
    /// Somebody began it before.
    pub resumed: bool,
}

/// How far the removal of retired spaces is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Removal {
    /// Milliseconds until instances have stopped to search them.
    pub wait_ms: Option<i64>,
    pub done: Option<bool>,
}

impl Postgres {
    pub async fn current_space(&self) -> Result<CurrentSpace> {
        self.user().one(Effect::Repeatable, Sql::new(include_str!("queries/current_space.sql"))).await
    }

    /// Finds the space of an embedder. While the current space holds no vector, the embedder's becomes current.
    pub async fn match_space(&self, model: &str, dimensions: i32) -> Result<SpaceMatch> {
        let model = plain_model(model);
        let current = self.current_space().await?;
        if current.model == model && current.dimensions == dimensions {
            return Ok(SpaceMatch::Current { space: current.space_id });
        }
        let sql = Sql::new(include_str!("queries/switch_space.sql")).bind(model).bind(dimensions);
        let switched: Option<i32> = match self.user().scalar(Effect::Repeatable, sql).await {
            // Reads go on with what is there.
            Err(error) if says_read_only(&error) => None,
            outcome => outcome?,
        };
        Ok(match switched {
            Some(space) => SpaceMatch::Current { space },
            None => SpaceMatch::Mismatch { model: current.model, dimensions: current.dimensions },
        })
    }

    /// The vector of one memory in one space.
    pub async fn vector(&self, id: Uuid, space: i32) -> Result<Option<Vec<f32>>> {
        self.user()
            .scalar(Effect::Repeatable, Sql::new(include_str!("queries/vector.sql")).bind(id).bind(space))
            .await
    }

    /// Begins to fill the space of an embedder beside the current one, or finds where that stopped.
    pub async fn begin_reembed(&self, model: &str, dimensions: i32) -> Result<Filling> {
        let sql =
            Sql::new(include_str!("queries/begin_reembed.sql")).bind(plain_model(model)).bind(dimensions);
        self.background().one(Effect::Repeatable, sql).await
    }

    /// Makes the filled space the current one and owes it what it lacks. False: it is filled no longer.
    pub async fn finish_reembed(&self, space: i32) -> Result<bool> {
        let sql = Sql::new(include_str!("queries/finish_reembed.sql")).bind(space);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Strikes off a page of debts that the switch has paid; after the last, owes what writers left that did not see it.
    /// Answers how many it struck off, 0 when all is done; `None`: one of those writers has not ended yet.
    pub async fn sweep_reembed(&self, page: i32) -> Result<Option<i64>> {
        let sql = Sql::new(include_str!("queries/sweep_reembed.sql")).bind(page);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Removes a page of vectors of spaces that nobody has searched since `grace_ms`.
    pub async fn remove_retired(&self, grace_ms: i64, page: i32) -> Result<Removal> {
        let sql = Sql::new(include_str!("queries/remove_retired.sql")).bind(grace_ms).bind(page);
        self.background().one(Effect::Repeatable, sql).await
    }
}

/// OpenRouter's name of an OpenAI model means the same space.
fn plain_model(model: &str) -> &str {
    model.strip_prefix("openai/").unwrap_or(model)
}
