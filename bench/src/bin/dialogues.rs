//! How soon a menu answers a key, and what a thousand dialogues at once cost.
//!
//!     cargo build --release -p earcon -p bench && target/release/dialogues [DIALOGUES] [SECONDS]
//!
//! `earcon um` on core 0. First, one caller at a time: from the end of a key (RFC 4733) to the first packet of what the attendant
//! says next. Then SIPp on core 1 has so many callers (1,000 for 30 s unless told) in the attendant at once, who hear its menu and
//! press a key (by INFO) every three seconds.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use bench::Usage;
use bench::um::{NET, cpu_of, start_server};
use std::process::Command;
use std::time::{Duration, Instant};
use tests_crash::{Call, Caller};
use tests_foreign::process::{Process, Scratch};
use tests_foreign::sipp;

/// Callers who come one after the other.
const KEYS: usize = 20;
/// Dialogues that begin a second.
const RATE: usize = 50;
/// When a key of [`Call::press`] is let go.
const HELD: Duration = Duration::from_millis(100);
/// A pause that is none of the prompt's packets: it was stopped by the key.
const STOPPED: Duration = Duration::from_millis(50);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dialogues: usize = arguments.next().map_or(1000, |n| n.parse().expect("DIALOGUES is a number"));
    let seconds: u64 = arguments.next().map_or(30, |n| n.parse().expect("SECONDS is a number"));
    let scratch = Scratch::new("bench-dialogues");
    let server = start_server(&scratch);
    let mut answers: Vec<Duration> = (0..KEYS).map(|_| answer()).collect();
    answers.sort();
    println!("from the last key to the first sound: median {:?}, longest {:?}", answers[KEYS / 2], answers[KEYS - 1]);
    many(&scratch, &server, dialogues, seconds);
}

/// How long the attendant takes to answer `#`.
fn answer() -> Duration {
    let (gateway, um) = (format!("127.0.{NET}.10"), format!("127.0.{NET}.4"));
    let address = format!("<sip:27001@{gateway}>");
    let mut call = Call::place(&Caller { from: &address, asserted: &address }, &gateway, &um, "43333", "").unwrap();
    // Two seconds of the welcome.
    call.listen(Duration::from_secs(20), |heard| heard.len() > 16_000);
    let answered = std::thread::scope(|scope| {
        let pressed = Instant::now();
        scope.spawn(|| call.press("#"));
        let (mut length, mut last, mut stopped, mut answered) = (0, Instant::now(), false, None);
        call.listen(Duration::from_secs(5), |heard| {
            let now = Instant::now();
            if heard.len() > length {
                if stopped {
                    answered = Some(now.saturating_duration_since(pressed + HELD));
                    return true;
                }
                (length, last) = (heard.len(), now);
            }
            stopped |= now.saturating_duration_since(last) > STOPPED;
            false
        });
        answered.expect("an answer within five seconds")
    });
    call.hang_up();
    answered
}

fn many(scratch: &Scratch, server: &Process, dialogues: usize, seconds: u64) {
    let um = format!("127.0.{NET}.4");
    let rounds = seconds / 6 + 1;
    let scenario = sipp::scenario("dialogue", &[("rounds", &rounds.to_string())]);
    let idle = Usage::of(server.id());
    let limit = Duration::from_secs(seconds * 2 + 120);
    let mut callers: Vec<Process> = vec![Process::start(
        Command::new("taskset")
            .args(["-c", "1", "sipp", &format!("{um}:5065"), "-sf"])
            .arg(&scenario)
            .args(["-i", &format!("127.0.{NET}.10"), "-mi", &format!("127.0.{NET}.11"), "-p", "5060", "-s", "43333"])
            .args(["-t", "tn", "-max_socket", "8000", "-nostdin"])
            .args(["-r", &RATE.to_string(), "-l", &(dialogues + 10).to_string(), "-m", &dialogues.to_string()])
            .args(["-trace_err", "-error_file"])
            .arg(scratch.file("errors"))
            .args(["-timeout", &format!("{}s", limit.as_secs())])
            .env("TERM", "dumb"),
    )];
    // All of them are there.
    std::thread::sleep(Duration::from_millis((dialogues * 1000 / RATE) as u64 + 1000));
    let before = (Instant::now(), Usage::of(server.id()), cpu_of(&callers));
    std::thread::sleep(Duration::from_secs((seconds / 2).max(3)));
    let after = (Instant::now(), Usage::of(server.id()), cpu_of(&callers));
    let measured = (after.0 - before.0).as_secs_f64();
    let cpu = (after.1.cpu_ms - before.1.cpu_ms) / measured;
    println!("{dialogues} dialogues: {:.0} % of a core, {:.3} ms a second of each", cpu / 10.0, cpu / dialogues as f64);
    println!(
        "memory a dialogue: {:.1} KiB",
        (after.1.resident_kib as f64 - idle.resident_kib as f64) / dialogues as f64
    );
    println!("SIPp itself: {:.0} % of its core meanwhile", (after.2 - before.2) / measured / 10.0);
    callers[0].must_succeed(limit);
    println!("all {dialogues} pressed their keys, were answered, and hung up");
}
