//! Earcon's REST interface, as anybody's program uses it: docs/rest.md. HTTP/1.0, a connection a request: an answer ends
//! with its connection, and nothing has to be known of chunks.

use crate::target::Rest as Settings;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read: a recording of some minutes.
const MOST: u64 = 32 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestError {
    /// Nothing listens there, or the connection broke.
    #[error("REST at {address} can't be reached: {source}")]
    Unreachable { address: std::net::SocketAddr, source: std::io::Error },
    /// The answer is no HTTP, or no JSON where some is due.
    #[error("REST: {what} is not answered as docs/rest.md says")]
    Unreadable { what: String },
    /// The server refused, in its own words.
    #[error("REST: {what}: {status} {reason}")]
    Refused { what: String, status: u16, reason: String },
}

/// A message as the list has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    pub id: String,
    pub from_number: Option<String>,
    pub from_name: Option<String>,
    pub read: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Rest {
    settings: Settings,
}

impl Rest {
    pub fn new(settings: Settings) -> Rest {
        Rest { settings }
    }

    pub fn messages(&self, mailbox: &str) -> Result<Vec<Message>, RestError> {
        let path = format!("mailboxes/{mailbox}/messages");
        let bytes = self.ask("GET", &path, None)?;
        serde_json::from_slice(&bytes).map_err(|_| RestError::Unreadable { what: path })
    }

    /// The recording, WAV.
    pub fn audio(&self, mailbox: &str, message: &str) -> Result<Vec<u8>, RestError> {
        self.ask("GET", &format!("mailboxes/{mailbox}/messages/{message}/audio"), None)
    }

    pub fn mark_read(&self, mailbox: &str, message: &str) -> Result<(), RestError> {
        let path = format!("mailboxes/{mailbox}/messages/{message}");
        self.ask("PATCH", &path, Some(&json!({ "read": true }))).map(drop)
    }

    pub fn delete(&self, mailbox: &str, message: &str) -> Result<(), RestError> {
        self.ask("DELETE", &format!("mailboxes/{mailbox}/messages/{message}"), None).map(drop)
    }

    /// Has a message played on a telephone.
    pub fn play_on_phone(&self, mailbox: &str, message: &str, number: &str) -> Result<(), RestError> {
        let path = format!("mailboxes/{mailbox}/messages/{message}/play-on-phone");
        self.ask("POST", &path, Some(&json!({ "number": number }))).map(drop)
    }

    /// How far that call has come.
    pub fn phone_call(&self, mailbox: &str) -> Result<String, RestError> {
        let path = format!("mailboxes/{mailbox}/play-on-phone");
        let call: Value = serde_json::from_slice(&self.ask("GET", &path, None)?).unwrap_or_default();
        let state = call["state"].as_str().map(str::to_owned);
        state.ok_or(RestError::Unreadable { what: path })
    }

    /// A command of `mdsh`, as JSON.
    pub fn node(&self, command: &Value) -> Result<Value, RestError> {
        self.command("node/commands", command)
    }

    /// A command of `umsh`, as JSON.
    pub fn um(&self, command: &Value) -> Result<Value, RestError> {
        self.command("um/commands", command)
    }

    fn command(&self, path: &str, command: &Value) -> Result<Value, RestError> {
        let bytes = self.ask("POST", path, Some(command))?;
        serde_json::from_slice(&bytes).map_err(|_| RestError::Unreadable { what: command.to_string() })
    }

    /// A connection on which events come as they happen (SSE), its head not yet read.
    pub fn events(&self) -> Result<TcpStream, RestError> {
        self.send("GET", "events", None)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Vec<u8>, RestError> {
        let unreadable = || RestError::Unreadable { what: format!("{method} {path}") };
        let mut answer = Vec::new();
        let stream = self.send(method, path, body)?;
        stream.take(MOST).read_to_end(&mut answer).map_err(|source| self.unreachable(source))?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(unreadable)?;
        let content = answer.split_off(end + 4);
        let head = String::from_utf8_lossy(&answer);
        let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(unreadable)?;
        if status >= 300 {
            let error: Value = serde_json::from_slice(&content).unwrap_or_default();
            let said = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            let reason = format!("{} {}", said("error"), said("hint")).trim().to_owned();
            let what = body.map_or_else(|| format!("{method} {path}"), Value::to_string);
            return Err(RestError::Refused { what, status, reason });
        }
        Ok(content)
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<TcpStream, RestError> {
        let address = self.settings.address;
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /api/v1/{path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.settings.token,
            body.len()
        );
        let sent = TcpStream::connect_timeout(&address, PATIENCE).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            Ok(stream)
        });
        sent.map_err(|source| self.unreachable(source))
    }

    fn unreachable(&self, source: std::io::Error) -> RestError {
        RestError::Unreachable { address: self.settings.address, source }
    }
}
