//! Memory persistence for AI assistants: Postgres/pgvector as the source of truth, a graph kept provably in step.
//!
//! The way of one write is told in `ARCHITECTURE.md`.

pub mod config;
pub mod error;
pub mod model;
pub mod store;
