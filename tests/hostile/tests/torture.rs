//! RFC 4475's messages against the running thing: every one by UDP and by TCP at every door.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::time::Duration;
use tests_foreign::process::repository;
use tests_hostile::{Answer, Client, Target};

/// What can't be understood is answered with this status. (Everything else that is a request is refused for its source
/// or its contents, but understood.)
const MALFORMED: [(&str, u16); 17] = [
    ("badinv01", 400),
    ("clerr", 400),
    ("ncl", 400),
    ("scalar02", 400),
    ("quotbal", 400),
    ("ltgtruri", 400),
    ("lwsruri", 400),
    ("lwsstart", 400),
    ("trws", 400),
    ("regbadct", 400),
    ("baddn", 400),
    ("mismatch01", 400),
    ("mismatch02", 400),
    ("insuf", 400),
    ("multi01", 400),
    ("mcl01", 400),
    ("badvers", 505),
];
/// Responses that nobody asked for, broken ones among them: silence.
const RESPONSES: [&str; 5] = ["unreason", "noreason", "scalarlg", "bigcode", "bcast"];
/// On a stream the rest is waited for: of the body, or of the head that the RFC's archive has without its empty line.
const NOT_WHOLE: [&str; 2] = ["clerr", "baddn"];

#[test]
fn every_message_of_rfc_4475_by_udp_is_answered_or_passed_over_and_nothing_breaks() {
    torture(60, false, |from, door, _, bytes| {
        // Answers go to the port that Via names (RFC 3261 18.2.2): 5060, or one of two others.
        let mut ports = [5060, 5050, 5070].map(|port| Client::udp(&format!("{from}:{port}"), door));
        ports[0].send(bytes);
        (0..20).find_map(|_| ports.iter_mut().find_map(|port| port.receive(Duration::from_millis(5))))
    });
}

#[test]
fn every_message_of_rfc_4475_by_tcp_is_answered_or_passed_over_and_nothing_breaks() {
    torture(61, true, |from, door, name, bytes| {
        let mut client = Client::tcp(from, door);
        client.send(bytes);
        let patience = if is_response(name) || NOT_WHOLE.contains(&name) { 50 } else { 1000 };
        client.receive(Duration::from_millis(patience))
    });
}

/// Sends each message to each door, every one from an address of its own: late answers go to who asked.
fn torture(net: u8, by_tcp: bool, send: impl Fn(&str, &str, &str, &[u8]) -> Option<Answer>) {
    let mut target = Target::start(net);
    let mut wrong = Vec::new();
    for (door, place) in [target.node(), target.um(5060), target.um(5062), target.um(5065)].iter().zip(0..) {
        for ((name, bytes), number) in messages().iter().zip(0..) {
            let from = target.lab.address(20 + place * 52 + number);
            // Many of the RFC's messages share a branch: RFC 3261 17.2.3 would take them for one transaction.
            let bytes = replaced(bytes, b"branch=z9hG4bKkdjuw", format!("branch=z9hG4bKkdjuw.{name}").as_bytes());
            let answer = send(&from, door, name, &bytes);
            wrong.extend(judge(name, answer.as_ref(), by_tcp).map(|why| format!("{name} at {door}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    target.serves_as_ever();
}

fn messages() -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = repository().join("crates/sip/tests/rfc4475");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "dat"));
    files.sort();
    assert_eq!(files.len(), 49);
    files
        .iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect()
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    match bytes.windows(old.len()).position(|window| window == old) {
        Some(at) => [&bytes[..at], new, &bytes[at + old.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

fn is_response(name: &str) -> bool {
    RESPONSES.contains(&name)
}

/// What is wrong with what came back, if anything.
fn judge(name: &str, answer: Option<&Answer>, by_tcp: bool) -> Option<String> {
    let status = answer.map(Answer::status);
    let malformed = MALFORMED.iter().find(|(malformed, _)| *malformed == name);
    match (status, malformed) {
        (None, _) if is_response(name) => None,
        (None, _) if by_tcp && NOT_WHOLE.contains(&name) => None,
        (Some(status), Some((_, wanted))) if status == *wanted => None,
        // 100 comes before a refusal, as fast as it can.
        (Some(100 | 300..=699), None) if !is_response(name) => None,
        (status, _) => Some(format!("{status:?}")),
    }
}
