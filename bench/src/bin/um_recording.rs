//! SIPp plays the gateway on one core, `earcon um` records on the other: what does a call cost?
//!
//!     cargo build --release && cargo run --release -p bench --bin um_recording -- [CALLS] [SECONDS]
//!
//! Prints CPU (user and system) a second of a call, CPU once a call (redirects, delivery and durable commit), resident
//! memory a call, threads, and whether any audio that SIPp sent is missing. Defaults: 1,000 calls of 60 s.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use std::process::Command;
use std::time::{Duration, Instant};
use tests_foreign::audio;
use tests_foreign::http;
use tests_foreign::process::{Process, Scratch, repository};
use tests_foreign::sipp;

const NET: u8 = 90;
const WEB: u16 = 18090;
/// Calls that SIPp starts a second.
const RATE: usize = 50;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(1000, |calls| calls.parse().expect("CALLS is a number"));
    let seconds: u64 = arguments.next().map_or(60, |seconds| seconds.parse().expect("SECONDS is a number"));
    let scratch = Scratch::new("bench-um");
    let (gateway, um) = (format!("127.0.{NET}.10"), format!("127.0.{NET}.4"));
    let earcon = repository().join("target/release/earcon");
    assert!(earcon.exists(), "build it first: cargo build --release");
    std::fs::write(scratch.file("token"), "bench-token-of-the-recording\n").unwrap();
    std::fs::set_permissions(scratch.file("token"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(
        scratch.file("um.toml"),
        format!(
            "data = \"{}\"\n[sip]\naddress = \"{um}\"\n[media]\naddress = \"{um}\"\nports = [20000, 29999]\n[web]\nlisten = \"127.0.0.1:{WEB}\"\nadmin_token_file = \"{}\"\n",
            scratch.file("um").display(),
            scratch.file("token").display()
        ),
    )
    .unwrap();
    let server = Process::start(
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(&earcon)
            .arg("um")
            .arg("--config")
            .arg(scratch.file("um.toml"))
            .env("RUST_LOG", "warn"),
    );
    server.wait_for("ready", Duration::from_secs(20));
    let script = std::fs::read_to_string(repository().join("lab/exchange-um.ps1"))
        .unwrap()
        .replace("192.168.222.", &format!("127.0.{NET}."));
    let mut shell = Process::start(Command::new(&earcon).arg("umsh").arg("--data").arg(scratch.file("um")));
    for line in script.lines().chain(["Set-UMService -MaxCallsAllowed 10000"]) {
        shell.type_line(line);
    }
    shell.stdin.take();
    shell.must_succeed(Duration::from_secs(20));
    let beep: Vec<i16> = (0..800).map(|n| if n % 16 < 8 { 2000 } else { -2000 }).collect();
    audio::write_wav(&scratch.file("greeting.wav"), &beep);
    let greeting = std::fs::read(scratch.file("greeting.wav")).unwrap();
    let put = http::call(
        WEB,
        "PUT",
        "/api/v1/mailboxes/27000/greeting",
        Some(&greeting),
        "audio/wav",
        Some("bench-token-of-the-recording"),
    );
    assert!(put.status < 300, "{}", String::from_utf8_lossy(&put.body));
    std::fs::write(scratch.file("speech.alaw"), audio::g711(&audio::speech(u32::try_from(seconds).unwrap()), "al"))
        .unwrap();

    std::thread::sleep(Duration::from_secs(1));
    let idle = Usage::of(server.id());
    println!("idle: {} KiB resident, {} threads", idle.resident_kib, idle.threads);
    let started = Instant::now();
    let scenario = sipp::scenario(
        "diverted",
        &[
            ("mailbox", "27000"),
            ("greeting", "2500"),
            ("length", &(seconds * 1000 + 200).to_string()),
            ("file", scratch.file("speech.alaw").to_str().unwrap()),
        ],
    );
    let mut sipp = Process::start(
        Command::new("taskset")
            .args(["-c", "1", "sipp", &format!("{um}:5060"), "-sf"])
            .arg(scenario)
            .args(["-i", &gateway, "-mi", &gateway, "-p", "5060", "-t", "tn", "-max_socket", "8000", "-s", "43334"])
            .args(["-r", &RATE.to_string(), "-l", &(calls + 10).to_string(), "-m", &calls.to_string(), "-nostdin"])
            .args(["-trace_err", "-error_file", "/dev/stderr", "-min_rtp_port", "30000", "-max_rtp_port", "60000"])
            .args(["-timeout", &format!("{}s", seconds * 3 + 120)])
            .env("TERM", "dumb"),
    );
    // All calls are up and record from the end of the ramp (and the greeting) to the end of the first.
    let ramp = Duration::from_secs((calls / RATE) as u64 + 4);
    std::thread::sleep(ramp);
    let before = Usage::of(server.id());
    let plateau = Duration::from_secs(seconds).saturating_sub(ramp).max(Duration::from_secs(2));
    std::thread::sleep(plateau);
    let after = Usage::of(server.id());
    sipp.must_succeed(Duration::from_secs(seconds * 3 + 120));
    let messages = loop {
        let answer = http::call(
            WEB,
            "GET",
            "/api/v1/mailboxes/27000/messages?limit=100000",
            None,
            "",
            Some("bench-token-of-the-recording"),
        );
        let messages: Vec<serde_json::Value> = serde_json::from_slice(&answer.body).unwrap();
        if messages.len() >= calls || started.elapsed() > Duration::from_secs(seconds * 3 + 150) {
            break messages;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    std::thread::sleep(Duration::from_secs(1));
    let end = Usage::of(server.id());

    let call_seconds = calls as f64 * plateau.as_secs_f64();
    let a_second = (after.cpu_ms - before.cpu_ms) / call_seconds;
    let all: f64 = messages.iter().map(|message| message["duration_s"].as_f64().unwrap()).sum();
    let once = (end.cpu_ms - idle.cpu_ms - a_second * all) / calls as f64;
    let short =
        messages.iter().filter(|message| message["duration_s"].as_f64().unwrap() < seconds as f64 - 0.021).count();
    println!("messages: {} of {calls}; shorter than the {seconds} s sent: {short}", messages.len());
    println!("CPU a second of a call: {a_second:.3} ms (over {:.0} s of {calls} calls)", plateau.as_secs_f64());
    println!("CPU once a call: {once:.2} ms");
    println!("memory a call: {:.1} KiB", (after.resident_kib as f64 - idle.resident_kib as f64) / calls as f64);
    println!("threads: {} idle, {} with {calls} calls", idle.threads, after.threads);
}

struct Usage {
    cpu_ms: f64,
    resident_kib: u64,
    threads: u64,
}

impl Usage {
    /// From /proc, of a process of ours.
    fn of(id: u32) -> Usage {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // Field 14 and 15 (utime, stime) in ticks of 10 ms; the name in parentheses may hold spaces.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let number = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .split_whitespace()
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        Usage { cpu_ms: ticks * 10.0, resident_kib: number("VmRSS:"), threads: number("Threads:") }
    }
}
