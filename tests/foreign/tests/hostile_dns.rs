//! A DNS server that lies, loops, mumbles or is silent: the call that needs it is refused, or goes where it can; an event says
//! what was wrong with which name; and a call in progress notices nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::dns::{Data, Says};
use tests_foreign::pool::Pool;
use tests_foreign::process::Process;
use tests_foreign::sipp::Sipp;

const REFUSALS: u8 = 151;
const LIFETIMES: u8 = 153;
const LIMIT: Duration = Duration::from_secs(60);

/// The name that is dialled, what is said of which names, and the event that tells of it.
type Case = (&'static str, Vec<(&'static str, Says)>, &'static str);

/// A node whose number 8 leads to whatever name a test puts there, and a server at host 4 that answers.
fn node(name: &str, net: u8) -> (Pool, Process) {
    let pool = Pool::start(name, &format!("127.0.{net}"));
    pool.of_two();
    pool.mdsh(&format!(
        "number_initiate -numbertype ED -number 8\n\
         rocai:rou=60,sel=7110000000000010,trm=4,serv=3100000001;\n\
         rodai:rou=60,type=TL66;\n\
         roeqi:rou=60,tru=1-1&&1-9;\n\
         roddi:rou=60,dest=8,adc=0005000000000250000001010000,srt=1;\n\
         sip_route -set -route 60 -profile ExchangeUM_TCP -uristring0 sip:?@nobody.test -accept REMOTE_IP -match 127.0.{net}.9 \
         -supervise NO_SUPERVISION"
    ));
    let server = server(&pool, 4);
    (pool, server)
}

fn server(pool: &Pool, host: u8) -> Process {
    let at = pool.address(host);
    Sipp::new("answers", &format!("{}:5060", pool.address(10)), &at, 5060, true)
        .arguments(&["-timeout", "300s"])
        .start()
}

/// From now on number 8 leads to this name.
fn leads_to(pool: &Pool, name: &str) {
    pool.mdsh(&format!("sip_route -set -route 60 -uristring0 sip:?@{name} -remoteport 0"));
}

fn dials_8(pool: &Pool, scenario: &str) -> Sipp {
    Sipp::new(scenario, &format!("{}:5060", pool.address(10)), &pool.address(72), 5072, false)
        .caller("27010", "81")
        .once()
}

#[track_caller]
fn event(pool: &Pool, name: &str, of: &str) {
    let wanted = format!("\"event\":\"{name}\"");
    let is = |lines: &[String]| lines.iter().any(|line| line.contains(&wanted) && line.contains(of)).then_some(());
    assert!(pool.node.wait_until(LIMIT, is).is_some(), "no {name} of {of}:\n{}", pool.node.output());
}

#[test]
fn each_hostile_answer_is_refused_and_told_and_a_call_in_progress_notices_nothing() {
    let (pool, _server) = node("hostile-dns", REFUSALS);
    let mut in_progress = pool.call(5071, 40_000);
    event(&pool, "call_answered", "");

    let srv = |target: &str| vec![Data::service(1, 1, 5060, target)];
    let loops = |to: &str| Says::Records(vec![Data::Alias(to.to_owned())], 5);
    let hundred = (0..100).map(|n| Data::service(1, 1, 5060, &format!("host{n}.hundred.test"))).collect();
    let many = vec![Data::address(&pool.address(99)); 40];
    let cases: Vec<Case> = vec![
        (
            "loop.test",
            vec![
                ("_sip._tcp.loop.test", loops("_sip._tcp.again.test")),
                ("_sip._tcp.again.test", loops("_sip._tcp.loop.test")),
                ("loop.test", loops("again.test")),
                ("again.test", loops("loop.test")),
            ],
            "name_not_resolved",
        ),
        ("self.test", vec![("self.test", loops("self.test"))], "name_not_resolved"),
        (
            "empty.test",
            vec![("_sip._tcp.empty.test", Says::Records(Vec::new(), 5)), ("empty.test", Says::Records(Vec::new(), 5))],
            "name_not_resolved",
        ),
        ("hundred.test", vec![("_sip._tcp.hundred.test", Says::Records(hundred, 5))], "name_cut"),
        (
            "silent.test",
            vec![("_sip._tcp.silent.test", Says::Silence), ("silent.test", Says::Silence)],
            "name_not_resolved",
        ),
        (
            "cut.test",
            vec![("_sip._tcp.cut.test", Says::TruncatedForEver), ("cut.test", Says::TruncatedForEver)],
            "name_not_resolved",
        ),
        (
            "short.test",
            vec![("_sip._tcp.short.test", Says::CutOff(srv("um1.moon.galaxy"))), ("short.test", Says::CutOff(many))],
            "name_not_resolved",
        ),
        (
            "garbage.test",
            vec![("_sip._tcp.garbage.test", Says::Garbage), ("garbage.test", Says::Garbage)],
            "name_not_resolved",
        ),
    ];
    for (name, answers, told) in cases {
        answers.into_iter().for_each(|(name, says)| pool.dns.say(name, says));
        leads_to(&pool, name);
        let mut refused = dials_8(&pool, "refused").key("status", "500").start();
        assert!(
            refused.wait(LIMIT).is_some_and(|status| status.success()),
            "{name}: {}\n{}",
            refused.output(),
            pool.node.output()
        );
        event(&pool, told, name);
    }
    in_progress.must_succeed(LIMIT);
    // It is none the worse for it.
    pool.dns.records("_sip._tcp.sound.test", srv("um1.moon.galaxy"));
    leads_to(&pool, "sound.test");
    dials_8(&pool, "calls").key("talks", "0").start().must_succeed(LIMIT);
}

#[test]
fn lifetimes_of_nothing_and_of_ages_are_survived_and_the_first_is_kept_to() {
    let (pool, _server) = node("dns-lifetimes", LIFETIMES);
    let answered = || dials_8(&pool, "calls").key("talks", "0").start().must_succeed(LIMIT);
    let srv = || vec![Data::service(1, 1, 5060, "um1.moon.galaxy")];

    pool.dns.say("_sip._tcp.brief.test", Says::Records(srv(), 0));
    leads_to(&pool, "brief.test");
    answered();
    let before = pool.dns.asked("_sip._tcp.brief.test");
    answered();
    assert!(pool.dns.asked("_sip._tcp.brief.test") > before, "a lifetime of 0 is for one call");

    for (name, ttl) in [("ages", 0x7fff_ffff), ("negative", u32::MAX)] {
        pool.dns.say(&format!("_sip._tcp.{name}.test"), Says::Records(srv(), ttl));
        leads_to(&pool, &format!("{name}.test"));
        answered();
        answered();
    }
}
