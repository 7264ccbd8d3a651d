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
    /// How many of them an import refuses.
    unimportable: usize,
    /// How many memories there are, with the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

/// Where a page begins, and whether rows that no adoption has reached were there when the export began.
struct Cursor {
    first: Uuid,
    unadopted: bool,
}

impl Layer {
    pub(super) async fn export_page(&self, args: ExportArgs) -> Result<ExportPage> {
        let ExportArgs { user_id, cursor, include_deleted } = args;
        validate::user_id(&user_id)?;
        let filter = ExportFilter { user_id: &user_id, include_deleted: include_deleted.unwrap_or(false) };
        let cursor = cursor.as_deref().map(Cursor::parse).transpose()?;
        self.stores.ready().await?;
        let (Cursor { first, unadopted }, total) = match cursor {
            Some(cursor) => (cursor, None),
            None => self.begin_export(filter).await?,
        };
        let mut memories = self.stores.postgres.export_page(filter, unadopted, first, PAGE + 1).await?;
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        // The next page begins with the memory that did not fit into this one.
        let next_cursor = memories.get(page).map(|next| Cursor { first: next.id, unadopted }.text());
        memories.truncate(page);
        // Of what a row can hold, an import refuses nothing else.
        let refused =
            |memory: &&ExportedMemory| validate::storable_json("metadata", &memory.metadata).is_err();
        let unimportable = memories.iter().filter(refused).count();
        Ok(ExportPage {
            lines: memories.iter().map(line).collect::<Result<_>>()?,
            next_cursor,
            unimportable,
            total,
        })
    }

    async fn begin_export(&self, filter: ExportFilter<'_>) -> Result<(Cursor, Option<i64>)> {
        let (known, unadopted) = self.stores.postgres.count_exported(filter).await?;
        Ok((Cursor { first: Uuid::nil(), unadopted: unadopted > 0 }, Some(known + unadopted)))
    }
}

impl Cursor {
    fn text(&self) -> String {
        format!("{}/{}", self.first, u8::from(self.unadopted))
    }

    fn parse(text: &str) -> Result<Self> {
        text.split_once('/')
            .and_then(|(first, unadopted)| {
                Some(Self { first: Uuid::try_parse(first).ok()?, unadopted: unadopted == "1" })
            })
            .ok_or_else(|| Error::invalid("cursor", "the string is no cursor of an export"))
    }
}

fn line(memory: &ExportedMemory) -> Result<String> {
    serde_json::to_string(memory)
        .map_err(|error| Error::persistence(Reason::Internal, format!("a memory is no JSON: {error}")))
}
