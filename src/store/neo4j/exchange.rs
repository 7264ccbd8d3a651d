//! How every statement is sent: behind the breaker, within the time limit, repeated while others hold the locks.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use neo4rs::{BoltType, Graph, Query, Row};
use rand::Rng;
use tokio::time::{Instant, sleep, timeout_at};

use super::breaker::{CircuitBreaker, Permit, Policy};
use super::config::{self, Tuning};
use super::cypher::PING;
use super::failure::{Failure, Kind};
use super::nodelay::Peer;
use crate::config::Neo4jOptions;
use crate::error::{Error, Reason, Result};
use crate::store::graph::Circuit;

/// A server that is away costs three calls; afterwards one probe at a time finds it again.
const BREAKER: Policy =
    Policy { threshold: 3, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(10) };

/// Connections that ask whether the server is there.
const PULSES: usize = 2;

const FIRST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_millis(200);

/// How many times the usual limit a question may take while the server answers others.
const OF_A_QUESTION: u32 = 3;
/// The same of work, and of any statement that the server has to plan first: a cold server, or one that has a tenth of a
/// core, takes most of a minute for the larger ones.
const OF_WORK: u32 = 6;
/// The same while nothing was heard of the server yet: it may be starting, and a connection takes it seconds.
const AT_FIRST: u32 = 3;

/// Longer than any statement may take.
pub(super) fn longest(limit: Duration) -> Duration {
    limit * (OF_WORK + 1)
}

/// How long before the end of a limit the server is asked whether it is there.
const LEAD: Duration = Duration::from_secs(5);

/// How much longer than the usual limit a statement may take, as long as the server answers others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// No longer: it asks whether the server is there.
    None,
    Question,
    Work,
}

/// A statement with its parameters.
pub(super) struct Statement {
    /// For messages: what is waited for.
    what: &'static str,
    query: Query,
    /// Which text it is, whatever its parameters.
    text: u64,
    /// About how long the message will be.
    bytes: usize,
    patience: Patience,
}

impl Statement {
    /// One that somebody waits for.
    pub fn question(what: &'static str, text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            what,
            query: Query::new(text.to_owned()),
            text: hasher.finish(),
            bytes: text.len(),
            patience: Patience::Question,
        }
    }

    /// One of those that keep the graph, which take what they need.
    pub fn work(what: &'static str, text: &str) -> Self {
        Self { patience: Patience::Work, ..Self::question(what, text) }
    }

    fn ping() -> Self {
        Self { patience: Patience::None, ..Self::question("a ping", PING) }
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
    /// Connections for the question whether the server is there, which must not wait for those in use.
    pulse: Mutex<Option<Graph>>,
    breaker: CircuitBreaker,
    /// What opened the circuit.
    cause: Mutex<Option<Error>>,
    timeout: Duration,
    /// The statements that the server has answered since it was lost, so that it knows their plans.
    planned: Mutex<HashSet<u64>>,
    /// When the server last answered; not since it was lost.
    heard: Mutex<Option<Instant>>,
}

impl Exchange {
    pub fn new(options: &Neo4jOptions, tuning: Tuning) -> Result<Self> {
        let (host, port) = config::endpoint(options)?;
        let pulse = Tuning { max_connections: PULSES, ..tuning };
        Ok(Self {
            graph: Mutex::new(Some(config::pool(options, tuning)?)),
            pulse: Mutex::new(Some(config::pool(options, pulse)?)),
            planned: Mutex::default(),
            heard: Mutex::default(),
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
        for pool in [&self.graph, &self.pulse] {
            pool.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    fn graph(&self) -> Result<Graph> {
        let graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner).clone();
        graph.ok_or_else(|| Error::graph(Reason::Closed, "The graph store was closed."))
    }

    pub async fn ping(self: &Arc<Self>) -> Result<()> {
        self.run(Statement::ping()).await.map(drop)
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
        let answer = self.in_time(graph, statement).await;
        settle(permit, &answer);
        self.learn(statement, &answer);
        answer.map_err(|failure| {
            let opens = !failure.kind.answered();
            let error = Error::from(failure);
            if opens {
                *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            }
            error
        })
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

    /// Waits as long as the statement may take: the usual limit, and that again while the server answers a ping meanwhile. One
    /// that says nothing at all is given up after the first.
    async fn in_time(&self, graph: &Graph, statement: &Statement) -> std::result::Result<Vec<Row>, Failure> {
        let begun = Instant::now();
        let rounds = self.rounds(statement);
        let mut answer = pin!(self.persistent(graph, statement, begun + self.timeout * rounds));
        for round in 1..=rounds {
            let end = begun + self.timeout * round;
            if round == rounds {
                let kind = if rounds == 1 { Kind::Silent } else { Kind::Slow };
                return timeout_at(end, answer)
                    .await
                    .unwrap_or_else(|_| Err(Failure::waited(kind, statement.what, begun.elapsed())));
            }
            let asked = end - LEAD.min(self.timeout / 2);
            if let Ok(answer) = timeout_at(asked, &mut answer).await {
                return answer;
            }
            let there = tokio::select! {
                biased;
                answer = &mut answer => return answer,
                there = self.is_there(end) => there,
            };
            if !there && (self.met() || round >= AT_FIRST) {
                return timeout_at(end, answer)
                    .await
                    .unwrap_or_else(|_| Err(Failure::waited(Kind::Silent, statement.what, begun.elapsed())));
            }
        }
        Err(Failure::silent()) // There is at least one round.
    }

    /// Whether the server answers by then: a ping, or anything else that it was asked.
    async fn is_there(&self, by: Instant) -> bool {
        let asked = Instant::now();
        let pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(pulse) = pulse else { return false };
        let pinged = timeout_at(by, self.once(&pulse, &Statement::ping())).await;
        matches!(pinged, Ok(Ok(_)))
            || self.heard.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at > asked)
    }

    /// Whether it has answered since it was lost.
    fn met(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn rounds(&self, statement: &Statement) -> u32 {
        let planned =
            || self.planned.lock().unwrap_or_else(PoisonError::into_inner).contains(&statement.text);
        match statement.patience {
            Patience::None => 1,
            Patience::Question if planned() => OF_A_QUESTION,
            Patience::Question | Patience::Work => OF_WORK,
        }
    }

    fn learn<T>(&self, statement: &Statement, answer: &std::result::Result<T, Failure>) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match answer.as_ref().map_err(|failure| failure.kind) {
            Ok(_) => {
                planned.insert(statement.text);
                *heard = Some(Instant::now());
            }
            // It may have been started anew.
            Err(Kind::Unreachable) => {
                planned.clear();
                *heard = None;
            }
            Err(Kind::Contended | Kind::Rejected | Kind::Incomprehensible) => *heard = Some(Instant::now()),
            Err(Kind::Silent | Kind::Slow | Kind::Barred) => {}
        }
    }

    /// Repeats a statement that lost against another one, with growing jittered pauses, until the time is up.
    async fn persistent(
        &self,
        graph: &Graph,
        statement: &Statement,
        deadline: Instant,
    ) -> std::result::Result<Vec<Row>, Failure> {
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
        let limit = self.timeout * self.rounds(statement);
        statement.query.clone().extra("tx_timeout", i64::try_from(limit.as_millis()).unwrap_or(i64::MAX))
    }
}

fn settle<T>(permit: Permit<'_>, answer: &std::result::Result<T, Failure>) {
    match answer.as_ref().map_err(|failure| failure.kind) {
        Err(Kind::Unreachable | Kind::Silent) => permit.failed(),
        Err(Kind::Barred) => permit.barred(),
        Ok(_) | Err(Kind::Slow | Kind::Contended | Kind::Rejected | Kind::Incomprehensible) => {
            permit.succeeded();
        }
    }
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
