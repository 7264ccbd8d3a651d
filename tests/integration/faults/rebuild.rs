//! Rows 35 and 43: sync operations that die in the middle, and a rebuild while others write.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::common::child::Script;
use crate::common::world::World;

/// A graph with every kind of drift, and debts.
async fn disorder(world: &World) {
    let layer = world.layer();
    layer.call("syncStats", json!({})).await;
    world.foreign_rows(120).await;
    layer.call("fullSync", json!({})).await;
    for kind in 0..9 {
        world.drift(kind).await;
    }
    world.foreign_rows(30).await;
}

/// A process dies in the middle of a call, at a fail point that it comes to for the nth time; then another makes the
/// same call.
async fn again_after_dying_at(point: &str, nth: usize, world: &World, op: &str, args: Value) -> Value {
    let script = Script::on(world.config()).at("lease_ms", "return(500)").dies_at_nth(point, nth);
    script.call(op, args.clone(), Value::Null).start().died().await;
    while world.debts("lease_until > clock_timestamp()").await > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    world.layer().call(op, args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_check_on_neo4j() {
    killed_during_a_check(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_check_on_postgres() {
    killed_during_a_check(&World::on_postgres().await).await;
}

/// A check changes nothing, so its death costs nothing.
async fn killed_during_a_check(world: &World) {
    disorder(world).await;
    let before = world.differences().await;
    let found = again_after_dying_at("before_second_look", 1, world, "checkConsistency", json!({})).await;
    assert_eq!(world.differences().await, before);
    assert_eq!(found.as_array().map(Vec::len), Some(9));
    world.settle(&world.layer()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_repair_on_neo4j() {
    killed_during_a_repair(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_repair_on_postgres() {
    killed_during_a_repair(&World::on_postgres().await).await;
}

async fn killed_during_a_repair(world: &World) {
    for point in ["after_claim", "after_drain_apply", "before_second_look", "after_distrust"] {
        disorder(world).await;
        again_after_dying_at(point, 1, world, "fullSync", json!({})).await;
        assert_eq!(world.owed().await, 0, "{point}");
        world.expect_equal().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_rebuild_on_neo4j() {
    killed_during_a_rebuild(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_rebuild_on_postgres() {
    killed_during_a_rebuild(&World::on_postgres().await).await;
}

async fn killed_during_a_rebuild(world: &World) {
    // Before each of its phases, then while it pays.
    let points = [
        ("rebuild_phase", 1),
        ("rebuild_phase", 2),
        ("rebuild_phase", 3),
        ("after_claim", 1),
        ("after_drain_apply", 2),
    ];
    for (point, nth) in points {
        disorder(world).await;
        let args = json!({ "clearExisting": true });
        let result = again_after_dying_at(point, nth, world, "rebuildGraph", args).await;
        assert_eq!(
            (&result["resumed"], &result["pending"]),
            (&json!(true), &json!(0)),
            "{point} {nth}: {result}"
        );
        world.expect_equal().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_with_concurrent_writes_on_neo4j() {
    rebuild_with_concurrent_writes(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_with_concurrent_writes_on_postgres() {
    rebuild_with_concurrent_writes(&World::on_postgres().await).await;
}

async fn rebuild_with_concurrent_writes(world: &World) {
    disorder(world).await;
    let (writer, rebuilder) = (world.instance(1), world.instance(2));
    let (over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let writing = async {
        let mut ids = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let n = written.fetch_add(1, Ordering::Relaxed);
            let person = format!("Person {}", n % 5);
            ids.push(writer.store("u", &format!("during {n}"), &["Ann", &person]).await);
            let id = &ids[n / 2];
            match n % 3 {
                0 => writer.call("update", json!({ "id": id, "content": format!("changed {n}") })).await,
                1 => writer.call("delete", json!({ "id": id, "hard": n % 2 == 0 })).await,
                _ => Value::Null,
            };
        }
    };
    let rebuilding = async {
        let mut rebuilds = 0;
        while rebuilds < 3 || written.load(Ordering::Relaxed) < 100 {
            rebuilder.call("rebuildGraph", json!({ "clearExisting": true })).await;
            rebuilds += 1;
        }
        over.store(true, Ordering::Relaxed);
    };
    futures::join!(writing, rebuilding);
    // What the last writes owe is paid; nothing else needs mending.
    rebuilder.call("drain", json!({})).await;
    writer.call("syncStats", json!({})).await;
    assert_eq!(rebuilder.call("checkConsistency", json!({})).await, json!([]));
    world.expect_equal().await;
}
