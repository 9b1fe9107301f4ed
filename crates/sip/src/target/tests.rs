use super::*;
use crate::flow::Listener;
use std::collections::BTreeMap;
use std::time::Instant;

const LISTENER: ListenerId = ListenerId(0);

fn selector(transports: &[Transport]) -> Selector {
    let addr = "127.0.222.10:5060".parse().unwrap();
    let listeners = transports.iter().map(|transport| Listener { id: LISTENER, transport: *transport, addr });
    Selector::new(listeners.collect(), [3; 32])
}

fn both() -> Selector {
    selector(&[Transport::Udp, Transport::Tcp])
}

fn target(uri: &str) -> Target {
    Target::of_uri(&uri.parse().unwrap())
}

fn addresses(list: &[&str]) -> Answer {
    Answer::Addresses(list.iter().map(|ip| ip.parse().unwrap()).collect())
}

fn at(transport: Transport, remote: &str) -> Candidate {
    Candidate { transport, remote: remote.parse().unwrap() }
}

fn tcp(remote: &str) -> Candidate {
    at(Transport::Tcp, remote)
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> SrvRecord {
    SrvRecord { priority, weight, port, target: target.to_owned() }
}

fn start(selector: &mut Selector, uri: &str, now: Instant) -> (Selection, Step) {
    selector.start(&target(uri), LISTENER, Policy::default(), now)
}

/// Starts towards `um.moon.galaxy:5060` by TCP, which has these addresses, and gives the first to try.
fn resolved(selector: &mut Selector, list: &[&str], now: Instant) -> (Selection, Candidate) {
    let (mut selection, step) = start(selector, "sip:43334@um.moon.galaxy:5060;transport=tcp", now);
    let Step::Resolve(queries) = step else { panic!("{step:?}") };
    match selection.answered(selector, queries[0].0, addresses(list), now) {
        Step::Try(candidate) => (selection, candidate),
        other => panic!("{other:?}"),
    }
}

fn later(now: Instant, seconds: u64) -> Instant {
    now + Duration::from_secs(seconds)
}

#[test]
fn an_address_needs_no_look_up() {
    let rows = [
        ("sip:a@127.0.222.4", at(Transport::Udp, "127.0.222.4:5060")),
        ("sip:a@127.0.222.4:5070", at(Transport::Udp, "127.0.222.4:5070")),
        ("sip:a@127.0.222.4;transport=tcp", tcp("127.0.222.4:5060")),
        ("sip:a@host.moon.galaxy;maddr=127.0.222.9", at(Transport::Udp, "127.0.222.9:5060")),
    ];
    for (uri, candidate) in rows {
        let (selection, step) = start(&mut both(), uri, Instant::now());
        assert_eq!(step, Step::Try(candidate), "{uri}");
        assert_eq!((selection.current(), selection.others()), (Some(candidate), 0));
    }
}

#[test]
fn a_listener_without_udp_sends_by_tcp_what_names_no_transport() {
    let (_, step) = start(&mut selector(&[Transport::Tcp]), "sip:a@127.0.222.4", Instant::now());
    assert_eq!(step, Step::Try(tcp("127.0.222.4:5060")));
}

#[test]
fn a_target_that_the_listener_can_not_reach_is_none() {
    for uri in ["sips:a@127.0.222.4", "sip:a@127.0.222.4;transport=tls", "sip:a@[::1]", "tel:43334"] {
        let (selection, step) = start(&mut both(), uri, Instant::now());
        assert_eq!(step, Step::Exhausted, "{uri}");
        assert_eq!(selection.deadline(), None);
    }
}

#[test]
fn a_port_means_the_hosts_own_addresses() {
    let (_, step) = start(&mut both(), "sip:a@um.moon.galaxy:5062;transport=tcp", Instant::now());
    let Step::Resolve(queries) = step else { panic!("{step:?}") };
    let asked: Vec<_> = queries.into_iter().map(|(_, query)| query).collect();
    assert_eq!(asked, [Query::Addresses("um.moon.galaxy".into())]);
}

#[test]
fn no_port_means_srv_of_each_transport_that_may_be() {
    let mut selector = both();
    let asked = |selector: &mut Selector, uri| match start(selector, uri, Instant::now()).1 {
        Step::Resolve(queries) => queries.into_iter().map(|(_, query)| query).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let srv = |name: &str| Query::Srv(name.to_owned());
    assert_eq!(asked(&mut selector, "sip:a@moon.galaxy;transport=tcp"), [srv("_sip._tcp.moon.galaxy")]);
    let either = [srv("_sip._udp.moon.galaxy"), srv("_sip._tcp.moon.galaxy")];
    assert_eq!(asked(&mut selector, "sip:a@moon.galaxy"), either);
}

#[test]
fn srv_records_lead_to_hosts_in_their_order() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, step) = start(&mut selector, "sip:a@moon.galaxy;transport=tcp", now);
    let Step::Resolve(queries) = step else { panic!("{step:?}") };
    let records = vec![srv(20, 0, 5060, "um2.moon.galaxy."), srv(10, 0, 5070, "um1.moon.galaxy.")];
    let step = selection.answered(&mut selector, queries[0].0, Answer::Srv(records), now);
    let Step::Resolve(hosts) = step else { panic!("{step:?}") };
    assert_eq!(hosts[0].1, Query::Addresses("um1.moon.galaxy".into()));
    assert_eq!(hosts[1].1, Query::Addresses("um2.moon.galaxy".into()));
    // The answers come in whichever order.
    let step = selection.answered(&mut selector, hosts[1].0, addresses(&["127.0.222.5"]), now);
    assert_eq!(step, Step::Wait);
    let step = selection.answered(&mut selector, hosts[0].0, addresses(&["127.0.222.4"]), now);
    assert_eq!(step, Step::Try(tcp("127.0.222.4:5070")));
    let step = selection.failed(&mut selector, Trouble::Transport, now);
    assert_eq!(step, Step::Try(tcp("127.0.222.5:5060")));
}

#[test]
fn without_srv_records_the_hosts_own_addresses_are_asked_for() {
    let mut selector = both();
    let now = Instant::now();
    for answer in [Answer::Failed, Answer::Srv(Vec::new())] {
        let (mut selection, step) = start(&mut selector, "sip:a@moon.galaxy;transport=tcp", now);
        let Step::Resolve(queries) = step else { panic!("{step:?}") };
        let step = selection.answered(&mut selector, queries[0].0, answer, now);
        let Step::Resolve(hosts) = step else { panic!("{step:?}") };
        assert_eq!(hosts[0].1, Query::Addresses("moon.galaxy".into()));
        let step = selection.answered(&mut selector, hosts[0].0, addresses(&["127.0.222.4"]), now);
        assert_eq!(step, Step::Try(tcp("127.0.222.4:5060")));
    }
}

#[test]
fn a_service_that_is_not_offered_has_no_target() {
    let mut selector = both();
    let (mut selection, step) = start(&mut selector, "sip:a@moon.galaxy;transport=tcp", Instant::now());
    let Step::Resolve(queries) = step else { panic!("{step:?}") };
    let step = selection.answered(&mut selector, queries[0].0, Answer::Srv(vec![srv(0, 0, 0, ".")]), Instant::now());
    assert_eq!(step, Step::Exhausted);
}

#[test]
fn a_dns_that_never_answers_ends_the_wait() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = start(&mut selector, "sip:a@um.moon.galaxy:5060", now);
    assert_eq!(selection.timeout(&mut selector, later(now, 9)), Step::Wait);
    assert_eq!(selection.timeout(&mut selector, later(now, 10)), Step::Exhausted);
}

#[test]
fn a_list_of_addresses_begins_with_another_one_each_time() {
    let mut selector = both();
    let now = Instant::now();
    let firsts: Vec<_> = (0..4)
        .map(|_| resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], now).1.remote.ip().to_string())
        .collect();
    assert_eq!(firsts, ["127.0.222.4", "127.0.222.5", "127.0.222.4", "127.0.222.5"]);
}

#[test]
fn a_silent_target_is_left_after_4_s_and_the_last_one_after_9() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, first) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], now);
    assert_eq!(first, tcp("127.0.222.4:5060"));
    assert_eq!(selection.deadline(), Some(later(now, 4)));
    assert_eq!(selection.timeout(&mut selector, later(now, 4)), Step::Try(tcp("127.0.222.5:5060")));
    assert_eq!(selection.deadline(), Some(later(now, 13)));
    assert_eq!(selection.timeout(&mut selector, later(now, 13)), Step::Exhausted);
    assert_eq!(selection.deadline(), None);
}

#[test]
fn a_target_that_was_heard_is_waited_for_without_limit() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], now);
    selection.heard(&mut selector, Heard::Progress, now);
    assert_eq!(selection.deadline(), None);
    assert_eq!(selection.timeout(&mut selector, later(now, 100)), Step::Wait);
}

#[test]
fn calls_go_straight_past_a_silent_host_for_32_s() {
    let mut selector = both();
    let now = Instant::now();
    let both_addresses = ["127.0.222.4", "127.0.222.5"];
    let (mut selection, _) = resolved(&mut selector, &both_addresses, now);
    selection.timeout(&mut selector, later(now, 4));
    let greyed = selector.take_greyed().unwrap();
    assert_eq!((greyed.target, greyed.for_), (tcp("127.0.222.4:5060"), Duration::from_secs(32)));
    for seconds in [5, 20, 35] {
        for _ in 0..2 {
            let (_, first) = resolved(&mut selector, &both_addresses, later(now, seconds));
            assert_eq!(first, tcp("127.0.222.5:5060"), "at {seconds} s");
        }
    }
    let firsts: Vec<_> = (0..2).map(|_| resolved(&mut selector, &both_addresses, later(now, 36)).1).collect();
    assert!(firsts.contains(&tcp("127.0.222.4:5060")), "the grey time is over");
}

#[test]
fn a_grey_host_stays_in_reserve() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], now);
    selection.timeout(&mut selector, later(now, 4));
    let (mut next, first) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], later(now, 5));
    assert_eq!(first, tcp("127.0.222.5:5060"));
    assert_eq!(next.failed(&mut selector, Trouble::Transport, later(now, 5)), Step::Try(tcp("127.0.222.4:5060")));
}

#[test]
fn when_all_are_grey_the_one_that_is_soonest_over_is_tried() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], now);
    selection.timeout(&mut selector, later(now, 4));
    selection.timeout(&mut selector, later(now, 13));
    for _ in 0..2 {
        let (next, first) = resolved(&mut selector, &["127.0.222.4", "127.0.222.5"], later(now, 14));
        assert_eq!(first, tcp("127.0.222.4:5060"));
        assert_eq!(next.others(), 1);
    }
}

#[test]
fn a_single_address_is_tried_even_when_it_is_grey() {
    let mut selector = both();
    let now = Instant::now();
    for _ in 0..2 {
        let (mut selection, step) = start(&mut selector, "sip:a@127.0.222.4;transport=tcp", now);
        assert_eq!(step, Step::Try(tcp("127.0.222.4:5060")));
        assert_eq!(selection.deadline(), Some(later(now, 9)));
        assert_eq!(selection.failed(&mut selector, Trouble::Silent, now), Step::Exhausted);
    }
}

#[test]
fn an_answer_takes_a_host_off_the_grey_list() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = start(&mut selector, "sip:a@127.0.222.4;transport=tcp", now);
    selection.failed(&mut selector, Trouble::Silent, now);
    assert!(selector.grey_list().until(&tcp("127.0.222.4:5060"), now).is_some());
    let (mut next, _) = start(&mut selector, "sip:a@127.0.222.4;transport=tcp", now);
    next.heard(&mut selector, Heard::Progress, now);
    assert!(selector.grey_list().is_empty());
}

#[test]
fn a_503_moves_on_and_greys_only_for_its_retry_after() {
    let mut selector = both();
    let now = Instant::now();
    let rows = [(None, None), (Some(10), Some(10)), (Some(86_400), Some(300))];
    for (n, (retry_after, grey)) in rows.into_iter().enumerate() {
        let ip = format!("127.0.100.{n}");
        let (mut selection, first) = resolved(&mut selector, &[&ip], now);
        let trouble = Trouble::Unavailable { retry_after: retry_after.map(Duration::from_secs) };
        assert_eq!(selection.failed(&mut selector, trouble, now), Step::Exhausted);
        assert_eq!(selector.grey_list().until(&first, now), grey.map(|seconds| later(now, seconds)));
    }
}

#[test]
fn a_policy_without_grey_list_neither_marks_nor_minds() {
    let mut selector = both();
    let now = Instant::now();
    let policy = Policy { grey_list: false, ..Policy::default() };
    let uri = target("sip:a@127.0.222.4");
    let (mut selection, _) = selector.start(&uri, LISTENER, policy, now);
    selection.failed(&mut selector, Trouble::Silent, now);
    assert!(selector.grey_list().is_empty());
    assert_eq!(selector.take_greyed(), None);
}

#[test]
fn the_grey_list_is_capped() {
    let mut grey = GreyList::default();
    let now = Instant::now();
    for n in 0..3000_u16 {
        let remote = SocketAddr::from(([127, 0, (n >> 8) as u8, n as u8], 5060));
        grey.add(Candidate { transport: Transport::Udp, remote }, Duration::from_secs(u64::from(n % 30) + 1), now);
    }
    assert!(grey.len() <= 1000);
}

#[test]
fn srv_records_of_one_priority_are_drawn_by_weight() {
    let mut rng = crate::Chance::new([9; 32]);
    let mut firsts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        let records =
            vec![srv(1, 75, 1, "a"), srv(1, 25, 1, "b"), srv(1, 0, 1, "c"), srv(0, 0, 1, "."), srv(2, 9, 1, "d")];
        let ordered = order(records, &mut rng);
        assert_eq!(ordered.len(), 4);
        assert_eq!(ordered[3].target, "d");
        *firsts.entry(ordered[0].target.clone()).or_default() += 1;
    }
    // 75, 25 and 1 of 101, four standard deviations around.
    assert!((7250..7600).contains(&firsts["a"]), "{firsts:?}");
    assert!((2300..2650).contains(&firsts["b"]), "{firsts:?}");
    assert!((20..250).contains(&firsts["c"]), "{firsts:?}");
}

#[test]
fn shares_are_those_of_the_weights_also_where_they_are_small() {
    let mut rng = crate::Chance::new([7; 32]);
    let mut share = |weights: [u16; 2]| {
        let first = |_: &i32| {
            let records = vec![srv(1, weights[0], 1, "a"), srv(1, weights[1], 1, "b")];
            order(records, &mut rng)[0].target == "a"
        };
        (0..10_000).filter(first).count()
    };
    let (nine_to_one, equal, unsaid) = (share([9, 1]), share([1, 1]), share([0, 0]));
    assert!((8880..9120).contains(&nine_to_one), "{nine_to_one}");
    assert!((4800..5200).contains(&equal), "the guide's 1 and 1: {equal}");
    assert!((4800..5200).contains(&unsaid), "{unsaid}");
}

#[test]
fn an_answer_to_a_question_that_was_not_asked_is_ignored() {
    let mut selector = both();
    let now = Instant::now();
    let (mut selection, _) = start(&mut selector, "sip:a@um.moon.galaxy:5060", now);
    assert!(!selection.asked(QueryId(99)));
    assert_eq!(selection.answered(&mut selector, QueryId(99), addresses(&["127.0.0.1"]), now), Step::Wait);
}
