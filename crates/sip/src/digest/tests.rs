use super::*;
use crate::{Headers, Text, Uri};
use std::time::{Duration, Instant};

const USER: &str = "27001";
const REALM: &str = "moon.galaxy";
const PASSWORD: &str = "moon-27001";

struct Server {
    nonces: Nonces,
    now: Instant,
    ha1: Ha1,
    uri: Uri,
}

impl Server {
    fn new() -> Server {
        let now = Instant::now();
        let uri = "sip:moon.galaxy".parse().unwrap();
        Server { nonces: Nonces::new([7; 32], now), now, ha1: Ha1::new(USER, REALM, PASSWORD), uri }
    }

    fn challenge(&mut self) -> Headers {
        self.challenge_with(&[Algorithm::Sha256, Algorithm::Md5])
    }

    fn challenge_with(&mut self, algorithms: &[Algorithm]) -> Headers {
        let mut headers = Headers::new();
        for challenge in self.nonces.challenges(REALM, algorithms, false, false, self.now) {
            challenge.push_to(&mut headers);
        }
        headers
    }

    fn judge(&mut self, c: &Credentials) -> Verdict {
        // Over the wire and back.
        let mut headers = Headers::new();
        c.put_into(&mut headers);
        let read = Credentials::for_realm(&headers, REALM).unwrap();
        assert_eq!(&read, c);
        self.nonces.judge(&read, &self.ha1, &Method::Register, &self.uri, self.now)
    }
}

fn answer(challenge: &Challenge, password: &str, nc: u32) -> Credentials {
    challenge.answer_password(USER, password, &Method::Register, "sip:moon.galaxy", nc, "c0ffee")
}

#[test]
fn rfc_7616_3_9_1_gives_these_responses() {
    // The RFC's example, with its GET.
    let ha1 = Ha1::new("Mufasa", "http-auth@example.org", "Circle of Life");
    let challenge = |algorithm| Challenge {
        realm: Text::from_static("http-auth@example.org"),
        nonce: Text::from_static("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
        algorithm,
        auth: true,
        opaque: None,
        stale: false,
        proxy: false,
    };
    let get = Method::Other(Text::from_static("GET"));
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let response = |a| challenge(a).answer("Mufasa", &ha1, &get, "/dir/index.html", 1, cnonce).response;
    assert_eq!(response(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(response(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn sha_256_is_taken_wherever_it_stands() {
    for order in [[Algorithm::Md5, Algorithm::Sha256], [Algorithm::Sha256, Algorithm::Md5]] {
        let mut server = Server::new();
        let headers = server.challenge_with(&order);
        assert_eq!(Challenge::all(&headers).iter().map(|c| c.algorithm).collect::<Vec<_>>(), order);
        assert_eq!(Challenge::strongest(&headers).unwrap().algorithm, Algorithm::Sha256);
    }
}

#[test]
fn both_algorithms_are_accepted_and_a_wrong_password_is_not() {
    let mut server = Server::new();
    let headers = server.challenge();
    for challenge in Challenge::all(&headers) {
        assert_eq!(server.judge(&answer(&challenge, PASSWORD, 1)), Verdict::Accepted);
        assert_eq!(server.judge(&answer(&challenge, "moon-27000", 2)), Verdict::Wrong);
    }
}

#[test]
fn a_count_is_good_once_in_any_order() {
    let mut server = Server::new();
    let headers = server.challenge();
    let challenge = Challenge::strongest(&headers).unwrap();
    for (nc, verdict) in [
        (1, Verdict::Accepted),
        (3, Verdict::Accepted),
        (2, Verdict::Accepted),
        (2, Verdict::Stale),
        (3, Verdict::Stale),
        (0, Verdict::Stale),
        (200, Verdict::Accepted),
        (100, Verdict::Stale),
        (199, Verdict::Accepted),
    ] {
        assert_eq!(server.judge(&answer(&challenge, PASSWORD, nc)), verdict, "nc {nc}");
    }
}

#[test]
fn an_old_or_foreign_nonce_is_stale_when_the_password_is_right() {
    let mut server = Server::new();
    let headers = server.challenge();
    let challenge = Challenge::strongest(&headers).unwrap();
    assert_eq!(server.judge(&answer(&challenge, PASSWORD, 1)), Verdict::Accepted);
    server.now += Duration::from_secs(301);
    assert_eq!(server.judge(&answer(&challenge, PASSWORD, 2)), Verdict::Stale);
    let foreign = Challenge { nonce: Text::from_static("0.1.00000000000000000000000000000000"), ..challenge };
    assert_eq!(server.judge(&answer(&foreign, PASSWORD, 1)), Verdict::Stale);
    assert_eq!(server.judge(&answer(&foreign, "wrong", 1)), Verdict::Wrong);
}

#[test]
fn a_peer_of_rfc_2069_gets_in_without_qop() {
    let mut server = Server::new();
    let headers = server.challenge();
    let md5 = Challenge::all(&headers).into_iter().find(|c| c.algorithm == Algorithm::Md5).unwrap();
    let old = Challenge { auth: false, ..md5 };
    assert_eq!(server.judge(&answer(&old, PASSWORD, 1)), Verdict::Accepted);
}

#[test]
fn credentials_for_another_target_are_wrong() {
    let mut server = Server::new();
    let headers = server.challenge();
    let challenge = Challenge::strongest(&headers).unwrap();
    let ha1 = server.ha1.clone();
    let c = challenge.answer(USER, &ha1, &Method::Register, "sip:elsewhere.galaxy", 1, "c");
    assert_eq!(server.judge(&c), Verdict::Wrong);
}

#[test]
fn nothing_in_a_name_ends_its_quotes() {
    let mut server = Server::new();
    let headers = server.challenge();
    let challenge = Challenge::strongest(&headers).unwrap();
    let nasty = "a\", realm=\"x\r\nVia: y\\";
    let c = challenge.answer_password(nasty, PASSWORD, &Method::Register, "sip:moon.galaxy", 1, "c");
    let line = c.to_string();
    assert!(!line.contains('\n'));
    let read = AuthParams::parse(&Text::from(line)).unwrap();
    assert_eq!(read.get("realm").unwrap(), REALM);
    assert_eq!(read.get("username").unwrap(), "a\", realm=\"x  Via: y\\");
}

#[test]
fn unknown_algorithms_and_auth_int_alone_are_not_answered() {
    let read =
        |text: &'static str| Challenge::from_params(&AuthParams::parse(&Text::from_static(text)).unwrap(), false);
    assert!(read("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256").is_none());
    assert!(read("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"").is_none());
    assert!(read("Basic realm=\"r\"").is_none());
    assert!(read("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int,auth\"").unwrap().auth);
}

use crate::header::AuthParams;
