//! A graph as it once was, put back later.

use neo4rs::query;

use crate::common::neo4j::Driver;
use crate::common::world::{Graph, World};

const TABLES: [&str; 4] = ["graph_memories", "graph_entities", "graph_mentions", "graph_relations"];
const OURS: &str = "n:IzzieMemory OR n:IzzieEntity OR n:IzzieBeat";

/// Kept in the store itself: in Neo4j as nodes of other labels, in Postgres as tables of another schema.
pub struct Dump;

impl Dump {
    pub async fn take(world: &World) -> Self {
        match world.graph {
            Graph::Neo4j => take_from_neo4j().await,
            Graph::Postgres => {
                let mut sql = world.sql().await;
                sql.run("create schema dump").await;
                for table in TABLES {
                    sql.run(&format!("create table dump.{table} as table izzie_memory.{table}")).await;
                }
            }
        }
        Self
    }

    pub async fn restore(self, world: &World) {
        match world.graph {
            Graph::Neo4j => restore_to_neo4j().await,
            Graph::Postgres => {
                let mut sql = world.sql().await;
                for table in TABLES {
                    sql.run(&format!("truncate izzie_memory.{table}")).await;
                    sql.run(&format!("insert into izzie_memory.{table} select * from dump.{table}")).await;
                }
            }
        }
    }
}

async fn take_from_neo4j() {
    let driver = Driver::connect();
    let nodes = format!(
        "MATCH (n) WHERE {OURS} CREATE (d:DumpedNode) SET d = properties(n), d.dumpId = elementId(n), \
         d.dumpLabels = reduce(all = '', label IN labels(n) | all + ':' + label)"
    );
    driver.rows(query(&nodes)).await;
    let edges = format!(
        "MATCH (n)-[r]->(m) WHERE {OURS} CREATE (d:DumpedEdge) \
         SET d = properties(r), d.dumpFrom = elementId(n), d.dumpTo = elementId(m), d.dumpType = type(r)"
    );
    driver.rows(query(&edges)).await;
}

/// Labels and types cannot be parameters.
async fn restore_to_neo4j() {
    let driver = Driver::connect();
    driver.rows(query(&format!("MATCH (n) WHERE {OURS} DETACH DELETE n"))).await;
    for labels in texts(&driver, "MATCH (d:DumpedNode) RETURN DISTINCT d.dumpLabels AS text").await {
        let create =
            format!("MATCH (d:DumpedNode {{dumpLabels: $labels}}) CREATE (n{labels}) SET n = properties(d)");
        driver.rows(query(&create).param("labels", labels.as_str())).await;
    }
    for kind in texts(&driver, "MATCH (d:DumpedEdge) RETURN DISTINCT d.dumpType AS text").await {
        let create = format!(
            "MATCH (d:DumpedEdge {{dumpType: $type}}) MATCH (a {{dumpId: d.dumpFrom}}) WHERE NOT a:DumpedNode \
             MATCH (b {{dumpId: d.dumpTo}}) WHERE NOT b:DumpedNode CREATE (a)-[r:{kind}]->(b) \
             SET r = properties(d) REMOVE r.dumpFrom, r.dumpTo, r.dumpType"
        );
        driver.rows(query(&create).param("type", kind.as_str())).await;
    }
    driver.rows(query(&format!("MATCH (n) WHERE {OURS} REMOVE n.dumpId, n.dumpLabels"))).await;
    driver.rows(query("MATCH (d) WHERE d:DumpedNode OR d:DumpedEdge DELETE d")).await;
}

async fn texts(driver: &Driver, read: &str) -> Vec<String> {
    driver.rows(query(read)).await.iter().map(|row| row.get("text").expect("text")).collect()
}
