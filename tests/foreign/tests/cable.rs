//! A cable is pulled: a real one, in network namespaces, and the lab's. Calls go on by the other server; a capture shows that
//! nothing came from the one that was pulled; plugged again it is used.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use tests_foreign::capture::Capture;
use tests_foreign::namespace::{Switch, entered};
use tests_foreign::pool::Pool;
use tests_foreign::process::{Process, earcon};
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions};

const NET: &str = "10.148.0";
const LAB: u8 = 150;
/// A call waits 4 s for a server that is silent; the machine may be busy.
const ANSWERED: Duration = Duration::from_secs(40);

/// How often an event was told of.
fn told(process: &Process, event: &str) -> usize {
    process.output().matches(&format!("\"event\":\"{event}\"")).count()
}

/// Waits until it was told of so often.
#[track_caller]
fn wait_until_told(process: &Process, event: &str, times: usize) {
    let found = process.wait_until(Duration::from_secs(60), |lines| {
        let lines = lines.iter().filter(|line| line.contains(&format!("\"event\":\"{event}\"")));
        (lines.count() >= times).then_some(())
    });
    assert!(found.is_some(), "{event} was told {} times, not {times}:\n{}", told(process, event), process.output());
}

#[test]
fn with_a_real_cable_pulled_the_other_server_takes_the_calls_and_nothing_comes_from_the_first() {
    if !entered("with_a_real_cable_pulled_the_other_server_takes_the_calls_and_nothing_comes_from_the_first") {
        return;
    }
    let switch = Switch::new(NET, &[5, 10, 53, 71]);
    let host = switch.host("um1", 4);
    let pool = Pool::start("cable", NET);
    pool.of_two();
    let um1 = pool.um("um1", 4, Some(&host.within()));
    let um2 = pool.um("um2", 5, None);
    pool.mdsh("sip_route -set -route 55 -supervise ACTIVE_SUPERVISION -supervisetime 5");
    pool.call(5072, 200).must_succeed(ANSWERED);
    wait_until_told(&um1, "um_call_started", 1);

    // One call is in progress there when the cable goes, with sound.
    let mut during = pool.call(5073, 15_000);
    wait_until_told(&um1, "um_call_started", 2);
    let ours = format!("src host {}", host.address);
    let at_the_switch = Capture::of(&[], "br0", &ours, &pool.scratch.file("switch.pcapng"));
    let at_the_host = Capture::of(&host.within(), "eth0", &ours, &pool.scratch.file("host.pcapng"));
    let captured = SystemTime::now();
    std::thread::sleep(Duration::from_millis(500));
    host.pull();
    let pulled = SystemTime::now();
    pool.call(5074, 200).must_succeed(ANSWERED);
    assert_eq!(told(&um2, "um_call_started"), 1, "by the other server");
    wait_until_told(&pool.node, "target_grey_listed", 1);
    for port in 5075..5078 {
        pool.call(port, 200).must_succeed(ANSWERED);
    }
    assert_eq!((told(&um1, "um_call_started"), told(&um2, "um_call_started")), (2, 4));
    during.must_succeed(ANSWERED);
    assert_eq!(told(&pool.node, "target_answers_again"), 0);
    let plugged = SystemTime::now();
    host.plug();
    let began = Instant::now();
    wait_until_told(&pool.node, "target_answers_again", 1);
    // Asked every 5 s, by a connection that is new; the rest is for a busy machine.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    println!("used again {:?} after it was plugged; supervision asks every 5 s", began.elapsed());
    pool.call(5079, 200).must_succeed(ANSWERED);
    assert_eq!((told(&um1, "um_call_started"), told(&um2, "um_call_started")), (3, 4));

    for capture in [at_the_switch, at_the_host] {
        let capture = capture.stop();
        assert!(!capture.between(captured, pulled, "udp").is_empty(), "its sound was seen before");
        let seen = capture.between(pulled, plugged, "frame");
        assert!(seen.is_empty(), "from a host whose cable is pulled:\n{}", seen.join("\n"));
    }
}

/// 27001 calls voice mail at the lab and talks so long.
fn call(lab: &Lab, port: u16, talks_ms: u32) -> Process {
    Sipp::new("calls", &format!("{}:5060", lab.node()), &lab.address(71), port, false)
        .caller("27001", "43334")
        .key("talks", &talks_ms.to_string())
        .once()
        .start()
}

fn cable(lab: &mut Lab, line: &str, said: &str) {
    lab.process.type_line(line);
    lab.process.wait_for(said, Duration::from_secs(20));
}

fn trace(lab: &Lab, arguments: &[&str]) -> String {
    let output = Command::new(earcon()).arg("trace").args(arguments).arg("--data").arg(lab.data()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The node's calls to voice mail, as `earcon trace --call` names them, in order. A call is in the journal three seconds after
/// its end.
fn calls(lab: &Lab, count: usize) -> Vec<String> {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let list = trace(lab, &["--list"]);
        let of_node = list.lines().filter(|line| line.contains("→ 43334"));
        let names = of_node.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("node:")));
        let names: Vec<String> = names.map(str::to_owned).collect();
        if names.len() >= count {
            return names;
        }
        assert!(Instant::now() < limit, "{list}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Whose worker has said something, by the ladder of a call: a column a host, an arrow from one to another.
fn workers(ladder: &str) -> BTreeSet<String> {
    const BEFORE: usize = 20;
    const COLUMN: usize = 24;
    let (mut hosts, mut found) = (Vec::new(), BTreeSet::new());
    for line in ladder.lines() {
        if line.starts_with("time") {
            hosts = line.split_whitespace().skip(2).map(str::to_owned).collect();
        } else if line.contains(" 5065→") {
            // The UM servers are to the right of the node, which was there first.
            let row: Vec<char> = line.chars().skip(BEFORE).take(COLUMN * hosts.len()).collect();
            let column = row.iter().rposition(|drawn| *drawn != ' ').unwrap() / COLUMN;
            found.insert(hosts[column].clone());
        }
    }
    found
}

#[test]
fn the_labs_cable_lets_nothing_out_and_trace_says_which_server_took_each_call() {
    let mut lab = Lab::start(LAB, LabOptions { redundant: true, ..LabOptions::default() });
    let (um1, um2) = (lab.address(4), lab.address(5));
    cable(&mut lab, "unplug um2", "um2 is unplugged");
    let mut first = call(&lab, 5072, 12_000);
    lab.process.wait_for("\"event\":\"um_call_started\"", ANSWERED);
    cable(&mut lab, "plug um2", "um2 is plugged");
    let capture = Capture::of(&[], "lo", &format!("src host {um1}"), &lab.data.file("cable.pcapng"));
    let captured = SystemTime::now();
    std::thread::sleep(Duration::from_millis(500));
    cable(&mut lab, "unplug um1", "um1 is unplugged");
    // What was written before may still be on its way through the system.
    std::thread::sleep(Duration::from_millis(200));
    let unplugged = SystemTime::now();
    call(&lab, 5073, 500).must_succeed(ANSWERED);
    first.must_succeed(ANSWERED);
    let plugged = SystemTime::now();
    cable(&mut lab, "plug um1", "um1 is plugged");
    let capture = capture.stop();
    assert!(!capture.between(captured, unplugged, "udp").is_empty(), "its sound was seen before");
    // The system completes handshakes and acknowledges what it buffers (docs/failover.md); nothing else may leave.
    let spoken = "udp || icmp || tcp.len > 0 || tcp.flags.reset == 1 || tcp.flags.fin == 1";
    let seen = capture.between(unplugged, plugged, spoken);
    assert!(seen.is_empty(), "from a server whose cable is pulled:\n{}", seen.join("\n"));

    for (name, server) in calls(&lab, 2).iter().zip([um1, um2]) {
        let ladder = trace(&lab, &["--call", name]);
        assert_eq!(workers(&ladder), BTreeSet::from([server]), "{name}:\n{ladder}");
    }
}
