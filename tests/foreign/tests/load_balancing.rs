//! Several servers behind a name: their shares, over real calls, and what the lab's DNS server tells the guide's own tool.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use tests_foreign::dns::Data;
use tests_foreign::pool::{NAME, Pool};
use tests_foreign::process::Process;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions};

const SHARES: u8 = 149;
const LAB: u8 = 152;
const GUIDES: u8 = 155;

/// A SIPp that answers every call.
fn server(pool: &Pool, host: u8) -> Process {
    Sipp::new("answers", &format!("{}:5060", pool.address(10)), &pool.address(host), 5060, true)
        .arguments(&["-timeout", "600s"])
        .start()
}

/// How many calls a SIPp has had, which ends by it.
fn calls_of(mut server: Process) -> usize {
    // SIPp ends when its calls have, and prints its table.
    server.signal(libc::SIGUSR1);
    server.wait(Duration::from_secs(30));
    let output = server.output();
    let line = output.lines().rev().find(|line| line.contains("Successful call")).expect("SIPp prints its table");
    line.rsplit('|').find_map(|cell| cell.trim().parse().ok()).expect("a number")
}

#[test]
fn of_a_thousand_calls_each_server_gets_its_share_by_weight() {
    let pool = Pool::start("shares", &format!("127.0.{SHARES}"));
    pool.of_two();
    let by_weight =
        [(9, "um1"), (1, "um2")].map(|(weight, name)| Data::service(1, weight, 5060, &format!("{name}.moon.galaxy")));
    pool.dns.records(&format!("_sip._tcp.{NAME}"), by_weight.to_vec());
    let servers = [server(&pool, 4), server(&pool, 5)];
    pool.calls(5072, 0)
        .arguments(&["-m", "1000", "-r", "40", "-l", "60", "-timeout", "600s"])
        .start()
        .must_succeed(Duration::from_secs(600));
    let [often, seldom] = servers.map(calls_of);
    assert_eq!(often + seldom, 1000);
    // Binomial, 1000 draws of 1 in 10: 100 on average, deviation 9.5. Six deviations either way are left in one of five
    // hundred million runs.
    assert!((43..=157).contains(&seldom), "9:1 gave {often}:{seldom}");
    println!("9:1 gave {often}:{seldom}");
}

/// Chapter 6.3.1 as it stands in the guide's text, its slip (`ip_route`) included.
const GUIDE: &str = "\
sip_route -set -route 55 -uristring0 sip:?@exc-2013-um.moon.galaxy -remoteport 0 -protocol tcp -codecs PCMA,PCMU -mwinumber 43334
ip_route -set -route 55 -accept REMOTE_IP -match 192.168.222.4,192.168.222.5
";

#[test]
fn the_guides_commands_of_6_3_1_are_taken_as_printed_and_lead_to_the_servers_of_the_pool() {
    let pool = Pool::start("guide-6-3-1", &format!("127.0.{GUIDES}"));
    let hosts = ["exc-2013-um1", "exc-2013-um2"].map(|host| format!("{host}.moon.galaxy"));
    let services = hosts.iter().map(|host| Data::service(1, 1, 5060, host)).collect();
    pool.dns.records("_sip._tcp.exc-2013-um.moon.galaxy", services);
    for (host, number) in hosts.iter().zip([4, 5]) {
        pool.dns.records(host, vec![Data::address(&pool.address(number))]);
    }
    let servers = [server(&pool, 4), server(&pool, 5)];
    pool.mdsh(GUIDE);
    pool.calls(5072, 0).arguments(&["-m", "20", "-r", "10"]).start().must_succeed(Duration::from_secs(60));
    let [one, two] = servers.map(calls_of);
    // Each gets half; that one of them gets nothing of 20 happens once in 500,000 runs.
    assert!(one + two == 20 && one > 0 && two > 0, "{one}:{two}");
}

/// What a tool of Debian's bind9-dnsutils prints.
fn asks(program: &str, arguments: &[&str], lines: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask install` installs it"));
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {text}");
    text
}

#[test]
fn the_labs_dns_server_shows_what_the_guides_screens_show_and_turns_with_each_query() {
    let lab = Lab::start(LAB, LabOptions { redundant: true, ..LabOptions::default() });
    let (at, um1, um2) = (lab.address(53), lab.address(4), lab.address(5));
    let dig = |arguments: &[&str]| {
        let server = format!("@{at}");
        asks("dig", &[&[server.as_str(), "-p", "10053", "+noall"], arguments].concat(), "")
    };
    let short =
        |name: &str, kind: &str| -> Vec<String> { dig(&["+short", name, kind]).lines().map(str::to_owned).collect() };

    // The guide's 6.2: `nslookup`, `set type=srv`, the name; twice.
    let screen = || {
        let lines = format!("server {at}\nset port=10053\nset type=srv\n_sip._tcp.exc-2013-um\n");
        let text = asks("nslookup", &[], &lines);
        let hosts =
            text.lines().filter_map(|line| line.split_once("service = ")).map(|(_, service)| service.trim().to_owned());
        hosts.collect::<Vec<_>>()
    };
    let (one, two) = ("1 1 5060 exc-2013-um1.".to_owned(), "1 1 5060 exc-2013-um2.".to_owned());
    assert_eq!(screen(), [one.clone(), two.clone()], "the first query is answered with exc-2013-um1 first");
    assert_eq!(screen(), [two.clone(), one.clone()], "the second one with exc-2013-um2");

    // The same by dig, for both services and both zones, and by TCP.
    for (service, port) in [("_sip", 5060), ("_sips", 5061)] {
        for zone in ["", ".moon.galaxy"] {
            let name = format!("{service}._tcp.exc-2013-um{zone}");
            let hosts = ["1", "2"].map(|number| format!("1 1 {port} exc-2013-um{number}{zone}."));
            let (first, second) = (short(&name, "SRV"), short(&name, "SRV"));
            for answer in [&first, &second] {
                let mut sorted = answer.clone();
                sorted.sort();
                assert_eq!(sorted, hosts, "{name}");
            }
            assert_ne!(first, second, "{name} turns");
            assert_eq!(dig(&["+tcp", "+short", &name, "SRV"]).lines().count(), 2);
        }
    }
    // The addresses come with it, as on the screens.
    let additional = dig(&["+additional", "_sip._tcp.exc-2013-um", "SRV"]);
    assert!(additional.contains(&um1) && additional.contains(&um2), "{additional}");
    // For a fixed port, the pool's own addresses; they turn, too.
    let (first, second) = (short("exc-2013-um.moon.galaxy", "A"), short("exc-2013-um.moon.galaxy", "A"));
    assert_eq!((first.len(), second.len()), (2, 2));
    assert_ne!(first, second);
    assert_eq!(short("exc-2013-um1", "A"), [um1]);
    // A name that is not there, and one that is somebody else's.
    assert!(dig(&["+comments", "um9.moon.galaxy", "A"]).contains("NXDOMAIN"));
    assert!(dig(&["+comments", "example.com", "A"]).contains("REFUSED"));
}
