//! What a batch of stores would be refused for, found out without a store.

use serde::Serialize;
use serde_json::Value;

use super::draft::Draft;
use super::layer::Layer;
use super::request::StoreManyArgs;
use crate::error::Result;

#[derive(Serialize)]
pub(super) struct CheckManyAnswer {
    /// In the order of the items.
    results: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl Layer {
    /// What a store would refuse of these before it asks Postgres.
    pub(super) fn check_many(&self, args: &StoreManyArgs) -> Result<CheckManyAnswer> {
        self.check_batch("items", args.items.len())?;
        let reader = self.reader();
        let check =
            |item| Checked { error: Draft::of_item(item, None, &reader).err().map(|error| error.envelope()) };
        Ok(CheckManyAnswer { results: args.items.iter().map(check).collect() })
    }
}
