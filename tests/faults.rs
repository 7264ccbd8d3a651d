//! Processes that die at named places (`--features failpoints`). Each test runs itself again as a child process, which
//! aborts at its fail point: no destructor, no flush, as with kill -9.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::{Command, Stdio};

use common::layers::{Client, config, empty_neo4j, neo4j_uri};
use common::neo4j::Driver;
use common::postgres::Database;
use izzie_memory::config::Secret;
use neo4rs::query;
use serde_json::{Value, json};

const ID: &str = "22222222-2222-4222-8222-222222222222";
const CHILD: &str = "IZZIE_TEST_CHILD_DATABASE";

fn memory() -> Value {
    json!({ "userId": "u", "content": "written by a process that dies", "id": ID,
            "entities": [{ "type": "person", "value": "Ann" }] })
}

/// In the child: stores a memory and dies at the fail point. In the parent: false.
async fn dies_as_child(fail_point: &'static str, neo4j: bool) -> bool {
    let Ok(url) = std::env::var(CHILD) else { return false };
    fail::cfg_callback(fail_point, || std::process::abort()).expect("fail points are compiled in");
    let layer = Client::new(&config(&Secret::new(url), neo4j.then(neo4j_uri).as_deref()));
    let patient = json!({ "graphWaitMs": 20_000 });
    let outcome = layer.try_call_with("store", memory(), patient).await;
    panic!("the child outlived {fail_point}: {outcome:?}");
}

/// Runs this very test as a child on that database and waits for its death.
fn run_child(test: &str, database: &Database) {
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, database.url().reveal())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("started");
    let signal = std::os::unix::process::ExitStatusExt::signal(&child.status);
    assert_eq!(signal, Some(6), "aborted; {}", String::from_utf8_lossy(&child.stderr));
}

async fn rows(database: &Database) -> (i64, i64) {
    let mut sql = database.connect().await;
    let memories = sql.one("select count(*) from public.memory_entries").await;
    let debts = sql.one("select count(*) from izzie_memory.memory_sync where target like 'neo4j:%'").await;
    (memories, debts)
}

async fn nodes() -> i64 {
    let rows =
        Driver::connect().rows(query("MATCH (m:IzzieMemory) WHERE NOT m.deleted RETURN count(m) AS n")).await;
    rows[0].get("n").expect("a number")
}

async fn expect_equality(database: &Database) {
    let layer = Client::on(database, true);
    let stored = layer.call("store", memory()).await;
    assert_eq!(stored["memory"]["id"], ID, "the same id again is the same memory");
    layer.call("fullSync", json!({})).await;
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
    assert_eq!((rows(database).await, nodes().await), ((1, 0), 1));
    let frequency = Driver::connect().rows(query("MATCH (e:IzzieEntity) RETURN e.frequency AS n")).await;
    assert_eq!(frequency.len(), 1);
    assert_eq!(frequency[0].get::<i64>("n").expect("a number"), 1, "nothing doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_01_killed_before_the_commit() {
    if dies_as_child("before_commit", true).await {
        return;
    }
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    run_child("row_01_killed_before_the_commit", &database);
    assert_eq!((rows(&database).await, nodes().await), ((0, 0), 0), "no row, nothing owed");
    expect_equality(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_02_killed_after_the_commit() {
    if dies_as_child("after_commit", true).await {
        return;
    }
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    run_child("row_02_killed_after_the_commit", &database);
    assert_eq!((rows(&database).await, nodes().await), ((1, 1), 0), "row and debt");
    expect_equality(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_03_killed_between_the_commit_and_the_graph_write() {
    if dies_as_child("before_graph_write", true).await {
        return;
    }
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    run_child("row_03_killed_between_the_commit_and_the_graph_write", &database);
    assert_eq!((rows(&database).await, nodes().await), ((1, 1), 0));
    let layer = Client::on(&database, true);
    let result = layer.call("fullSync", json!({})).await;
    assert_eq!(
        (&result["repaired"], &result["pending"]),
        (&json!(1), &json!(0)),
        "a sync alone brings equality"
    );
    expect_equality(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_13_killed_after_the_graph_write_before_the_acknowledgement() {
    if dies_as_child("after_graph_write", true).await {
        return;
    }
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    run_child("row_13_killed_after_the_graph_write_before_the_acknowledgement", &database);
    assert_eq!((rows(&database).await, nodes().await), ((1, 1), 1), "written, but still owed");
    expect_equality(&database).await;
}

/// The graph inside Postgres is written by the store's own statement: no crash can separate them.
#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_graph_cannot_drift_by_a_crash() {
    if dies_as_child("after_commit", false).await {
        return;
    }
    let database = Database::migrated().await;
    run_child("the_postgres_graph_cannot_drift_by_a_crash", &database);
    let mut sql = database.connect().await;
    let both: i64 = sql.one("select count(*) from public.memory_entries e join izzie_memory.graph_memories g on g.memory_id = e.id and not g.deleted").await;
    let owed: i64 =
        sql.one("select count(*) from izzie_memory.memory_sync where target like 'postgres:%'").await;
    assert_eq!((both, owed), (1, 0));
}
