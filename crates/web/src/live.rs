//! Events as they happen, for the pages: one thread reads the bus, and each page reads from a channel of its own.

use event::{Bus, Record};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};

/// Records that may wait for a slow page before it loses some (and is told so).
const QUEUE: usize = 1024;
/// Pages that may follow at once.
pub const FOLLOWERS: usize = 256;

pub struct Live {
    bus: Bus,
    sender: broadcast::Sender<Arc<Shown>>,
    /// SIP messages wake the thread only while a page follows.
    messages: Arc<AtomicBool>,
    pub followers: Arc<Semaphore>,
}

/// An event as it is sent to pages.
#[derive(Debug)]
pub struct Shown {
    pub number: u64,
    /// Whose mailbox it is about, if it is about one.
    pub mailbox: Option<String>,
    pub json: String,
}

impl Live {
    pub fn start(bus: Bus) -> Live {
        let sender = broadcast::Sender::new(QUEUE);
        let subscription = bus.subscribe();
        let out = sender.downgrade();
        let messages = subscription.messages.clone();
        messages.store(false, Ordering::SeqCst);
        // Its own thread, since the bus blocks. It ends with the server, at the latest a second later.
        let spawned = std::thread::Builder::new().name("web-events".into()).spawn(move || {
            loop {
                let record = subscription.records.recv_timeout(Duration::from_secs(1));
                let Some(out) = out.upgrade() else { return };
                match record {
                    Ok(record) if out.receiver_count() > 0 => drop(out.send(Arc::new(shown(&record)))),
                    Ok(_) | Err(RecvTimeoutError::Timeout) if out.receiver_count() == 0 => {
                        subscription.messages.store(false, Ordering::SeqCst);
                        // A page may have begun to look meanwhile.
                        subscription.messages.store(out.receiver_count() > 0, Ordering::SeqCst);
                    }
                    Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "pages will not be told of events");
        }
        Live { bus, sender, messages, followers: Arc::new(Semaphore::new(FOLLOWERS)) }
    }

    /// The last `count` events, and all from now on. One may be in both: compare the numbers.
    pub fn follow(&self, count: usize) -> (Vec<Arc<Shown>>, broadcast::Receiver<Arc<Shown>>) {
        let receiver = self.sender.subscribe();
        self.messages.store(true, Ordering::SeqCst);
        let past = if count == 0 { Vec::new() } else { self.bus.subscribe().past };
        let skipped = past.len().saturating_sub(count);
        (past.iter().skip(skipped).map(|record| Arc::new(shown(record))).collect(), receiver)
    }
}

fn shown(record: &Record) -> Shown {
    // Every variant is an object (event's own test); should one not be, it is shown by its number alone.
    let mut value = serde_json::to_value(&record.event).unwrap_or_default();
    let mut mailbox = None;
    if let Value::Object(fields) = &mut value {
        mailbox = fields.get("mailbox").and_then(Value::as_str).map(str::to_owned);
        fields.insert("number".into(), record.number.into());
        fields.insert("at_ms".into(), record.at.unix_ms().into());
        fields.insert("level".into(), serde_json::to_value(record.event.level()).unwrap_or_default());
    }
    Shown { number: record.number, mailbox, json: value.to_string() }
}
