//! The two sides: Postgres, the source of truth, and the graph that mirrors it.

pub mod graph;
pub mod graph_queries;
pub mod neo4j;
pub mod postgres;
pub mod postgres_graph;
mod stores;

pub use stores::Stores;
