//! A process whose clock is wrong. Only the database's clock decides when something is due, or a lease ends.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::child::{Child, Script};
use crate::common::world::{PATIENCE, World};

const HOUR: i64 = 3600;

/// A library that shifts the clock of a process that preloads it. Removed when it is dropped.
struct Shift(PathBuf);

impl Shift {
    fn compile() -> Self {
        let library = std::env::temp_dir().join(format!("izzie-clock-{}.so", Uuid::new_v4().simple()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/faults/clock_shift.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(compiled.expect("a C compiler").success());
        Self(library)
    }

    fn start(&self, script: &Script, seconds: i64) -> Child {
        script.start_with(|command| {
            command.env("LD_PRELOAD", &self.0).env("IZZIE_TEST_CLOCK_SHIFT", seconds.to_string());
        })
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// `LD_PRELOAD` is a matter of ELF systems.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_off_by_an_hour_on_neo4j() {
    clock_off_by_an_hour(&World::on_neo4j().await).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_off_by_an_hour_on_postgres() {
    clock_off_by_an_hour(&World::on_postgres().await).await;
}

async fn clock_off_by_an_hour(world: &World) {
    let shift = Shift::compile();
    world.layer().call("syncStats", json!({})).await;
    for seconds in [HOUR, -HOUR] {
        leases_are_not_shifted(world, &shift, seconds).await;
        work_is_shared(world, &shift, seconds).await;
    }
}

async fn leases_are_not_shifted(world: &World, shift: &Shift, seconds: i64) {
    world.foreign_rows(3).await;
    let script = Script::on(world.config()).stops_at("after_claim").call("drain", json!({}), Value::Null);
    let child = shift.start(&script, seconds);
    child.stopped().await;
    let soon = "lease_until between clock_timestamp() + interval '1 second' and clock_timestamp() + interval '1 minute'";
    assert_eq!((world.debts("lease_until is not null").await, world.debts(soon).await), (3, 3));
    child.killed().await;
    world.sql().await.run("update izzie_memory.memory_sync set lease_until = clock_timestamp()").await;
}

/// The process with the wrong clock writes, pays and leads; then one with the right clock does.
async fn work_is_shared(world: &World, shift: &Shift, seconds: i64) {
    let config = json!({ "syncIntervalMs": 1000 });
    let memory =
        json!({ "userId": "u", "content": "one", "entities": [{ "type": "person", "value": "Ann" }] });
    let script = Script::on(world.config())
        .at("leader_lease_ms", "return(3000)")
        .call("store", memory, crate::common::world::patient())
        .call("startAutoSync", json!({}), config.clone());
    let mut child = shift.start(&script, seconds);
    let stored = child.answer().await;
    let off = moment(&stored["write"]["timestamp"]) - Utc::now();
    assert!((off.num_seconds() - seconds).abs() < 60, "its clock is off by {off}");
    let created = moment(&stored["memory"]["createdAt"]) - Utc::now();
    assert!(created.num_seconds().abs() < 60, "the database says when a memory was created");
    child.answer().await;
    world.foreign_rows(10).await;
    world.wait_until_paid(PATIENCE).await;
    leads(world).await;
    child.killed().await;

    let right = world.instance(1);
    right.try_call_with("startAutoSync", json!({}), config).await.expect("started");
    world.foreign_rows(10).await;
    world.wait_until_paid(PATIENCE).await;
    right.call("stopAutoSync", json!({})).await;
    world.settle(&right).await;
}

/// Its lease comes to hold and ends within a minute of the database's clock. Whoever drains need not lead yet.
async fn leads(world: &World) {
    let lease = "select count(*) from izzie_memory.leases \
        where lease_until between clock_timestamp() and clock_timestamp() + interval '1 minute'";
    let begun = Instant::now();
    while world.sql().await.one::<i64>(lease).await != 1 {
        assert!(begun.elapsed() < PATIENCE, "nobody leads");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("text").parse().expect("a moment")
}
