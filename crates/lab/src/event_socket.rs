//! The event stream of a running process, for `earcon trace`: a Unix socket in the data folder, one JSON object a line.

use event::{Bus, Record};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

/// Readers at once: each costs a thread.
const READERS: usize = 8;

/// The socket's place in a data folder.
pub fn path(folder: &Path) -> PathBuf {
    folder.join("events.sock")
}

/// Serves until the runtime ends. The folder is its owner's alone (mode 0700); who can open the socket all the same must be
/// root or the very user that runs the process.
pub async fn serve(folder: PathBuf, bus: Bus) -> io::Result<()> {
    let path = path(&folder);
    // What a killed process left; the folder's lock says that nobody else is using it.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    let own = std::fs::metadata(&path).map(|file| std::os::unix::fs::MetadataExt::uid(&file))?;
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(READERS));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let trusted = stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own);
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            if trusted {
                let bus = bus.clone();
                tokio::spawn(async move {
                    let _place = place;
                    // A reader that goes away is how a trace ends.
                    let _ = tell(stream, bus).await;
                });
            }
        }
    });
    Ok(())
}

async fn tell(mut stream: UnixStream, bus: Bus) -> io::Result<()> {
    let subscription = bus.subscribe();
    for record in subscription.past {
        stream.write_all(line(&record, true).as_bytes()).await?;
    }
    // The bus hands records over by a plain channel, which only a thread can wait for.
    let (sender, mut receiver) = mpsc::channel(1024);
    let records = subscription.records;
    let _reader = std::thread::Builder::new().name("trace".into()).spawn(move || {
        while !sender.is_closed() {
            match records.recv_timeout(Duration::from_millis(500)) {
                Ok(record) => {
                    let _ = sender.blocking_send(record);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    while let Some(record) = receiver.recv().await {
        stream.write_all(line(&record, false).as_bytes()).await?;
    }
    Ok(())
}

/// `{"number": 7, "at_ms": 1790000000000, "past": false, "event": "call_started", ...}`
fn line(record: &Record, past: bool) -> String {
    let mut fields = serde_json::to_value(&record.event).unwrap_or_default();
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("number".into(), record.number.into());
        fields.insert("at_ms".into(), record.at.unix_ms().into());
        fields.insert("past".into(), past.into());
    }
    format!("{fields}\n")
}
