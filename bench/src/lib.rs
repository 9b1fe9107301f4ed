//! Benchmarks: speed and memory, reported, never asserted. README.md says what each is for and what it said last.
#![allow(clippy::unwrap_used)] // measuring tools: they stop where something is wrong

pub mod um;

/// What a process has used so far, from /proc.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time.
    pub cpu_ms: f64,
    pub resident_kib: u64,
    pub threads: u64,
}

impl Usage {
    pub fn of(id: u32) -> Usage {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // Fields 14 and 15 (utime, stime) in ticks of 10 ms; the name in parentheses may hold spaces.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Usage { cpu_ms: ticks * 10.0, resident_kib: number("VmRSS:"), threads: number("Threads:") }
    }
}

/// User and system time of a process by its threads' names, in ms, the most first. A thread that has ended is in none.
pub fn threads_cpu_ms(id: u32) -> Vec<(String, f64)> {
    let mut by_name = std::collections::BTreeMap::<String, f64>::new();
    for thread in std::fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten() {
        // It may end meanwhile.
        let read = |file: &str| std::fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        // Nanoseconds on a processor, of which Linux keeps an exact count for each thread.
        let spent: f64 = read("schedstat").split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0.0);
        *by_name.entry(read("comm").trim().to_owned()).or_default() += spent / 1e6;
    }
    let mut threads: Vec<(String, f64)> = by_name.into_iter().collect();
    threads.sort_by(|a, b| b.1.total_cmp(&a.1));
    threads
}
