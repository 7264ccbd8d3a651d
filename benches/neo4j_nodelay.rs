//! What a projection to Neo4j costs beside the same statement sent by the bare driver, for a short and for a long
//! content. The bare driver stalls on messages above 8 KB (see `src/store/neo4j/nodelay.rs`); the store must not.
//!
//! `cargo bench --bench neo4j_nodelay`, with `TEST_NEO4J_*` for another server than the development one.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[allow(dead_code, unused_macros, reason = "what the tests share, of which a part is used")]
#[path = "../tests/integration/common"]
mod common {
    pub mod conformance;
    pub mod neo4j;
    pub mod sample;
    pub mod upkeep;
}
#[path = "../src/store/neo4j/cypher/mod.rs"]
#[allow(dead_code, unused_imports, reason = "one statement of it is measured")]
mod cypher;
#[path = "../src/store/neo4j/labels.rs"]
#[allow(dead_code, unused_imports, reason = "statements that are not measured name the rest")]
mod labels;
#[path = "../src/store/neo4j/rows.rs"]
#[allow(dead_code, reason = "which statement to take is known here")]
mod rows;

// What the included files name.
use izzie_memory::{error, model};

use std::time::{Duration, Instant};

use common::neo4j::{Driver, options, store};
use common::sample::{memory, user};
use izzie_memory::store::graph::GraphStore;
use model::Projection;
use uuid::Uuid;

const SAMPLES: usize = 300;
const WARM_UP: usize = 500;
const TURNS: usize = 10;
const SHORT: usize = 200;
const LONG: usize = 20_000;

#[tokio::main]
async fn main() {
    let (graph, driver, user) = (store(&options()), Driver::connect(), user("bench"));
    graph.prepare().await.expect("prepared");

    let bare = async |length| {
        let rows = rows::Rows::of(&[sample(&user, length)]).expect("rows");
        driver.rows(neo4rs::query(&cypher::PROJECT).param("batch", rows.batch)).await;
    };
    let ours = async |length| {
        graph.project(&[sample(&user, length)]).await.expect("projected");
    };
    measure(WARM_UP, async || bare(SHORT).await).await;
    // In turns, lest the server's own warming up favours the later one.
    let (mut bare_short, mut ours_short) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare_short.extend(measure(SAMPLES / TURNS, async || bare(SHORT).await).await);
        ours_short.extend(measure(SAMPLES / TURNS, async || ours(SHORT).await).await);
    }
    // The bare driver first: once the store has sent a long message, its option is set on the driver's sockets too.
    let bare_long = measure(SAMPLES, async || bare(LONG).await).await;
    let ours_long = measure(SAMPLES, async || ours(LONG).await).await;

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

async fn measure(samples: usize, call: impl AsyncFn()) -> Vec<Duration> {
    let mut times = Vec::with_capacity(samples);
    for _ in 0..samples {
        let start = Instant::now();
        call().await;
        times.push(start.elapsed());
    }
    times
}

fn print(name: &str, times: &[Duration], floor: &[Duration]) {
    println!(
        "{name:<20} p50 {:7.2} ms   p95 {:7.2} ms   {:5.2} × the bare driver's short one",
        percentile(times, 50),
        percentile(times, 95),
        percentile(times, 50) / percentile(floor, 50),
    );
}

fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() * percent / 100].as_secs_f64() * 1000.0
}
