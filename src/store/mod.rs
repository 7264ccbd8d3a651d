//! The two sides: Postgres, the source of truth, and the graph that mirrors it.

pub mod graph;
pub mod postgres;
pub mod postgres_graph;
