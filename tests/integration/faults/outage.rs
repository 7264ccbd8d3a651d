//! Rows 22, 24 and 26: a graph that is away for days, slow, or unwilling.

use std::time::{Duration, Instant};

use neo4rs::query;
use serde_json::json;

use crate::common::layers::Client;
use crate::common::neo4j::{self, Driver};
use crate::common::proxy::{Mode, Proxy};
use crate::common::world::{PATIENCE, World};

/// Beyond what a write may wait for the graph: the way to Postgres and a loaded machine. Less than the five seconds by
/// which an answer of the graph is late.
const SLACK: Duration = Duration::from_secs(4);

/// Every hour somebody tries: the background, a cron job, a writer. The hours pass in the database, whose clock decides.
#[tokio::test(flavor = "multi_thread")]
async fn three_days_without_the_graph_on_neo4j() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    let kept = layer.store("u", "before", &["Ann"]).await;
    layer.call("startAutoSync", json!({})).await;
    proxy.set(Mode::Refuse);
    world.foreign_rows(300).await;
    let mut sql = world.sql().await;
    for hour in 0..72 {
        layer.call("update", json!({ "id": kept, "content": format!("hour {hour}") })).await;
        let error = layer.fails("drain", json!({})).await;
        assert!(error.reason.retryable(), "{}", error.envelope());
        sql.run(
            "update izzie_memory.memory_sync set owed_at = owed_at - interval '1 hour', \
               next_attempt_at = next_attempt_at - interval '1 hour', lease_until = lease_until - interval '1 hour'",
        )
        .await;
    }
    assert_eq!((world.owed().await, world.debts("attempts > 0 or state = 'dead'").await), (301, 0));
    let queue = layer.call("getQueue", json!({ "target": "graph", "limit": 1000 })).await;
    assert_eq!(queue["items"].as_array().map(Vec::len), Some(301));
    assert_eq!(layer.call("health", json!({})).await["status"], "degraded");
    proxy.set(Mode::Pass);
    // Nobody calls: the background finds the graph again.
    world.wait_until_paid(PATIENCE).await;
    world.expect_equal().await;
    assert_eq!(layer.percentage().await, 100);
}

/// Slower than a write may wait, but within what a statement may take: it goes on behind the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_graph_is_written_behind_the_answer_on_neo4j() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    layer.store("u", "warm", &["Ann"]).await;
    layer.call("syncStats", json!({})).await;
    proxy.set(Mode::Latency(Duration::from_millis(400)));
    for n in 0..3 {
        let wait = Duration::from_millis(300);
        expect_answer_within(&layer, &format!("{n}"), wait).await;
    }
    world.wait_until_paid(PATIENCE).await;
    world.expect_equal().await;
}

/// So slow that no statement comes through: every write is bounded, and the background pays once it is over.
#[tokio::test(flavor = "multi_thread")]
async fn five_seconds_of_latency_on_neo4j() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    layer.store("u", "warm", &["Ann"]).await;
    layer.call("startAutoSync", json!({})).await;
    proxy.set(Mode::Latency(Duration::from_secs(5)));
    for n in 0..10 {
        expect_answer_within(&layer, &format!("{n}"), Duration::from_millis(300)).await;
    }
    let begun = Instant::now();
    let found = layer.call("retrieve", json!({ "userId": "u", "query": "warm" })).await;
    assert_eq!((found[0]["content"].as_str(), begun.elapsed() < SLACK), (Some("warm"), true));
    proxy.set(Mode::Pass);
    world.wait_until_paid(PATIENCE).await;
    world.expect_equal().await;
}

async fn expect_answer_within(layer: &Client, content: &str, wait: Duration) {
    let memory =
        json!({ "userId": "u", "content": content, "entities": [{ "type": "person", "value": "Ann" }] });
    let begun = Instant::now();
    let config = json!({ "graphWaitMs": u64::try_from(wait.as_millis()).expect("short") });
    let answer = layer.try_call_with("store", memory, config).await.expect("stored");
    assert_eq!(answer["write"]["graphWriteSuccess"], false, "{answer}");
    assert!(begun.elapsed() < wait + SLACK, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_always_rejected_on_neo4j() {
    let world = World::on_neo4j().await;
    let driver = Driver::connect();
    // A property of ours under a constraint of another hand.
    let constraint =
        "CREATE CONSTRAINT test_once IF NOT EXISTS FOR (m:IzzieMemory) REQUIRE m.content IS UNIQUE";
    driver.rows(query(constraint)).await;
    driver.rows(query("CREATE (:IzzieMemory {content: 'poison', mark: 'test_once'})")).await;
    let outcome = tokio::spawn(async move {
        always_rejected(&world).await;
        world
    })
    .await;
    driver.rows(query("DROP CONSTRAINT test_once IF EXISTS")).await;
    driver.rows(query("MATCH (m:IzzieMemory {mark: 'test_once'}) DELETE m")).await;
    drop(outcome.expect("passed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_always_rejected_on_postgres() {
    let world = World::on_postgres().await;
    world
        .sql()
        .await
        .run(
            "create function public.refuse() returns trigger language plpgsql as $$ begin \
               if exists (select from public.memory_entries e where e.id = new.memory_id and e.content = 'poison') \
               then raise check_violation; end if; return new; end $$; \
             create trigger refuse before update on izzie_memory.graph_memories \
               for each row execute function public.refuse()",
        )
        .await;
    always_rejected(&world).await;
    extraction_goes_on_beside_it(&world).await;
}

/// What is found in others reaches the graph, though it is written together with the memory that is refused.
async fn extraction_goes_on_beside_it(world: &World) {
    let mut sql = world.sql().await;
    sql.run(
        "insert into public.memory_entries (user_id, content) \
         values ('x', 'poison'), ('x', 'Lunch with Grace Hopper from Remington Rand')",
    )
    .await;
    Client::new(&world.config()).call("drain", json!({})).await;
    let mentioned: i64 =
        sql.one("select count(*) from izzie_memory.graph_mentions m where m.user_id = 'x'").await;
    assert!(mentioned > 0);
    assert_eq!((world.owed().await, world.debts("attempts > 0").await), (1, 1));
}

async fn always_rejected(world: &World) {
    const TRIES: u64 = 3;
    let layer = world.layer();
    layer.call("syncStats", json!({})).await;
    world.foreign_rows(59).await;
    let insert =
        "insert into public.memory_entries (user_id, content) values ('u', 'poison') returning id::text";
    let poison: String = world.sql().await.one(insert).await;
    for attempt in 1..=TRIES {
        let drained = layer.call("drain", json!({})).await;
        let neighbours = if attempt == 1 { 59 } else { 0 };
        assert_eq!((&drained["paid"], &drained["refused"]), (&json!(neighbours), &json!(1)), "try {attempt}");
        assert_eq!(drained["dead"], u64::from(attempt == TRIES));
    }
    let dead = layer.call("getQueue", json!({ "state": "dead" })).await;
    assert_eq!(
        (dead["items"].as_array().map(Vec::len), &dead["items"][0]["memoryId"]),
        (Some(1), &json!(poison))
    );
    assert!(dead["items"][0]["lastError"].is_string(), "{dead}");
    assert_eq!(layer.call("syncStats", json!({})).await["dead"], 1);
    let health = layer.call("health", json!({})).await;
    assert!(health["reasons"].to_string().contains("DEAD_LETTERS"), "{health}");
    // Others flow, and its next write revives it.
    layer.store("u", "another", &["Ann"]).await;
    let change = json!({ "id": poison, "content": "harmless" });
    layer.try_call_with("update", change, crate::common::world::patient()).await.expect("updated");
    world.settle(&layer).await;
    assert_eq!(world.debts("state = 'dead'").await, 0);
}
