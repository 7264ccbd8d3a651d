//! What Prometheus is told: the counters of the process, and what both stores hold at this moment.
//!
//! A store that does not answer costs the gauges that come from it, never the answer.

use std::time::Duration;

use super::census::{Census, patiently, synced, unsigned};
use super::layer::Layer;
use crate::config::PersistenceConfig;
use crate::error::Result;
use crate::metrics::Scrape;
use crate::model::{Owed, OwedToModels};
use crate::store::graph::Circuit;

const KINDS: [&str; 3] = ["graph", "embedding", "extraction"];

/// The longest one store is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What Postgres knows.
struct Known {
    census: Census,
    /// Seconds since the oldest debt, by kind.
    ages: Vec<(String, f64)>,
}

impl Layer {
    pub(super) async fn metrics(&self, config: &PersistenceConfig) -> Result<String> {
        let (known, in_graph) = tokio::join!(
            patiently(PATIENCE, self.known(config), "Postgres"),
            patiently(PATIENCE, self.in_graph(config), "the graph")
        );
        let mut scrape = Scrape::default();
        self.process(&mut scrape)?;
        if let Ok(known) = &known {
            told(known, &mut scrape)?;
            if let Ok(Some(in_graph)) = in_graph {
                graph_told(known, in_graph, &mut scrape)?;
            }
        }
        scrape.gauge(
            "scrape_errors",
            "1: this store did not answer, and what it knows is missing here.",
            &["source"],
            &[(["postgres"], flag(known.is_err())), (["graph"], flag(in_graph.is_err()))],
        )?;
        self.stores.postgres.metrics().text(&scrape)
    }

    async fn known(&self, config: &PersistenceConfig) -> Result<Known> {
        let census = self.census(config).await?;
        let target = census.graph.as_ref().map(|(target, _)| target.as_str());
        let ages = self.stores.postgres.oldest_debts(target).await?;
        Ok(Known { census, ages })
    }

    /// What needs no store to answer.
    fn process(&self, scrape: &mut Scrape) -> Result<()> {
        let graph = self.stores.seat.graph();
        let kind = graph.map_or("none", |graph| graph.kind().name());
        let version = env!("CARGO_PKG_VERSION");
        scrape.gauge("info", "What runs here.", &["version", "graph"], &[([version, kind], 1.0)])?;
        let running = flag(self.stores.scheduler.is_running());
        scrape.single("auto_sync_running", "1: this process pays debts by itself.", running)?;
        if let Some(circuit) = graph.and_then(|graph| graph.circuit()) {
            let values = Circuit::ALL.map(|state| ([state.name()], flag(state == circuit)));
            scrape.gauge("graph_circuit", "1 for the state of the circuit to Neo4j.", &["state"], &values)?;
        }
        if let Some(removed) = graph.and_then(|graph| graph.foreign_edges_removed()) {
            scrape.count(
                "graph_foreign_edges_removed_total",
                "Edges of other programs that went with nodes of this layer.",
                removed,
            )?;
        }
        if let Some(cache) = &self.cache {
            let counts = cache.counts();
            scrape.counter(
                "embedding_cache_texts_total",
                "Texts that were answered from the cache (hit), and those asked for (miss).",
                "result",
                &[("hit", counts.hits), ("miss", counts.misses)],
            )?;
        }
        self.pools(scrape)
    }

    fn pools(&self, scrape: &mut Scrape) -> Result<()> {
        let pools = self.stores.postgres.pools();
        let (mut most, mut open) = (Vec::new(), Vec::new());
        for pool in &pools {
            most.push(([pool.name], f64::from(pool.max)));
            open.push(([pool.name, "idle"], f64::from(pool.idle)));
            open.push(([pool.name, "busy"], f64::from(pool.open.saturating_sub(pool.idle))));
        }
        scrape.gauge("pool_connections_max", "Most connections of a pool.", &["pool"], &most)?;
        scrape.gauge("pool_connections", "Open connections to Postgres.", &["pool", "state"], &open)
    }
}

fn told(Known { census, ages: oldest }: &Known, scrape: &mut Scrape) -> Result<()> {
    scrape.single("memories", "Live memories in Postgres.", number(census.live))?;
    scrape.single(
        "conflicts_open",
        "Conflicts that wait for somebody to decide.",
        number(census.conflicts),
    )?;
    if let Some(at) = census.last_sync {
        let seconds = at.timestamp_millis() as f64 / 1000.0;
        let help = "When a sync over all memories last ended with nothing left.";
        scrape.single("last_sync_timestamp_seconds", help, seconds)?;
    }
    let graph = census.graph.as_ref().map(|(_, counts)| Owed {
        pending: unsigned(counts.pending),
        waiting: 0,
        dead: unsigned(counts.dead),
    });
    let OwedToModels { embedding, extraction } = census.models;
    let (mut backlog, mut ages) = (Vec::new(), Vec::new());
    for (kind, owed) in KINDS.into_iter().zip([graph, Some(embedding), Some(extraction)]) {
        let Some(Owed { pending, waiting, dead }) = owed else { continue };
        for (state, count) in [("pending", pending), ("waiting", waiting), ("dead", dead)] {
            backlog.push(([kind, state], number(count)));
        }
        let age = oldest.iter().find(|(of, _)| of == kind).map_or(0.0, |(_, age)| age.max(0.0));
        ages.push(([kind], age));
    }
    scrape.gauge("backlog", "Memories that are owed.", &["target", "state"], &backlog)?;
    let help = "Since when the oldest pending debt has been owed.";
    scrape.gauge("oldest_debt_age_seconds", help, &["target"], &ages)
}

fn graph_told(Known { census, .. }: &Known, in_graph: u64, scrape: &mut Scrape) -> Result<()> {
    scrape.single("graph_memories", "Live memories in the graph.", number(in_graph))?;
    let in_step = synced(census.live, in_graph, &census.queue());
    let ratio = if census.live == 0 { 1.0 } else { number(in_step) / number(census.live) };
    let help = "Share of live memories that the graph holds and is not owed, 0 to 1.";
    scrape.single("sync_ratio", help, ratio)
}

/// Prometheus has no other numbers.
fn number(count: u64) -> f64 {
    count as f64
}

fn flag(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}
