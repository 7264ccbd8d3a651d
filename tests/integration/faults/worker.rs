//! Rows 12–16, 18, 36, 41 and 42: processes that pay debts and die, freeze, are late or have to stop.

use std::time::{Duration, Instant};

use izzie_memory::error::Reason;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::common::child::Script;
use crate::common::layers::Client;
use crate::common::neo4j;
use crate::common::proxy::{Mode, Proxy};
use crate::common::world::{PATIENCE, World, patient};

/// How often the background looks for what is due, when nothing wakes it.
const POLL: Duration = Duration::from_secs(1);
/// For a loaded machine.
const SLACK: Duration = Duration::from_secs(16);

/// The rows of other code; an instance that looks has registered the graph, so that they are owed to it.
async fn owe(world: &World, count: usize) {
    world.layer().call("syncStats", json!({})).await;
    world.foreign_rows(count).await;
    assert_eq!(world.owed().await, i64::try_from(count).expect("a few"));
}

/// Debts that keep a drain busy for longer than it takes to notice that it has begun.
const MANY: usize = 12_000;
/// So many are left when it has begun.
const BEGUN: i64 = 11_900;

/// A process that pays one debt, under a lease of so many milliseconds.
fn pays_one(world: &World, lease_ms: u64) -> Script {
    let script = Script::on(world.config()).at("lease_ms", &format!("return({lease_ms})"));
    script.call("drain", json!({ "maxItems": 1 }), Value::Null)
}

async fn leased(world: &World) -> i64 {
    world.debts("lease_until > clock_timestamp()").await
}

async fn wait_for_the_lease_to_end(world: &World) {
    while leased(world).await > 0 {
        sleep(Duration::from_millis(50)).await;
    }
}

/// Other code changes the one memory there is.
async fn change(world: &World, content: &str) {
    world.sql().await.run(&format!("update public.memory_entries set content = '{content}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_claim_on_neo4j() {
    killed_after_a_claim(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_claim_on_postgres() {
    killed_after_a_claim(&World::on_postgres().await).await;
}

async fn killed_after_a_claim(world: &World) {
    // Longer than a slow machine takes to look at it and to try.
    const LEASE: Duration = Duration::from_secs(12);
    owe(world, 10).await;
    let script = Script::on(world.config()).at("lease_ms", "return(12000)").dies_at("after_claim");
    script.call("drain", json!({}), Value::Null).start().died().await;
    let died = Instant::now();
    assert_eq!((world.owed().await, leased(world).await), (10, 10));
    let worker = world.instance(1);
    assert_eq!(worker.call("drain", json!({})).await["paid"], 0, "the lease is respected");
    worker.call("startAutoSync", json!({})).await;
    world.wait_until_paid(LEASE + POLL + SLACK).await;
    assert!(died.elapsed() > LEASE / 2, "not before the lease ended");
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_graph_write_on_neo4j() {
    let world = World::on_neo4j().await;
    let memory =
        json!({ "userId": "u", "content": "one", "entities": [{ "type": "person", "value": "Ann" }] });
    let script = Script::on(world.config()).dies_at("after_graph_write");
    script.call("store", memory, patient()).start().died().await;
    assert_eq!((world.owed().await, world.nodes().await), (1, 1), "written, but still owed");
    world.settle(&world.layer()).await;
    killed_before_the_acknowledgement(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_graph_write_on_postgres() {
    killed_before_the_acknowledgement(&World::on_postgres().await).await;
}

/// The same in the queue.
async fn killed_before_the_acknowledgement(world: &World) {
    owe(world, 10).await;
    let before = world.nodes().await;
    let script = Script::on(world.config()).at("lease_ms", "return(500)").dies_at("after_drain_apply");
    script.call("drain", json!({}), Value::Null).start().died().await;
    assert_eq!((world.owed().await, world.nodes().await), (10, before + 10), "written, but still owed");
    world.expect_equal().await;
    wait_for_the_lease_to_end(world).await;
    assert_eq!(world.layer().call("drain", json!({})).await["paid"], 10, "applied again");
    world.expect_equal().await;
}

/// Neo4j has committed, but its answers are held back until the connections are cut.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_reply_on_neo4j() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    layer.store("u", "warm", &["Ann"]).await;
    owe(&world, 10).await;
    // Longer than the driver's own messages, shorter than any statement.
    proxy.set(Mode::HoldAnswersTo(1000));
    let cut = async {
        while world.nodes().await < 12 {
            sleep(Duration::from_millis(50)).await;
        }
        proxy.set(Mode::Refuse);
    };
    let memory =
        json!({ "userId": "u", "content": "one", "entities": [{ "type": "person", "value": "Ann" }] });
    let (stored, drained, ()) = futures::join!(
        layer.try_call_with("store", memory, patient()),
        layer.try_call("drain", json!({})),
        cut
    );
    let stored = stored.expect("stored");
    assert_eq!(stored["write"]["graphWriteSuccess"], false, "{stored}");
    let error = drained.expect_err("the way is cut");
    assert!(error.reason.retryable(), "{}", error.envelope());
    assert_eq!((world.owed().await, world.debts("attempts > 0").await), (11, 0));

    assert_eq!(world.layer().call("drain", json!({})).await["paid"], 11, "applied again");
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_past_its_lease_and_continued_on_neo4j() {
    stopped_past_its_lease(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_past_its_lease_and_continued_on_postgres() {
    stopped_past_its_lease(&World::on_postgres().await).await;
}

async fn stopped_past_its_lease(world: &World) {
    owe(world, 1).await;
    let mut late = pays_one(world, 500).stops_at("before_drain_apply").start();
    late.stopped().await;
    wait_for_the_lease_to_end(world).await;
    change(world, "newer").await;
    let layer = world.instance(1);
    assert_eq!(layer.call("drain", json!({})).await["paid"], 1);
    world.expect_equal().await;
    let newer = world.held_revisions().await;
    change(world, "newest").await;

    late.resume().await;
    late.answer().await;
    assert_eq!(world.held_revisions().await, newer, "its old revision is fenced off");
    assert_eq!(world.owed().await, 1, "its acknowledgement pays nothing newer");
    assert_eq!(layer.call("drain", json!({})).await["paid"], 1);
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_write_before_the_acknowledgement_on_neo4j() {
    new_write_before_the_acknowledgement(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_write_before_the_acknowledgement_on_postgres() {
    new_write_before_the_acknowledgement(&World::on_postgres().await).await;
}

pub async fn new_write_before_the_acknowledgement(world: &World) {
    owe(world, 1).await;
    let mut worker = pays_one(world, 60_000).stops_at("after_drain_apply").start();
    worker.stopped().await;
    let older = world.held_revisions().await;
    change(world, "newer").await;
    worker.resume().await;
    worker.answer().await;
    assert_eq!((world.owed().await, leased(world).await), (1, 0), "owed, and nobody has a lease on it");
    assert_eq!(world.held_revisions().await, older);
    assert_eq!(world.layer().call("drain", json!({})).await["paid"], 1);
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_upsert_after_a_delete_on_neo4j() {
    late_upsert_after_a_delete(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_upsert_after_a_delete_on_postgres() {
    late_upsert_after_a_delete(&World::on_postgres().await).await;
}

/// A process has read a memory and is about to apply it, when the memory is deleted for good.
pub async fn late_upsert_after_a_delete(world: &World) {
    owe(world, 1).await;
    let mut late = pays_one(world, 500).stops_at("before_drain_apply").start();
    late.stopped().await;
    wait_for_the_lease_to_end(world).await;
    world.sql().await.run("delete from public.memory_entries").await;
    world.layer().call("drain", json!({})).await;
    late.resume().await;
    late.answer().await;
    world.expect_equal().await;
    assert_eq!((world.nodes().await, world.owed().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_think_they_lead_on_neo4j() {
    two_leaders(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_think_they_lead_on_postgres() {
    two_leaders(&World::on_postgres().await).await;
}

/// The lead is taken from whoever has it, again and again, while there is drift to mend.
async fn two_leaders(world: &World) {
    let config = json!({ "syncIntervalMs": 1000 });
    let instances = [world.instance(1), world.instance(2)];
    for n in 0..20 {
        instances[0].store("u", &format!("memory {n}"), &["Ann", "Bob"]).await;
    }
    for instance in &instances {
        instance.try_call_with("startAutoSync", json!({}), config.clone()).await.expect("started");
    }
    let mut sql = world.sql().await;
    for round in 0..20 {
        sql.run("update izzie_memory.leases set lease_until = clock_timestamp() - interval '1 second'").await;
        sql.run("update izzie_memory.settings set last_check = null").await;
        world.drift(round).await;
        world.foreign_rows(2).await;
        sleep(Duration::from_millis(500)).await;
    }
    for instance in &instances {
        instance.call("stopAutoSync", json!({})).await;
    }
    assert_eq!(world.debts("attempts > 0 or state = 'dead'").await, 0);
    instances[0].call("fullSync", json!({})).await;
    world.settle(&instances[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_killed_on_neo4j() {
    leader_killed(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_killed_on_postgres() {
    leader_killed(&World::on_postgres().await).await;
}

async fn leader_killed(world: &World) {
    const LEASE: Duration = Duration::from_secs(4);
    /// How often the others ask for the lead.
    const ASK: Duration = Duration::from_secs(5);
    let config = json!({ "syncIntervalMs": 1000 });
    let script = Script::on(world.config()).at("leader_lease_ms", "return(4000)");
    let mut leader = script.call("startAutoSync", json!({}), config.clone()).start();
    leader.answer().await;
    let held = "select holder::text from izzie_memory.leases where name = 'leader' and lease_until > clock_timestamp()";
    let mut sql = world.sql().await;
    let first: String =
        wait_for(async || sql.rows(held).await.first().map(|row| sqlx::Row::get(row, 0))).await;
    let layer = world.instance(1);
    layer.try_call_with("startAutoSync", json!({}), config).await.expect("started");
    layer.store("u", "one", &["Ann"]).await;
    leader.killed().await;
    let died = Instant::now();
    let next: String = wait_for(async || {
        let holder: Option<String> = sql.rows(held).await.first().map(|row| sqlx::Row::get(row, 0));
        holder.filter(|holder| *holder != first)
    })
    .await;
    assert!(died.elapsed() < LEASE + ASK + SLACK, "{next} leads after {:?}", died.elapsed());
    // It does what a leader does.
    world.drift(0).await;
    wait_for(async || world.differences().await.is_empty().then_some(())).await;
}

async fn wait_for<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not happen");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_right_after_the_answer_on_neo4j() {
    frozen_after_the_answer(&World::on_neo4j().await, json!({})).await;
}

/// Here the graph's half of a write is done before the answer, unless it is deferred.
#[tokio::test(flavor = "multi_thread")]
async fn frozen_right_after_the_answer_on_postgres() {
    frozen_after_the_answer(&World::on_postgres().await, json!({ "defer": true })).await;
}

/// As serverless platforms do: nothing of that process runs ever again.
async fn frozen_after_the_answer(world: &World, options: Value) {
    let mut memory =
        json!({ "userId": "u", "content": "one", "entities": [{ "type": "person", "value": "Ann" }] });
    memory.as_object_mut().expect("an object").extend(options.as_object().expect("an object").clone());
    let script = Script::on(world.config()).at("before_graph_write", "sleep(60000)");
    let mut child = script.call("store", memory, json!({ "graphWaitMs": 1 })).start();
    assert_eq!(child.answer().await["write"]["vectorWriteSuccess"], true);
    child.freeze().await;
    assert_eq!((world.owed().await, world.nodes().await), (1, 0));
    let cron = world.instance(1);
    assert_eq!(cron.call("drain", json!({ "maxMs": 60_000 })).await["paid"], 1);
    world.expect_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_in_the_middle_of_a_drain_on_neo4j() {
    closed_in_the_middle(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_in_the_middle_of_a_drain_on_postgres() {
    closed_in_the_middle(&World::on_postgres().await).await;
}

async fn closed_in_the_middle(world: &World) {
    owe(world, MANY).await;
    let layer = world.instance(1);
    layer.call("startAutoSync", json!({})).await;
    let closing = async {
        wait_for(async || (world.owed().await < BEGUN).then_some(())).await;
        close_in_time(&layer).await;
    };
    let (drained, ()) = futures::join!(layer.try_call("drain", json!({})), closing);
    let error = drained.expect_err("stopped");
    assert_eq!(error.reason, Reason::Aborted, "{}", error.envelope());
    expect_leases_given_back(world).await;
    world.settle(&world.layer()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_while_the_graph_is_a_black_hole_on_neo4j() {
    let world = World::on_neo4j().await;
    let proxy = Proxy::to(neo4j::address()).await;
    let layer = Client::bare(&world.config_through(&proxy));
    // More than the background takes at once, so that the drain has its share.
    owe(&world, MANY).await;
    layer.call("startAutoSync", json!({})).await;
    let closing = async {
        wait_for(async || (world.owed().await < BEGUN).then_some(())).await;
        proxy.set(Mode::BlackHole);
        sleep(Duration::from_millis(200)).await;
        assert!(leased(&world).await > 0, "there are leases to give back");
        close_in_time(&layer).await;
    };
    let (drained, ()) = futures::join!(layer.try_call("drain", json!({})), closing);
    assert!(drained.is_err(), "{drained:?}");
    expect_leases_given_back(&world).await;
    // The server still has the statements whose answers nobody read.
    world.settle(&world.layer()).await;
}

async fn close_in_time(layer: &Client) {
    let begun = Instant::now();
    layer.0.close().await;
    // Less than the 10 s that a statement may take.
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

async fn expect_leases_given_back(world: &World) {
    assert!(world.owed().await > 0, "it stopped before everything was paid");
    assert_eq!(world.debts("lease_token is not null").await, 0);
}
