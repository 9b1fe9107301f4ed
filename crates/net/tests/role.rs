//! The loop that drives a role.
#![allow(clippy::unwrap_used)] // tests

mod rig;

use event::Now;
use net::{Action, InboxSender, Input, Net, NetConfig, Role, inbox, run};
use rig::*;
use sip::flow::Transport;
use std::time::{Duration, Instant};

/// Counts its timeouts, 20 ms apart, and stops after the third.
struct Clockwork {
    next: Instant,
    early: bool,
    timeouts: u32,
}

impl Role for Clockwork {
    type Own = ();

    fn input(&mut self, input: Input<()>, now: Now) {
        assert!(matches!(input, Input::Timeout));
        self.early |= now.instant < self.next;
        self.timeouts += 1;
        self.next += Duration::from_millis(20);
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next)
    }

    fn poll_action(&mut self) -> Option<Action> {
        (self.timeouts == 3).then_some(Action::Stop)
    }
}

#[test]
fn a_role_is_called_at_its_deadline_and_never_before() {
    let (sender, receiver): (InboxSender<()>, _) = inbox();
    let net = Net::start(NetConfig::new("clock", Vec::new()), sender).unwrap();
    let start = Instant::now();
    let mut role = Clockwork { next: start + Duration::from_millis(20), early: false, timeouts: 0 };
    run(&mut role, receiver, net);
    assert!(!role.early);
    assert!(start.elapsed() >= Duration::from_millis(60));
}

/// By hand: `cargo test --release -p net --test role -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn round_trip_times() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let a = Node::start(config("127.0.78.3"));
        let b = Node::answering(config("127.0.78.4"));
        let to = b.listeners.iter().find(|own| own.transport == transport).unwrap().addr;
        let mut times: Vec<Duration> = (0..3000)
            .map(|n| {
                let begun = Instant::now();
                a.send(n + 1, by(transport, to), message(&n.to_string(), "").replace("/TCP", "/UDP"));
                a.hear_message();
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("{transport}: median {:?}, 99th percentile {:?}", times[1500], times[2970]);
    }
}
