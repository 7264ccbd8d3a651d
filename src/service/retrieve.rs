use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::layer::Layer;
use super::queue::Page;
use super::request::{GetAllArgs, GetByIdArgs, GetManyArgs, ListArgs};
use super::validate;
use crate::error::{Error, Result};
use crate::model::Memory;
use crate::store::postgres::{ListFilter, UserStats};

const DEFAULT_PAGE: i64 = 100;

impl Layer {
    pub(super) async fn get_by_id(&self, args: GetByIdArgs) -> Result<Option<Memory>> {
        validate::optional_user_id(args.user_id.as_deref())?;
        self.stores.ready().await?;
        match validate::parse_id(&args.id) {
            Some(id) => self.stores.postgres.read(id, args.user_id.as_deref()).await,
            None => Ok(None),
        }
    }

    pub(super) async fn get_many(&self, args: GetManyArgs) -> Result<Vec<Memory>> {
        validate::optional_user_id(args.user_id.as_deref())?;
        let limit = self.config.limits.batch;
        if args.ids.len() > limit {
            let problem = format!("an array of {} is over the limit of {limit}", args.ids.len());
            return Err(Error::invalid("ids", problem).with("limit", limit).with("length", args.ids.len()));
        }
        self.stores.ready().await?;
        let ids: Vec<_> = args.ids.iter().filter_map(|id| validate::parse_id(id)).collect();
        self.stores.postgres.get_many(&ids, args.user_id.as_deref()).await
    }

    pub(super) async fn get_all(&self, args: GetAllArgs) -> Result<Vec<Memory>> {
        let GetAllArgs { user_id, limit, conversation_id } = args;
        let args = ListArgs { user_id, limit, conversation_id, since: None, until: None, cursor: None };
        Ok(self.list(args).await?.items)
    }

    pub(super) async fn list(&self, args: ListArgs) -> Result<Page<Memory>> {
        validate::user_id(&args.user_id)?;
        validate::period(args.since.as_ref(), args.until.as_ref())?;
        let conversation_id = validate::conversation_filter(args.conversation_id)?;
        let limit = validate::limit(args.limit, DEFAULT_PAGE)?;
        let filter = ListFilter {
            user_id: &args.user_id,
            conversation_id: conversation_id.as_deref(),
            since: args.since,
            until: args.until,
            after: args.cursor.as_deref().map(parse_cursor).transpose()?,
        };
        self.stores.ready().await?;
        let memories = self.stores.postgres.list(&filter, limit + 1).await?;
        Ok(Page::cut(memories, limit, |last| format!("{}/{}", last.created_at.timestamp_micros(), last.id)))
    }

    pub(super) async fn memory_stats(&self, user_id: &str) -> Result<UserStats> {
        validate::user_id(user_id)?;
        self.stores.ready().await?;
        self.stores.postgres.user_stats(user_id).await
    }
}

fn parse_cursor(cursor: &str) -> Result<(DateTime<Utc>, Uuid)> {
    cursor
        .split_once('/')
        .and_then(|(micros, id)| {
            Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, Uuid::try_parse(id).ok()?))
        })
        .ok_or_else(|| Error::invalid("cursor", "the string is no cursor of this list"))
}
