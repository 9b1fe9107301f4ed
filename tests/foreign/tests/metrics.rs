//! Prometheus takes `/metrics` of either half: its own checker finds nothing to mend, and a real collector has the numbers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tests_foreign::halves::Halves;
use tests_foreign::http;
use tests_foreign::process::{Process, repository};

const NET: u8 = 200;
/// Of Prometheus itself.
const PORT: u16 = 19_299;

/// What both halves tell, with what they have after one message.
const TOLD: [(u16, &str); 10] = [
    (Halves::metrics_port(NET), "earcon_calls_started_total 1"),
    (Halves::metrics_port(NET), "earcon_registered_contacts 1"),
    (Halves::metrics_port(NET), "earcon_route_individuals{route=\"55\"} 30"),
    (Halves::metrics_port(NET), "earcon_queue_waiting{role=\"node\",queue=\"connections\"} 0"),
    (Halves::metrics_port(NET), "earcon_queue_waiting{role=\"node\",queue=\"journal\"}"),
    (Halves::metrics_port(NET), "earcon_sip_retransmissions_total{role=\"node\"}"),
    (Halves::web_port(NET), "earcon_messages_delivered_total{recovered=\"false\"} 1"),
    (Halves::web_port(NET), "earcon_queue_waiting{role=\"um\",queue=\"mailbox\"} 0"),
    (Halves::web_port(NET), "earcon_queue_waiting{role=\"um\",queue=\"hashing\"} 0"),
    (Halves::web_port(NET), "earcon_up{part=\"um\"} 1"),
];

fn metrics(port: u16) -> String {
    // The node's own listener knows no tokens and is for this machine; the pages want the administrator's.
    let token = (port == Halves::web_port(NET)).then_some("token-of-metrics");
    let answer = http::call(port, "GET", "/metrics", None, "", token);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[test]
fn prometheus_checks_and_collects_the_metrics_of_both_halves() {
    let halves = Halves::start("metrics", NET);
    for (shell, script) in [("mdsh", "mx-one.mml"), ("umsh", "exchange-um.ps1")] {
        halves.enter(shell, &std::fs::read_to_string(repository().join("lab").join(script)).unwrap());
    }
    halves.take_a_message(NET);

    let deadline = Instant::now() + Duration::from_secs(30);
    for (port, line) in TOLD {
        // The message is delivered a moment after the call.
        while !metrics(port).lines().any(|told| told.starts_with(line)) {
            assert!(Instant::now() < deadline, "{line} is missing in:\n{}", metrics(port));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    for port in [Halves::metrics_port(NET), Halves::web_port(NET)] {
        checked(&metrics(port));
    }
    collected(&halves);
}

/// `promtool check metrics`: the format, and the conventions for names and types. It fails on anything that it has to say.
fn checked(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}\n{text}", String::from_utf8_lossy(&said));
}

/// A collector of its own, which asks both every second.
fn collected(halves: &Halves) {
    let file = halves.scratch.file("prometheus.yml");
    let config = format!(
        "global: {{ scrape_interval: 1s }}\n\
         scrape_configs:\n\
         - job_name: node\n  static_configs: [{{ targets: ['127.0.0.1:{}'] }}]\n\
         - job_name: um\n  authorization: {{ credentials_file: '{}' }}\n  static_configs: [{{ targets: ['127.0.0.1:{}'] }}]\n",
        Halves::metrics_port(NET),
        halves.scratch.file("token").display(),
        Halves::web_port(NET)
    );
    std::fs::write(&file, config).unwrap();
    let prometheus = Process::start(
        Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", halves.scratch.file("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{PORT}")),
    );
    prometheus.wait_for("Server is ready", Duration::from_secs(30));
    for (query, value) in [
        ("up{job=\"node\"}", "1"),
        ("up{job=\"um\"}", "1"),
        ("earcon_calls_started_total{job=\"node\"}", "1"),
        ("earcon_messages_delivered_total{job=\"um\",recovered=\"false\"}", "1"),
    ] {
        let deadline = Instant::now() + Duration::from_secs(30);
        while ask(query).as_deref() != Some(value) {
            assert!(Instant::now() < deadline, "{query}: {:?}", ask(query));
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The value that Prometheus has for the query now.
fn ask(query: &str) -> Option<String> {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = http::call(PORT, "GET", &format!("/api/v1/query?query={escaped}"), None, "", None);
    let value = &answer.json()["data"]["result"][0]["value"][1];
    value.as_str().map(str::to_owned)
}
