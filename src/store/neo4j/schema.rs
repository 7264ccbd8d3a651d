//! The uniqueness constraints and indexes: looked at before writing, created where they are missing.

use std::sync::Arc;

use serde::Deserialize;

use super::answers;
use super::cypher::{SCHEMA, SHOW_SCHEMA, SchemaRule};
use super::exchange::{Exchange, Statement};
use crate::error::{Error, Reason, Result};

#[derive(Deserialize)]
struct Index {
    labels: Vec<String>,
    properties: Vec<String>,
    unique: bool,
}

impl Index {
    fn serves(&self, rule: &SchemaRule) -> bool {
        (self.unique || !rule.unique) && self.labels == [rule.label] && self.properties == rule.properties
    }
}

pub(super) async fn prepare(exchange: &Arc<Exchange>) -> Result<()> {
    let mut refusal = None;
    for rule in missing(exchange).await? {
        // Two may create at once: what counts is what is there afterwards.
        if let Err(error) = exchange.run(Statement::new(&rule.create())).await {
            refusal.get_or_insert(error);
        }
    }
    let Some(rule) = missing(exchange).await?.into_iter().next() else { return Ok(()) };
    Err(refusal.unwrap_or_else(|| {
        let problem = format!("Neo4j: the name {} is taken by another constraint or index.", rule.name);
        Error::graph(Reason::GraphRejected, problem).with("name", rule.name)
    }))
}

async fn missing(exchange: &Arc<Exchange>) -> Result<Vec<&'static SchemaRule>> {
    let indexes: Vec<Index> = answers::all(&exchange.run(Statement::new(SHOW_SCHEMA)).await?)?;
    Ok(SCHEMA.iter().filter(|rule| !indexes.iter().any(|index| index.serves(rule))).collect())
}
