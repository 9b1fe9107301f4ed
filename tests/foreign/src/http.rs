//! REST calls through curl: a foreign client for the web interface, too.

use std::io::Write;
use std::process::{Command, Stdio};

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

pub fn call(
    port: u16,
    method: &str,
    path: &str,
    body: Option<&[u8]>,
    content_type: &str,
    token: Option<&str>,
) -> Answer {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "60", "--request", method]);
    if let Some(token) = token {
        curl.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    if body.is_some() {
        curl.args(["--header", &format!("Content-Type: {content_type}"), "--header", "Expect:", "--data-binary", "@-"]);
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
