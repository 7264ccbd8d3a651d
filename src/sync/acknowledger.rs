//! Strikes paid debts off in batches, away from the answer's path. What gets lost here is merely applied again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::postgres::Postgres;

/// How long a paid debt may wait for company.
const GATHER: Duration = Duration::from_millis(20);
const BATCH: usize = 500;
const QUEUE: usize = 10_000;

enum Message {
    Paid { target: String, memory_id: Uuid, revision: i64 },
    Flush(oneshot::Sender<()>),
}

pub struct Acknowledger {
    sender: mpsc::Sender<Message>,
}

impl Acknowledger {
    /// Must be called inside a tokio runtime. Ends when it is dropped.
    pub fn start(postgres: Arc<Postgres>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(postgres, receiver));
        Self { sender }
    }

    /// The graph holds this revision of the memory (or a higher one).
    pub fn paid(&self, target: &str, memory_id: Uuid, revision: i64) {
        // A full queue leaves the debt: it is paid again, which does no harm.
        let _ = self.sender.try_send(Message::Paid { target: target.to_owned(), memory_id, revision });
    }

    /// Waits until everything said before is struck off.
    pub async fn flush(&self) {
        let (done, struck_off) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).await.is_ok() {
            let _ = struck_off.await;
        }
    }
}

async fn run(postgres: Arc<Postgres>, mut receiver: mpsc::Receiver<Message>) {
    while let Some(first) = receiver.recv().await {
        let mut paid: HashMap<String, Vec<(Uuid, i64)>> = HashMap::new();
        let mut waiting = Vec::new();
        let mut next = Some(first);
        let mut count = 0;
        while let Some(message) = next {
            match message {
                Message::Paid { target, memory_id, revision } => {
                    paid.entry(target).or_default().push((memory_id, revision));
                    count += 1;
                }
                Message::Flush(done) => waiting.push(done),
            }
            if count >= BATCH || !waiting.is_empty() {
                break;
            }
            next = timeout(GATHER, receiver.recv()).await.unwrap_or_default();
        }
        for (target, batch) in paid {
            if let Err(error) = postgres.acknowledge(&target, &newest(batch)).await {
                log::warn!("debts that are paid stay listed and will be paid again: {error}");
            }
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

/// One entry per memory, since a statement can strike a row only once.
fn newest(mut batch: Vec<(Uuid, i64)>) -> Vec<(Uuid, i64)> {
    batch.sort_unstable_by(|a, b| b.cmp(a));
    batch.dedup_by_key(|entry| entry.0);
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_revision_of_a_memory_stands_for_all() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut kept = newest(vec![(a, 1), (b, 9), (a, 3), (a, 2)]);
        kept.sort_unstable();
        assert_eq!(kept, [(a, 3), (b, 9)]);
    }
}
