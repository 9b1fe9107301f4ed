//! Byte streams that mean harm: lying lengths, messages that never end, peers that crawl, peers that don't read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};
use tests_hostile::client::unique;
use tests_hostile::{Client, Target, request};

/// A connection that takes longer than this to its first whole message is closed (`net::Limits::half_open`).
const HALF_OPEN: Duration = Duration::from_secs(10);
/// Connections that one address may have open (`net::Limits::connections_per_source`).
const PER_SOURCE: usize = 500;

const LIES: [&str; 12] = [
    "Content-Length: 0\r\nContent-Length: 0\r\n",
    "Content-Length: 4\r\nl: 0\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: +0\r\n",
    "Content-Length: 0x10\r\n",
    "Content-Length: 4294967296\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Content-Length: 99999999999999999999999999\r\n",
    "Content-Length: 9000000\r\n",
    "Content-Length:\r\n",
    "Content-Length: 0, 0\r\n",
    // None at all.
    "",
];

fn options(client: &Client, door: &str, more: &str) -> String {
    request(client, "OPTIONS", &format!("sip:{door}"), "mallory", more, "")
}

#[test]
fn a_content_length_that_lies_ends_the_connection() {
    let mut target = Target::start(62);
    for door in [target.node(), target.um(5060), target.um(5065)] {
        let mut clients: Vec<(&str, Client)> = LIES
            .map(|lengths| {
                let mut client = Client::tcp(&target.stranger(), &door);
                let text = options(&client, &door, "").replace("Content-Length: 0\r\n", lengths);
                client.send(text.as_bytes());
                (lengths, client)
            })
            .into();
        for (lengths, client) in &mut clients {
            let answer = client.receive(Duration::from_secs(5)).map(|answer| answer.status());
            assert!(matches!(answer, Some(400 | 413)), "{lengths:?} at {door}: {answer:?}");
            // What comes after it is no message: smuggled along, it must not be answered.
            client.send(options(client, &door, "").as_bytes());
            assert_eq!(client.receive(Duration::from_millis(50)).map(|answer| answer.lines), None, "{lengths:?}");
        }
        for (lengths, client) in &mut clients {
            assert!(client.is_closed_within(Duration::from_secs(5)), "{lengths:?} at {door} is still open");
        }
    }
    target.event("connection_refused", |event| event["reason"] == "framing lost");
    target.serves_as_ever();
}

#[test]
fn what_never_ends_is_cut_off_and_nobody_keeps_it() {
    let mut target = Target::start(63);
    let before = target.memory_kib();
    for door in [target.node(), target.um(5060)] {
        let endless: [(&str, Vec<u8>); 5] = [
            ("a header that never ends", b"X-Endless: never\r\n".repeat(20_000)),
            ("a line that never ends", vec![b'a'; 400_000]),
            ("a head of line ends", b"\r".repeat(400_000)),
            (
                "a field of 65 KiB",
                format!("X-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(65 << 10)).into_bytes(),
            ),
            ("a body of nothing but promises", b"Content-Length: 70000\r\n\r\n".to_vec()),
        ];
        for (what, more) in endless {
            let mut client = Client::tcp(&target.stranger(), &door);
            let text = options(&client, &door, "");
            let (head, _) = text.split_once("Content-Length").unwrap();
            client.send(head.as_bytes());
            client.send(&more);
            let answer = client.receive(Duration::from_secs(2)).map(|answer| answer.status());
            let ended = answer.is_some_and(|status| status >= 400) || client.is_closed_within(Duration::from_secs(2));
            assert!(ended, "{what} at {door} is neither answered nor ended");
        }
        // By UDP, too, as far as a datagram goes.
        let mut client = Client::udp(&target.stranger(), &door);
        let long = options(&client, &door, &format!("Subject: {}\r\n", "x".repeat(60_000)));
        let answer = client.ask(&long, Duration::from_secs(2)).map(|answer| answer.status());
        assert!(answer.is_some_and(|status| status >= 400), "a datagram of 60 kB at {door}: {answer:?}");
    }
    assert!(target.memory_kib() < before + 30_000, "{} KiB, before {before}", target.memory_kib());
    target.serves_as_ever();
}

#[test]
fn a_crawler_is_closed_and_a_crowd_from_one_address_keeps_nobody_else_out() {
    let mut target = Target::start(64);
    for door in [target.node(), target.um(5062)] {
        let mut crawler = Client::tcp(&target.stranger(), &door);
        let text = options(&crawler, &door, &format!("X: {}\r\n", "x".repeat(2000)));
        let started = Instant::now();
        let mut crowd: Vec<Client> = (0..PER_SOURCE + 100)
            .map(|_| {
                let mut client = Client::tcp(&target.stranger(), &door);
                client.send(b"OPTIONS sip:half");
                client
            })
            .collect();
        // The surplus is closed at the door; the crawler was there before.
        let kept =
            crowd.iter_mut().filter_map(|client| (!client.is_closed_within(Duration::from_millis(1))).then_some(()));
        let kept = kept.count();
        assert!(kept < PER_SOURCE, "{kept} half-open connections from one address at {door}");
        assert!(kept > PER_SOURCE / 2, "only {kept} connections from one address at {door}");
        // Somebody else is served meanwhile.
        let mut other = Client::tcp(&target.lab.address(91), &door);
        let question = options(&other, &door, "");
        assert_eq!(other.ask(&question, Duration::from_secs(2)).map(|answer| answer.status()), Some(403), "{door}");
        // One letter after the other: no sign of life, but a way to hold a connection.
        let mut letters = text.bytes();
        let mut closed = false;
        while started.elapsed() < HALF_OPEN + Duration::from_secs(3) && !closed {
            closed = crawler.try_send(&[letters.next().unwrap()]).is_err()
                || crawler.is_closed_within(Duration::from_millis(50));
        }
        assert!(closed, "the crawler at {door} may stay");
        assert!(started.elapsed() + Duration::from_secs(2) > HALF_OPEN, "closed after {:?}", started.elapsed());
        if door == target.node() {
            break;
        }
    }
    target.event("connection_refused", |event| event["reason"] == "too many connections from this address");
    target.event("connection_refused", |event| event["reason"] == "no whole message in time");
    target.serves_as_ever();
}

/// Round trips of OPTIONS from somebody known: the median of many.
fn round_trip(target: &Target, door: &str, from: &str) -> Duration {
    let mut client = Client::tcp(from, door);
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let text = options(&client, door, "");
            let started = Instant::now();
            let answer = client.ask(&text, Duration::from_secs(5));
            assert_eq!(answer.map(|answer| answer.status()), Some(200), "{}", target.lab.process.output());
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
fn a_peer_that_does_not_read_its_answers_hurts_itself_alone() {
    let mut target = Target::start(65);
    // The gateways are known to each other, and no cap counts for them: the worst that a peer can be.
    let (node, um) = (target.lab.node(), target.lab.um());
    for (door, known) in [(target.node(), um), (target.um(5060), node)] {
        let quiet = round_trip(&target, &door, &known);
        let (deaf, from) = (door.clone(), known.clone());
        let pusher = std::thread::spawn(move || {
            let mut client = Client::tcp(&from, &deaf);
            client.limit_receiving();
            let end = Instant::now() + Duration::from_secs(4);
            let mut sent = 0;
            while Instant::now() < end {
                let padding = format!("X-Fill: {}\r\n", unique());
                let text = options(&client, &deaf, &padding);
                if client.try_send(text.as_bytes()).is_err() {
                    return (sent, true);
                }
                sent += 1;
            }
            (sent, false)
        });
        std::thread::sleep(Duration::from_millis(500));
        let loud = round_trip(&target, &door, &known);
        let (sent, cut_off) = pusher.join().unwrap();
        assert!(sent > 500, "only {sent} questions were sent");
        assert!(cut_off, "after {sent} questions without reading an answer the peer is still served at {door}");
        assert!(
            loud < quiet * 40 + Duration::from_millis(20),
            "{loud:?} with a deaf peer, {quiet:?} without, at {door}"
        );
    }
    target.serves_as_ever();
}
