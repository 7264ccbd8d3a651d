//! Postgres, the source of truth: pools, errors, migrations and the statements of `queries/`.

mod adoption;
mod aliases;
mod batches;
mod conflicts;
mod connection;
mod direct;
mod error;
mod export;
mod freshness;
mod functions;
mod inspect;
mod jobs;
mod memories;
mod migrate;
mod model_debts;
mod pool;
mod queue;
mod reach;
mod registry;
mod route;
mod rows;
mod search;
mod session;
mod sharing;
mod spaces;
mod startup;
mod statement;
mod states;
mod tombstones;
mod url;

pub use adoption::{Adopted, AdoptionPage, Rest};
pub use aliases::{Settling, Spelling};
pub use batches::Page;
pub use conflicts::{AdoptedRow, ConflictEntry, ConflictOutcome, Settlement, SettlementAnswer};
pub use connection::{Effect, Lane, PoolState, Postgres, PostgresConfig, Row};
pub use error::says_read_only;
pub use export::ExportFilter;
pub use inspect::{Clock, DirectWay, Pooler, Server, UsedSpace};
pub use jobs::PagedJob;
pub use memories::{
    DeleteRow, Deleted, ListFilter, Metadata, Placed, Put, RestoreRow, StoreRow, Stored, Undo, UpdateRow,
    Updated, UserStats,
};
pub use migrate::{
    FunctionsState, LOCK_PATIENCE, Migrated, MigrationPlan, migration_names, newest_migration,
};
pub use model_debts::{Content, ModelClaim, ModelCounts, ModelTarget};
pub use queue::{ClaimScope, Debt, DebtState, DebtTarget, Lease, QueueCounts, QueueFilter, Release};
pub use registry::{Lineage, Target};
pub use rows::{Stray, TableFacts};
pub use search::{CorpusQuery, Filters};
pub use spaces::{APP_DIMENSIONS, APP_SPACE, CurrentSpace, Filling, Removal, SpaceMatch};
pub use statement::Sql;
pub use states::{DigestRow, VersionRow};
pub use tombstones::Tombstone;
