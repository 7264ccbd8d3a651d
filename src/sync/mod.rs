//! Keeping the graph equal to Postgres: who owns it (`seat`, `beat`), paying debts (`drain`), finding and mending drift
//! (`check`, `deep`, `conflict`, `mend`, `repair`, `rebuild`), what embedder and extractor owe (`models`), all of it by itself (`scheduler`, `upkeep`).

mod acknowledger;
mod adopt;
mod apply_many;
mod beat;
mod belonging;
mod check;
mod confirm;
mod conflict;
mod deep;
mod difference;
mod drain;
mod faults;
mod group;
mod job;
mod mend;
mod models;
mod paged;
mod rebuild;
mod repair;
mod rows;
mod scheduler;
mod seat;
mod side;
mod sweep;
mod upkeep;
mod verify;

pub use belonging::Belonging;
pub use check::{Check, CheckScope};
pub use confirm::{Confirmed, Sides, confirm};
pub use deep::{Deviation, Field, compare};
pub use difference::Difference;
pub use drain::{DrainScope, Drained, drain, drain_with};
pub use job::{Job, Meter, count, milliseconds};
pub use models::{
    Backfill, Backfilled, Embedding, ModelScope, Models, ModelsPaid, Reembedded, backfill, can_wait,
    owed_to_models, pay_models, reembed,
};
pub use rebuild::{Rebuild, rebuild, switch};
pub use repair::{FullSync, full_sync, pending, repair};
pub use rows::follow_user;
pub use scheduler::Scheduler;
pub use seat::{Applying, Seat, Standing};
pub use sweep::sweep_entities;
pub use upkeep::collect_tombstones;
pub use verify::verify;
