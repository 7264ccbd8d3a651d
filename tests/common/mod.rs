//! What several test targets share. Each uses its part of it.
#![allow(dead_code, reason = "every test target compiles this and uses a part")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod conformance;
pub mod graph_queries;
pub mod layers;
pub mod neo4j;
pub mod postgres;
pub mod proxy;
pub mod sample;
pub mod upkeep;
