//! The graph's half of a batch: one transaction, unless the graph refuses one of it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::drain::known_form;
use super::seat::{Applying, Seat};
use crate::error::{Error, Reason, Result};
use crate::model::Projection;
use crate::store::graph::{Applied, GraphStore, Outcome};

impl Seat {
    /// Applies projections in one transaction and strikes their debts off, waiting at most `wait`. One answer for each
    /// in the order sent. What the graph refuses for good is found by halving; its neighbours go through.
    pub async fn apply_many(self: &Arc<Self>, batch: Vec<Projection>, wait: Duration) -> Vec<Applying> {
        let count = batch.len();
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            return vec![Applying::Late; count];
        };
        let seat = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _permit = permit;
            seat.apply_parts(&batch).await
        });
        match timeout(wait, task).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(_)) => {
                let error = Error::graph(Reason::Internal, "the graph write panicked");
                vec![Applying::Failed(error); count]
            }
            Err(_) => vec![Applying::Late; count],
        }
    }

    /// One answer for each in the order given.
    pub(super) async fn apply_parts(&self, batch: &[Projection]) -> Vec<Applying> {
        let (graph, target) = match self.ours().await {
            Ok(ours) => ours,
            Err(error) => return vec![Applying::Failed(error); batch.len()],
        };
        let mut outcomes = vec![Applying::Late; batch.len()];
        let whole: Range<usize> = 0..batch.len();
        let mut open = Vec::from([whole]);
        while let Some(part) = open.pop() {
            match self.apply_part(graph.as_ref(), &target.target, &batch[part.clone()]).await {
                Ok(applied) => outcomes[part].clone_from_slice(&applied),
                Err(error) if splits(&error) && part.len() > 1 => {
                    let middle = part.start + part.len() / 2;
                    open.push(middle..part.end);
                    open.push(part.start..middle);
                }
                Err(error) => {
                    let failed = Applying::Failed(error.clone());
                    outcomes[part].fill(failed.clone());
                    if !splits(&error) {
                        // The graph is away: the rest would fare no better.
                        open.drain(..).for_each(|rest| outcomes[rest].fill(failed.clone()));
                    }
                }
            }
        }
        outcomes
    }

    async fn apply_part(
        &self,
        graph: &dyn GraphStore,
        target: &str,
        part: &[Projection],
    ) -> Result<Vec<Applying>> {
        fail::fail_point!("before_graph_write");
        known_form(part)?;
        let applied = graph.project(part).await?;
        fail::fail_point!("after_graph_write");
        if applied.len() != part.len() {
            return Err(Error::graph(
                Reason::Internal,
                "the graph answered for another number of memories than were sent",
            ));
        }
        let acknowledger = self.acknowledger().await;
        let settle = |(projection, applied): (&Projection, &Applied)| match applied.outcome {
            // Not above the horizon: the debt stays for a sync, which gives the memory a new revision.
            Outcome::BelowHorizon => Applying::Late,
            // Refused means that the graph holds a newer version, which pays this one too.
            Outcome::Applied | Outcome::Refused => {
                acknowledger.paid(target, projection.memory_id, projection.version.revision);
                Applying::Applied
            }
        };
        Ok(part.iter().zip(&applied).map(settle).collect())
    }
}

/// Whether the graph refused the batch because of one of its memories.
fn splits(error: &Error) -> bool {
    matches!(error.reason, Reason::GraphRejected | Reason::StatementRejected)
}
