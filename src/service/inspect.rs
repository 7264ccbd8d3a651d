//! What a set-up is like: facts for `izzie-memory doctor`, which judges them. Never rejects, changes nothing, answers
//! in bounded time.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;

use super::layer::Layer;
use crate::error::{Error, Reason, Result};
use crate::store::postgres::{
    Clock, DirectWay, FunctionsState, Pooler, Server, TableFacts, Target, UsedSpace, newest_migration,
};
use crate::sync::Belonging;

/// The longest one question is waited for: longer than a pooler takes to start a server connection.
const PATIENCE: Duration = Duration::from_secs(8);

/// A fact, or why it could not be learnt.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Fact<T> {
    Found(T),
    Error(Value),
}

/// What is missing could not be asked, because something before it failed or is not configured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inspection {
    embedded: bool,
    server: Fact<Server>,
    clock: Option<Fact<Clock>>,
    schema: Option<Fact<SchemaVersions>>,
    missing_rights: Option<Fact<Vec<String>>>,
    table: Option<Fact<TableFacts>>,
    pooler: Option<Fact<Pooler>>,
    direct: Option<Fact<DirectWay>>,
    embedding: Option<Fact<Spaces>>,
    graph: Option<GraphFacts>,
}

#[derive(Debug, Serialize)]
struct SchemaVersions {
    have: Option<i64>,
    want: Option<i64>,
    functions: FunctionsState,
}

impl SchemaVersions {
    fn current(&self) -> bool {
        self.have == self.want && self.functions == FunctionsState::Current
    }
}

#[derive(Debug, Serialize)]
struct Spaces {
    /// What the configured embedder gives.
    embedder: Option<EmbedderSpace>,
    stored: UsedSpace,
}

#[derive(Debug, Serialize)]
struct EmbedderSpace {
    model: String,
    dimensions: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GraphFacts {
    /// The kind that is configured here, and the one the database is registered with.
    kind: &'static str,
    registered: Option<String>,
    reached: Fact<()>,
    /// Names of constraints and indexes that are not there.
    missing_schema: Option<Fact<Vec<&'static str>>>,
    /// Constraints of others on what this layer writes.
    foreign_constraints: Option<Fact<Vec<String>>>,
    belonging: Option<Fact<Belonging>>,
}

impl<T> Fact<T> {
    fn found(&self) -> Option<&T> {
        match self {
            Self::Found(value) => Some(value),
            Self::Error(_) => None,
        }
    }
}

impl Layer {
    pub(super) async fn inspect(&self) -> Inspection {
        let postgres = &self.stores.postgres;
        let embedded = self.config.embedded;
        let server = ask(postgres.inspect_server()).await;
        let reached = server.found().is_some();
        let migrated = server.found().is_some_and(|server| server.migrated);
        let missing_rights = ask_if(migrated, postgres.inspect_rights()).await;
        let permitted = matches!(&missing_rights, Some(Fact::Found(missing)) if missing.is_empty());
        let schema = ask_if(migrated && permitted, self.inspect_schema()).await;
        let current = matches!(&schema, Some(Fact::Found(schema)) if schema.current());
        Inspection {
            embedded,
            table: ask_if(current, postgres.table_facts()).await,
            clock: ask_if(reached, postgres.inspect_clock()).await,
            pooler: ask_if(reached && !embedded, postgres.inspect_pooler()).await,
            direct: ask_if(self.config.direct_url.is_some(), postgres.inspect_direct()).await,
            embedding: ask_if(current, self.inspect_spaces()).await,
            graph: self.inspect_graph(current).await,
            server,
            schema,
            missing_rights,
        }
    }

    async fn inspect_schema(&self) -> Result<SchemaVersions> {
        let postgres = &self.stores.postgres;
        let have = postgres.schema_version().await?;
        Ok(SchemaVersions { have, want: newest_migration(), functions: postgres.functions_state().await? })
    }

    async fn inspect_spaces(&self) -> Result<Spaces> {
        let stored = self.stores.postgres.inspect_space().await?;
        let embedder = self
            .models
            .embedder_space()
            .map(|space| EmbedderSpace { model: space.model.clone(), dimensions: space.dimensions });
        Ok(Spaces { embedder, stored })
    }

    /// `None` where no graph is configured. `current`: our schema can be read.
    async fn inspect_graph(&self, current: bool) -> Option<GraphFacts> {
        let graph = self.stores.seat.graph()?;
        let registered = ask_if(current, self.stores.postgres.current_target()).await;
        let registered: Option<Target> = match registered {
            Some(Fact::Found(target)) => target,
            _ => None,
        };
        // A graph in the same Postgres is there when its tables are.
        let asked = current || !graph.shares_database();
        let reached = if asked { ask(graph.ping()).await } else { Fact::Error(not_asked()) };
        let answers = reached.found().is_some();
        Some(GraphFacts {
            kind: graph.kind().name(),
            missing_schema: ask_if(answers, graph.unprepared()).await,
            foreign_constraints: ask_if(answers, graph.foreign_constraints()).await,
            belonging: ask_if(answers && current, self.stores.seat.belonging(registered.as_ref())).await,
            registered: registered.map(|target| target.kind),
            reached,
        })
    }
}

async fn ask<T>(question: impl Future<Output = Result<T>>) -> Fact<T> {
    match timeout(PATIENCE, Box::pin(question)).await {
        Ok(Ok(value)) => Fact::Found(value),
        Ok(Err(error)) => Fact::Error(error.envelope()),
        Err(_) => {
            let message = format!("no answer within {} s", PATIENCE.as_secs());
            Fact::Error(Error::persistence(Reason::Timeout, message).envelope())
        }
    }
}

async fn ask_if<T>(condition: bool, question: impl Future<Output = Result<T>>) -> Option<Fact<T>> {
    if condition { Some(Box::pin(ask(question)).await) } else { None }
}

fn not_asked() -> Value {
    Error::graph(Reason::SchemaOutdated, "not asked: its tables are not there").envelope()
}
