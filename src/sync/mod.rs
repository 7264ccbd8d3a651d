//! Keeping the graph equal to Postgres: who owns it (`seat`, `beat`), paying debts (`drain`), finding and mending drift
//! (`check`, `repair`, `rebuild`).

mod acknowledger;
mod beat;
mod check;
mod drain;
mod job;
mod rebuild;
mod repair;
mod seat;

pub use check::{Check, Confirmed, Difference, confirm};
pub use drain::{DrainScope, Drained, drain};
pub use job::{Job, Meter};
pub use rebuild::rebuild;
pub use repair::{full_sync, repair};
pub use seat::{Applying, Seat, Standing};
