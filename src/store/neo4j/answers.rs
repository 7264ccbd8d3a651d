//! The rows that the statements return.

use neo4rs::Row;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::failure::Failure;
use crate::error::{Error, Reason, Result};
use crate::model::{NodeVersion, StrongRelation, Version, bucket};
use crate::store::graph::{Beat, BucketDigest};

pub(super) fn all<T: DeserializeOwned>(rows: &[Row]) -> Result<Vec<T>> {
    rows.iter().map(|row| Ok(row.to().map_err(Failure::from)?)).collect()
}

/// The one row of an aggregate.
pub(super) fn row<T: DeserializeOwned>(rows: &[Row]) -> Result<T> {
    let [row] = rows else {
        return Err(Error::graph(Reason::Internal, "Neo4j did not return one row for an aggregate."));
    };
    Ok(row.to().map_err(Failure::from)?)
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
    epoch: Number,
    revision: Number,
    pub fate: Fate,
}

impl Held {
    pub fn version(&self) -> Version {
        Version { epoch: self.epoch.ceiling(), revision: self.revision.ceiling() }
    }
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    Replaced,
    Marked,
    Refused,
    Barred,
}

/// A number that somebody may have edited; ours are whole.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(i64),
    Float(f64),
}

impl Number {
    pub fn whole(self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(number),
            Self::Float(_) => None,
        }
    }

    /// Not below the number, so that a version above it is above this.
    fn ceiling(self) -> i64 {
        match self {
            Self::Whole(number) => number,
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            Self::Float(number) => number.ceil() as i64,
        }
    }
}

/// What no memory has in place of a digest half or of a sum of them.
const BROKEN: i64 = -1;

#[derive(Deserialize)]
pub(super) struct DigestRow {
    bucket: Number,
    count: i64,
    h1: Number,
    h2: Number,
    epochs: Number,
    revisions: Number,
}

impl DigestRow {
    /// None: the bucket is none of ours, so that its nodes are missing elsewhere.
    pub fn digest(&self) -> Option<BucketDigest> {
        let sum = |number: Number| number.whole().unwrap_or(BROKEN);
        Some(BucketDigest {
            bucket: i32::try_from(self.bucket.whole()?).ok()?,
            count: self.count,
            h1: sum(self.h1),
            h2: sum(self.h2),
            epochs: sum(self.epochs),
            revisions: sum(self.revisions),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeRow {
    key: String,
    user_id: String,
    epoch: Option<Number>,
    revision: Option<Number>,
    h1: Option<Number>,
    h2: Option<Number>,
    bucket: Option<Number>,
    deleted: bool,
    detached: bool,
}

/// Of a bucket: how many memories have another number of mentions than they say, and the relationships they say to state.
#[derive(Deserialize)]
pub(super) struct MentionsHeld {
    pub bucket: Number,
    pub torn: i64,
    pub relationships: Number,
}

/// The relationships that are there, of a bucket or of a memory.
#[derive(Deserialize)]
pub(super) struct RelationshipsHeld<T> {
    #[serde(alias = "bucket", alias = "key")]
    pub of: T,
    pub relationships: i64,
}

/// A memory whose mentions are not as many as it says, or that says to state relationships.
#[derive(Deserialize)]
pub(super) struct MemoryHeld {
    pub key: String,
    pub torn: bool,
    pub relationships: Number,
}

#[derive(Deserialize)]
pub(super) struct SweepRow {
    /// Entities looked at.
    pub met: i64,
    pub swept: u64,
    pub foreign: u64,
}

#[derive(Deserialize)]
pub(super) struct GoneRow {
    pub gone: u64,
    pub foreign: u64,
}

/// A page by key: its last key, none where it is empty, and the edges of others that were met.
#[derive(Deserialize)]
pub(super) struct PageRow {
    pub last: Option<String>,
    pub foreign: u64,
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

impl NodeRow {
    /// None: the key is none that this layer writes. What else was edited shows in a digest that no memory has.
    pub fn version(self) -> Option<NodeVersion> {
        let memory_id = Uuid::parse_str(&self.key).ok().filter(|id| id.to_string() == self.key);
        let Some(memory_id) = memory_id else {
            log::warn!("Neo4j holds a node of this layer whose key is no memory id: {}", self.key);
            return None;
        };
        let whole = |number: Option<Number>| number.and_then(Number::whole);
        let numbers = [self.epoch, self.revision, self.h1, self.h2].map(whole);
        let sound =
            numbers.iter().all(Option::is_some) && whole(self.bucket) == Some(i64::from(bucket(memory_id)));
        let half = |number: Option<Number>| whole(number).filter(|_| sound).unwrap_or(BROKEN);
        let ceiling = |number: Option<Number>| number.map_or(0, Number::ceiling);
        Some(NodeVersion {
            memory_id,
            user_id: self.user_id,
            version: Version { epoch: ceiling(self.epoch), revision: ceiling(self.revision) },
            h1: half(self.h1),
            h2: half(self.h2),
            deleted: self.deleted,
            detached: self.detached,
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

/// An id in the beat.
fn id(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| {
        Error::graph(Reason::Internal, "Neo4j holds a beat with an id that is no UUID.").with("id", text)
    })
}
