//! Phones that call each other without a PBX, on real sockets of the loopback net: the whole way through `sip`, `sdp`, `net`
//! and `media`. Nothing sleeps; a test waits for what must happen, and fails when it does not.
#![allow(clippy::unwrap_used, clippy::expect_used)] // the helpers of tests, too, fail by panicking

use phone::{Behaviour, Phone, PhoneConfig, PhoneEvent, Plan};
use sip::Transport;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything here takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

fn config(user: &str, server: SocketAddr, transport: Transport) -> PhoneConfig {
    let mut seed = [user.as_bytes()[user.len() - 1]; 32];
    seed[..4].copy_from_slice(&server.port().to_le_bytes().repeat(2));
    seed[4..8].copy_from_slice(&std::process::id().to_le_bytes());
    PhoneConfig {
        user: user.into(),
        password: String::new(),
        server,
        transport,
        bind: "127.0.0.1".parse().unwrap(),
        port: 0,
        behaviour: Behaviour::Ring,
        plan: Plan::default(),
        register: false,
        subscribe: false,
        tls: None,
        srtp: false,
        seed,
    }
}

fn nowhere() -> SocketAddr {
    "127.0.0.1:9".parse().unwrap()
}

fn start(config: PhoneConfig) -> Phone {
    Phone::start(config).unwrap()
}

/// A phone that answers at once, and one that has it as its PBX.
fn pair(transport: Transport, plan: Plan) -> (Phone, Phone) {
    let behaviour = Behaviour::AnswerAfter(Duration::ZERO);
    let called = start(PhoneConfig { behaviour, ..config("27000", nowhere(), transport) });
    let caller = start(PhoneConfig { plan, ..config("27001", called.address(), transport) });
    (caller, called)
}

#[track_caller]
fn expect(phone: &Phone, wanted: impl Fn(&PhoneEvent) -> bool) -> PhoneEvent {
    let mut seen = Vec::new();
    let found = phone.wait_for(LIMIT, |event| {
        seen.push(event.clone());
        wanted(event)
    });
    found.unwrap_or_else(|| panic!("it did not happen; what did: {seen:?}"))
}

fn is_answered(event: &PhoneEvent) -> bool {
    matches!(event, PhoneEvent::Answered { .. })
}

fn call_and_hang_up(transport: Transport) {
    let (caller, called) = pair(transport, Plan::default());
    caller.call("27000");
    expect(&caller, |e| *e == PhoneEvent::Progress { status: 180 });
    expect(&caller, is_answered);
    expect(&called, |e| matches!(e, PhoneEvent::Incoming { from, .. } if from == "27001"));
    expect(&called, is_answered);
    caller.hang_up();
    expect(&called, |e| *e == PhoneEvent::Ended { by_us: false });
    expect(&caller, |e| *e == PhoneEvent::Ended { by_us: true });
}

#[test]
fn a_call_by_udp_is_answered_and_hung_up() {
    call_and_hang_up(Transport::Udp);
}

#[test]
fn a_call_by_tcp_is_answered_and_hung_up() {
    call_and_hang_up(Transport::Tcp);
}

#[test]
fn the_called_phone_hangs_up() {
    let (caller, called) = pair(Transport::Udp, Plan::default());
    caller.call("27000");
    expect(&called, is_answered);
    expect(&caller, is_answered);
    called.hang_up();
    expect(&caller, |e| *e == PhoneEvent::Ended { by_us: false });
}

#[test]
fn keys_arrive_as_they_were_pressed() {
    let (caller, called) = pair(Transport::Udp, Plan { keys: Some("73,0146#".into()), ..Plan::default() });
    caller.call("27000");
    for key in "730146#".chars() {
        let pressed = expect(&called, |e| matches!(e, PhoneEvent::Key { .. }));
        assert_eq!(pressed, PhoneEvent::Key { digit: key });
    }
}

#[test]
fn a_busy_phone_refuses_and_so_does_one_in_a_call() {
    let called = start(PhoneConfig { behaviour: Behaviour::Busy, ..config("27000", nowhere(), Transport::Udp) });
    let caller = start(config("27001", called.address(), Transport::Udp));
    caller.call("27000");
    let refused = expect(&caller, |e| matches!(e, PhoneEvent::Failed { .. }));
    assert!(matches!(refused, PhoneEvent::Failed { status: 486, .. }), "{refused:?}");

    let (first, called) = pair(Transport::Udp, Plan::default());
    first.call("27000");
    expect(&first, is_answered);
    let second = start(config("27002", called.address(), Transport::Udp));
    second.call("27000");
    expect(&second, |e| matches!(e, PhoneEvent::Failed { status: 486, .. }));
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let called = start(config("27000", nowhere(), Transport::Udp));
    let caller = start(config("27001", called.address(), Transport::Udp));
    caller.call("27000");
    expect(&caller, |e| *e == PhoneEvent::Progress { status: 180 });
    caller.hang_up();
    expect(&called, |e| *e == PhoneEvent::Ended { by_us: false });
}

#[test]
fn a_phone_that_rings_can_be_answered_or_refused_by_hand() {
    let called = start(config("27000", nowhere(), Transport::Udp));
    let caller = start(config("27001", called.address(), Transport::Udp));
    caller.call("27000");
    expect(&called, |e| matches!(e, PhoneEvent::Incoming { .. }));
    called.reject(603);
    expect(&caller, |e| matches!(e, PhoneEvent::Failed { status: 603, .. }));
    caller.call("27000");
    expect(&called, |e| matches!(e, PhoneEvent::Incoming { .. }));
    called.answer();
    expect(&caller, is_answered);
}

#[test]
fn a_held_call_is_resumed() {
    let (caller, called) = pair(Transport::Udp, Plan::default());
    caller.call("27000");
    expect(&caller, is_answered);
    expect(&called, is_answered);
    caller.hold();
    expect(&called, |e| *e == PhoneEvent::Held { held: true });
    caller.resume();
    expect(&called, |e| *e == PhoneEvent::Held { held: false });
    caller.hang_up();
    expect(&called, |e| *e == PhoneEvent::Ended { by_us: false });
}

#[test]
fn what_is_played_is_heard() {
    // Half a second of a 440 Hz tone.
    let tone: Vec<i16> =
        (0..4000).map(|i| ((f64::from(i) * 440.0 * std::f64::consts::TAU / 8000.0).sin() * 8000.0) as i16).collect();
    let clip = Arc::new(media::Clip::from_samples(tone));
    let (caller, called) = pair(Transport::Udp, Plan { play: Some(clip), ..Plan::default() });
    caller.call("27000");
    expect(&caller, |e| *e == PhoneEvent::Played);
    expect(&called, |e| *e == PhoneEvent::Ended { by_us: false });
    let heard = called.heard();
    let is_loud = |sample: &i16| sample.unsigned_abs() > 2000;
    let loud = heard.iter().filter(|sample| is_loud(sample)).count();
    let (first, last) = (heard.iter().position(is_loud), heard.iter().rposition(is_loud));
    assert!((2800..=4000).contains(&loud), "{loud} loud samples, {first:?} to {last:?} of {}", heard.len());
}

/// 27001 calls 27002, whose PBX is 27000; 27002 answers, and is transferred to 27000, whose phone does this.
fn transferred(behaviour: Behaviour) -> (Phone, Phone, Phone) {
    let target = start(PhoneConfig { behaviour, ..config("27000", nowhere(), Transport::Udp) });
    let answering = Behaviour::AnswerAfter(Duration::ZERO);
    let transferee = start(PhoneConfig { behaviour: answering, ..config("27002", target.address(), Transport::Udp) });
    let referrer = start(config("27001", transferee.address(), Transport::Udp));
    referrer.call("27002");
    expect(&referrer, is_answered);
    expect(&transferee, is_answered);
    referrer.transfer("27000");
    expect(&transferee, |e| *e == PhoneEvent::Referred { to: "27000".into() });
    (referrer, transferee, target)
}

#[test]
fn a_transferred_phone_calls_and_tells_how_it_went() {
    let (referrer, transferee, target) = transferred(Behaviour::AnswerAfter(Duration::ZERO));
    expect(&target, is_answered);
    expect(&transferee, is_answered);
    expect(&referrer, |e| *e == PhoneEvent::Transfer { status: 200 });
    expect(&referrer, |e| *e == PhoneEvent::Ended { by_us: false });
    target.hang_up();
    expect(&transferee, |e| *e == PhoneEvent::Ended { by_us: false });
}

#[test]
fn a_transfer_that_fails_gives_the_first_call_back() {
    let (referrer, transferee, _target) = transferred(Behaviour::Busy);
    expect(&referrer, |e| *e == PhoneEvent::Transfer { status: 486 });
    expect(&transferee, |e| *e == PhoneEvent::Transfer { status: 486 });
    transferee.hang_up();
    expect(&referrer, |e| *e == PhoneEvent::Ended { by_us: false });
}
