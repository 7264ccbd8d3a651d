//! Rows 28–31 and 34: a graph that lost something, an older graph, an older database, a check while others write.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use izzie_memory::error::Reason;
use neo4rs::query;
use serde_json::{Value, json};
use tokio::time::{interval, sleep};

use crate::common::dump::Dump;
use crate::common::layers::{Client, wipe_neo4j};
use crate::common::neo4j::Driver;
use crate::common::world::{World, patient};

const CONSTRAINTS: [&str; 3] = ["izzie_memory_key", "izzie_entity_key", "izzie_beat_key"];

#[tokio::test(flavor = "multi_thread")]
async fn dropped_constraints_are_back_before_anything_is_written_on_neo4j() {
    let world = World::on_neo4j().await;
    world.instance(1).store("u", "one", &["Ann"]).await;
    let driver = Driver::connect();
    for name in CONSTRAINTS {
        driver.rows(query(&format!("DROP CONSTRAINT {name}"))).await;
    }
    let layer = world.instance(2);
    let memory = json!({ "userId": "u", "content": "two" });
    let answer = layer.try_call_with("store", memory, patient()).await.expect("stored");
    assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
    let found = driver.rows(query("SHOW CONSTRAINTS YIELD name RETURN name")).await;
    let found: Vec<String> = found.iter().map(|row| row.get("name").expect("text")).collect();
    assert!(CONSTRAINTS.iter().all(|name| found.iter().any(|one| one == name)), "{found:?}");
    world.settle(&layer).await;
}

/// Somebody doubled a node while the constraint was away.
#[tokio::test(flavor = "multi_thread")]
async fn a_graph_that_cannot_have_its_constraint_is_not_written_on_neo4j() {
    let world = World::on_neo4j().await;
    world.instance(1).store("u", "one", &["Ann"]).await;
    let driver = Driver::connect();
    driver.rows(query("DROP CONSTRAINT izzie_entity_key")).await;
    driver.rows(query("MATCH (e:IzzieEntity) CREATE (x:IzzieEntity {doubled: true}) SET x += e")).await;
    let layer = world.instance(2);
    let memory =
        json!({ "userId": "u", "content": "two", "entities": [{ "type": "person", "value": "Ann" }] });
    let answer = layer.try_call_with("store", memory, patient()).await.expect("stored");
    let refused = layer.fails("fullSync", json!({})).await;
    let nodes = driver.rows(query("MATCH (m:IzzieMemory) RETURN m")).await.len();
    driver.rows(query("MATCH (e:IzzieEntity {doubled: true}) DETACH DELETE e")).await;
    assert_eq!(answer["write"]["graphError"]["reason"], "GRAPH_REJECTED", "{answer}");
    assert_eq!((refused.reason, nodes, world.owed().await), (Reason::GraphRejected, 1, 1));
    world.settle(&layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_graph_is_noticed_and_filled_again_on_neo4j() {
    let world = World::on_neo4j().await;
    wiped(&world, async { wipe_neo4j().await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_graph_is_noticed_and_filled_again_on_postgres() {
    let world = World::on_postgres().await;
    let tables = ["graph_memories", "graph_entities", "graph_mentions", "graph_relations"];
    let tables = tables.map(|table| format!("izzie_memory.{table}")).join(", ");
    wiped(&world, async { world.sql().await.run(&format!("truncate {tables}")).await }).await;
}

async fn wiped(world: &World, wipe: impl Future<Output = ()>) {
    let layer = world.layer();
    for n in 0..3 {
        layer.store("u", &format!("memory {n}"), &["Ann"]).await;
    }
    layer.call("fullSync", json!({})).await;
    wipe.await;
    assert_eq!((world.nodes().await, world.differences().await.len()), (0, 3));
    let result = layer.call("fullSync", json!({})).await;
    assert_eq!((&result["repaired"], &result["pending"]), (&json!(3), &json!(0)));
    world.expect_equal().await;
    assert_eq!(layer.percentage().await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_restored_from_an_old_dump_on_neo4j() {
    restored_graph(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_restored_from_an_old_dump_on_postgres() {
    restored_graph(&World::on_postgres().await).await;
}

/// The dump has the beat of its time, too.
async fn restored_graph(world: &World) {
    let layer = world.layer();
    let changed = layer.store("u", "to be changed", &["Ann", "Bob"]).await;
    let deleted = layer.store("u", "to be deleted", &["Bob"]).await;
    layer.store("u", "to be left", &["Ann"]).await;
    layer.call("fullSync", json!({})).await;
    let dump = Dump::take(world).await;
    let change =
        json!({ "id": changed, "content": "changed", "entities": [{ "type": "person", "value": "Cid" }] });
    layer.try_call_with("update", change, patient()).await.expect("updated");
    layer.try_call_with("delete", json!({ "id": deleted, "hard": true }), patient()).await.expect("deleted");
    layer.store("u", "new", &["Dan"]).await;
    layer.call("fullSync", json!({})).await;
    world.expect_equal().await;

    dump.restore(world).await;
    assert_eq!(world.differences().await.len(), 3);
    // Another process finds it first; this one has long known that the graph is its own.
    for layer in [world.instance(1), layer] {
        layer.call("fullSync", json!({})).await;
        assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
        world.expect_equal().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_to_the_past_on_neo4j() {
    let world = World::on_neo4j().await;
    let lost = restored_database(&world).await;
    assert_eq!(world.sql().await.one::<i64>("select epoch from izzie_memory.settings").await, 2);
    let live = query("MATCH (m:IzzieMemory) WHERE NOT m.deleted RETURN m.content AS content");
    let live = Driver::connect().rows(live).await;
    let live: Vec<String> = live.iter().map(|row| row.get("content").expect("text")).collect();
    assert_eq!(live, ["one"], "the graph follows Postgres; {lost} is not there");
}

/// The graph goes back together with the rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_to_the_past_on_postgres() {
    restored_database(&World::on_postgres().await).await;
}

/// Answers a memory that was stored after the backup.
async fn restored_database(world: &World) -> String {
    let before = world.instance(1);
    let kept = before.store("u", "one", &["Ann"]).await;
    before.call("fullSync", json!({})).await;
    before.0.close().await;
    let backup = world.database.copy().await;
    let before = world.instance(3);
    let change = json!({ "id": kept, "content": "lost by the restore", "entities": [] });
    before.try_call_with("update", change, patient()).await.expect("updated");
    let lost = before.store("u", "lost too", &["Ben"]).await;
    before.call("fullSync", json!({})).await;
    before.0.close().await;

    world.database.restore(&backup).await;
    let after = world.instance(2);
    after.call("fullSync", json!({})).await;
    assert_eq!(after.call("checkConsistency", json!({})).await, json!([]));
    assert_eq!((world.rows().await, after.percentage().await), (1, 100));
    world.expect_equal().await;
    let change = json!({ "id": kept, "content": "one", "entities": [{ "type": "person", "value": "Eve" }] });
    let answer = after.try_call_with("update", change, patient()).await.expect("updated");
    assert_eq!(answer["write"]["graphWriteSuccess"], true);
    world.expect_equal().await;
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_during_200_writes_a_second_on_neo4j() {
    check_during_writes(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_during_200_writes_a_second_on_postgres() {
    check_during_writes(&World::on_postgres().await).await;
}

/// Nothing really differs, so nothing may be found: some memories change all the time, others come and go.
async fn check_during_writes(world: &World) {
    const CHECKS: usize = 6;
    let (writer, checker) = (world.instance(1), world.instance(2));
    let mut hot = Vec::new();
    for n in 0..10 {
        hot.push(writer.store("u", &format!("hot {n}"), &["Ann"]).await);
    }
    let (over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let writing = async {
        let mut due = interval(Duration::from_millis(40));
        while !over.load(Ordering::Relaxed) {
            due.tick().await;
            let burst = (0..8).map(|_| write(&writer, &hot, written.fetch_add(1, Ordering::Relaxed)));
            join_all(burst).await;
        }
    };
    let checking = async {
        for _ in 0..CHECKS {
            assert_eq!(checker.call("checkConsistency", json!({})).await, json!([]));
            let verdict = checker.call("verify", json!({})).await;
            assert_ne!(verdict["state"], "divergent", "{verdict}");
            let result = checker.call("fullSync", json!({})).await;
            assert_eq!((&result["inconsistencies"], &result["failed"]), (&json!([]), &json!(0)), "{result}");
            // There are writes between any two, however slow the machine is.
            let before = written.load(Ordering::Relaxed);
            while written.load(Ordering::Relaxed) < before + 9 {
                sleep(Duration::from_millis(10)).await;
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    futures::join!(writing, checking);
    assert!(written.load(Ordering::Relaxed) > 8 * CHECKS, "there were writes all the time");
    world.settle(&checker).await;
    assert_eq!(checker.call("verify", json!({})).await["state"], "consistent");
}

async fn write(layer: &Client, hot: &[String], n: usize) {
    let people: Vec<Value> =
        (0..2).map(|m| json!({ "type": "person", "value": format!("Person {}", (n + m) % 5) })).collect();
    let content = format!("write {n}");
    match n % 4 {
        0 => {
            let memory = json!({ "userId": "u", "content": content, "entities": people });
            let answer = layer.call("store", memory).await;
            if n.is_multiple_of(8) {
                layer.call("delete", json!({ "id": answer["memory"]["id"], "hard": true })).await;
            }
        }
        _ => {
            let change = json!({ "id": hot[n % hot.len()], "content": content, "entities": people });
            layer.call("update", change).await;
        }
    }
}
