//! What a projection to Neo4j costs beside the same statement sent by the bare driver, for a short and for a long
//! content. The bare driver stalls on messages above 8 KB (see `src/store/neo4j/nodelay.rs`); the store must not.
//!
//! `cargo bench --bench neo4j_nodelay`, with `TEST_NEO4J_*` for another server than the development one.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../src/store/neo4j/cypher.rs"]
#[allow(dead_code, reason = "one statement of it is measured")]
mod cypher;
#[path = "../src/store/neo4j/rows.rs"]
#[allow(dead_code, reason = "which statement to take is known here")]
mod rows;

// What the two included files name.
use izzie_memory::{error, model};

use std::future::Future;
use std::time::{Duration, Instant};

use common::neo4j::{Driver, options, store};
use common::sample::{memory, user};
use izzie_memory::store::graph::GraphStore;
use model::Projection;
use uuid::Uuid;

const SAMPLES: usize = 300;
const WARM_UP: usize = 100;
const SHORT: usize = 200;
const LONG: usize = 20_000;

#[tokio::main]
async fn main() {
    let (graph, driver, user) = (store(&options()), Driver::connect(), user("bench"));
    graph.prepare().await.expect("prepared");

    // The bare driver first: once the store has sent a long message, its option is set on the driver's sockets too.
    let bare = async |length| {
        measure(|| {
            let rows = rows::Rows::of(&[sample(&user, length)]).expect("rows");
            driver.rows(neo4rs::query(&cypher::PROJECT).param("rows", rows.list))
        })
        .await
    };
    let ours = async |length| {
        measure(|| async { graph.project(&[sample(&user, length)]).await.expect("projected") }).await
    };
    let (bare_short, bare_long) = (bare(SHORT).await, bare(LONG).await);
    let (ours_short, ours_long) = (ours(SHORT).await, ours(LONG).await);

    println!("projection of one memory with 10 entities, {SAMPLES} samples");
    print("bare driver, 200 B", &bare_short, &bare_short);
    print("store, 200 B", &ours_short, &bare_short);
    print("bare driver, 20 KB", &bare_long, &bare_short);
    print("store, 20 KB", &ours_long, &bare_short);
    graph.clear(Some(&user)).await.expect("cleared");
}

fn sample(user: &str, length: usize) -> Projection {
    let people: Vec<_> = (0..10).map(|n| format!("Person {n}")).collect();
    let mut projection =
        memory(user, Uuid::new_v4(), 1, &people.iter().map(String::as_str).collect::<Vec<_>>());
    projection.content = "x".repeat(length);
    projection
}

async fn measure<F: Future>(mut call: impl FnMut() -> F) -> Vec<Duration> {
    for _ in 0..WARM_UP {
        call().await;
    }
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let start = Instant::now();
        call().await;
        samples.push(start.elapsed());
    }
    samples.sort();
    samples
}

fn print(name: &str, samples: &[Duration], floor: &[Duration]) {
    let at =
        |samples: &[Duration], percent: usize| samples[samples.len() * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "{name:<20} p50 {:7.2} ms   p95 {:7.2} ms   {:5.2} × the bare driver's short one",
        at(samples, 50),
        at(samples, 95),
        at(samples, 50) / at(floor, 50),
    );
}
