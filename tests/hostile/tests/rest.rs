//! REST requests that mean harm: paths that climb, bodies that are too much, bodies that are none. A clear 4xx, no effect.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests_foreign::http;
use tests_hostile::Target;

/// One request as it stands, and the head of the answer. (curl tidies paths up before it sends them.)
fn raw(target: &Target, text: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", target.lab.web())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let text = text.replace("HOST", &format!("127.0.0.1:{}", target.lab.web()));
    // The server may say no before it has all of it.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn ask(target: &Target, method: &str, path: &str, body: &[u8]) -> String {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer lab-admin\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw(target, &head, body)
}

#[test]
fn hostile_rest_requests_get_a_clear_4xx_and_change_nothing() {
    let mut target = Target::start(67);
    let files = |target: &Target| {
        let found = std::process::Command::new("find").arg(target.lab.data()).args(["-type", "f"]).output().unwrap();
        String::from_utf8(found.stdout).unwrap().lines().filter(|file| !file.ends_with("-wal")).count()
    };
    let before = (target.lab.get("/api/v1/mailboxes"), files(&target));

    // Paths that climb out of their folder, in mailbox and message.
    for name in [
        "..",
        ".",
        "%2e%2e",
        "..%2f..%2fkey",
        "%2fetc%2fpasswd",
        "..%5c..%5ckey",
        "%00",
        "27000%00",
        "27000%0d%0aX:%20y",
        "%ff%fe",
        "27000'--",
        "%3Cscript%3E",
        "",
        "~root",
    ] {
        for path in [
            format!("/api/v1/mailboxes/{name}/messages"),
            format!("/api/v1/mailboxes/{name}/greeting"),
            format!("/api/v1/mailboxes/27000/messages/{name}"),
            format!("/api/v1/mailboxes/27000/messages/{name}/audio"),
            format!("/api/v1/mailboxes/27000/messages/{name}/mime"),
            format!("/static/{name}"),
        ] {
            // Without a name the path is another one, and it is there.
            if name.is_empty() && path.ends_with("/messages/") {
                continue;
            }
            for method in ["GET", "DELETE"] {
                let answer = ask(&target, method, &path, b"");
                assert!((400..500).contains(&status(&answer)), "{method} {path}: {answer:.200}");
                assert!(!answer.contains("root:") && !answer.contains("\r\nX: y"), "{method} {path}: {answer:.200}");
            }
        }
    }
    let long = format!("/api/v1/mailboxes/{}/messages", "x".repeat(100_000));
    assert!((400..500).contains(&status(&ask(&target, "GET", &long, b""))), "a path of 100 kB");

    // Bodies that are no JSON, or not what is asked for.
    let deep = "[".repeat(60_000);
    let unknown = "/api/v1/mailboxes/27000/messages/00000000000000000000000000000000";
    for body in ["", "{", "null", "[]", "{\"read\": \"yes\"}", "{\"read\": true, \"admin\": true}", "\u{feff}{}", &deep]
    {
        for (method, path) in [
            ("PATCH", unknown),
            ("POST", "/api/v1/node/commands"),
            ("POST", "/api/v1/um/commands"),
            ("POST", "/api/v1/tokens"),
        ] {
            let answer = ask(&target, method, path, body.as_bytes());
            assert!((400..500).contains(&status(&answer)), "{method} {path} {body:.40}: {answer:.300}");
        }
    }

    // Bodies that are too much: by what they say, and by what they are.
    let memory = target.memory_kib();
    let giant = vec![b' '; 33 << 20];
    for path in ["/api/v1/mailboxes/27000/greeting", "/api/v1/session"] {
        let method = if path.ends_with("greeting") { "PUT" } else { "POST" };
        let announced = format!(
            "{method} {path} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer lab-admin\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
        );
        assert_eq!(status(&raw(&target, &announced, b"{")), 413, "{path}");
        let answer = http::call(target.lab.web(), method, path, Some(&giant), "application/json", Some("lab-admin"));
        assert_eq!(answer.status, 413, "{path}");
        assert!(String::from_utf8_lossy(&answer.body).contains("at most"), "{path}");
    }
    assert!(target.memory_kib() < memory + 80_000, "{} KiB, before {memory}", target.memory_kib());
    for noise in [&b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"[..], b"RIFF", b"", b"<html>"] {
        let answer = target.lab.rest("PUT", "/api/v1/mailboxes/27000/greeting", Some(noise), "audio/wav");
        assert!((400..500).contains(&answer.status), "a greeting of {noise:?}: {}", answer.status);
    }

    // Bodies that never come hold up nobody.
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", target.lab.web())).unwrap();
            let head = format!(
                "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 100\r\n\r\n{{",
                target.lab.web()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let started = Instant::now();
    target.lab.get("/api/v1/mailboxes");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?} beside {} slow bodies", started.elapsed(), slow.len());
    drop(slow);

    // Guessing tokens from one address is capped, not tested here: the page's own tests do. Nothing has changed.
    assert_eq!((target.lab.get("/api/v1/mailboxes"), files(&target)), before);
    target.serves_as_ever();
}
