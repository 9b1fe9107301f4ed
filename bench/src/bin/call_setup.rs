//! How long a caller waits: INVITE of a phone to the UM server's 200 OK, and hang-up to the lamp.
//!
//!     cargo build --release -p earcon -p bench && target/release/call_setup [CALLS] [MESSAGES]
//!
//! Starts a lab of its own (`EARCON_BIN`, else the binary beside this bench) and two phones in this process. 27001 dials
//! 43334 CALLS times (200): from the phone's command to its event that the call is up, so with digest, number analysis,
//! the trunk, both redirects and the two legs' ACK; connections are warm. Then it leaves MESSAGES (10) messages for
//! 27000, who doesn't answer: from its hang-up to the lamp's NOTIFY at the phone of 27000.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use bench::Usage;
use phone::{Behaviour, Phone, PhoneConfig, PhoneEvent, Plan};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests_foreign::audio;
use tests_foreign::process::{Process, Scratch, earcon};

const NET: u8 = 91;
const WEB: u16 = 18091;
const PATIENCE: Duration = Duration::from_secs(40);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(200, |calls| calls.parse().expect("CALLS is a number"));
    let messages: u32 = arguments.next().map_or(10, |messages| messages.parse().expect("MESSAGES is a number"));
    let scratch = Scratch::new("bench-setup");
    let lab = Process::start(
        Command::new(earcon())
            .args(["lab", "--ring-time", "1", "--net", &format!("127.0.{NET}"), "--web", &WEB.to_string(), "--data"])
            .arg(scratch.file("lab"))
            .env("RUST_LOG", "warn"),
    );
    lab.wait_for("lab ready", Duration::from_secs(60));
    std::thread::sleep(Duration::from_secs(2));
    let idle = Usage::of(lab.id());
    println!("lab idle: {:.1} MiB resident, {} threads", idle.resident_kib as f64 / 1024.0, idle.threads);
    for (transport, address) in [(sip::Transport::Tcp, 21), (sip::Transport::Udp, 22)] {
        let caller = start_phone("27001", address, transport, Plan::default(), Behaviour::Ring);
        let mut times = Vec::new();
        let cpu = Usage::of(lab.id()).cpu_ms;
        // The first ten make the connections.
        for call in 0..calls + 10 {
            let begun = Instant::now();
            caller.call("43334");
            let up = caller
                .wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Answered { .. } | PhoneEvent::Failed { .. }));
            let took = begun.elapsed();
            assert!(matches!(up, Some(PhoneEvent::Answered { .. })), "{up:?}; the lab said: {}", lab.output());
            if call >= 10 {
                times.push(took.as_secs_f64() * 1000.0);
            }
            caller.hang_up();
            caller.wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Ended { .. })).expect("the call ends");
            std::thread::sleep(Duration::from_millis(30));
        }
        let cpu = (Usage::of(lab.id()).cpu_ms - cpu) / (calls + 10) as f64;
        let name = transport.as_str();
        report(&format!("set-up by {name}, the phone's own work included"), &mut times);
        println!("  the lab's CPU (both halves, beginning of the greeting included): {cpu:.2} ms a call");
    }
    leave_messages(messages, &lab);
}

fn leave_messages(messages: u32, lab: &Process) {
    let speech = media::Clip::from_samples(audio::speech(3));
    let plan = Plan { play: Some(Arc::new(speech)), ..Plan::default() };
    let called = start_phone("27000", 23, sip::Transport::Tcp, Plan::default(), Behaviour::Ring);
    let caller = start_phone("27001", 24, sip::Transport::Tcp, plan, Behaviour::Ring);
    let mut times = Vec::new();
    for message in 1..=messages {
        caller.call("27000");
        caller
            .wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Played))
            .unwrap_or_else(|| panic!("the message was not spoken; the lab said: {}", lab.output()));
        let hung_up = Instant::now();
        caller.hang_up();
        called
            .wait_for(PATIENCE, |event| match event {
                PhoneEvent::Lamp { summary, .. } => summary.voice.is_some_and(|counts| counts.new == message),
                _ => false,
            })
            .unwrap_or_else(|| panic!("no lamp; the lab said: {}", lab.output()));
        times.push(hung_up.elapsed().as_secs_f64() * 1000.0);
    }
    report("hang-up to NOTIFY at the phone", &mut times);
    println!("lab after all of it: {:.1} MiB resident", Usage::of(lab.id()).resident_kib as f64 / 1024.0);
}

fn start_phone(user: &str, address: u8, transport: sip::Transport, plan: Plan, behaviour: Behaviour) -> Phone {
    let net = format!("127.0.{NET}");
    let phone = Phone::start(PhoneConfig {
        user: user.to_owned(),
        password: format!("moon-{user}"),
        server: format!("{net}.10:5060").parse().unwrap(),
        transport,
        bind: format!("{net}.{address}").parse().unwrap(),
        port: 0,
        behaviour,
        plan,
        register: true,
        subscribe: false,
        tls: None,
        srtp: false,
        seed: [address; 32],
    })
    .unwrap();
    phone.wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Registered { .. })).expect("the phone registers");
    phone
}

fn report(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).or(times.last()).copied().unwrap_or_default();
    println!("{what}: median {:.2} ms, 99th percentile {:.2} ms, of {}", at(0.5), at(0.99), times.len());
}
