use std::borrow::Cow;
use std::sync::Arc;

/// What a number means to whoever draws it over time (the types of Prometheus' text format).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from zero at the start of the process. Its name ends with `_total`.
    Counter,
    /// How it is at the moment.
    Gauge,
}

/// What is measured: a name, what it says, and whether it is counted or looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// `earcon_calls_started_total`: small letters, digits and underscores; units are seconds and bytes.
    pub name: &'static str,
    pub kind: Kind,
    /// One sentence for the person who looks for it.
    pub help: &'static str,
}

impl Metric {
    pub const fn counter(name: &'static str, help: &'static str) -> Metric {
        Metric { name, kind: Kind::Counter, help }
    }

    pub const fn gauge(name: &'static str, help: &'static str) -> Metric {
        Metric { name, kind: Kind::Gauge, help }
    }
}

/// A metric as it stands for one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub metric: &'static Metric,
    /// Few values each: a label's values are held by whoever collects them, for months.
    pub labels: Vec<(&'static str, Cow<'static, str>)>,
    pub value: f64,
}

impl Sample {
    pub fn new(metric: &'static Metric, value: f64) -> Sample {
        Sample { metric, labels: Vec::new(), value }
    }

    /// Of a count; beyond 2^53 the last digits are lost, as in all of Prometheus.
    pub fn count(metric: &'static Metric, count: impl TryInto<u64>) -> Sample {
        Sample::new(metric, count.try_into().unwrap_or(u64::MAX) as f64)
    }

    pub fn with(mut self, label: &'static str, value: impl Into<Cow<'static, str>>) -> Sample {
        self.labels.push((label, value.into()));
        self
    }
}

/// Takes what was measured.
pub type Measured = Box<dyn FnOnce(Vec<Sample>) + Send>;

/// Somebody who can be asked how things stand. Returns at once; the answer may come later, from another thread, or never
/// (a role that has ended).
pub type Ask = Arc<dyn Fn(Measured) + Send + Sync>;
