//! The event stream of REST (server-sent events), followed on a thread of its own into the ladder.

use crate::ladder::Ladder;
use crate::rest::{Rest, RestError};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;

/// Follows until dropped.
pub(crate) struct Events {
    stream: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl Events {
    pub fn follow(rest: &Rest, ladder: Ladder) -> Result<Events, RestError> {
        let stream = rest.events()?;
        let unreadable = || RestError::Unreadable { what: "GET events".into() };
        let mut lines = BufReader::new(stream.try_clone().map_err(|_| unreadable())?);
        // Its head is read here: from then on nothing is missed.
        let mut line = String::new();
        let mut accepted = false;
        loop {
            line.clear();
            if lines.read_line(&mut line).map_err(|_| unreadable())? == 0 {
                return Err(unreadable());
            }
            accepted |= line.starts_with("HTTP/1") && line.contains(" 200");
            if line.trim_end().is_empty() {
                break;
            }
        }
        if !accepted {
            return Err(unreadable());
        }
        // A comment comes every quarter of a minute; the thread ends with the connection.
        stream.set_read_timeout(None).map_err(|_| unreadable())?;
        let thread = std::thread::Builder::new().name("verify-events".into()).spawn(move || {
            for line in lines.lines() {
                let Ok(line) = line else { return };
                let Some(data) = line.strip_prefix("data:") else { continue };
                if let Ok(event) = serde_json::from_str::<Value>(data.trim_start()) {
                    let at_ms = event["at_ms"].as_u64().unwrap_or_default();
                    ladder.event(&event, at_ms);
                }
            }
        });
        Ok(Events { stream, thread: Some(thread.map_err(|_| unreadable())?) })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // The reader's blocking read ends with this; a connection that is gone already has ended it.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
