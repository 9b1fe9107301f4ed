//! SIPp plays the gateway on one core, `earcon um` records on the other: what does a call cost?
//!
//!     cargo build --release -p earcon -p bench && target/release/um_recording [CALLS] [SECONDS]
//!
//! Prints CPU (user and system) a second of a call, CPU once a call (redirects, delivery and durable commit), resident
//! memory a call, threads, and whether any audio that SIPp sent is missing: each stored message is compared byte by byte
//! with the file that SIPp played. Defaults: 1,000 calls of 60 s. The binary measured is `EARCON_BIN`, else the one
//! beside this bench. One SIPp plays `SIPP_CALLS` calls at most (250 unless told), so that a thousand take four.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use bench::Usage;
use bench::um::{NET, TOKEN, WEB, cpu_of, start_server};
use std::process::Command;
use std::time::{Duration, Instant};
use tests_foreign::process::{Process, Scratch};
use tests_foreign::{audio, http, sipp};

/// Calls that are started a second, by all SIPps together.
const RATE: usize = 50;
/// Greeting and tone are over when SIPp begins to speak, in ms.
const GREETING: u64 = 2500;
/// Bytes of G.711 in a packet of 20 ms.
const FRAME: usize = 160;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(1000, |calls| calls.parse().expect("CALLS is a number"));
    let seconds: u64 = arguments.next().map_or(60, |seconds| seconds.parse().expect("SECONDS is a number"));
    let most = std::env::var("SIPP_CALLS").map_or(250, |most| most.parse().expect("SIPP_CALLS is a number"));
    let scratch = Scratch::new("bench-um");
    let server = start_server(&scratch);
    let speech = stamped_speech(seconds);
    std::fs::write(scratch.file("speech.alaw"), &speech).unwrap();

    std::thread::sleep(Duration::from_secs(1));
    let idle = Usage::of(server.id());
    let threads_idle = bench::threads_cpu_ms(server.id());
    println!("idle: {} KiB resident, {} threads", idle.resident_kib, idle.threads);
    let limit = Duration::from_secs(seconds * 3 + 120);
    let mut sipps = start_callers(&scratch, calls, most, seconds, limit);
    // Ten calls are up.
    std::thread::sleep(Duration::from_millis(10_000 / RATE as u64 + 500));
    let few = Usage::of(server.id());
    // All calls are up and record from the end of the ramp and the greeting to the end of the first.
    let first = Duration::from_millis(GREETING) + Duration::from_secs(seconds);
    let up = Duration::from_millis(GREETING + 500) + Duration::from_millis((calls * 1000 / RATE) as u64);
    std::thread::sleep(up);
    let before = (Instant::now(), Usage::of(server.id()), cpu_of(&sipps));
    let threads_before = bench::threads_cpu_ms(server.id());
    std::thread::sleep(first.saturating_sub(up).saturating_sub(Duration::from_secs(1)).max(Duration::from_secs(2)));
    let after = (Instant::now(), Usage::of(server.id()), cpu_of(&sipps));
    let threads_after = bench::threads_cpu_ms(server.id());
    for sipp in &mut sipps {
        sipp.must_succeed(limit);
    }
    std::thread::sleep(Duration::from_secs(3));
    let end = Usage::of(server.id());
    let threads_end = bench::threads_cpu_ms(server.id());

    let plateau = (after.0 - before.0).as_secs_f64();
    let a_second = (after.1.cpu_ms - before.1.cpu_ms) / (calls as f64 * plateau);
    let stored = look_at_messages(calls, &speech);
    let once = (end.cpu_ms - idle.cpu_ms - a_second * stored.seconds) / calls as f64;
    println!("messages: {} of {calls}, {:.1} s each on the average", stored.messages, stored.seconds / calls as f64);
    println!(
        "packets: {} of {} stored as they were sent; {} missing before the last of their call; {} at the end of calls",
        stored.sound,
        calls * speech.len() / FRAME,
        stored.missing,
        stored.tail
    );
    println!("CPU a second of a call: {a_second:.3} ms (over {plateau:.0} s of {calls} calls)");
    println!("CPU once a call: {once:.2} ms");
    let spent = |threads: &[(String, f64)], name: &str| -> f64 {
        threads.iter().filter(|(other, _)| other == name).map(|(_, spent)| spent).sum()
    };
    for (name, total) in &threads_end {
        let rate = (spent(&threads_after, name) - spent(&threads_before, name)) / (calls as f64 * plateau);
        let once = (total - spent(&threads_idle, name) - rate * stored.seconds) / calls as f64;
        println!("  of which {name}: {once:.2} ms (and {rate:.3} ms a second of a call)");
    }
    println!("memory a call: {:.1} KiB", (after.1.resident_kib as f64 - idle.resident_kib as f64) / calls as f64);
    println!(
        "threads: {} idle, {} with about ten calls, {} with {calls} calls",
        idle.threads, few.threads, after.1.threads
    );
    println!("SIPp itself: {:.0} % of its core meanwhile", (after.2 - before.2) / plateau / 10.0);
}

/// Speech as A-law, each frame begun by its number, so that none is like another or like the silence that fills gaps.
fn stamped_speech(seconds: u64) -> Vec<u8> {
    let mut speech = audio::g711(&audio::speech(u32::try_from(seconds).unwrap()), "al");
    for (n, frame) in speech.chunks_exact_mut(FRAME).enumerate() {
        frame[0] = (n % 251) as u8 ^ 0x55;
        frame[1] = (n / 251) as u8 ^ 0x55;
    }
    speech
}

/// The SIPps, on core 1.
fn start_callers(scratch: &Scratch, calls: usize, most: usize, seconds: u64, limit: Duration) -> Vec<Process> {
    let (gateway, um) = (format!("127.0.{NET}.10"), format!("127.0.{NET}.4"));
    let length = (seconds * 1000 + 1000).to_string();
    let greeting = GREETING.to_string();
    let file = scratch.file("speech.alaw");
    let keys = [("mailbox", "27000"), ("greeting", &greeting), ("length", &length), ("file", file.to_str().unwrap())];
    let scenario = sipp::scenario("diverted", &keys);
    let processes = calls.div_ceil(most);
    (0..processes)
        .map(|n| {
            let share = calls / processes + usize::from(n < calls % processes);
            let rate = (RATE as f64 / processes as f64).to_string();
            // An address each: SIPp 3.6 cannot be told its range of RTP ports.
            let media = format!("127.0.{NET}.{}", 10 + n);
            Process::start(
                Command::new("taskset")
                    .args(["-c", "1", "sipp", &format!("{um}:5060"), "-sf"])
                    .arg(&scenario)
                    .args(["-i", &gateway, "-mi", &media, "-p", &(5060 + n * 2).to_string(), "-s", "43334"])
                    .args(["-t", "tn", "-max_socket", "8000", "-nostdin"])
                    .args(["-r", &rate, "-l", &(share + 10).to_string(), "-m", &share.to_string()])
                    .args(["-trace_err", "-error_file", "/dev/stderr"])
                    .args(["-timeout", &format!("{}s", limit.as_secs())])
                    .env("TERM", "dumb"),
            )
        })
        .collect()
}

#[derive(Default)]
struct Stored {
    messages: usize,
    /// Of all messages together.
    seconds: f64,
    /// Packets that are where they belong, byte for byte.
    sound: usize,
    /// Packets that are not, though a later one of their call is.
    missing: usize,
    /// Packets after the last one of their call that is there: lost, or never sent because SIPp hung up first.
    tail: usize,
}

fn look_at_messages(calls: usize, speech: &[u8]) -> Stored {
    let get = |path: &str| http::call(WEB, "GET", path, None, "", Some(TOKEN));
    let messages = loop {
        let messages = get("/api/v1/mailboxes/27000/messages?limit=100000").json();
        let messages = messages.as_array().unwrap().clone();
        static ASKED: std::sync::Once = std::sync::Once::new();
        if messages.len() >= calls || ASKED.is_completed() {
            break messages;
        }
        ASKED.call_once(|| std::thread::sleep(Duration::from_secs(5)));
    };
    let mut stored = Stored { messages: messages.len(), ..Stored::default() };
    for message in &messages {
        stored.seconds += message["duration_s"].as_f64().unwrap();
        let wav = get(&format!("/api/v1/mailboxes/27000/messages/{}/audio", message["id"].as_str().unwrap())).body;
        let data = wav.windows(4).position(|name| name == b"data").unwrap() + 8;
        let got = wav[data..].chunks_exact(FRAME);
        let there: Vec<bool> = speech.chunks_exact(FRAME).zip(got).map(|(sent, got)| sent == got).collect();
        let heard = there.iter().rposition(|there| *there).map_or(0, |last| last + 1);
        let sound = there.iter().filter(|there| **there).count();
        stored.sound += sound;
        stored.missing += heard - sound;
        stored.tail += speech.len() / FRAME - heard;
    }
    stored
}
