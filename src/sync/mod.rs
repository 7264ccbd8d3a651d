//! Keeping the graph equal to Postgres: who owns it (`seat`, `beat`), paying debts (`drain`), finding and mending drift
//! (`check`, `repair`, `rebuild`), all of it by itself (`scheduler`, `upkeep`).

mod acknowledger;
mod apply_many;
mod beat;
mod check;
mod drain;
mod job;
mod paged;
mod rebuild;
mod repair;
mod scheduler;
mod seat;
mod upkeep;

pub use check::{Check, Confirmed, Difference, confirm};
pub use drain::{DrainScope, Drained, drain, drain_with};
pub use job::{Job, Meter, count, milliseconds};
pub use rebuild::{Rebuild, rebuild, switch};
pub use repair::{full_sync, pending, repair};
pub use scheduler::Scheduler;
pub use seat::{Applying, Seat, Standing};
pub use upkeep::{collect_tombstones, sweep_entities};
