//! What is owed: listed, paid, tried again, given up; and the background that does it.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::layer::{Layer, until_aborted};
use super::request::{DeltaSyncArgs, DrainArgs, PurgeDeadArgs, QueueArgs, RetryArgs};
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Error, Result};
use crate::model::{OwedToModels, SyncResult};
use crate::store::postgres::{Debt, DebtTarget, QueueCounts, QueueFilter};
use crate::sync::{self, DrainScope, Drained, ModelScope, ModelsPaid};

pub(super) const DEFAULT_PAGE: i64 = 100;

impl Layer {
    /// Pays what is owed to the graph (for a user), and nothing else.
    pub(super) async fn delta_sync(
        &self,
        args: DeltaSyncArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<SyncResult> {
        let begun = Instant::now();
        validate::optional_user_id(args.user_id.as_deref())?;
        let scope =
            DrainScope { user_id: args.user_id, until: deadline(args.max_ms), ..DrainScope::default() };
        let (drained, pending) = self.pay(&scope, config, context).await?;
        let failed = sync::count(drained.refused.len());
        Ok(SyncResult {
            total_checked: drained.paid + failed,
            repaired: drained.paid,
            failed,
            duration: sync::milliseconds(begun),
            pending,
            ..SyncResult::default()
        })
    }

    pub(super) async fn drain(
        &self,
        args: DrainArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Value> {
        let begun = Instant::now();
        let limit = validate::positive("maxItems", args.max_items)?;
        let scope = DrainScope { limit, until: deadline(args.max_ms), ..DrainScope::default() };
        until_aborted(&context.cancel, self.ready()).await?;
        // A graph that is away does not keep the models from being paid, nor they the graph.
        let drained = self.pay_graph(&scope, config, context).await;
        finished(context)?;
        let done = drained.as_ref().map_or(0, |drained| drained.paid + sync::count(drained.refused.len()));
        let left = limit.map(|limit| sync::count(limit).saturating_sub(done));
        let models = ModelScope {
            embed: true,
            extract: true,
            limit: left,
            until: scope.until,
            ..ModelScope::default()
        };
        let paid = self.pay_models(&models, config, context).await?;
        let mut drained = drained?;
        if paid.extracted > 0 {
            let left = left.map(|left| left.saturating_sub(paid.embedded + paid.extracted + paid.refused));
            let limit = left.map(|left| usize::try_from(left).unwrap_or(usize::MAX));
            let again = self.pay_graph(&DrainScope { limit, ..scope }, config, context).await?;
            drained.paid += again.paid;
            drained.refused.extend(again.refused);
        }
        self.drain_result(&drained, &paid, config, begun).await
    }

    async fn drain_result(
        &self,
        drained: &Drained,
        paid: &ModelsPaid,
        config: &PersistenceConfig,
        begun: Instant,
    ) -> Result<Value> {
        let graph = if self.stores.seat.graph().is_some() {
            self.graph_counts().await?
        } else {
            QueueCounts::default()
        };
        let OwedToModels { embedding, extraction } = self.owed_to_models(config).await?;
        let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(json!({
            "paid": drained.paid + paid.embedded + paid.extracted,
            "embedded": paid.embedded,
            "extracted": paid.extracted,
            "refused": sync::count(drained.refused.len()) + paid.refused,
            "pending": unsigned(graph.pending) + embedding.pending + extraction.pending,
            "dead": unsigned(graph.dead) + embedding.dead + extraction.dead,
            "duration": sync::milliseconds(begun),
        }))
    }

    /// Nothing where no graph is configured.
    async fn pay_graph(
        &self,
        scope: &DrainScope,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Drained> {
        if self.stores.seat.graph().is_none() {
            return Ok(Drained::default());
        }
        Ok(self.pay(scope, config, context).await?.0)
    }

    async fn pay(
        &self,
        scope: &DrainScope,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<(Drained, u64)> {
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let job = self.job(config, context);
        job.seat.flush().await;
        let (graph, target) = until_aborted(&context.cancel, job.seat.ours_now()).await?;
        let owed = sync::pending(job.postgres, &target, scope.user_id.as_deref()).await?;
        let meter = job.meter(scope.limit.map_or(owed, |limit| owed.min(sync::count(limit))));
        let drained = sync::drain_with(job, graph.as_ref(), &target, scope, &meter).await?;
        sync::sweep_entities(job, graph.as_ref(), scope.until).await?;
        meter.finish();
        finished(context)?;
        let pending = sync::pending(job.postgres, &target, scope.user_id.as_deref()).await?;
        Ok((drained, pending))
    }

    /// Makes this instance's graph the database's own.
    pub(super) async fn switch_graph(
        &self,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<SyncResult> {
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let result = sync::switch(self.job(config, context)).await?;
        finished(context)?;
        Ok(result)
    }

    pub(super) async fn queue(&self, args: QueueArgs) -> Result<Page<Value>> {
        validate::optional_user_id(args.user_id.as_deref())?;
        let limit = validate::limit(args.limit, DEFAULT_PAGE)?;
        let after = args.cursor.as_deref().map(parse_cursor).transpose()?;
        self.stores.ready().await?;
        let graphs = self.stores.postgres.graph_targets().await?;
        let targets = args.target.map(|target| match target {
            DebtTarget::Graph => graphs.clone(),
            DebtTarget::Embedding => vec!["embedding".to_owned()],
            DebtTarget::Extraction => vec!["extraction".to_owned()],
        });
        let filter = QueueFilter { state: args.state, targets, user_id: args.user_id, after };
        let debts = self.stores.postgres.list_queue(&filter, limit + 1).await?;
        let page = Page::cut(debts, limit, |debt| format!("{}/{}", debt.target, debt.memory_id));
        Ok(page.map(|debt| listed(debt, &graphs)))
    }

    pub(super) async fn retry_now(&self, args: RetryArgs) -> Result<Value> {
        let ids = args.ids.map(|ids| memory_ids(&ids)).transpose()?;
        self.stores.ready().await?;
        let revived = self.stores.postgres.retry_now(ids.as_deref()).await?;
        self.stores.seat.nudge();
        Ok(json!({ "revived": revived }))
    }

    pub(super) async fn purge_dead(&self, args: PurgeDeadArgs) -> Result<Value> {
        let ids = memory_ids(&args.ids)?;
        self.stores.ready().await?;
        Ok(json!({ "purged": self.stores.postgres.purge_dead(&ids).await? }))
    }

    pub(super) async fn start_auto_sync(&self, config: &PersistenceConfig) -> Result<Value> {
        self.stores.ready().await?;
        self.start_background(config);
        Ok(Value::Null)
    }

    pub(super) async fn stop_auto_sync(&self) -> Result<Value> {
        self.stop_background().await;
        Ok(Value::Null)
    }
}

/// A part of a list, and where the next one begins.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub fn new(items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { items, next_cursor }
    }

    /// Of a list that was asked for one item more than the page has: that one tells whether there is a next page.
    pub fn cut(mut items: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Self { items, next_cursor }
    }

    fn map<U>(self, map: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(map).collect(), next_cursor: self.next_cursor }
    }
}

/// The names of graphs are nobody's business.
fn listed(debt: Debt, graphs: &[String]) -> Value {
    let mut listed = json!(debt);
    if graphs.contains(&debt.target) {
        listed["target"] = json!(DebtTarget::Graph);
    }
    listed
}

fn parse_cursor(cursor: &str) -> Result<(String, Uuid)> {
    cursor
        .rsplit_once('/')
        .and_then(|(target, id)| Some((target.to_owned(), Uuid::try_parse(id).ok()?)))
        .ok_or_else(|| Error::invalid("cursor", "the string is no cursor of this list"))
}

fn memory_ids(ids: &[String]) -> Result<Vec<Uuid>> {
    let parse = |(place, id): (usize, &String)| {
        validate::parse_id(id)
            .ok_or_else(|| Error::invalid(&format!("ids[{place}]"), "the string is no UUID"))
    };
    ids.iter().enumerate().map(parse).collect()
}

fn deadline(max_ms: Option<u64>) -> Option<Instant> {
    max_ms.and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)))
}
