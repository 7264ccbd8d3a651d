//! A user's memories as lines, a page at a time.

use serde::Serialize;
use uuid::Uuid;

use super::layer::Layer;
use super::request::ExportArgs;
use super::validate;
use crate::error::{Error, Reason, Result};
use crate::model::ExportedMemory;
use crate::store::postgres::ExportFilter;

/// Bounds what a page holds in memory: its memories may have 200 KB each.
const PAGE: i64 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportPage {
    /// JSON, one memory each.
    lines: Vec<String>,
    next_cursor: Option<String>,
    /// How many memories there are, with the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

impl Layer {
    pub(super) async fn export_page(&self, args: ExportArgs) -> Result<ExportPage> {
        let ExportArgs { user_id, cursor, include_deleted } = args;
        validate::user_id(&user_id)?;
        let filter = ExportFilter { user_id: &user_id, include_deleted: include_deleted.unwrap_or(false) };
        self.stores.ready().await?;
        let postgres = &self.stores.postgres;
        let (first, total) = match cursor {
            Some(cursor) => (parse_cursor(&cursor)?, None),
            None => (Uuid::nil(), Some(postgres.count_exported(filter).await?)),
        };
        let mut memories = postgres.export_page(filter, first, PAGE + 1).await?;
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        // The next page begins with the memory that did not fit into this one.
        let next_cursor = memories.get(page).map(|memory| memory.id.to_string());
        memories.truncate(page);
        Ok(ExportPage { lines: memories.iter().map(line).collect::<Result<_>>()?, next_cursor, total })
    }
}

fn parse_cursor(cursor: &str) -> Result<Uuid> {
    Uuid::try_parse(cursor).map_err(|_| Error::invalid("cursor", "the string is no cursor of an export"))
}

fn line(memory: &ExportedMemory) -> Result<String> {
    serde_json::to_string(memory)
        .map_err(|error| Error::persistence(Reason::Internal, format!("a memory is no JSON: {error}")))
}
