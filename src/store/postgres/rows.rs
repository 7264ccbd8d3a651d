//! Rows that were changed past the triggers, so that their states say something else.

use serde::Serialize;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::error::hidden_rows;
use super::statement::Sql;
use crate::error::Result;

/// Rows compared by one statement.
const PAGE: i32 = 5000;
/// Rows followed by one statement, whose locks it holds.
const FOLLOWED: usize = 200;

/// How a row and a state do not fit each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// The row has no state.
    New,
    Changed,
    /// There is no row any more.
    Gone,
}

#[derive(sqlx::FromRow)]
struct StrayedRow {
    ids: Vec<Uuid>,
    kinds: Vec<String>,
    last: Option<Uuid>,
}

/// What holds of the application's table, for this role and this session.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct TableFacts {
    /// Our triggers that are missing or disabled.
    pub silent_triggers: Vec<String>,
    /// Row security hides rows from this role, or refuses its writes.
    pub hides_rows: bool,
    pub policies: Vec<String>,
    pub rules: Vec<String>,
    /// The server, or this role on it, takes no writes.
    pub read_only: bool,
    /// What this role may not do with the table.
    pub missing_privileges: Vec<String>,
}

impl TableFacts {
    /// Rejects where this role cannot serve the layer.
    pub fn check_visible(&self) -> Result<()> {
        if self.hides_rows {
            return Err(hidden_rows("row security on public.memory_entries hides rows from this role"));
        }
        Ok(())
    }
}

impl Postgres {
    pub async fn table_facts(&self) -> Result<TableFacts> {
        self.user().one(Effect::Repeatable, Sql::new(include_str!("queries/table_facts.sql"))).await
    }

    /// Rejects where row security hides rows from this role: what is not seen must not be taken for deleted.
    pub async fn must_see_all_rows(&self) -> Result<()> {
        self.user().execute(Effect::Repeatable, Sql::new(include_str!("queries/must_see_all_rows.sql"))).await
    }

    /// The next page of rows and states (of a user) after an id that do not fit each other, and where the page ends;
    /// `None`: it was the last.
    pub async fn strayed_page(
        &self,
        user_id: Option<&str>,
        after: Uuid,
    ) -> Result<(Vec<(Uuid, Stray)>, Option<Uuid>)> {
        let sql = Sql::new(include_str!("queries/strayed_page.sql")).bind(user_id).bind(after).bind(PAGE);
        let page: StrayedRow = self.background().one(Effect::Repeatable, sql).await?;
        let kind = |name: String| match name.as_str() {
            "new" => Stray::New,
            "gone" => Stray::Gone,
            _ => Stray::Changed,
        };
        Ok((page.ids.into_iter().zip(page.kinds.into_iter().map(kind)).collect(), page.last))
    }

    /// Brings the states of these memories in step with their rows. Answers those that changed; rows that others have
    /// locked are left.
    pub async fn follow_rows(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let mut followed = Vec::new();
        for ids in ids.chunks(FOLLOWED) {
            let sql = Sql::new(include_str!("queries/follow_rows.sql")).bind(ids);
            let page: Vec<Uuid> = self.background().scalar(Effect::Repeatable, sql).await?;
            followed.extend(page);
        }
        Ok(followed)
    }

    /// How far the background has compared rows with states.
    pub async fn rows_compared_to(&self) -> Result<Option<Uuid>> {
        self.background().scalar(Effect::Repeatable, Sql::new(include_str!("queries/compared_to.sql"))).await
    }

    pub async fn set_rows_compared_to(&self, id: Option<Uuid>) -> Result<()> {
        let sql = Sql::new(include_str!("queries/set_compared_to.sql")).bind(id);
        self.background().execute(Effect::Repeatable, sql).await
    }
}
