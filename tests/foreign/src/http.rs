//! REST calls through curl: a foreign client for the web interface, too.

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, without regard to case; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.headers.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next().unwrap_or("")
    }
}

pub fn call(
    port: u16,
    method: &str,
    path: &str,
    body: Option<&[u8]>,
    content_type: &str,
    token: Option<&str>,
) -> Answer {
    let mut headers = Vec::new();
    if let Some(token) = token {
        headers.push(format!("Authorization: Bearer {token}"));
    }
    if body.is_some() {
        headers.push(format!("Content-Type: {content_type}"));
    }
    request(port, method, path, &headers, body)
}

/// A request with header lines of its own. `Host: ...` replaces curl's.
pub fn request(port: u16, method: &str, path: &str, headers: &[String], body: Option<&[u8]>) -> Answer {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "60", "--request", method]);
    for header in headers {
        curl.args(["--header", header]);
    }
    if body.is_some() {
        curl.args(["--header", "Expect:", "--data-binary", "@-"]);
    }
    curl.arg(format!("http://127.0.0.1:{port}{path}"));
    let mut curl =
        curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("curl is installed");
    let mut stdin = curl.stdin.take().unwrap();
    if let Some(body) = body {
        let _ = stdin.write_all(body);
    }
    drop(stdin);
    let output = curl.wait_with_output().unwrap();
    assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    let end = output.stdout.windows(4).position(|window| window == b"\r\n\r\n").expect("an HTTP head");
    let headers = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers, body: output.stdout[end + 4..].to_vec() }
}
