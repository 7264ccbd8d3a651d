//! Conflicts: somebody edited the graph. Who wins is up to the strategy; the loser is kept in the conflict log.
//!
//! What only follows from the row (digest, labels, counts …) is mended without asking: no side could win it.

use std::collections::HashMap;

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::adopt::{Share, adopt_as_row, adopt_into_row};
use super::confirm::{PAGE, Sides, by_id};
use super::deep::Field;
use super::difference::Difference;
use super::job::Job;
use super::side::{graph_side, vector_side};
use crate::config::ConflictStrategy;
use crate::error::{Error, Reason, Result};
use crate::model::{HeldMemory, Projection, Version};
use crate::store::postgres::{AdoptedRow, ConflictOutcome, Settlement};

/// Decides conflicts by a strategy.
#[derive(Clone, Copy)]
pub(super) struct Arbiter<'a> {
    pub job: Job<'a>,
    pub sides: Sides<'a>,
    pub strategy: ConflictStrategy,
}

/// What became of differences.
#[derive(Default)]
pub(super) struct Arbitration {
    /// To be projected: no conflicts, and conflicts that are decided.
    pub mend: Vec<Difference>,
    /// Conflicts that wait for somebody to decide.
    pub parked: Vec<Uuid>,
    /// Conflicts that could not be decided, with the reason.
    pub failed: Vec<(Uuid, String)>,
    /// Memories that were written meanwhile.
    pub moved: Vec<Uuid>,
}

enum Ruling {
    Mend,
    Parked,
    Moved,
    Failed(String),
}

/// A conflict with what both sides hold.
struct Case<'a> {
    difference: &'a Difference,
    held: &'a HeldMemory,
    /// None: there is neither row nor tombstone.
    wanted: Option<&'a Projection>,
}

impl Arbiter<'_> {
    /// Settles those of the differences that are conflicts.
    pub async fn settle(&self, differences: Vec<Difference>) -> Result<Arbitration> {
        let mut arbitration = Arbitration::default();
        let open = |difference: &Difference| to_be_decided(difference) && !self.buried(difference);
        let (conflicts, plain): (Vec<_>, Vec<_>) = differences.into_iter().partition(open);
        arbitration.mend = plain;
        for page in conflicts.chunks(PAGE) {
            let ids: Vec<Uuid> = page.iter().map(|difference| difference.memory_id).collect();
            let held = by_id(self.sides.graph.read_back(&ids).await?, |held| held.memory_id);
            let wanted = by_id(self.sides.postgres.projections(&ids).await?, |wanted| wanted.memory_id);
            for difference in page {
                let id = difference.memory_id;
                if self.job.cancelled() {
                    arbitration.moved.push(id);
                    continue;
                }
                match self.rule(difference, &held, &wanted).await? {
                    Ruling::Mend => arbitration.mend.push(difference.clone()),
                    Ruling::Parked => arbitration.parked.push(id),
                    Ruling::Moved => arbitration.moved.push(id),
                    Ruling::Failed(reason) => {
                        log::warn!("the conflict of memory {id} is left as it is: {reason}");
                        arbitration.failed.push((id, reason));
                    }
                }
            }
        }
        Ok(arbitration)
    }

    /// A node up to the horizon without a row is what a collected tombstone covered: it goes, whatever the strategy.
    fn buried(&self, difference: &Difference) -> bool {
        let horizon = self.sides.target.horizon();
        difference.state.is_none() && difference.node.as_ref().is_some_and(|node| node.version <= horizon)
    }

    async fn rule(
        &self,
        difference: &Difference,
        held: &HashMap<Uuid, HeldMemory>,
        wanted: &HashMap<Uuid, Projection>,
    ) -> Result<Ruling> {
        let Some(held) = held.get(&difference.memory_id) else { return Ok(Ruling::Moved) };
        let wanted = wanted.get(&difference.memory_id);
        let compared = difference.state.as_ref().map(|state| state.version);
        if wanted.map(|wanted| wanted.version) != compared {
            return Ok(Ruling::Moved);
        }
        let case = Case { difference, held, wanted };
        let strategy = match self.strategy {
            ConflictStrategy::Callback => match self.ask(&case).await {
                Ok(strategy) => strategy,
                Err(error) => return Ok(Ruling::Failed(error.message)),
            },
            strategy => strategy,
        };
        let outcome = self.outcome(strategy, &case).await?;
        match self.row(outcome, &case) {
            Ok(row) => self.carry_out(strategy, outcome, &case, row).await,
            Err(error) => {
                // Listed, so that the node's side can be looked at.
                self.carry_out(strategy, ConflictOutcome::Open, &case, None).await?;
                Ok(Ruling::Failed(error.message))
            }
        }
    }

    async fn ask(&self, case: &Case<'_>) -> Result<ConflictStrategy> {
        let Some(resolver) = &self.job.context.resolver else {
            return Err(Error::invalid("conflictStrategy", "is no function"));
        };
        let answer = resolver.resolve(case.as_json()).await?;
        match serde_json::from_value(Value::String(answer)) {
            Ok(ConflictStrategy::Callback) | Err(_) => {
                Err(Error::invalid("conflictStrategy", "the function's answer is none of the strategies"))
            }
            Ok(strategy) => Ok(strategy),
        }
    }

    async fn outcome(&self, strategy: ConflictStrategy, case: &Case<'_>) -> Result<ConflictOutcome> {
        let outcome = match strategy {
            ConflictStrategy::GraphWins => ConflictOutcome::Graph,
            ConflictStrategy::LatestWins if self.edited_later(case).await? => ConflictOutcome::Graph,
            ConflictStrategy::Merge => ConflictOutcome::Merged,
            ConflictStrategy::Manual => ConflictOutcome::Open,
            _ => ConflictOutcome::Vector,
        };
        let won = matches!(outcome, ConflictOutcome::Graph | ConflictOutcome::Merged);
        Ok(if won && !case.adoptable() { ConflictOutcome::Vector } else { outcome })
    }

    /// An edit that bears no time is not known to be later.
    async fn edited_later(&self, case: &Case<'_>) -> Result<bool> {
        let Some(edited_at) = case.held.edited_at else { return Ok(false) };
        let changed_at = self.sides.postgres.changed_at(case.held.memory_id).await?;
        Ok(changed_at.is_none_or(|changed_at| edited_at > changed_at.timestamp_micros()))
    }

    fn row(&self, outcome: ConflictOutcome, case: &Case<'_>) -> Result<Option<AdoptedRow>> {
        let share = match outcome {
            ConflictOutcome::Graph => Share::Graph,
            ConflictOutcome::Merged => Share::Both,
            ConflictOutcome::Vector | ConflictOutcome::Open => return Ok(None),
        };
        let limits = self.job.limits;
        match case.wanted {
            Some(wanted) => adopt_into_row(case.held, wanted, share, limits).map(Some),
            None => adopt_as_row(case.held, limits).map(Some),
        }
    }

    async fn carry_out(
        &self,
        strategy: ConflictStrategy,
        outcome: ConflictOutcome,
        case: &Case<'_>,
        row: Option<AdoptedRow>,
    ) -> Result<Ruling> {
        let answer = match self.sides.postgres.settle_conflict(&case.settlement(strategy, outcome, row)).await
        {
            Ok(answer) => answer,
            Err(error) if error.reason == Reason::StatementRejected => {
                return Ok(Ruling::Failed(error.message));
            }
            Err(error) => return Err(error),
        };
        Ok(match (answer.settled, answer.error) {
            (_, Some(error)) => Ruling::Failed(error),
            (false, None) => Ruling::Moved,
            (true, None) if outcome == ConflictOutcome::Open => Ruling::Parked,
            (true, None) => Ruling::Mend,
        })
    }
}

/// Whether there is something to decide about a difference.
fn to_be_decided(difference: &Difference) -> bool {
    let telling = || difference.deviation.fields.iter().any(|field| field.telling());
    difference.conflict() && (difference.state.is_none() || telling())
}

impl Case<'_> {
    fn adoptable(&self) -> bool {
        self.wanted.is_none() || self.difference.deviation.fields.iter().any(|field| field.adoptable())
    }

    fn user_id(&self) -> &str {
        self.wanted.map_or(&self.held.user_id, |wanted| &wanted.user_id)
    }

    fn fields(&self) -> Vec<&'static str> {
        self.difference.deviation.all_fields().into_iter().map(Field::name).collect()
    }

    fn vector(&self) -> Value {
        self.wanted.map_or(Value::Null, vector_side)
    }

    /// As a caller's function gets it.
    fn as_json(&self) -> Value {
        json!({
            "memoryId": self.held.memory_id,
            "userId": self.user_id(),
            "fields": self.fields(),
            "vector": self.vector(),
            "graph": graph_side(self.held),
            "detectedAt": Utc::now(),
        })
    }

    fn settlement(
        &self,
        strategy: ConflictStrategy,
        outcome: ConflictOutcome,
        row: Option<AdoptedRow>,
    ) -> Settlement {
        let none = Version { epoch: 0, revision: 0 };
        let node = self.difference.node.as_ref().map_or(none, |node| node.version);
        Settlement {
            memory_id: self.held.memory_id,
            user_id: self.user_id().to_owned(),
            strategy: strategy.name(),
            outcome,
            fields: self.fields(),
            vector: self.vector(),
            graph: graph_side(self.held),
            expected_revision: self.wanted.map(|wanted| wanted.version.revision),
            node,
            row,
        }
    }
}
