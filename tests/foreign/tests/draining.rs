//! SIGTERM to a half in service: calls in progress go on to their end, new ones are sent elsewhere, a second SIGTERM ends it at
//! once; the same for both halves (docs/failover.md).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};
use tests_foreign::pool::Pool;
use tests_foreign::process::Process;
use tests_foreign::sipp::Sipp;

const NET: u8 = 156;
const LIMIT: Duration = Duration::from_secs(40);

fn told(process: &Process, event: &str) {
    process.wait_for(&format!("\"event\":\"{event}\""), LIMIT);
}

/// The process ends by itself, and in order.
#[track_caller]
fn ends(process: &mut Process) {
    let status = process.wait(LIMIT);
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", process.output());
}

/// Told twice to stop while a call goes on, it waits for nothing.
#[track_caller]
fn ends_at_once(process: &mut Process) {
    process.signal(libc::SIGTERM);
    told(process, "draining");
    let began = Instant::now();
    process.signal(libc::SIGTERM);
    process.wait(LIMIT).expect("it ends");
    // The call had another 30 s to go, and the limit is 60.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn both_halves_let_their_calls_end_send_new_ones_elsewhere_and_end_at_once_when_told_twice() {
    let mut pool = Pool::start("draining", &format!("127.0.{NET}"));
    pool.of_two();
    let (mut um1, mut um2) = (pool.um("um1", 4, None), pool.um("um2", 5, None));

    let mut call = pool.call(5072, 6000);
    told(&um1, "um_call_started");
    um1.signal(libc::SIGTERM);
    told(&um1, "draining");
    pool.call(5073, 200).must_succeed(LIMIT);
    told(&um2, "um_call_started");
    call.must_succeed(LIMIT);
    ends(&mut um1);

    let mut call = pool.call(5074, 6000);
    told(&pool.node, "call_answered");
    pool.node.wait_until(LIMIT, |lines| {
        (lines.iter().filter(|line| line.contains("\"call_answered\"")).count() >= 3).then_some(())
    });
    pool.node.signal(libc::SIGTERM);
    told(&pool.node, "draining");
    Sipp::new("refused", &format!("{}:5060", pool.address(10)), &pool.address(71), 5075, false)
        .caller("27010", "43334")
        .key("status", "503")
        .once()
        .start()
        .must_succeed(LIMIT);
    call.must_succeed(LIMIT);
    ends(&mut pool.node);

    pool.restart_node();
    let _long = pool.call(5076, 40_000);
    told(&pool.node, "call_answered");
    ends_at_once(&mut pool.node);
    pool.restart_node();
    let _long = pool.call(5077, 40_000);
    told(&pool.node, "call_answered");
    ends_at_once(&mut um2);
}
