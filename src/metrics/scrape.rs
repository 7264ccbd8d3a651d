use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntCounter, IntCounterVec, Opts};

use super::{PREFIX, broken};
use crate::error::Result;

/// What is looked up when somebody asks, and holds at that moment. What could not be found out is missing.
#[derive(Default)]
pub struct Scrape {
    families: Vec<MetricFamily>,
}

impl Scrape {
    /// A gauge with a value for each set of label values.
    pub fn gauge<'v, Of: AsRef<[&'v str]>>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        values: &[(Of, f64)],
    ) -> Result<()> {
        let gauges = GaugeVec::new(options(name, help), labels).map_err(|error| broken(&error))?;
        if values.is_empty() {
            return Ok(());
        }
        for (of, value) in values {
            gauges.with_label_values(of.as_ref()).set(*value);
        }
        self.families.extend(gauges.collect());
        Ok(())
    }

    /// A gauge without labels.
    pub fn single(&mut self, name: &str, help: &str, value: f64) -> Result<()> {
        self.gauge::<[&str; 0]>(name, help, &[], &[([], value)])
    }

    /// A counter that somebody else keeps.
    pub fn counter(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> Result<()> {
        let counters = IntCounterVec::new(options(name, help), &[label]).map_err(|error| broken(&error))?;
        for (of, value) in values {
            counters.with_label_values(&[*of]).inc_by(*value);
        }
        self.families.extend(counters.collect());
        Ok(())
    }

    /// The same without labels.
    pub fn count(&mut self, name: &str, help: &str, value: u64) -> Result<()> {
        let counter = IntCounter::with_opts(options(name, help)).map_err(|error| broken(&error))?;
        counter.inc_by(value);
        self.families.extend(counter.collect());
        Ok(())
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.families.clone()
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace(PREFIX)
}
