//! The engine that keeps the graph in step: queue, background, paged work, other graphs, other versions.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::layers::{Client, config, empty_neo4j};
use common::neo4j::{self, Driver};
use common::postgres::{Database, Sql};
use common::proxy::{Mode, Proxy};
use izzie_memory::error::Reason;
use izzie_memory::model::PROJECTION_VERSION;
use neo4rs::query;
use serde_json::{Value, json};
use tokio::time::sleep;

const SOON: Duration = Duration::from_secs(120);
/// Less than the 10 s that a statement may take, and room for a slow machine.
const CLOSES: Duration = Duration::from_secs(9);

/// Waits until `read` gives what is expected.
async fn eventually<T: PartialEq + std::fmt::Debug>(expected: T, mut read: impl AsyncFnMut() -> T) {
    let begun = Instant::now();
    loop {
        let found = read().await;
        if found == expected {
            return;
        }
        assert!(begun.elapsed() < SOON, "{found:?} instead of {expected:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn pending(sql: &mut Sql) -> i64 {
    sql.one("select count(*) from izzie_memory.memory_sync where target not in ('embedding', 'extraction')")
        .await
}

fn deferred(content: &str) -> Value {
    json!({ "userId": "u", "content": content, "defer": true, "extractEntities": false })
}

async fn stored(layer: &Client, request: Value) -> String {
    let answer = layer.call("store", request).await;
    answer["memory"]["id"].as_str().expect("an id").to_owned()
}

async fn live_nodes() -> i64 {
    let live = "MATCH (m:IzzieMemory) WHERE NOT m.deleted RETURN count(m) AS n";
    Driver::connect().rows(query(live)).await[0].get("n").expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_listed_by_pages_and_filtered() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    for n in 0..5 {
        layer.call("store", json!({ "userId": if n < 3 { "ann" } else { "ben" }, "content": format!("m {n}"), "defer": true })).await;
    }
    let list = async |args: Value| layer.call("getQueue", args).await;
    let graph = list(json!({ "target": "graph" })).await;
    assert_eq!(graph["items"].as_array().expect("items").len(), 5);
    assert_eq!(graph["nextCursor"], Value::Null);
    let debt = &graph["items"][0];
    assert_eq!(
        (&debt["target"], &debt["state"], &debt["attempts"]),
        (&json!("graph"), &json!("pending"), &json!(0))
    );
    assert!(debt["nextAttemptAt"].is_string() && debt["owedAt"].is_string() && debt["revision"].is_i64());

    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = list(json!({ "target": "graph", "userId": "ann", "limit": 2, "cursor": cursor })).await;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2 && items.iter().all(|debt| debt["userId"] == "ann"));
        seen.extend(items.iter().map(|debt| debt["memoryId"].to_string()));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted());
    // No embedder: embeddings are owed, and so are the extractions that were put off.
    assert_eq!(list(json!({ "target": "extraction" })).await["items"].as_array().expect("items").len(), 5);
    assert_eq!(list(json!({ "state": "dead" })).await["items"], json!([]));
    let refused = layer.fails("getQueue", json!({ "cursor": "nonsense" })).await;
    assert_eq!((refused.reason, &refused.details["field"]), (Reason::InvalidArgument, &json!("cursor")));
    assert_eq!(layer.fails("getQueue", json!({ "limit": 0 })).await.details["field"], "limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_pays_within_its_limits_and_a_delta_sync_only_its_user() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let mut sql = database.connect().await;
    for n in 0..7 {
        layer.call("store", json!({ "userId": if n < 4 { "ann" } else { "ben" }, "content": format!("m {n}"), "defer": true })).await;
    }
    let drained = layer.call("drain", json!({ "maxItems": 2 })).await;
    // Five to the graph, and the seven extractions that were put off.
    assert_eq!((&drained["paid"], &drained["pending"], &drained["dead"]), (&json!(2), &json!(12), &json!(0)));
    assert_eq!(layer.call("drain", json!({ "maxMs": 0 })).await["paid"], 0, "no time, no batch");
    let before: i64 = sql.one("select count(*) from izzie_memory.memory_sync where target like 'postgres:%' and user_id = 'ann'").await;
    let delta = layer.call("deltaSync", json!({ "userId": "ann" })).await;
    assert_eq!((&delta["repaired"], &delta["pending"]), (&json!(before), &json!(0)));
    assert_eq!(pending(&mut sql).await, 5 - before, "the other user's debts stay");
    assert_eq!(layer.call("deltaSync", json!({})).await["pending"], 0);
    assert_eq!(layer.fails("drain", json!({ "maxItems": 0 })).await.details["field"], "maxItems");
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_graph_refuses_is_dead_listed_revived_and_purged() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let mut sql = database.connect().await;
    let impatient = json!({ "retryAttempts": 2, "retryDelayMs": 1, "graphWaitMs": 20_000 });
    let good = stored(&layer, deferred("fine")).await;
    let bad = stored(&layer, deferred("refused")).await;
    // A relationship whose ends are no entities of the memory is refused for good.
    let spoil = format!(
        "update izzie_memory.memory_state set relationships = '[{{\"fromType\":\"person\",\"fromValue\":\"X\",\"fromNormalized\":\"x\",\
         \"toType\":\"person\",\"toValue\":\"Y\",\"toNormalized\":\"y\",\"relationshipType\":\"LEADS\",\"confidence\":1,\"evidence\":\"\"}}]' where memory_id = '{bad}'"
    );
    sql.run(&spoil).await;
    let drain = async || layer.try_call_with("drain", json!({}), impatient.clone()).await.expect("drained");
    let first = drain().await;
    assert_eq!((&first["paid"], &first["refused"], &first["pending"]), (&json!(1), &json!(1), &json!(1)));
    let second = drain().await;
    assert_eq!((&second["pending"], &second["dead"]), (&json!(0), &json!(1)));
    assert_eq!(drain().await["refused"], 0, "a dead debt is left alone");
    let often = json!({ "syncIntervalMs": 1000 });
    layer.try_call_with("startAutoSync", json!({}), often).await.expect("started");
    let checked = "select last_clean_check is not null or last_check is not null from izzie_memory.settings";
    eventually(true, async || sql.one::<bool>(checked).await).await;
    sleep(Duration::from_secs(1)).await;
    layer.call("stopAutoSync", json!({})).await;
    let dead = layer.call("getQueue", json!({ "state": "dead" })).await;
    assert_eq!((&dead["items"][0]["memoryId"], &dead["items"][0]["attempts"]), (&json!(bad), &json!(2)));
    assert!(dead["items"][0]["lastError"].as_str().expect("why").starts_with("GRAPH_REJECTED"));

    assert_eq!(layer.call("retryNow", json!({ "ids": [bad] })).await["revived"], 1);
    assert_eq!(drain().await["refused"], 1, "tried again");
    layer.call("update", json!({ "id": bad, "content": "better", "relationships": [] })).await;
    layer.call("drain", json!({})).await;
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]), "its next write revives it");

    sql.run(&spoil).await;
    sql.run("update izzie_memory.memory_state set revision = nextval('izzie_memory.revision_seq')").await;
    sql.run(&format!("select izzie_memory.owe_many(target, array['{bad}', '{good}']::uuid[]) from izzie_memory.graph_targets")).await;
    drain().await;
    drain().await;
    assert_eq!(layer.call("purgeDead", json!({ "ids": [good, bad] })).await["purged"], 1);
    assert_eq!(pending(&mut sql).await, 0);
    assert_eq!(
        layer.call("checkConsistency", json!({})).await[0]["memoryId"],
        json!(bad),
        "and a check tells"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_sync_pays_what_others_wrote_and_stops() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let mut sql = database.connect().await;
    layer.call("store", json!({ "userId": "u", "content": "first" })).await;
    let often = json!({ "syncIntervalMs": 1000 });
    for _ in 0..2 {
        layer.try_call_with("startAutoSync", json!({}), often.clone()).await.expect("started");
    }
    sql.run("insert into public.memory_entries (user_id, content) select 'u', 'foreign ' || n from generate_series(1, 120) n").await;
    eventually(0, async || pending(&mut sql).await).await;
    assert_eq!(live_nodes().await, 121);
    eventually(true, async || layer.call("syncStats", json!({})).await["lastSync"].is_string()).await;

    let begun = Instant::now();
    layer.call("stopAutoSync", json!({})).await;
    assert!(begun.elapsed() < CLOSES, "{:?}", begun.elapsed());
    let leases: i64 = sql.one("select count(*) from izzie_memory.leases").await;
    assert_eq!(leases, 0, "the lead is given back");
    sql.run("insert into public.memory_entries (user_id, content) values ('u', 'after the stop')").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(pending(&mut sql).await, 1);
    let refused = layer
        .try_call_with("startAutoSync", json!({}), json!({ "syncIntervalMs": 10 }))
        .await
        .expect_err("too short");
    assert_eq!(refused.details["field"], "syncIntervalMs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_is_configured_for_it_syncs_by_itself() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let mut settings = config(&database.url(), Some(&format!("bolt://{}", proxy.address)));
    settings["persistence"] = json!({ "enableAutoSync": true, "retryDelayMs": 50 });
    let layer = Client::new(&settings);
    layer.call("getAll", json!({ "userId": "u" })).await;
    proxy.set(Mode::Refuse);
    let answer = layer.call("store", json!({ "userId": "u", "content": "while Neo4j is away" })).await;
    assert_eq!(answer["write"]["graphWriteSuccess"], false);
    proxy.set(Mode::Pass);
    let mut sql = database.connect().await;
    eventually(0, async || pending(&mut sql).await).await;
    assert_eq!(live_nodes().await, 1);
    layer.0.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_to_neo4j_and_back_ends_in_equality_both_times() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let on_postgres = Client::on(&database, false);
    let on_neo4j = Client::on(&database, true);
    for n in 0..60 {
        on_postgres.store("u", &format!("memory {n}"), &["Ann", "Ben"]).await;
    }
    let only_owed = on_neo4j.call("store", json!({ "userId": "u", "content": "from the other" })).await;
    assert_eq!(
        only_owed["write"]["graphWriteSuccess"], true,
        "the registered graph is written by the statement itself"
    );
    let refused = on_neo4j.fails("fullSync", json!({})).await;
    assert_eq!(refused.reason, Reason::GraphStoreMismatch);
    assert_eq!(live_nodes().await, 0);

    let switched = on_neo4j.call("switchGraph", json!({})).await;
    assert_eq!((&switched["pending"], &switched["failed"]), (&json!(0), &json!(0)));
    assert_eq!(live_nodes().await, 61);
    assert_eq!(on_neo4j.call("checkConsistency", json!({})).await, json!([]));
    // The other instance notices with its next write, which it only enqueues.
    let gone = on_postgres.store("u", "written by the outdated instance", &["Ann"]).await;
    assert_eq!(on_postgres.fails("checkConsistency", json!({})).await.reason, Reason::GraphStoreMismatch);
    on_neo4j.call("drain", json!({})).await;
    on_neo4j.call("delete", json!({ "id": gone, "hard": true })).await;
    let mut sql = database.connect().await;
    // As if its tombstone were long collected: the old graph must not bring it back.
    sql.run(&format!("delete from izzie_memory.memory_state where memory_id = '{gone}'")).await;
    sql.run(&format!("delete from izzie_memory.memory_sync where memory_id = '{gone}'")).await;

    let back = on_postgres.call("switchGraph", json!({})).await;
    assert_eq!(back["pending"], 0);
    assert_eq!(on_postgres.call("checkConsistency", json!({})).await, json!([]));
    let nodes: i64 = sql.one("select count(*) from izzie_memory.graph_memories where not deleted").await;
    assert_eq!(nodes, 61);
    assert_eq!(on_postgres.call("switchGraph", json!({})).await["failed"], 0, "again does no harm");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_commits_after_a_graph_was_registered_is_owed_to_neo4j() {
    let _alone = empty_neo4j().await;
    committed_after_the_registration(true).await;
    assert_eq!(live_nodes().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_commits_after_a_graph_was_registered_is_owed_to_postgres() {
    committed_after_the_registration(false).await;
}

/// The writer began before, so that it saw no graph to owe its memory to.
async fn committed_after_the_registration(on_neo4j: bool) {
    let database = Database::migrated().await;
    let layer = Client::on(&database, on_neo4j);
    let mut sql = database.connect().await;
    sql.run("insert into public.memory_entries (user_id, content) values ('u', 'committed before')").await;
    let late = begun_writer(&database).await;
    layer.call("drain", json!({})).await;
    assert_eq!(sql.one::<String>("select phase from izzie_memory.jobs").await, "late");
    late.commits().await;
    layer.call("drain", json!({})).await;
    assert_eq!(pending(&mut sql).await, 0);
    assert_eq!(sql.one::<i64>("select count(*) from izzie_memory.jobs").await, 0);
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_commits_after_a_switch_is_owed_to_the_new_graph() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let on_postgres = Client::on(&database, false);
    on_postgres.store("u", "committed before", &["Ann"]).await;
    let late = begun_writer(&database).await;
    let on_neo4j = Client::on(&database, true);
    assert_eq!(on_neo4j.call("switchGraph", json!({})).await["pending"], 0);
    assert_eq!(live_nodes().await, 1);
    late.commits().await;
    on_neo4j.call("drain", json!({})).await;
    assert_eq!(live_nodes().await, 2);
    let mut sql = database.connect().await;
    assert_eq!(pending(&mut sql).await, 0, "nothing is owed to the graph that was");
    assert_eq!(on_neo4j.call("checkConsistency", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_commits_after_the_epoch_rose_gets_there_too() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    let mut sql = database.connect().await;
    layer.store("u", "committed before", &["Ann"]).await;
    let late = begun_writer(&database).await;
    sql.run("select izzie_memory.raise_epoch(7)").await;
    layer.call("drain", json!({})).await;
    late.commits().await;
    let epochs = "select array_agg(s.epoch::text order by s.epoch) from izzie_memory.memory_state s";
    assert_eq!(sql.one::<Vec<String>>(epochs).await, ["1", "7"]);
    layer.call("drain", json!({})).await;
    assert_eq!(sql.one::<Vec<String>>(epochs).await, ["7", "7"]);
    assert_eq!(pending(&mut sql).await, 0);
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
}

/// Other code's transaction that has written a memory.
struct Writer(Sql);

async fn begun_writer(database: &Database) -> Writer {
    let mut sql = database.connect().await;
    sql.run("begin").await;
    sql.run("insert into public.memory_entries (user_id, content) values ('u', 'committed after')").await;
    Writer(sql)
}

impl Writer {
    async fn commits(mut self) {
        self.0.run("commit").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_projection_is_not_written_by_this_version_and_an_older_one_is_renewed() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let layer = Client::on(&database, true);
    let mut sql = database.connect().await;
    let patient = json!({ "graphWaitMs": 20_000 });
    let store = async |content: &str| {
        let memory = json!({ "userId": "u", "content": content });
        layer.try_call_with("store", memory, patient.clone()).await.expect("stored")
    };
    assert_eq!(store("old form").await["write"]["graphWriteSuccess"], true);
    // Its debt goes after the answer.
    eventually(0, async || pending(&mut sql).await).await;

    // What the migration of a newer version does, while this one is running.
    let form = |version: i32| {
        format!(
            "create or replace function izzie_memory.projection_version() returns integer language sql immutable parallel safe as 'select {version}'"
        )
    };
    let next = PROJECTION_VERSION + 1;
    sql.run(&form(next)).await;
    sql.run(&format!(
        "select izzie_memory.upgrade_projection(target, {next}) from izzie_memory.graph_targets"
    ))
    .await;
    let newer = store("in the new form").await;
    assert_eq!(newer["write"]["graphWriteSuccess"], false);
    assert_eq!(newer["write"]["graphError"]["reason"], "GRAPH_STORE_MISMATCH");
    assert_eq!((live_nodes().await, pending(&mut sql).await), (1, 1));
    assert_eq!(layer.fails("drain", json!({})).await.reason, Reason::GraphStoreMismatch);

    // Back to this version's form, as a newer version would find an older one.
    sql.run(&form(PROJECTION_VERSION)).await;
    sql.run("update izzie_memory.graph_targets set projection_version = 0").await;
    sql.run("delete from izzie_memory.jobs").await;
    let before: i64 = sql.one("select max(revision) from izzie_memory.memory_state").await;
    layer.call("drain", json!({})).await;
    let renewed: i64 =
        sql.one(&format!("select count(*) from izzie_memory.memory_state where revision > {before}")).await;
    assert_eq!(renewed, 2);
    let (version, jobs): (i32, i64) = (
        sql.one("select projection_version from izzie_memory.graph_targets").await,
        sql.one("select count(*) from izzie_memory.jobs").await,
    );
    assert_eq!((version, jobs, live_nodes().await), (PROJECTION_VERSION, 0, 2));
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_tombstones_are_collected_and_their_horizon_stands_on_neo4j() {
    let _alone = empty_neo4j().await;
    tombstones_are_collected(true).await;
    let nodes = "MATCH (m:IzzieMemory) RETURN count(m) AS n";
    let nodes: i64 = Driver::connect().rows(query(nodes)).await[0].get("n").expect("a number");
    assert_eq!(nodes, 3, "a live one, two tombstones that are still young");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_tombstones_are_collected_and_their_horizon_stands_on_postgres() {
    tombstones_are_collected(false).await;
}

async fn tombstones_are_collected(on_neo4j: bool) {
    let database = Database::migrated().await;
    let layer = Client::on(&database, on_neo4j);
    let mut sql = database.connect().await;
    let old = layer.store("u", "written early", &["Ann"]).await;
    let gone = layer.store("u", "deleted for good", &["Ann", "Ben"]).await;
    let soft = layer.store("u", "deleted, but there", &["Ann"]).await;
    layer.call("delete", json!({ "id": gone, "hard": true })).await;
    layer.call("delete", json!({ "id": soft })).await;
    let states =
        async |sql: &mut Sql| -> i64 { sql.one("select count(*) from izzie_memory.memory_state").await };
    let upkeep = json!({ "syncIntervalMs": 1000 });
    layer.try_call_with("startAutoSync", json!({}), upkeep).await.expect("started");
    eventually(true, async || {
        sql.one::<bool>("select last_clean_check is not null from izzie_memory.settings").await
    })
    .await;
    assert_eq!(states(&mut sql).await, 3, "young tombstones stay");
    sql.run("update izzie_memory.memory_state set changed_at = changed_at - interval '25 hours'").await;
    eventually(2, async || states(&mut sql).await).await;
    layer.call("stopAutoSync", json!({})).await;
    let horizon: bool =
        sql.one("select horizon_revision > 0 from izzie_memory.graph_targets where current").await;
    assert!(horizon);

    // A node that gets lost lies below the horizon: it comes back under a new revision.
    if on_neo4j {
        Driver::connect()
            .rows(query("MATCH (m:IzzieMemory {key: $key}) DETACH DELETE m").param("key", old.clone()))
            .await;
    } else {
        sql.run(&format!("delete from izzie_memory.graph_memories where memory_id = '{old}'")).await;
    }
    assert_eq!(layer.call("fullSync", json!({})).await["pending"], 0);
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
    // The collected id can be used again.
    let again = json!({ "userId": "u", "content": "a new life", "id": gone });
    assert_eq!(layer.call("store", again).await["write"]["created"], true);
    layer.call("drain", json!({})).await;
    assert_eq!(layer.call("checkConsistency", json!({})).await, json!([]));
    layer.call("delete", json!({ "id": gone, "hard": true })).await;
    layer.call("drain", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_with_a_limit_goes_on_where_it_stopped() {
    let database = Database::migrated().await;
    let layer = Client::on(&database, false);
    for n in 0..30 {
        layer.store("u", &format!("memory {n}"), &["Ann"]).await;
    }
    let args = json!({ "userId": "u", "limit": 10, "clearExisting": true });
    let first = layer.call("rebuildGraph", args.clone()).await;
    assert_eq!(
        (&first["repaired"], &first["pending"], &first["resumed"]),
        (&json!(10), &json!(20), &Value::Null)
    );
    let second = layer.call("rebuildGraph", args.clone()).await;
    assert_eq!(
        (&second["repaired"], &second["pending"], &second["resumed"]),
        (&json!(10), &json!(10), &json!(true))
    );
    layer.call("drain", json!({})).await;
    let anew = layer.call("rebuildGraph", json!({ "userId": "u" })).await;
    assert_eq!(
        (&anew["repaired"], &anew["pending"], &anew["resumed"]),
        (&json!(30), &json!(0), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_stops_a_drain_and_gives_its_leases_back() {
    let _alone = empty_neo4j().await;
    let database = Database::migrated().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = std::sync::Arc::new(Client::new(&config(
        &database.url(),
        Some(&format!("bolt://{}", proxy.address)),
    )));
    let mut sql = database.connect().await;
    layer.call("store", json!({ "userId": "u", "content": "known graph" })).await;
    sql.run("insert into public.memory_entries (user_id, content) select 'u', 'foreign ' || n from generate_series(1, 200) n").await;
    proxy.set(Mode::BlackHole);
    let draining = tokio::spawn({
        let layer = std::sync::Arc::clone(&layer);
        async move { layer.try_call("drain", json!({})).await }
    });
    sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    layer.0.close().await;
    assert!(begun.elapsed() < CLOSES, "{:?}", begun.elapsed());
    assert!(draining.await.expect("no panic").is_err());
    let leased: i64 =
        sql.one("select count(*) from izzie_memory.memory_sync where lease_until > clock_timestamp()").await;
    assert_eq!(leased, 0);
    let other = Client::on(&database, true);
    other.call("drain", json!({})).await;
    assert_eq!((live_nodes().await, pending(&mut sql).await), (201, 0));
}
