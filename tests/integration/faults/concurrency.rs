//! Rows 9, 11, 21 and 38: several writers of one memory or one entity. More of what concerns a graph store alone (rows
//! 11 and 17–20) is in `tests/common/conformance.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use izzie_memory::model::Projection;
use izzie_memory::store::graph::GraphStore;
use neo4rs::query;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::Mutex;
use tokio::time::sleep;
use uuid::Uuid;

use crate::common::layers::{Client, empty_neo4j};
use crate::common::neo4j::{self, Driver};
use crate::common::postgres::{self, Database, Sql};
use crate::common::proxy::{Proxy, bolt};
use crate::common::sample;
use crate::common::world::{Graph, PATIENCE, World, patient};

#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_update_one_memory_on_neo4j() {
    eight_instances_update_one_memory(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_update_one_memory_on_postgres() {
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
async fn a_version_is_read_under_the_lock_on_neo4j() {
    let _alone = empty_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    version_under_lock_in_neo4j(&proxy).await;
}

/// A lower version comes while a higher one is written but not committed: it waits, and must see the higher one then.
/// (Of two that wait, Neo4j may let either go first.)
pub async fn version_under_lock_in_neo4j(proxy: &Proxy) {
    let subject = neo4j::subject_on(&neo4j::options_through(proxy.address)).await;
    let (direct, driver) = (neo4j::store(&neo4j::options()), Driver::connect());
    let id = Uuid::new_v4();
    direct.project(&[sample::memory("u", id, 1, &[])]).await.expect("projected");
    let mut other = driver.transaction().await;
    let higher = query("MATCH (m:IzzieMemory {key: $key}) SET m.revision = 9");
    other.run(higher.param("key", id.to_string())).await.expect("written");
    let commit = async {
        until(async || blocked_in_neo4j(&driver).await == 1).await;
        other.commit().await.expect("committed");
    };
    let lower = [sample::memory("u", id, 5, &[])];
    let (projected, ()) = futures::join!(subject.graph.project(&lower), commit);
    projected.expect("projected");
    expect_the_higher(subject.graph.as_ref(), id).await;
}

async fn blocked_in_neo4j(driver: &Driver) -> i64 {
    let read =
        "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked by' RETURN count(*) AS blocked";
    driver.rows(query(read)).await[0].get("blocked").expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_read_under_the_lock_on_postgres() {
    version_under_lock_in_postgres(Database::migrated().await).await;
}

/// Two writes wait for a memory that somebody else has locked; the higher one goes first and the lower one must see it.
pub async fn version_under_lock_in_postgres(database: Database) {
    let database = Arc::new(database);
    let subject = postgres::subject_on(Arc::clone(&database)).await;
    let id = Uuid::new_v4();
    subject.graph.project(&[sample::memory("u", id, 1, &[])]).await.expect("projected");
    let (mut foreign, watching) = (database.connect().await, Mutex::new(database.connect().await));
    foreign
        .run(&format!("begin; select from izzie_memory.graph_memories where memory_id = '{id}' for update"))
        .await;
    let blocked = async || blocked_in_postgres(&mut *watching.lock().await).await;
    let (higher, lower) = ([sample::memory("u", id, 9, &[])], [sample::memory("u", id, 5, &[])]);
    let later = async {
        until(async || blocked().await == 1).await;
        subject.graph.project(&lower).await
    };
    let release = async {
        until(async || blocked().await == 2).await;
        foreign.run("rollback").await;
    };
    let (first, second, ()) = futures::join!(subject.graph.project(&higher), later, release);
    first.and(second).expect("projected");
    expect_the_higher(subject.graph.as_ref(), id).await;
}

async fn blocked_in_postgres(sql: &mut Sql) -> i64 {
    sql.one(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    .await
}

async fn until(so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "nobody waits for the lock");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn expect_the_higher(graph: &dyn GraphStore, id: Uuid) {
    let held = graph.get_nodes(&[id]).await.expect("read")[0].version.revision;
    assert_eq!(held, 9, "the higher version stays");
}

const ROUNDS: usize = 20;
const BATCHES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn entities_are_locked_in_one_order_on_neo4j() {
    let _alone = empty_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    one_order_in_neo4j(&proxy).await;
}

/// Memories that name the same entities meet behind an entity that somebody else has locked for a while.
pub async fn one_order_in_neo4j(proxy: &Proxy) {
    let subject = neo4j::subject_on(&neo4j::options_through(proxy.address)).await;
    let (driver, user) = (Driver::connect(), sample::user("order"));
    subject.graph.project(&memories_of_all(&user)).await.expect("projected");
    for _ in 0..ROUNDS {
        let mut foreign = driver.transaction().await;
        let lock = "MATCH (e:IzzieEntity {normalized: 'person 10', userId: $user}) SET e._lock = true REMOVE e._lock";
        foreign.run(query(lock).param("user", user.as_str())).await.expect("locked");
        let release = async { foreign.rollback().await.expect("rolled back") };
        meet(subject.graph.as_ref(), &user, release).await;
    }
    let sent: usize =
        proxy.traffic().iter().map(|traffic| traffic.count("MERGE (m:IzzieMemory {key: row.key})")).sum();
    let repeated = sent - (1 + ROUNDS * BATCHES);
    assert!(repeated < ROUNDS / 2, "{repeated} repetitions");
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_are_locked_in_one_order_on_postgres() {
    one_order_in_postgres(Database::migrated().await).await;
}

pub async fn one_order_in_postgres(database: Database) {
    let database = Arc::new(database);
    let mut foreign = database.connect().await;
    foreign.run(NOTICE_DEADLOCKS_SOON).await;
    let subject = postgres::subject_on(Arc::clone(&database)).await;
    let user = sample::user("order");
    subject.graph.project(&memories_of_all(&user)).await.expect("projected");
    for _ in 0..ROUNDS {
        foreign
            .run("begin; select from izzie_memory.graph_entities where normalized = 'person 10' for update")
            .await;
        meet(subject.graph.as_ref(), &user, async { foreign.run("rollback").await }).await;
    }
    assert_eq!(deadlocks(&mut foreign).await, 0);
}

fn memories_of_all(user: &str) -> Vec<Projection> {
    let people: Vec<String> = (0..20).map(|n| format!("Person {n}")).collect();
    vec![sample::memory(user, Uuid::new_v4(), 1, &people.iter().map(String::as_str).collect::<Vec<_>>())]
}

async fn meet(graph: &dyn GraphStore, user: &str, release: impl Future<Output = ()>) {
    let batches: Vec<_> = (0..BATCHES).map(|_| memories_of_all(user)).collect();
    let release = async {
        sleep(Duration::from_millis(150)).await;
        release.await;
    };
    let (projected, ()) =
        futures::join!(try_join_all(batches.iter().map(|batch| graph.project(batch))), release);
    projected.expect("projected");
}

async fn deadlocks(sql: &mut Sql) -> i64 {
    // The server's sessions tell their counts once a second.
    sleep(Duration::from_millis(1500)).await;
    sql.one("select deadlocks from pg_stat_database where datname = current_database()").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_storm_uses_up_no_attempt_on_neo4j() {
    deadlock_storm(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_storm_uses_up_no_attempt_on_postgres() {
    deadlock_storm(&World::on_postgres().await).await;
}

/// Other code locks our entities from the last to the first, again and again, while one layer writes and pays.
async fn deadlock_storm(world: &World) {
    const PEOPLE: [&str; 5] = ["Ann", "Bob", "Cid", "Dan", "Eve"];
    world.sql().await.run(NOTICE_DEADLOCKS_SOON).await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    for _ in 0..3 {
        layer.try_call_with("store", memory(&PEOPLE), patient()).await.expect("stored");
    }
    world.foreign_rows(100).await;
    proxy.forget();
    let over = AtomicBool::new(false);
    let writing = async {
        let mut written = 0;
        // How soon a storm claims its victims is up to the machine.
        while written < WRITES || (victims(world, &proxy, written).await <= VICTIMS && written < MOST_WRITES)
        {
            for _ in 0..WRITES {
                let mut people = PEOPLE;
                people.rotate_left(written % PEOPLE.len());
                let answer = layer.try_call_with("store", memory(&people), patient()).await.expect("stored");
                assert_eq!(answer["write"]["graphWriteSuccess"], true, "{answer}");
                written += 1;
            }
        }
        layer.call("drain", json!({})).await;
        over.store(true, Ordering::Relaxed);
        written
    };
    let ((), written) = match world.graph {
        Graph::Neo4j => futures::join!(storm_in_neo4j(&over), writing),
        Graph::Postgres => futures::join!(storm_in_postgres(world, &over), writing),
    };
    assert_eq!(world.debts("attempts > 0 or state = 'dead'").await, 0);
    assert!(victims(world, &proxy, written).await > VICTIMS, "there was a storm");
    world.settle(&layer).await;
}

const WRITES: usize = 40;
const MOST_WRITES: usize = 20 * WRITES;
const VICTIMS: i64 = 5;

/// In the storm, the server then gives up a transaction of ours and not the storm's own, which waits longer.
const NOTICE_DEADLOCKS_SOON: &str = "do $$ begin \
    execute format('alter database %I set deadlock_timeout = ''20ms''', current_database()); end $$";

fn memory(people: &[&str]) -> Value {
    let entities: Vec<Value> = people.iter().map(|name| json!({ "type": "person", "value": name })).collect();
    json!({ "userId": "u", "content": "written in a storm", "entities": entities })
}

/// How often a transaction of ours was given up and repeated.
async fn victims(world: &World, proxy: &Proxy, written: usize) -> i64 {
    if world.graph == Graph::Neo4j {
        let messages = proxy.traffic().into_iter().flat_map(|traffic| traffic.bolt_messages());
        let statements = messages.filter(|&message| message == bolt::RUN).count();
        return i64::try_from(statements.saturating_sub(written)).expect("a few");
    }
    deadlocks(&mut world.sql().await).await
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
            let lock = format!("select from izzie_memory.graph_entities where key = '{key}' for update");
            // On a busy machine the storm itself can be what is given up; the next one follows.
            if sql.0.execute(AssertSqlSafe(lock)).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(2)).await;
        }
        sql.run("rollback").await;
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_revision_that_commits_late_on_neo4j() {
    lower_revision_commits_late(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_revision_that_commits_late_on_postgres() {
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
