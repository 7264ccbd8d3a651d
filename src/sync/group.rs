//! Group commit: projections that come while transactions of the graph are under way share the next one. One that
//! comes alone is sent at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

use super::seat::{Applying, Seat};
use crate::error::{Error, Reason};
use crate::model::Projection;

/// Transactions of single writes at once.
const TRANSACTIONS: usize = 2;
/// Projections of one transaction.
const BATCH: usize = 50;

#[derive(Default)]
pub(super) struct Group {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    under_way: usize,
}

struct Waiting {
    projection: Projection,
    answer: oneshot::Sender<Applying>,
    permit: OwnedSemaphorePermit,
}

impl Group {
    /// True: the caller has to start a transaction.
    fn join(&self, waiting: Waiting) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push_back(waiting);
        let free = state.under_way < TRANSACTIONS;
        state.under_way += usize::from(free);
        free
    }

    /// Those of the next transaction. Empty: there is none, and one less is under way.
    fn next(&self) -> Vec<Waiting> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = state.waiting.len().min(BATCH);
        state.under_way -= usize::from(count == 0);
        state.waiting.drain(..count).collect()
    }
}

impl Seat {
    /// Applies one projection and strikes its debt off, waiting at most `wait`. Who stops waiting does not take it out
    /// of its transaction.
    pub async fn apply(self: &Arc<Self>, projection: Projection, wait: Duration) -> Applying {
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            return Applying::Late;
        };
        let (answer, answered) = oneshot::channel();
        if self.group.join(Waiting { projection, answer, permit }) {
            tokio::spawn(Arc::clone(self).apply_groups());
        }
        match timeout(wait, answered).await {
            Ok(Ok(applying)) => applying,
            Ok(Err(_)) => Applying::Failed(Error::graph(Reason::Internal, "the graph write panicked")),
            Err(_) => Applying::Late,
        }
    }

    /// Transaction after transaction until nothing waits.
    async fn apply_groups(self: Arc<Self>) {
        loop {
            let group = self.group.next();
            if group.is_empty() {
                return;
            }
            let seat = Arc::clone(&self);
            // On a task of its own: a panic costs the answers of this group only.
            let applying = tokio::spawn(async move { seat.apply_group(group).await });
            if let Err(error) = applying.await {
                log::error!("a group of graph writes broke off and stays owed: {error}");
            }
        }
    }

    async fn apply_group(&self, group: Vec<Waiting>) {
        let (batch, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|one| (one.projection, (one.answer, one.permit))).unzip();
        for (applying, (answer, permit)) in self.apply_parts(&batch).await.into_iter().zip(waiting) {
            // Nobody may wait any more.
            let _ = answer.send(applying);
            drop(permit);
        }
    }
}
