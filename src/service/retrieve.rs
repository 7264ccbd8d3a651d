use super::layer::Layer;
use super::request::{GetAllArgs, GetByIdArgs, GetManyArgs};
use super::validate;
use crate::error::{Error, Result};
use crate::model::Memory;
use crate::store::postgres::UserStats;

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
        validate::user_id(&args.user_id)?;
        let conversation_id = validate::conversation_filter(args.conversation_id)?;
        let limit = validate::limit(args.limit, DEFAULT_PAGE)?;
        self.stores.ready().await?;
        self.stores.postgres.get_all(&args.user_id, conversation_id.as_deref(), limit).await
    }

    pub(super) async fn memory_stats(&self, user_id: &str) -> Result<UserStats> {
        validate::user_id(user_id)?;
        self.stores.ready().await?;
        self.stores.postgres.user_stats(user_id).await
    }
}
