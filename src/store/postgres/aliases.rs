//! The names under which a user's entities are known.

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::Label;

/// What is left after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    Done,
    More,
    /// A writer is under way that may not have seen the latest names.
    Waits,
}

impl Postgres {
    /// The names that entities with these names are known by, in their order; of one that has no other, its own.
    pub async fn known_as(&self, user_id: &str, label: Label, names: &[String]) -> Result<Vec<String>> {
        let sql = Sql::new(include_str!("queries/known_as.sql"))
            .bind(user_id.to_owned())
            .bind(label.name())
            .bind(names.to_vec());
        self.user().scalars(Effect::Repeatable, sql).await
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
