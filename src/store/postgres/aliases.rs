//! The names under which a user's entities are known.

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::Label;

/// A way in which an entity was spelled, beside its name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Spelling {
    pub label: String,
    pub name: String,
    pub known_as: String,
}

/// What is left after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    Done,
    More,
    /// A writer is under way that may not have seen the latest names.
    Waits,
}

impl Postgres {
    /// The names of the entities that these names may mean, likeliest first: what each is known by (of one that has no
    /// other, its own), then those of entities that were spelled so.
    pub async fn known_as(&self, user_id: &str, label: Label, names: &[String]) -> Result<Vec<String>> {
        let sql = Sql::new(include_str!("queries/known_as.sql"))
            .bind(user_id.to_owned())
            .bind(label.name())
            .bind(names.to_vec());
        self.user().scalars(Effect::Repeatable, sql).await
    }

    /// Other spellings of a user's entities that contain one of the texts.
    pub async fn spelled_like(
        &self,
        user_id: &str,
        labels: &[Label],
        texts: &[String],
        limit: i64,
    ) -> Result<Vec<Spelling>> {
        let labels: Vec<&str> = labels.iter().map(|label| label.name()).collect();
        let sql = Sql::new(include_str!("queries/spelled_like.sql"))
            .bind(user_id.to_owned())
            .bind(labels)
            .bind(texts.to_vec())
            .bind(limit);
        self.user().all(Effect::Repeatable, sql).await
    }

    /// Gives the next page of memories whose entities are known by other names now a new revision, and owes or projects
    /// them.
    pub async fn settle_aliases(&self, page: i32) -> Result<Settling> {
        let sql = Sql::new(include_str!("queries/settle_aliases.sql")).bind(page);
        let seen: i32 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(match seen {
            0 => Settling::Done,
            1.. => Settling::More,
            _ => Settling::Waits,
        })
    }
}
