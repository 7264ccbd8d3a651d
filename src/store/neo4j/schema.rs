//! The uniqueness constraints and indexes: looked at before writing, created where they are missing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::sleep;

use super::answers;
use super::cypher::{SCHEMA, SHOW_CONSTRAINTS, SHOW_SCHEMA, SchemaRule};
use super::exchange::{Exchange, Statement};
use super::labels;
use crate::error::{Error, Reason, Result};
use crate::model::RelationshipType;

/// A constraint that is being made shows as an index without owner for a moment.
const MAKING: Duration = Duration::from_secs(1);

/// The labels of all nodes of ours, beside those of types.
const NODES: [&str; 3] = ["IzzieMemory", "IzzieEntity", "IzzieBeat"];

#[derive(Deserialize)]
struct Index {
    name: String,
    labels: Vec<String>,
    properties: Vec<String>,
    unique: bool,
    failed: bool,
}

impl Index {
    fn serves(&self, rule: &SchemaRule) -> bool {
        !self.failed
            && (self.unique || !rule.unique)
            && self.labels == [rule.label]
            && self.properties == rule.properties
    }

    /// Ours by name and label, but no constraint's: another version's, or what a server leaves that is killed while it
    /// makes a constraint.
    fn stands_in_the_way_of(&self, rule: &SchemaRule) -> bool {
        self.name == rule.name && self.labels == [rule.label] && !self.unique
    }
}

#[derive(Deserialize)]
struct Constraint {
    name: String,
    /// Of a node.
    node: bool,
    /// Labels, or types of edges.
    on: Vec<String>,
    properties: Vec<String>,
}

impl Constraint {
    fn is_foreign(&self) -> bool {
        let written = |name: &String| {
            if self.node {
                NODES.contains(&name.as_str()) || labels::ALL.contains(name)
            } else {
                name == "MENTIONED_IN" || RelationshipType::named(name).is_some()
            }
        };
        let ours =
            |rule: &SchemaRule| rule.unique && self.on == [rule.label] && self.properties == rule.properties;
        self.on.iter().any(written) && !(self.node && SCHEMA.iter().any(ours))
    }

    fn told(&self) -> String {
        format!("{} on {} ({})", self.name, self.on.join(", "), self.properties.join(", "))
    }
}

pub(super) async fn prepare(exchange: &Arc<Exchange>) -> Result<()> {
    let missing = missing(&indexes(exchange).await?);
    if missing.is_empty() {
        return Ok(());
    }
    match create(exchange, &missing).await {
        Ok(()) => Ok(()),
        Err(refusal) => {
            sleep(MAKING).await;
            if !clear_the_way(exchange).await? {
                return Err(refusal);
            }
            create(exchange, &self::missing(&indexes(exchange).await?)).await
        }
    }
}

pub(super) async fn missing_names(exchange: &Arc<Exchange>) -> Result<Vec<&'static str>> {
    Ok(missing(&indexes(exchange).await?).iter().map(|rule| rule.name).collect())
}

/// Constraints on labels, or types of edges, that this layer writes, by name, with what they are on.
pub(super) async fn foreign_constraints(exchange: &Arc<Exchange>) -> Result<Vec<String>> {
    let statement = Statement::work("constraints", SHOW_CONSTRAINTS);
    let constraints: Vec<Constraint> = answers::all(&exchange.run(statement).await?)?;
    let foreign = constraints.iter().filter(|constraint| constraint.is_foreign()).map(Constraint::told);
    Ok(foreign.collect())
}

async fn create(exchange: &Arc<Exchange>, rules: &[&SchemaRule]) -> Result<()> {
    let mut refusal = None;
    for rule in rules {
        // Two may create at once: what counts is what is there afterwards.
        if let Err(error) = exchange.run(Statement::work("a constraint or index", &rule.create())).await {
            refusal.get_or_insert(error);
        }
    }
    let Some(rule) = missing(&indexes(exchange).await?).into_iter().next() else { return Ok(()) };
    Err(refusal.unwrap_or_else(|| {
        let problem = format!("Neo4j: the name {} is taken by another constraint or index.", rule.name);
        Error::graph(Reason::GraphRejected, problem).with("name", rule.name)
    }))
}

/// Drops what stands in the way of a rule that is missing; false when there was nothing.
async fn clear_the_way(exchange: &Arc<Exchange>) -> Result<bool> {
    let indexes = indexes(exchange).await?;
    let mut cleared = false;
    for rule in missing(&indexes) {
        if indexes.iter().any(|index| index.stands_in_the_way_of(rule)) {
            exchange.run(Statement::work("a constraint or index", &rule.drop_index())).await?;
            cleared = true;
        }
    }
    Ok(cleared)
}

async fn indexes(exchange: &Arc<Exchange>) -> Result<Vec<Index>> {
    answers::all(&exchange.run(Statement::work("constraints and indexes", SHOW_SCHEMA)).await?)
}

fn missing(indexes: &[Index]) -> Vec<&'static SchemaRule> {
    SCHEMA.iter().filter(|rule| !indexes.iter().any(|index| index.serves(rule))).collect()
}
