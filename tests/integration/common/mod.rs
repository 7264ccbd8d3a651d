//! What several test modules share.

pub mod child;
pub mod conformance;
pub mod dump;
pub mod graph_queries;
pub mod layers;
pub mod neo4j;
pub mod openai;
pub mod postgres;
pub mod proxy;
pub mod sample;
pub mod upkeep;
pub mod world;
