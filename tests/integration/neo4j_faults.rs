//! Neo4j away, silent, flapping, unwilling: what the store makes of it.

use std::time::{Duration, Instant};

use crate::common::neo4j::{Driver, address, options, options_through, shared, store};
use crate::common::proxy::{Mode, Proxy, bolt};
use crate::common::sample::{memory, relationship, user};
use futures::future::join_all;
use izzie_memory::config::{Neo4jOptions, Secret};
use izzie_memory::error::{Class, Error, Reason};
use izzie_memory::model::RelationshipType;
use izzie_memory::store::graph::{Circuit, GraphStore, merely_slow};
use izzie_memory::store::neo4j::{Neo4jGraph, Tuning};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(2);
/// Well below any time limit, well above what a loaded machine takes for nothing.
const AT_ONCE: Duration = Duration::from_millis(1500);
/// Longer than the breaker's first pause.
const PAUSE: Duration = Duration::from_millis(600);

fn impatient(options: &Neo4jOptions) -> Neo4jGraph {
    Neo4jGraph::new(options, Tuning { operation_timeout: PATIENCE, ..Tuning::default() })
        .expect("valid options")
}

#[tokio::test]
async fn a_projection_is_one_statement_on_the_wire() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let (graph, user) = (store(&options_through(proxy.address)), user("wire"));
    graph.prepare().await.expect("prepared");
    graph.ping().await.expect("reached");
    let people: Vec<_> = (0..10).map(|n| format!("Person {n}")).collect();
    let mut projection =
        memory(&user, Uuid::new_v4(), 1, &people.iter().map(String::as_str).collect::<Vec<_>>());
    projection.relationships = vec![relationship("Person 1", RelationshipType::WorksWith, "Person 2")];
    proxy.forget();

    assert!(graph.project(&[projection]).await.expect("projected")[0].applied());
    let traffic = proxy.traffic();
    assert_eq!(traffic.len(), 1, "the pooled connection");
    // The driver resets a connection before each use.
    assert_eq!(traffic[0].bolt_messages(), [bolt::RESET, bolt::RUN, bolt::PULL]);
    assert_eq!(traffic[0].round_trips, 2);
    graph.clear(Some(&user)).await.expect("cleared");
}

#[tokio::test]
async fn a_black_hole_times_out_then_fails_fast_then_heals() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let graph = impatient(&options_through(proxy.address));
    graph.ping().await.expect("reached");
    proxy.set(Mode::BlackHole);
    for _ in 0..3 {
        let start = Instant::now();
        let error = graph.ping().await.expect_err("silence");
        assert_eq!((error.class, error.reason), (Class::GraphStore, Reason::Timeout));
        assert!(start.elapsed() >= PATIENCE && start.elapsed() < PATIENCE + AT_ONCE, "{:?}", start.elapsed());
    }
    let start = Instant::now();
    let error = graph.project(&[memory("nobody", Uuid::new_v4(), 1, &[])]).await.expect_err("open");
    assert_eq!((error.reason, error.details["circuit"].as_str()), (Reason::Unavailable, Some("open")));
    assert!(start.elapsed() < AT_ONCE);

    proxy.set(Mode::Pass);
    healed(&graph).await;
}

/// The pauses grow, and a probe may be late on a busy machine.
async fn healed(graph: &Neo4jGraph) {
    let start = Instant::now();
    while let Err(error) = graph.ping().await {
        assert!(start.elapsed() < 30 * PATIENCE, "{}", error.envelope());
        tokio::time::sleep(PAUSE).await;
    }
}

/// A caller that waits 50 ms for each write must not keep the breaker from learning.
#[tokio::test]
async fn the_breaker_learns_from_calls_nobody_waits_for() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let graph = impatient(&options_through(proxy.address));
    proxy.set(Mode::BlackHole);
    for _ in 0..3 {
        tokio::time::timeout(Duration::from_millis(50), graph.ping()).await.expect_err("no answer yet");
    }
    let start = Instant::now();
    // Waits for none of them either: only the breaker answers at once.
    let outcome = loop {
        if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(50), graph.ping()).await {
            break outcome;
        }
        assert!(start.elapsed() < 10 * PATIENCE, "it has not learnt");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(outcome.expect_err("open").details["circuit"], "open");
}

#[tokio::test]
async fn a_flapping_server_is_probed_by_one_call_at_a_time() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let graph = impatient(&options_through(proxy.address));
    proxy.set(Mode::Refuse);
    for _ in 0..3 {
        assert_eq!(graph.ping().await.expect_err("refused").reason, Reason::Unavailable);
    }
    let before = proxy.traffic().len();
    tokio::time::sleep(PAUSE).await;
    let answers = join_all((0..20).map(|_| graph.ping())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(proxy.traffic().len(), before + 1, "one probe");

    proxy.set(Mode::Pass);
    healed(&graph).await;
    let answers = join_all((0..20).map(|_| graph.ping())).await;
    assert!(answers.iter().all(Result::is_ok), "closed: {answers:?}");
}

#[tokio::test]
async fn nobody_listening_is_told_at_once() {
    let _server = shared().await;
    let free =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let graph = store(&options_through(free));
    let start = Instant::now();
    let error = graph.ping().await.expect_err("nobody there");
    assert_eq!((error.class, error.reason), (Class::GraphStore, Reason::Unavailable));
    assert!(error.reason.retryable() && start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn latency_beyond_the_limit_is_a_timeout_not_a_hang() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let graph = impatient(&options_through(proxy.address));
    graph.ping().await.expect("reached");
    proxy.set(Mode::Latency(Duration::from_secs(20)));
    let start = Instant::now();
    assert_eq!(graph.ping().await.expect_err("late").reason, Reason::Timeout);
    assert!(start.elapsed() < PATIENCE + AT_ONCE);
}

#[tokio::test]
async fn a_lost_answer_is_made_good_by_repeating() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let tuning = Tuning { operation_timeout: Duration::from_secs(4), ..Tuning::default() };
    let graph = Neo4jGraph::new(&options_through(proxy.address), tuning).expect("valid options");
    let user = user("lost");
    let projection = memory(&user, Uuid::new_v4(), 1, &["Ann", "Bob"]);
    let earlier = memory(&user, Uuid::new_v4(), 1, &["Ann"]);
    // The first use plans the statement, which may take longer than this store's patience.
    store(&options()).project(std::slice::from_ref(&earlier)).await.expect("projected");
    graph.project(&[earlier]).await.expect("projected");

    // The driver's RESET is short and gets its answer; the statement is not.
    proxy.set(Mode::HoldAnswersTo(1000));
    let error = graph.project(std::slice::from_ref(&projection)).await.expect_err("no answer");
    assert_eq!(error.reason, Reason::Timeout);
    assert_eq!(store(&options()).count(Some(&user)).await.expect("counted"), 2, "it was committed");
    proxy.set(Mode::Pass);
    assert!(graph.project(&[projection]).await.expect("repeated")[0].applied());
    assert_eq!(graph.count(Some(&user)).await.expect("counted"), 2);
    let query = neo4rs::query(
        "MATCH (e:IzzieEntity {userId: $user})-[r:MENTIONED_IN]->() RETURN e.frequency AS frequency, count(r) AS mentions ORDER BY frequency",
    );
    let rows = Driver::connect().rows(query.param("user", user.as_str())).await;
    let seen: Vec<(i64, i64)> = rows
        .iter()
        .map(|row| (row.get("frequency").expect("set"), row.get("mentions").expect("set")))
        .collect();
    assert_eq!(seen, [(1, 1), (2, 2)]);
    graph.clear(Some(&user)).await.expect("cleared");
}

/// Answers to long messages are held, those to pings are not: the server is there, and the breaker must not think otherwise.
#[tokio::test]
async fn a_slow_server_gets_more_time_than_a_silent_one_and_says_what_took_it() {
    // A ping has half of it, on a busy machine too.
    const PATIENCE: Duration = Duration::from_secs(4);
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let tuning = Tuning { operation_timeout: PATIENCE, ..Tuning::default() };
    let graph = Neo4jGraph::new(&options_through(proxy.address), tuning).expect("valid options");
    graph.ping().await.expect("reached");
    let user = user("slow");
    proxy.set(Mode::HoldAnswersTo(1000));
    // One more than the breaker takes.
    let projections = ["Ann", "Bob", "Cid", "Dan"].map(|name| [memory(&user, Uuid::new_v4(), 1, &[name])]);
    let mut slow = f64::INFINITY;
    for outcome in join_all(projections.iter().map(|projection| graph.project(projection))).await {
        let error = outcome.expect_err("no answer");
        assert_eq!((error.class, error.reason), (Class::GraphStore, Reason::Timeout));
        assert!(merely_slow(&error), "{error:?}");
        slow = slow.min(waited(&error, "the projection of memories"));
    }
    assert!(slow >= (PATIENCE * 6).as_secs_f64(), "{slow}");
    assert_eq!(graph.circuit(), Some(Circuit::Closed));
    // A server that says nothing has the usual time only.
    proxy.set(Mode::BlackHole);
    let error = graph.count(Some("nobody")).await.expect_err("silence");
    assert!(error.reason == Reason::Timeout && !merely_slow(&error), "{error:?}");
    assert!(error.message.contains("nor to a ping"), "{}", error.message);
    let silent = waited(&error, "the count of memories");
    assert!(silent >= PATIENCE.as_secs_f64() && silent < slow, "{silent}");
    store(&options()).clear(Some(&user)).await.expect("cleared");
}

/// The seconds that an error says were waited for an answer to `what`.
fn waited(error: &Error, what: &str) -> f64 {
    let after = format!("{what} within ");
    let said = error.message.split_once(&after).and_then(|(_, rest)| rest.split_once(" s"));
    let (seconds, _) = said.unwrap_or_else(|| panic!("{}", error.message));
    seconds.parse().expect("a number")
}

/// The driver's own limit ends each wait for an answer: it must not be below ours.
#[tokio::test]
async fn an_answer_after_the_usual_limit_arrives() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let graph = impatient(&options_through(proxy.address));
    graph.ping().await.expect("reached");
    let user = user("late");
    let projection = memory(&user, Uuid::new_v4(), 1, &["Ann", "Bob"]);
    store(&options()).project(std::slice::from_ref(&projection)).await.expect("planned");
    proxy.set(Mode::HoldAnswersTo(1000));
    let release = async {
        tokio::time::sleep(PATIENCE * 2).await;
        proxy.set(Mode::Pass);
    };
    let (applied, ()) = futures::join!(graph.project(std::slice::from_ref(&projection)), release);
    assert!(applied.expect("in the end")[0].applied());
    graph.clear(Some(&user)).await.expect("cleared");
}

/// Sorted locks never deadlock with each other, so two foreign transactions make one: while ours holds the first
/// memory and waits for the second, another holds the third and waits for the first.
#[tokio::test]
async fn a_deadlock_is_repeated_and_reaches_nobody() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let (graph, user) = (store(&options_through(proxy.address)), user("deadlock"));
    let mut ids = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    ids.sort();
    let batch = |revision: i64| ids.map(|id| memory(&user, id, revision, &["Ann"]));
    graph.prepare().await.expect("prepared");
    graph.project(&batch(1)).await.expect("projected");

    let driver = Driver::connect();
    let lock = |id: Uuid| {
        neo4rs::query("MATCH (m:IzzieMemory {key: $key}) SET m._lock = true REMOVE m._lock")
            .param("key", id.to_string())
    };
    // The server gives up the transaction that holds fewer locks.
    let ballast = neo4rs::query("UNWIND range(1, 500) AS n CREATE (:IzzieBallast {mark: $mark})");
    driver.rows(ballast.param("mark", user.as_str())).await;
    let lift = neo4rs::query("MATCH (n:IzzieBallast {mark: $mark}) SET n._lock = true REMOVE n._lock");
    let (mut holds_second, mut holds_third) = (driver.transaction().await, driver.transaction().await);
    holds_third.run(lift.param("mark", user.as_str())).await.expect("locked");
    holds_third.run(lock(ids[2])).await.expect("locked");
    holds_second.run(lock(ids[1])).await.expect("locked");
    proxy.forget();

    let second = batch(2);
    let projecting = async { graph.project(&second).await.expect("repeated until it succeeds") };
    let foreign = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let waits = holds_third.run(lock(ids[0]));
        let release = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            holds_second.rollback().await.expect("rolled back");
        };
        let (waited, ()) = futures::join!(waits, release);
        waited.expect("ours gave way");
        holds_third.rollback().await.expect("rolled back");
    };
    let (applied, ()) = futures::join!(projecting, foreign);
    assert!(applied.iter().all(|one| one.applied()));
    let runs =
        proxy.traffic().iter().flat_map(|one| one.bolt_messages()).filter(|&one| one == bolt::RUN).count();
    assert!(runs >= 2, "the first attempt was a deadlock's victim");
    let ballast = neo4rs::query("MATCH (n:IzzieBallast {mark: $mark}) DELETE n");
    driver.rows(ballast.param("mark", user.as_str())).await;
    graph.clear(Some(&user)).await.expect("cleared");
}

/// Another user name than the tests': the server locks out a name after three failures.
#[tokio::test]
async fn a_wrong_password_is_told_without_a_storm_or_a_secret() {
    let _server = shared().await;
    let proxy = Proxy::to(address()).await;
    let wrong = Neo4jOptions {
        user: "izzie-nobody".into(),
        password: Secret::new("canary-password"),
        ..options_through(proxy.address)
    };
    let graph = store(&wrong);
    let error = graph.ping().await.expect_err("refused");
    assert_eq!((error.class, error.reason), (Class::GraphStore, Reason::Unavailable));
    assert!(error.message.contains("sign-in"), "{}", error.message);
    assert!(!format!("{error:?} {}", error.envelope()).contains("canary"));
    for _ in 0..20 {
        let error = graph.ping().await.expect_err("refused");
        assert!(!format!("{error:?} {}", error.envelope()).contains("canary"));
    }
    assert_eq!(proxy.traffic().len(), 1, "asked once");
}

#[tokio::test]
async fn what_the_graph_cannot_hold_is_refused_with_its_name() {
    let _server = shared().await;
    let (graph, user) = (store(&options()), user("refused"));
    let mut projection = memory(&user, Uuid::new_v4(), 1, &["Ann"]);
    projection.relationships = vec![relationship("Ann", RelationshipType::Owns, "Stranger")];
    let error = graph.project(&[projection.clone()]).await.expect_err("no such end");
    assert_eq!((error.class, error.reason), (Class::GraphStore, Reason::GraphRejected));
    assert_eq!(error.details["memoryId"], projection.memory_id.to_string());
    projection.relationships.clear();
    projection.created_at = i64::MAX;
    assert_eq!(graph.project(&[projection]).await.expect_err("beyond").reason, Reason::GraphRejected);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let _server = shared().await;
    let graph = store(&options());
    graph.ping().await.expect("reached");
    graph.close().await;
    assert_eq!(graph.ping().await.expect_err("closed").reason, Reason::Closed);
}

/// Unless TCP_NODELAY is set, each message above 8 KB waits for a delayed acknowledgement, 40 ms at least.
#[cfg(unix)]
#[tokio::test]
async fn long_contents_do_not_stall() {
    let _server = shared().await;
    let (graph, user) = (store(&options()), user("long"));
    graph.prepare().await.expect("prepared");
    // In turns, so that both meet the same machine.
    let [mut short, mut long] = [Duration::MAX; 2];
    for _ in 0..30 {
        for (length, fastest) in [(20, &mut short), (20_000, &mut long)] {
            let mut projection = memory(&user, Uuid::new_v4(), 1, &["Ann"]);
            projection.content = "x".repeat(length);
            let start = Instant::now();
            graph.project(&[projection]).await.expect("projected");
            *fastest = (*fastest).min(start.elapsed());
        }
    }
    assert!(long < short + Duration::from_millis(35), "{short:?} and {long:?}");
    graph.clear(Some(&user)).await.expect("cleared");
}
