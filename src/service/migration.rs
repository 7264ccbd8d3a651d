//! Bringing a database up to date, or telling what that would take.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::layer::Layer;
use super::request::MigrateArgs;
use crate::context::CallContext;
use crate::error::{Error, Result};
use crate::store::postgres::{LOCK_PATIENCE, Migrated, MigrationPlan};

#[derive(Serialize)]
pub(super) struct MigrationAnswer {
    applied: Vec<String>,
    adopted: AdoptedRows,
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
}

#[derive(Serialize)]
struct AdoptedRows {
    rows: u64,
    pending: u64,
    failed: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    id: Uuid,
    error: Value,
}

impl Layer {
    pub(super) async fn migrate(&self, args: MigrateArgs, context: &CallContext) -> Result<MigrationAnswer> {
        let postgres = &self.stores.postgres;
        if args.dry_run == Some(true) {
            return Ok(postgres.plan_migration().await?.into());
        }
        Ok(postgres.migrate(context, LOCK_PATIENCE).await?.into())
    }
}

impl From<MigrationPlan> for MigrationAnswer {
    fn from(MigrationPlan { missing, unadopted, sql }: MigrationPlan) -> Self {
        Self {
            applied: missing,
            adopted: AdoptedRows { rows: 0, pending: unadopted, failed: Vec::new() },
            sql: Some(sql),
        }
    }
}

impl From<Migrated> for MigrationAnswer {
    fn from(Migrated { applied, adopted }: Migrated) -> Self {
        let failed = |(id, error): (Uuid, Error)| Failed { id, error: error.envelope() };
        let failed = adopted.failed.into_iter().map(failed).collect();
        Self {
            applied,
            adopted: AdoptedRows { rows: adopted.rows, pending: adopted.pending, failed },
            sql: None,
        }
    }
}
