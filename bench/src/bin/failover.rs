//! What a dead first server costs a caller: from the phone's command to its event that the call is up.
//!
//!     cargo build --release -p earcon -p bench && target/release/failover [ROUNDS]
//!
//! A node and one UM server as processes (`EARCON_BIN`, else the binary beside this bench), behind a name of two servers. The
//! first of them is a socket that completes handshakes and swallows what comes: nothing is ever said. Each round, without
//! supervision: the first call, which waits 4 s for it, and the second, which goes straight past it; then its time on the
//! grey list (2 s here) is over. With supervision: calls after a server was found dead. Connections to the living one are warm.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use phone::{Behaviour, Phone, PhoneConfig, PhoneEvent, Plan};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tests_foreign::pool::Pool;

const NET: &str = "127.0.154";
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a server that says nothing is waited for.
const FIXED: Duration = Duration::from_secs(4);

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(10, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let _dead = TcpListener::bind(format!("{NET}.4:5060")).unwrap();
    let pool = Pool::start("bench-failover", NET);
    pool.of_two();
    let _um2 = pool.um("um2", 5, None);
    let phone = phone();
    pool.mdsh("sip_route -set -route 55 -grey-time 2");
    // The first one makes the connections.
    call(&phone);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_millis(2200));
        first.push(call(&phone).saturating_sub(FIXED));
        second.push(call(&phone));
    }
    report("first call, without supervision, beyond the 4 s", &mut first);
    report("second call", &mut second);
    pool.mdsh("sip_route -set -route 55 -grey-time 32 -supervise ACTIVE_SUPERVISION -supervisetime 5");
    // Found dead at the first question, or known to be: the next one is 5 s later.
    std::thread::sleep(Duration::from_secs(12));
    let mut supervised: Vec<Duration> = (0..rounds).map(|_| call(&phone)).collect();
    report("call with supervision", &mut supervised);
}

/// 27001 dials 43334 and hangs up: how long until it is answered.
fn call(phone: &Phone) -> Duration {
    let begun = Instant::now();
    phone.call("43334");
    let up = phone.wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Answered { .. } | PhoneEvent::Failed { .. }));
    let took = begun.elapsed();
    assert!(matches!(up, Some(PhoneEvent::Answered { .. })), "{up:?}");
    phone.hang_up();
    phone.wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Ended { .. })).expect("the call ends");
    std::thread::sleep(Duration::from_millis(100));
    took
}

fn phone() -> Phone {
    let phone = Phone::start(PhoneConfig {
        user: "27001".into(),
        password: "moon-27001".into(),
        server: format!("{NET}.10:5060").parse().unwrap(),
        transport: sip::Transport::Tcp,
        bind: format!("{NET}.21").parse().unwrap(),
        port: 0,
        behaviour: Behaviour::Ring,
        plan: Plan::default(),
        register: true,
        subscribe: false,
        srtp: false,
        tls: None,
        seed: [21; 32],
    })
    .unwrap();
    phone.wait_for(PATIENCE, |event| matches!(event, PhoneEvent::Registered { .. })).expect("the phone registers");
    phone
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let (median, longest) = (ms(times.get(times.len() / 2)), ms(times.last()));
    println!("{what}: median {median:.1} ms, longest {longest:.1} ms, of {}", times.len());
}
