//! Floods by UDP from one address. Somebody else's call gets through, and the flood leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests_hostile::phone::{calls_voice_mail, offer};
use tests_hostile::{Client, Target, request};

const FLOOD: Duration = Duration::from_secs(3);
/// An unoptimised build on a busy machine takes longer until the cap of one address is reached.
const PATIENCE: Duration = Duration::from_secs(15);
/// Server transactions of one address (`sip::transaction::Limits::per_source`).
const PER_SOURCE: u64 = 5000;

/// What a flood met with.
#[derive(Default)]
struct Met {
    sent: u64,
    answers: BTreeMap<u16, u64>,
    retry_after: bool,
}

/// Sends what `make` makes to `door` for three seconds (`until_503`: until that is heard), while an innocent phone calls its
/// voice mail; the answers counted.
fn flood(target: &Target, door: &str, until_503: bool, make: impl Fn(&Client) -> Vec<u8> + Send) -> Met {
    let (over, heard_503, sent) = (AtomicBool::new(false), AtomicBool::new(!until_503), AtomicU64::new(0));
    let mut met = Met::default();
    let stranger = target.stranger();
    std::thread::scope(|threads| {
        let mut receiver = Client::udp(&stranger, door);
        let mut sender = receiver.another();
        let (sent, over, heard_503) = (&sent, &over, &heard_503);
        let sending = threads.spawn(move || {
            let start = Instant::now();
            let goes_on = |since: Duration| since < FLOOD || (since < PATIENCE && !heard_503.load(Ordering::Relaxed));
            while goes_on(start.elapsed()) {
                sender.send(&make(&sender));
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        let receiving = threads.spawn(move || {
            let (mut answers, mut retry_after) = (BTreeMap::new(), false);
            while !over.load(Ordering::Relaxed) {
                if let Some(answer) = receiver.receive(Duration::from_millis(100)) {
                    *answers.entry(answer.status()).or_default() += 1;
                    if answer.status() == 503 && answer.field("Retry-After").is_some() {
                        retry_after = true;
                        heard_503.store(true, Ordering::Relaxed);
                    }
                }
            }
            (answers, retry_after)
        });
        std::thread::sleep(Duration::from_millis(500));
        let started = Instant::now();
        let innocent = calls_voice_mail(&target.lab.address(71), &target.node(), Duration::from_secs(10));
        let took = started.elapsed();
        sending.join().unwrap();
        over.store(true, Ordering::Relaxed);
        (met.answers, met.retry_after) = receiving.join().unwrap();
        met.sent = sent.load(Ordering::Relaxed);
        assert_eq!(innocent, Ok(()), "after {took:?} under {} datagrams; answers {:?}", met.sent, met.answers);
    });
    met
}

#[test]
fn under_a_flood_of_garbage_a_call_gets_through() {
    let mut target = Target::start(66);
    let before = target.memory_kib();
    for door in [target.node(), target.um(5060)] {
        let met = flood(&target, &door, false, |_| b"\x80\x08garbage, and no SIP at all: \xff\xfe\r\n\r\n".to_vec());
        assert!(met.sent > PER_SOURCE, "{} datagrams are no flood", met.sent);
        assert_eq!(met.answers, BTreeMap::new(), "noise is not answered");
    }
    assert!(target.memory_kib() < before + 40_000, "{} KiB, before {before}", target.memory_kib());
    target.serves_as_ever();
}

#[test]
fn under_a_flood_of_invites_the_node_caps_one_address_and_a_call_from_another_gets_through() {
    flood_of_invites(67, Target::node);
}

#[test]
fn under_a_flood_of_invites_the_um_server_caps_one_address_and_a_call_from_another_gets_through() {
    flood_of_invites(68, |target| target.um(5060));
}

fn flood_of_invites(net: u8, door: impl Fn(&Target) -> String) {
    let mut target = Target::start(net);
    let (before, threads, door) = (target.memory_kib(), target.threads(), door(&target));
    let uri = format!("sip:27000@{door}");
    let sdp = offer("127.0.0.1:4000".parse().unwrap());
    let more = "Content-Type: application/sdp\r\n";
    let met = flood(&target, &door, true, |client| request(client, "INVITE", &uri, "27010", more, &sdp).into_bytes());
    let refused: u64 = [401, 403].iter().filter_map(|status| met.answers.get(status)).sum();
    assert!(refused > 0, "{:?}", met.answers);
    assert!(met.retry_after, "503 with Retry-After is what is beyond the cap: {:?}", met.answers);
    assert_eq!(met.answers.keys().find(|status| !matches!(status, 100 | 401 | 403 | 503)), None);
    // Five thousand refused calls, kept until their ACK comes or 32 seconds have passed.
    assert!(target.memory_kib() < before + 100_000, "{} KiB, before {before}", target.memory_kib());
    // The innocent call may have woken one or two that wait for files; thousands of calls have none of their own.
    assert!(target.threads() < threads + 8, "{} threads, before {threads}", target.threads());
    target.serves_as_ever();
}
