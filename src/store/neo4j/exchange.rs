//! How every statement is sent: behind the breaker, within the time limit, repeated while others hold the locks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use neo4rs::{BoltType, Graph, Query, Row};
use rand::Rng;
use tokio::time::{Instant, sleep, timeout};

use super::breaker::{CircuitBreaker, Permit, Policy};
use super::config::{self, Tuning};
use super::failure::{Failure, Kind};
use super::nodelay::Peer;
use crate::config::Neo4jOptions;
use crate::error::{Error, Reason, Result};
use crate::store::graph::Circuit;

/// A server that is away costs three calls; afterwards one probe at a time finds it again.
const BREAKER: Policy =
    Policy { threshold: 3, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(10) };

const FIRST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_millis(200);

/// A statement with its parameters.
pub(super) struct Statement {
    query: Query,
    /// About how long the message will be.
    bytes: usize,
    /// Instead of the usual time limit.
    limit: Option<Duration>,
}

impl Statement {
    pub fn new(text: &str) -> Self {
        Self { query: Query::new(text.to_owned()), bytes: text.len(), limit: None }
    }

    /// Gives the server so much time for it.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub fn param(mut self, name: &str, value: impl Into<BoltType>) -> Self {
        let value = value.into();
        self.bytes += name.len() + encoded_len(&value);
        self.query = self.query.param(name, value);
        self
    }
}

pub(super) struct Exchange {
    /// Empty once closed.
    graph: Mutex<Option<Graph>>,
    peer: Peer,
    breaker: CircuitBreaker,
    /// What opened the circuit.
    cause: Mutex<Option<Error>>,
    timeout: Duration,
}

impl Exchange {
    pub fn new(options: &Neo4jOptions, tuning: Tuning) -> Result<Self> {
        let (host, port) = config::endpoint(options)?;
        Ok(Self {
            graph: Mutex::new(Some(config::pool(options, tuning)?)),
            peer: Peer::new(host, port),
            breaker: CircuitBreaker::new(BREAKER),
            cause: Mutex::default(),
            timeout: tuning.operation_timeout,
        })
    }

    pub fn circuit(&self) -> Circuit {
        self.breaker.circuit()
    }

    pub fn close(&self) {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn graph(&self) -> Result<Graph> {
        let graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner).clone();
        graph.ok_or_else(|| Error::graph(Reason::Closed, "The graph store was closed."))
    }

    /// Runs one statement in a transaction of its own and returns its rows.
    ///
    /// The exchange goes on when the caller stops waiting: cutting it off would cost the connection, leave the server's
    /// transaction holding its locks, and hide from the breaker that the server is silent.
    pub async fn run(self: &Arc<Self>, statement: Statement) -> Result<Vec<Row>> {
        let graph = self.graph()?;
        let permit_holder = Arc::clone(self);
        let exchange = async move { permit_holder.guarded(&graph, &statement).await };
        tokio::spawn(exchange)
            .await
            .unwrap_or_else(|_| Err(Error::graph(Reason::Internal, "The exchange with Neo4j broke off.")))
    }

    async fn guarded(&self, graph: &Graph, statement: &Statement) -> Result<Vec<Row>> {
        let Some(permit) = self.breaker.admit() else {
            return Err(self.not_asked());
        };
        let answer = timeout(self.limit(statement), self.persistent(graph, statement));
        let answer = answer.await.unwrap_or_else(|_| Err(Failure::silent()));
        let opens = answer.as_ref().is_err_and(|failure| !failure.kind.answered());
        let outcome = settle(permit, answer);
        if opens && let Err(error) = &outcome {
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        }
        outcome
    }

    /// While the circuit is open: why it is.
    fn not_asked(&self) -> Error {
        let cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let error = match cause {
            Some(cause) => {
                let message = format!("{} (it is not asked again for a moment: circuit open)", cause.message);
                Error { reason: Reason::Unavailable, message, ..cause }
            }
            None => Error::graph(Reason::Unavailable, "Neo4j was not reached lately: circuit open."),
        };
        error.with("circuit", "open")
    }

    /// Repeats a statement that lost against another one, with growing jittered pauses, until the time is up.
    async fn persistent(
        &self,
        graph: &Graph,
        statement: &Statement,
    ) -> std::result::Result<Vec<Row>, Failure> {
        let deadline = Instant::now() + self.limit(statement);
        let mut ceiling = FIRST_RETRY;
        loop {
            let failure = match self.once(graph, statement).await {
                Err(failure) if failure.kind == Kind::Contended => failure,
                settled => return settled,
            };
            let pause = rand::rng().random_range(Duration::ZERO..=ceiling);
            if Instant::now() + pause >= deadline {
                return Err(failure);
            }
            log::debug!("Neo4j asks for a repetition: {failure:?}");
            sleep(pause).await;
            ceiling = (ceiling * 2).min(LONGEST_RETRY);
        }
    }

    async fn once(&self, graph: &Graph, statement: &Statement) -> std::result::Result<Vec<Row>, Failure> {
        let query = self.limited(statement);
        // On the heap: the driver's future takes 26 KB.
        let answer = Box::pin(async {
            let mut stream = graph.execute(query).await?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next().await? {
                rows.push(row);
            }
            Ok(rows)
        });
        self.peer.unstalled(statement.bytes, answer).await
    }

    /// The server too gives up after that time; an abandoned transaction would go on holding its locks.
    fn limited(&self, statement: &Statement) -> Query {
        let limit = i64::try_from(self.limit(statement).as_millis()).unwrap_or(i64::MAX);
        statement.query.clone().extra("tx_timeout", limit)
    }

    fn limit(&self, statement: &Statement) -> Duration {
        statement.limit.unwrap_or(self.timeout)
    }
}

fn settle<T>(permit: Permit<'_>, answer: std::result::Result<T, Failure>) -> Result<T> {
    match answer.as_ref().map_err(|failure| failure.kind) {
        Err(Kind::Unreachable | Kind::Silent) => permit.failed(),
        Err(Kind::Barred) => permit.barred(),
        Ok(_) | Err(Kind::Contended | Kind::Rejected | Kind::Incomprehensible) => permit.succeeded(),
    }
    answer.map_err(Error::from)
}

/// What a value takes in a message, up to some bytes of headers.
fn encoded_len(value: &BoltType) -> usize {
    match value {
        BoltType::String(text) => text.value.len() + 3,
        BoltType::List(list) => list.value.iter().map(encoded_len).sum::<usize>() + 3,
        BoltType::Map(map) => {
            map.value.iter().map(|(key, value)| key.value.len() + 1 + encoded_len(value)).sum()
        }
        _ => 9,
    }
}
