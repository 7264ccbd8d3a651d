//! Rows 9, 10, 21 and 38: several writers of one memory or one entity. What concerns a graph store alone (rows 11 and
//! 17–20) is in `tests/common/conformance.rs`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use neo4rs::query;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::common::layers::Client;
use crate::common::neo4j::{self, Driver};
use crate::common::proxy::{Proxy, bolt};
use crate::world::{Graph, World, patient};

#[tokio::test(flavor = "multi_thread")]
async fn row_09_eight_instances_update_one_memory_on_neo4j() {
    eight_instances_update_one_memory(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_09_eight_instances_update_one_memory_on_postgres() {
    eight_instances_update_one_memory(&World::on_postgres().await).await;
}

/// An acknowledged update: when it was asked for, when it was answered, the revision it got.
struct Update {
    begun: Instant,
    ended: Instant,
    revision: i64,
}

async fn eight_instances_update_one_memory(world: &World) {
    const UPDATES: usize = 15;
    let instances: Vec<Client> = (0..8).map(|number| world.instance(number)).collect();
    let id = instances[0].store("u", "the first", &["Ann"]).await;
    let writing = instances.iter().enumerate().map(|(number, instance)| {
        let id = id.as_str();
        async move {
            let mut updates = Vec::new();
            for n in 0..UPDATES {
                let people = json!([{ "type": "person", "value": format!("Person {}", (number + n) % 5) }]);
                let change = json!({ "id": id, "content": format!("{number}, {n}"), "entities": people });
                let begun = Instant::now();
                let answer = instance.try_call_with("update", change, patient()).await.expect("updated");
                assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
                let revision = answer["memory"]["revision"].as_i64().expect("a number");
                updates.push(Update { begun, ended: Instant::now(), revision });
            }
            updates
        }
    });
    let mut updates: Vec<Update> = join_all(writing).await.into_iter().flatten().collect();
    updates.sort_by_key(|update| update.revision);
    // Each update lies above all that were answered before it began.
    for pair in updates.windows(2) {
        assert!(pair[0].revision < pair[1].revision, "revision {} was given twice", pair[0].revision);
    }
    let mut latest_begin = None;
    for update in &updates {
        assert!(latest_begin.is_none_or(|begun| update.ended > begun), "revision {}", update.revision);
        latest_begin = latest_begin.max(Some(update.begun));
    }
    let last: i64 = world.sql().await.one("select revision from izzie_memory.memory_state").await;
    assert_eq!((updates.len(), updates[updates.len() - 1].revision), (8 * UPDATES, last));
    // Every fast path told that the graph has its revision or a later one: nothing needs to be paid first.
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_21_a_deadlock_storm_uses_up_no_attempt_on_neo4j() {
    deadlock_storm(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_21_a_deadlock_storm_uses_up_no_attempt_on_postgres() {
    deadlock_storm(&World::on_postgres().await).await;
}

/// Other code locks our entities from the last to the first, again and again, while one layer writes and pays.
async fn deadlock_storm(world: &World) {
    const PEOPLE: [&str; 5] = ["Ann", "Bob", "Cid", "Dan", "Eve"];
    world.sql().await.run(OURS_NOTICES_FIRST).await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::new(&world.config_through(&proxy));
    for _ in 0..3 {
        layer.try_call_with("store", memory(&PEOPLE), patient()).await.expect("stored");
    }
    world.foreign_rows(100).await;
    proxy.forget();
    let over = AtomicBool::new(false);
    let writing = async {
        for n in 0..WRITES {
            let mut people = PEOPLE;
            people.rotate_left(n % PEOPLE.len());
            let answer = layer.try_call_with("store", memory(&people), patient()).await.expect("stored");
            assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
        }
        layer.call("drain", json!({})).await;
        over.store(true, Ordering::Relaxed);
    };
    match world.graph {
        Graph::Neo4j => futures::join!(storm_in_neo4j(&over), writing),
        Graph::Postgres => futures::join!(storm_in_postgres(world, &over), writing),
    };
    assert_eq!(world.debts("attempts > 0 or state = 'dead'").await, 0);
    assert!(victims(world, &proxy).await > 5, "there was a storm");
    world.settle(&layer).await;
}

const WRITES: usize = 40;

/// So that the server gives up a transaction of ours and not the storm's, which waits longer.
const OURS_NOTICES_FIRST: &str = "do $$ begin \
    execute format('alter database %I set deadlock_timeout = ''20ms''', current_database()); end $$";

fn memory(people: &[&str]) -> Value {
    let entities: Vec<Value> = people.iter().map(|name| json!({ "type": "person", "value": name })).collect();
    json!({ "userId": "u", "content": "written in a storm", "entities": entities })
}

/// How often a transaction of ours was given up and repeated.
async fn victims(world: &World, proxy: &Proxy) -> i64 {
    if world.graph == Graph::Neo4j {
        let messages = proxy.traffic().into_iter().flat_map(|traffic| traffic.bolt_messages());
        let statements = messages.filter(|&message| message == bolt::RUN).count();
        return i64::try_from(statements - WRITES).expect("a few");
    }
    // The server's sessions tell their counts once a second.
    sleep(Duration::from_millis(1500)).await;
    world.sql().await.one("select deadlocks from pg_stat_database where datname = current_database()").await
}

async fn storm_in_neo4j(over: &AtomicBool) {
    let driver = Driver::connect();
    // The server gives up the transaction that holds fewer locks.
    driver.rows(query("UNWIND range(1, 300) AS n CREATE (:IzzieBallast)")).await;
    let read = driver.rows(query("MATCH (e:IzzieEntity) RETURN e.key AS key ORDER BY key DESC")).await;
    let keys: Vec<String> = read.iter().map(|row| row.get("key").expect("text")).collect();
    while !over.load(Ordering::Relaxed) {
        let mut transaction = driver.transaction().await;
        let ballast = query("MATCH (n:IzzieBallast) SET n._lock = true REMOVE n._lock");
        transaction.run(ballast).await.expect("locked");
        for key in &keys {
            let lock = query("MATCH (e:IzzieEntity {key: $key}) SET e._lock = true REMOVE e._lock");
            transaction.run(lock.param("key", key.as_str())).await.expect("ours gives way");
            sleep(Duration::from_millis(2)).await;
        }
        transaction.rollback().await.expect("rolled back");
        sleep(Duration::from_millis(20)).await;
    }
    driver.rows(query("MATCH (n:IzzieBallast) DELETE n")).await;
}

async fn storm_in_postgres(world: &World, over: &AtomicBool) {
    let mut sql = world.sql().await;
    let keys = sql.rows("select key from izzie_memory.graph_entities order by key desc").await;
    let keys: Vec<String> = keys.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    sql.run("set deadlock_timeout = '10s'").await;
    while !over.load(Ordering::Relaxed) {
        sql.run("begin").await;
        for key in &keys {
            sql.run(&format!("select from izzie_memory.graph_entities where key = '{key}' for update")).await;
            sleep(Duration::from_millis(2)).await;
        }
        sql.run("rollback").await;
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_38_a_lower_revision_that_commits_late_on_neo4j() {
    lower_revision_commits_late(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_38_a_lower_revision_that_commits_late_on_postgres() {
    lower_revision_commits_late(&World::on_postgres().await).await;
}

/// A cursor over revisions would have passed the late one by.
async fn lower_revision_commits_late(world: &World) {
    let layer = world.layer();
    layer.call("syncStats", json!({})).await;
    let mut late = world.sql().await;
    late.run("begin; insert into public.memory_entries (user_id, content) values ('u', 'late')").await;
    for n in 0..5 {
        layer
            .try_call_with("store", json!({ "userId": "u", "content": format!("{n}") }), patient())
            .await
            .expect("stored");
    }
    layer.call("drain", json!({})).await;
    assert_eq!((world.owed().await, world.nodes().await), (0, 5));
    late.run("commit").await;
    let lowest: String = late
        .one("select e.content from public.memory_entries e join izzie_memory.memory_state s on s.memory_id = e.id order by s.revision limit 1")
        .await;
    assert_eq!((lowest.as_str(), world.owed().await), ("late", 1));
    let drained = layer.call("drain", json!({})).await;
    assert_eq!((&drained["paid"], world.owed().await, world.nodes().await), (&json!(1), 0, 6));
    world.expect_equal().await;
}
