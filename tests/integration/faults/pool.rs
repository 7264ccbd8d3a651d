//! Background work that fills its pool.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::common::world::{World, patient};

/// Connections that background work may have.
const BACKGROUND: i64 = 2;
/// Long before a statement that waits for a lock gives up.
const SOON: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn background_work_fills_its_pool_on_neo4j() {
    callers_are_served(&World::on_neo4j().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn background_work_fills_its_pool_on_postgres() {
    callers_are_served(&World::on_postgres().await).await;
}

async fn callers_are_served(world: &World) {
    let layer = world.instance(1);
    let memory = |n: usize| json!({ "userId": "u", "content": format!("memory {n}") });
    layer.try_call_with("store", memory(0), patient()).await.expect("stored");
    let mut sql = world.sql().await;
    // A full sync closes conflicts at its end, by connections of the background.
    sql.run("begin; lock table izzie_memory.conflicts in access exclusive mode").await;
    let syncs = join_all((0..4).map(|_| layer.try_call("fullSync", json!({}))));
    let writes = async {
        while stuck(world).await < BACKGROUND {
            sleep(Duration::from_millis(20)).await;
        }
        for n in 1..=20 {
            let stored = timeout(SOON, layer.call("store", memory(n))).await.expect("served");
            let id = &stored["memory"]["id"];
            let read = timeout(SOON, layer.call("getById", json!({ "id": id }))).await.expect("served");
            assert_eq!(&read["id"], id);
        }
        assert_eq!(stuck(world).await, BACKGROUND, "it was full all the while");
        sql.run("commit").await;
    };
    let (synced, ()) = futures::join!(syncs, writes);
    for outcome in synced {
        assert_eq!(outcome.expect("synced")["failed"], 0);
    }
    world.settle(&layer).await;
}

/// Connections that wait for a lock.
async fn stuck(world: &World) -> i64 {
    let waiting = "select count(*) from pg_stat_activity \
        where datname = current_database() and wait_event_type = 'Lock'";
    world.sql().await.one(waiting).await
}
