use uuid::Uuid;

use super::connection::{Effect, Postgres};
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

impl Postgres {
    pub async fn current_space(&self) -> Result<CurrentSpace> {
        self.user().one(Effect::Repeatable, Sql::new(include_str!("queries/current_space.sql"))).await
    }

    /// Finds the space of an embedder. While the current space holds no vector, the embedder's becomes current.
    pub async fn match_space(&self, model: &str, dimensions: i32) -> Result<SpaceMatch> {
        let model = model.strip_prefix("openai/").unwrap_or(model);
        let current = self.current_space().await?;
        if current.model == model && current.dimensions == dimensions {
            return Ok(SpaceMatch::Current { space: current.space_id });
        }
        let switched: Option<i32> = self
            .user()
            .scalar(
                Effect::Repeatable,
                Sql::new(include_str!("queries/switch_space.sql")).bind(model).bind(dimensions),
            )
            .await?;
        Ok(match switched {
            Some(space) => SpaceMatch::Current { space },
            None => SpaceMatch::Mismatch { model: current.model, dimensions: current.dimensions },
        })
    }

    /// The vector of one memory in one space.
    pub async fn vector(&self, id: Uuid, space: i32) -> Result<Option<Vec<f32>>> {
        let vector: Option<pgvector::Vector> = self
            .user()
            .scalar(Effect::Repeatable, Sql::new(include_str!("queries/vector.sql")).bind(id).bind(space))
            .await?;
        Ok(vector.map(|v| v.to_vec()))
    }
}
