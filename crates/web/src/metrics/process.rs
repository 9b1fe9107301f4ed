//! What the process takes of the machine, as the system says (`/proc/self`). The names are those of Prometheus' own clients.

use event::{Metric, Sample};
use std::collections::BTreeMap;
use std::fs;

/// Ticks a second in `/proc`: USER_HZ, which is 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

static CPU: Metric =
    Metric::counter("process_cpu_seconds_total", "User and system CPU time of the process, in seconds.");
static THREAD_CPU: Metric =
    Metric::gauge("earcon_thread_cpu_seconds", "CPU time of the threads that run now, by name, in seconds.");
static RESIDENT: Metric = Metric::gauge("process_resident_memory_bytes", "Memory that is resident, in bytes.");
static VIRTUAL: Metric = Metric::gauge("process_virtual_memory_bytes", "Memory that is addressed, in bytes.");
static STARTED: Metric =
    Metric::gauge("process_start_time_seconds", "When the process started, in seconds since 1970.");
static FILES: Metric = Metric::gauge("process_open_fds", "Open file descriptors.");
static MOST_FILES: Metric = Metric::gauge("process_max_fds", "File descriptors that may be open.");
static THREADS: Metric = Metric::gauge("process_threads", "Threads of the process.");
static VERSION: Metric = Metric::gauge("earcon_build_info", "1; the label says which version runs.");

/// What can't be read is left out.
pub fn samples() -> Vec<Sample> {
    let mut samples = vec![Sample::count(&VERSION, 1_u64).with("version", env!("CARGO_PKG_VERSION"))];
    if let Some(stat) = read("/proc/self/stat").as_deref().and_then(Stat::parse) {
        samples.push(Sample::new(&CPU, stat.cpu));
        if let Some(boot) = boot_time() {
            samples.push(Sample::new(&STARTED, boot + stat.started));
        }
    }
    let status = read("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| field(&status, name).map(|value| value * 1024.0);
    let values = [
        (&RESIDENT, kilobytes("VmRSS:")),
        (&VIRTUAL, kilobytes("VmSize:")),
        (&THREADS, field(&status, "Threads:")),
        (&FILES, fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64)),
        (&MOST_FILES, read("/proc/self/limits").and_then(|limits| field(&limits, "Max open files"))),
    ];
    samples.extend(values.into_iter().filter_map(|(metric, value)| Some(Sample::new(metric, value?))));
    samples.extend(threads().into_iter().map(|(name, cpu)| Sample::new(&THREAD_CPU, cpu).with("thread", name)));
    samples
}

/// Threads of one name together: their numbers come and go.
fn threads() -> BTreeMap<String, f64> {
    let mut threads = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Ok(text) = fs::read_to_string(task.path().join("stat")) else { continue };
        if let Some(stat) = Stat::parse(&text) {
            *threads.entry(stat.name).or_default() += stat.cpu;
        }
    }
    threads
}

struct Stat {
    name: String,
    /// Seconds.
    cpu: f64,
    /// Seconds after the machine's start.
    started: f64,
}

impl Stat {
    /// proc(5): `pid (name) state ppid ...`; the name may hold anything, so the last parenthesis counts.
    fn parse(text: &str) -> Option<Stat> {
        let (head, rest) = text.rsplit_once(") ")?;
        let name = head.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Counted from 1 in the manual, and `state` is the third.
        let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<f64>().ok();
        Some(Stat { name, cpu: (field(14)? + field(15)?) / TICKS, started: field(22)? / TICKS })
    }
}

fn boot_time() -> Option<f64> {
    field(&read("/proc/stat")?, "btime ")
}

/// The number after a line's name.
fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_be_called_anything() {
        let stat = Stat::parse("7 (um net) (2)) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0 1234 99 1").unwrap();
        assert_eq!((stat.name.as_str(), stat.cpu, stat.started), ("um net) (2)", 2.0, 12.34));
        assert!(Stat::parse("7 (cut) S 1 2").is_none());
    }

    #[test]
    fn the_running_process_has_all_of_it() {
        let names: Vec<&str> = samples().iter().map(|sample| sample.metric.name).collect();
        for metric in [&CPU, &RESIDENT, &VIRTUAL, &STARTED, &FILES, &MOST_FILES, &THREADS, &THREAD_CPU] {
            assert!(names.contains(&metric.name), "{}", metric.name);
        }
    }
}
