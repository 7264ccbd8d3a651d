//! What this process counts about the layers of one set of stores, in the form that Prometheus reads.
//!
//! Labels are taken from closed sets: no user, content or address is ever one.

mod measured;
mod scrape;

use std::time::Instant;

use prometheus::proto::MetricFamily;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::error::{Error, Reason, Result};
use crate::model::Rejected;

pub use measured::{MeasuredEmbedder, MeasuredExtractor};
pub use scrape::Scrape;

/// Before every name.
const PREFIX: &str = "izzie_memory";

/// Seconds: from a read on the same machine to a rebuild.
const OPERATION_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];
const MODEL_BUCKETS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const WAIT_BUCKETS: &[f64] = &[0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 10.0];

/// What can be left out of a memory.
const REJECTED: [&str; 2] = ["entity", "relationship"];

/// What became of a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    Paid,
    /// Refused, and tried again later.
    Retried,
    /// Refused for good.
    Dead,
}

impl Payment {
    fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Retried => "retried",
            Self::Dead => "dead",
        }
    }
}

/// Counters since the stores were opened.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    operations: IntCounterVec,
    operation_seconds: HistogramVec,
    in_flight: IntGauge,
    debts: IntCounterVec,
    rejected: IntCounterVec,
    model_calls: IntCounterVec,
    model_seconds: HistogramVec,
    pool_waiting: IntGaugeVec,
    pool_wait_seconds: HistogramVec,
}

impl Metrics {
    pub fn new() -> Result<Self> {
        Self::registered().map_err(|error| broken(&error))
    }

    fn registered() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help).namespace(PREFIX), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let histograms = |name: &str, help: &str, label: &str, buckets: &[f64]| {
            let options = HistogramOpts::new(name, help).namespace(PREFIX).buckets(buckets.to_vec());
            let histograms = HistogramVec::new(options, &[label])?;
            registry.register(Box::new(histograms.clone()))?;
            Ok::<_, prometheus::Error>(histograms)
        };
        let rejected = counters(
            "rejected_total",
            "Entities and relationships that were given or found and left out, since nobody understands them.",
            &["kind"],
        )?;
        for kind in REJECTED {
            rejected.with_label_values(&[kind]);
        }
        let in_flight =
            IntGauge::with_opts(Opts::new("operations_in_flight", "Calls under way.").namespace(PREFIX))?;
        registry.register(Box::new(in_flight.clone()))?;
        let pool_waiting = IntGaugeVec::new(
            Opts::new("pool_waiting", "Statements that wait for a connection.").namespace(PREFIX),
            &["pool"],
        )?;
        registry.register(Box::new(pool_waiting.clone()))?;
        Ok(Self {
            operations: counters("operations_total", "Calls that have ended.", &["op", "outcome"])?,
            operation_seconds: histograms(
                "operation_duration_seconds",
                "How long calls took.",
                "op",
                OPERATION_BUCKETS,
            )?,
            in_flight,
            debts: counters("debts_total", "What became of debts that were tried.", &["target", "outcome"])?,
            rejected,
            model_calls: counters("model_calls_total", "Calls of a model.", &["model", "outcome"])?,
            model_seconds: histograms(
                "model_call_duration_seconds",
                "How long calls of a model took.",
                "model",
                MODEL_BUCKETS,
            )?,
            pool_waiting,
            pool_wait_seconds: histograms(
                "pool_wait_seconds",
                "How long statements waited for a connection.",
                "pool",
                WAIT_BUCKETS,
            )?,
            registry,
        })
    }

    /// A call begins; it ends when what is answered is dropped.
    pub fn operation(&self, op: &'static str) -> Running<'_> {
        self.in_flight.inc();
        Running { metrics: self, op, begun: Instant::now(), outcome: Reason::Internal.name() }
    }

    /// `target` as it stands in `memory_sync`.
    pub fn debts(&self, target: &str, payment: Payment, count: u64) {
        self.debts.with_label_values(&[target_label(target), payment.name()]).inc_by(count);
    }

    /// What was left out of what callers and extractors said.
    pub fn rejected(&self, rejected: &Rejected) {
        for (kind, list) in REJECTED.into_iter().zip([&rejected.entities, &rejected.relationships]) {
            self.rejected.with_label_values(&[kind]).inc_by(list.len() as u64);
        }
    }

    /// A statement waits for a connection until what is answered is dropped.
    pub fn waiting(&self, pool: &'static str) -> Waiting<'_> {
        self.pool_waiting.with_label_values(&[pool]).inc();
        Waiting { metrics: self, pool, begun: Instant::now() }
    }

    fn model_called(&self, model: &'static str, begun: Instant, outcome: &'static str) {
        self.model_calls.with_label_values(&[model, outcome]).inc();
        self.model_seconds.with_label_values(&[model]).observe(begun.elapsed().as_secs_f64());
    }

    /// All of it as text, with what a scrape found.
    pub fn text(&self, scrape: &Scrape) -> Result<String> {
        let mut families: Vec<MetricFamily> = self.registry.gather();
        families.extend(scrape.gather());
        TextEncoder::new().encode_to_string(&families).map_err(|error| broken(&error))
    }
}

/// The names of graphs are nobody's business.
fn target_label(target: &str) -> &str {
    match target {
        "embedding" | "extraction" => target,
        _ => "graph",
    }
}

fn broken(error: &prometheus::Error) -> Error {
    Error::persistence(Reason::Internal, format!("metrics: {error}"))
}

fn outcome_of<T>(outcome: &Result<T>) -> &'static str {
    outcome.as_ref().map_or_else(|error| error.reason.name(), |_| "ok")
}

/// A call under way.
pub struct Running<'a> {
    metrics: &'a Metrics,
    op: &'static str,
    begun: Instant,
    /// A call that is dropped without another one panicked.
    outcome: &'static str,
}

impl Running<'_> {
    pub fn ended<T>(mut self, outcome: &Result<T>) {
        self.outcome = outcome_of(outcome);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Self { metrics, op, begun, outcome } = self;
        metrics.in_flight.dec();
        metrics.operations.with_label_values(&[*op, *outcome]).inc();
        metrics.operation_seconds.with_label_values(&[*op]).observe(begun.elapsed().as_secs_f64());
    }
}

/// A statement that waits.
pub struct Waiting<'a> {
    metrics: &'a Metrics,
    pool: &'static str,
    begun: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.metrics.pool_waiting.with_label_values(&[self.pool]).dec();
        let waited = self.begun.elapsed().as_secs_f64();
        self.metrics.pool_wait_seconds.with_label_values(&[self.pool]).observe(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metrics: &Metrics) -> String {
        metrics.text(&Scrape::default()).expect("text")
    }

    #[test]
    fn a_call_counts_once_by_its_outcome_and_one_that_was_dropped_as_a_bug() {
        let metrics = Metrics::new().expect("metrics");
        metrics.operation("store").ended(&Ok(()));
        metrics.operation("store").ended::<()>(&Err(Error::vector(Reason::Unavailable, "x")));
        drop(metrics.operation("drain"));
        let running = metrics.operation("verify");
        let text = text(&metrics);
        assert!(text.contains(r#"izzie_memory_operations_total{op="store",outcome="ok"} 1"#), "{text}");
        assert!(text.contains(r#"{op="store",outcome="UNAVAILABLE"} 1"#), "{text}");
        assert!(text.contains(r#"{op="drain",outcome="INTERNAL"} 1"#), "{text}");
        assert!(text.contains("izzie_memory_operations_in_flight 1"), "{text}");
        assert!(text.contains(r#"izzie_memory_operation_duration_seconds_count{op="store"} 2"#), "{text}");
        drop(running);
    }

    #[test]
    fn the_name_of_a_graph_is_no_label() {
        let metrics = Metrics::new().expect("metrics");
        metrics.debts("neo4j:5f0c", Payment::Dead, 2);
        let text = text(&metrics);
        assert!(text.contains(r#"izzie_memory_debts_total{outcome="dead",target="graph"} 2"#), "{text}");
        assert!(!text.contains("5f0c"), "{text}");
    }
}
