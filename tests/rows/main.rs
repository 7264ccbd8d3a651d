//! The faults that the README lists, each on real servers and named after its number there (`--features failpoints`).

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::large_futures, reason = "a test has a stack of its own")]

#[path = "../common/mod.rs"]
mod common;

mod child;
mod clock;
mod commit;
mod concurrency;
mod drift;
mod dump;
mod outage;
mod planted;
mod pool;
mod rebuild;
mod worker;
mod world;
