//! Memory persistence for AI assistants: Postgres/pgvector as the source of truth, a graph kept provably in step.
//!
//! The way of one write is told in `ARCHITECTURE.md`.

pub mod config;
pub mod context;
pub mod embedding;
pub mod error;
pub mod extraction;
mod http;
mod input;
mod meter;
pub mod metrics;
pub mod model;
// Only Node can load it; the core's tests run without.
#[cfg(all(feature = "napi", not(test)))]
mod napi;
pub mod retrieval;
#[cfg(any(feature = "napi", test))]
mod runtime;
pub mod service;
pub mod store;
pub mod sync;
mod tls;
