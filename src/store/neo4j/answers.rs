//! The rows that the statements return.

use neo4rs::Row;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::failure::Failure;
use crate::error::{Error, Reason, Result};
use crate::model::{NodeVersion, StrongRelation, Version};
use crate::store::graph::Beat;

pub(super) fn all<T: DeserializeOwned>(rows: &[Row]) -> Result<Vec<T>> {
    rows.iter().map(|row| Ok(row.to().map_err(Failure::from)?)).collect()
}

/// The column `value` of the one row of an aggregate.
pub(super) fn value<T: DeserializeOwned>(rows: &[Row]) -> Result<T> {
    let [row] = rows else {
        return Err(Error::graph(Reason::Internal, "Neo4j did not return one row for an aggregate."));
    };
    Ok(row.get("value").map_err(Failure::from)?)
}

/// What the projecting statement says of one memory.
#[derive(Deserialize)]
pub(super) struct Held {
    pub key: String,
    pub epoch: i64,
    pub revision: i64,
    pub applied: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeRow {
    key: String,
    user_id: String,
    epoch: i64,
    revision: i64,
    h1: i64,
    h2: i64,
    deleted: bool,
    detached: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BeatRow {
    store_id: String,
    epoch: i64,
    high_water: i64,
    nonce: String,
    horizon_epoch: Option<i64>,
    horizon_revision: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RelationRow {
    from_type: String,
    from_name: String,
    to_type: String,
    to_name: String,
    kind: String,
    weight: i64,
}

impl TryFrom<NodeRow> for NodeVersion {
    type Error = Error;

    fn try_from(row: NodeRow) -> Result<Self> {
        Ok(Self {
            memory_id: id(&row.key)?,
            user_id: row.user_id,
            version: Version { epoch: row.epoch, revision: row.revision },
            h1: row.h1,
            h2: row.h2,
            deleted: row.deleted,
            detached: row.detached,
        })
    }
}

impl TryFrom<BeatRow> for Beat {
    type Error = Error;

    fn try_from(row: BeatRow) -> Result<Self> {
        Ok(Self {
            store_id: id(&row.store_id)?,
            epoch: row.epoch,
            high_water: row.high_water,
            nonce: id(&row.nonce)?,
            horizon: Version {
                epoch: row.horizon_epoch.unwrap_or(0),
                revision: row.horizon_revision.unwrap_or(0),
            },
        })
    }
}

impl From<RelationRow> for StrongRelation {
    fn from(row: RelationRow) -> Self {
        let RelationRow { from_type, from_name, to_type, to_name, kind, weight } = row;
        Self { from_type, from_name, to_type, to_name, kind, weight }
    }
}

/// Somebody else's node under our label, or one of ours edited by hand.
fn id(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| {
        Error::graph(Reason::Internal, "Neo4j holds a node of this layer whose key is no UUID.")
            .with("key", text)
    })
}
