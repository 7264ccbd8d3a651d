//! The faults that the documentation lists, each on real servers, many of them with processes that die where a fail point says so.

mod clock;
mod commit;
mod concurrency;
mod drift;
mod outage;
mod planted;
mod pool;
mod rebuild;
mod worker;
