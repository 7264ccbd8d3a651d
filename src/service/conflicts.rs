//! The conflict log, and checks that only tell.

use serde_json::{Value, json};

use super::layer::{Layer, until_aborted};
use super::queue::{DEFAULT_PAGE, Page};
use super::request::{ConflictState, ConflictsArgs, PurgeConflictsArgs, VerifyArgs};
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Error, Result};
use crate::model::Verdict;
use crate::store::postgres::ConflictEntry;
use crate::sync::{self, CheckScope};

impl Layer {
    pub(super) async fn verify(
        &self,
        args: VerifyArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Verdict> {
        validate::optional_user_id(args.user_id.as_deref())?;
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let scope = CheckScope { user_id: args.user_id.as_deref(), deep: args.deep.unwrap_or(false) };
        let verdict = sync::verify(self.job(config, context), scope).await?;
        finished(context)?;
        Ok(verdict)
    }

    pub(super) async fn conflicts(&self, args: ConflictsArgs) -> Result<Page<ConflictEntry>> {
        validate::optional_user_id(args.user_id.as_deref())?;
        let limit = validate::limit(args.limit, DEFAULT_PAGE)?;
        let after = args.cursor.as_deref().map(parse_cursor).transpose()?;
        let open = args.state.map(|state| state == ConflictState::Open);
        self.stores.ready().await?;
        let user_id = args.user_id.as_deref();
        let items = self.stores.postgres.list_conflicts(open, user_id, after, limit + 1).await?;
        Ok(Page::cut(items, limit, |entry| entry.id.to_string()))
    }

    pub(super) async fn purge_conflicts(&self, args: PurgeConflictsArgs) -> Result<Value> {
        validate::optional_user_id(args.user_id.as_deref())?;
        self.stores.ready().await?;
        let purged = self.stores.postgres.purge_conflicts(args.user_id.as_deref(), args.older_than).await?;
        Ok(json!({ "purged": purged }))
    }
}

fn parse_cursor(cursor: &str) -> Result<i64> {
    cursor.parse().map_err(|_| Error::invalid("cursor", "the string is no cursor of this list"))
}
