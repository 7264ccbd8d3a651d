//! All Rust tests on real stores, one program: what they share is compiled once. Fail points need `--features failpoints`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::large_futures, reason = "a test has a stack of its own")]

mod aliases;
mod batches;
mod common;
mod conflicts;
mod conformance;
mod database_faults;
mod database_settings;
mod deep;
mod embedding_http;
mod embedding_local;
mod embedding_long;
mod engine;
mod extraction_llm;
mod faults;
mod foreign_writes;
mod forgotten_names;
mod golden;
mod graph_queries;
mod group_commit;
mod layer;
mod migrate;
mod neo4j_alone;
mod neo4j_edits;
mod neo4j_faults;
mod neo4j_slow;
mod row_security;
mod shared_neo4j;
