//! The text format of Prometheus, 0.0.4: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use event::{Kind, Metric, Sample};
use std::collections::BTreeMap;
use std::fmt::Write;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All lines of one metric stand together, under its help and type; metrics in the order of their names.
pub fn write(samples: &[Sample]) -> String {
    let mut metrics: BTreeMap<&str, (&Metric, Vec<&Sample>)> = BTreeMap::new();
    for sample in samples {
        metrics.entry(sample.metric.name).or_insert((sample.metric, Vec::new())).1.push(sample);
    }
    let mut text = String::new();
    for (name, (metric, samples)) in metrics {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing to a String can't fail.
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", escaped(metric.help, false));
        for sample in samples {
            let labels: Vec<String> =
                sample.labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true))).collect();
            let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(text, "{name}{braces} {}", sample.value);
        }
    }
    text
}

/// Backslash and line feed, and in a label's value the quotation mark.
fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ENDED: Metric = Metric::counter("earcon_calls_ended_total", "Calls that are over.\nBy cause.");
    static CPU: Metric = Metric::counter("process_cpu_seconds_total", "CPU.");
    static CALLS: Metric = Metric::gauge("earcon_calls", "Calls in progress.");

    #[test]
    fn lines_of_a_metric_stand_together_and_nothing_in_a_label_can_end_it() {
        let samples = [
            Sample::count(&ENDED, 2_u64).with("cause", "busy"),
            Sample::count(&CALLS, 0_u64),
            Sample::new(&CPU, 1.25),
            Sample::count(&ENDED, 1_u64).with("cause", "a\"b\\c\nd").with("role", "node"),
        ];
        let expected = r#"# HELP earcon_calls Calls in progress.
# TYPE earcon_calls gauge
earcon_calls 0
# HELP earcon_calls_ended_total Calls that are over.\nBy cause.
# TYPE earcon_calls_ended_total counter
earcon_calls_ended_total{cause="busy"} 2
earcon_calls_ended_total{cause="a\"b\\c\nd",role="node"} 1
# HELP process_cpu_seconds_total CPU.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.25
"#;
        assert_eq!(write(&samples), expected);
    }
}
