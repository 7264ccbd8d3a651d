//! Rows 1–4: what becomes of a write whose process or connection is lost around its commit.

use std::time::Duration;

use izzie_memory::error::Reason;
use serde_json::{Value, json};

use crate::common::child::Script;
use crate::common::layers::Client;
use crate::common::postgres;
use crate::common::proxy::{Mode, Proxy};
use crate::common::world::{World, patient};

const ID: &str = "22222222-2222-4222-8222-222222222222";

fn memory() -> Value {
    json!({ "userId": "u", "content": "written by a process that dies", "id": ID,
            "entities": [{ "type": "person", "value": "Ann" }] })
}

async fn store_dying_at(world: &World, point: &str) {
    Script::on(world.config()).dies_at(point).call("store", memory(), patient()).start().died().await;
}

/// The same id again is the same memory, and nothing is doubled.
async fn expect_repeatable(world: &World) {
    let layer = world.layer();
    let stored = layer.try_call_with("store", memory(), patient()).await.expect("stored");
    assert_eq!((&stored["memory"]["id"], world.rows().await), (&json!(ID), 1));
    world.settle(&layer).await;
    assert_eq!(world.nodes().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_commit_on_neo4j() {
    killed_before_the_commit(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_commit_on_postgres() {
    killed_before_the_commit(&World::on_postgres().await).await;
}

async fn killed_before_the_commit(world: &World) {
    store_dying_at(world, "before_commit").await;
    assert_eq!((world.rows().await, world.owed().await, world.nodes().await), (0, 0, 0));
    expect_repeatable(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_commit_on_neo4j() {
    let world = World::on_neo4j().await;
    store_dying_at(&world, "after_commit").await;
    assert_eq!((world.rows().await, world.owed().await, world.nodes().await), (1, 1, 0), "row and debt");
    expect_repeatable(&world).await;
}

/// Whoever asked for a rollback and dies before it is made was not answered: the write ends forward.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_rollback_on_neo4j() {
    let world = World::on_neo4j().await;
    // Long enough, or the rollback begins before the fail point is met.
    let undoing = json!({ "rollbackOnPartialFailure": true, "graphWaitMs": 60_000 });
    Script::on(world.config())
        .dies_at("before_graph_write")
        .call("store", memory(), undoing)
        .start()
        .died()
        .await;
    assert_eq!((world.rows().await, world.owed().await, world.nodes().await), (1, 1, 0));
    expect_repeatable(&world).await;
}

/// A chunk is one commit: all of its rows and debts, or none.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_killed_around_its_commit_on_neo4j() {
    let world = World::on_neo4j().await;
    let items: Vec<Value> =
        (0..5).map(|n| json!({ "memory": { "userId": "u", "content": format!("memory {n}") } })).collect();
    for (point, left) in [("before_commit", (0, 0, 0)), ("after_commit", (5, 5, 0))] {
        let args = json!({ "items": items });
        Script::on(world.config()).dies_at(point).call("storeMany", args, patient()).start().died().await;
        assert_eq!((world.rows().await, world.owed().await, world.nodes().await), left, "{point}");
    }
    world.settle(&world.layer()).await;
    assert_eq!(world.nodes().await, 5);
}

/// The graph inside Postgres is written by the store's own statement: no crash can separate them.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_commit_on_postgres() {
    let world = World::on_postgres().await;
    store_dying_at(&world, "after_commit").await;
    assert_eq!((world.rows().await, world.owed().await), (1, 0), "row and node");
    world.expect_equal().await;
    expect_repeatable(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_just_after_the_answer_on_neo4j() {
    let world = World::on_neo4j().await;
    killed_just_after_the_answer(&world).await;
    assert_eq!((world.rows().await, world.owed().await, world.nodes().await), (1, 1, 0));
    world.settle(&world.layer()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_just_after_the_answer_on_postgres() {
    let world = World::on_postgres().await;
    killed_just_after_the_answer(&world).await;
    assert_eq!((world.rows().await, world.owed().await), (1, 0));
    world.expect_equal().await;
}

/// The graph's half of the write has not begun when the answer is there and the process ends.
async fn killed_just_after_the_answer(world: &World) {
    let script = Script::on(world.config()).at("before_graph_write", "sleep(60000)");
    let mut child = script.call("store", memory(), json!({ "graphWaitMs": 1 })).start();
    assert_eq!(child.answer().await["write"]["vectorWriteSuccess"], true);
    child.killed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_during_the_commit_on_neo4j() {
    reset_during_the_commit(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_during_the_commit_on_postgres() {
    reset_during_the_commit(&World::on_postgres().await).await;
}

/// Whether the statement arrived (its answer is held back) or not (nothing passes), the caller sees the same.
async fn reset_during_the_commit(world: &World) {
    for (mode, arrives) in [(Mode::BlackHole, false), (Mode::HoldAnswersTo(0), true)] {
        let proxy = Proxy::to(postgres::address()).await;
        let mut config = world.config();
        config["databaseUrl"] = json!(world.database.url_through(proxy.address).reveal());
        // One connection, on which the statement is prepared.
        config["pool"] = json!({ "max": 1 });
        let layer = Client::bare(&config);
        // Everything that a first write asks for is known.
        let warm = layer.store("u", "warm", &[]).await;
        layer.call("delete", json!({ "id": warm, "hard": true })).await;
        layer.call("syncStats", json!({})).await;
        // The pool asks a connection that comes back to it whether it is well.
        quiet(&proxy).await;
        proxy.set(mode);
        let cut = async {
            while arrives && world.rows().await == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
            proxy.set(Mode::Refuse);
        };
        let (error, ()) = futures::join!(layer.fails("store", memory()), cut);
        assert_eq!((error.reason, error.reason.retryable()), (Reason::OutcomeUnknown, true), "{mode:?}");
        assert_eq!(world.rows().await, i64::from(arrives), "{mode:?}");
    }
    expect_repeatable(world).await;
}

/// Waits until nobody has said anything for a while.
async fn quiet(proxy: &Proxy) {
    let said = || proxy.traffic().iter().map(|traffic| traffic.sent.len()).sum::<usize>();
    let mut before = usize::MAX;
    while before != said() {
        before = said();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
