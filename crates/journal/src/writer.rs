//! Finished calls go to files in the role's data folder, by a thread of their own: `journal/<number>.journal`, eight of them
//! at most; when they have grown to the limit, the oldest goes, and that is told.

use crate::recorder::Recorder;
use crate::tape::Tape;
use crate::text;
use crossbeam_channel::{Receiver, Sender, bounded};
use event::{Event, Now, Sink};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// The journal's folder in a data folder.
pub const FOLDER: &str = "journal";
/// What the files may take together, unless told.
pub const DEFAULT_LIMIT: u64 = 64 << 20;
/// The limit is kept in steps of a file.
const FILES: u64 = 8;
/// Calls that may wait for the disk; more are dropped, and that is told.
const WAITING: usize = 512;

/// Where finished calls are given.
#[derive(Clone, Debug, Default)]
pub struct Door {
    tapes: Option<Sender<Tape>>,
    dropped: Arc<AtomicU64>,
}

impl Door {
    /// Takes nothing: finished calls stay with their recorder.
    pub fn none() -> Door {
        Door::default()
    }

    pub(crate) fn give(&self, recorder: &mut Recorder) {
        let Some(tapes) = &self.tapes else { return };
        let mut lost = std::mem::take(&mut recorder.given_up);
        for tape in recorder.finished.drain(..) {
            lost += u64::from(tapes.try_send(tape).is_err());
        }
        if lost > 0 {
            self.dropped.fetch_add(lost, Ordering::Relaxed);
        }
    }
}

/// Writes until it is dropped; then what waits is still written.
pub struct Writer {
    door: Option<Door>,
    queue: Receiver<Tape>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes to `<folder>/journal`, at most `limit` bytes (nearly). Drops are told as `by`'s.
    pub fn start(folder: &Path, limit: u64, by: &str, sink: Arc<dyn Sink>) -> io::Result<Writer> {
        let mut files = Files::open(folder.join(FOLDER), limit)?;
        let (tapes, received) = bounded(WAITING);
        let queue = received.clone();
        let door = Door { tapes: Some(tapes), dropped: Arc::default() };
        let dropped = door.dropped.clone();
        let by = by.to_owned();
        let thread = std::thread::Builder::new().name(format!("{by} journal")).spawn(move || {
            let tell = |calls: u64, reason: &str| {
                let event = Event::JournalDropped { by: by.clone(), calls, reason: reason.to_owned() };
                sink.emit(Now::read(), event);
            };
            for tape in received {
                match files.append(&text::write(&tape)) {
                    Ok(0) => {}
                    Ok(gone) => tell(gone, "the journal is full: the oldest calls went"),
                    Err(error) => tell(1, &format!("the journal can't be written: {error}")),
                }
                match dropped.swap(0, Ordering::Relaxed) {
                    0 => {}
                    lost => {
                        tell(lost, "calls ended faster than the journal could be written, or were too large for it")
                    }
                }
            }
        })?;
        Ok(Writer { door: Some(door), queue, thread: Some(thread) })
    }

    /// Tells how many calls wait for the disk, for as long as it is asked.
    pub fn waiting(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let queue = self.queue.clone();
        move || queue.len()
    }

    pub fn door(&self) -> Door {
        self.door.clone().unwrap_or_default()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when the last door is gone: drop the role first.
        self.door = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was its own report.
            let _ = thread.join();
        }
    }
}

struct Files {
    folder: PathBuf,
    limit: u64,
    /// Number, size and calls of each, oldest first; the last one is written to.
    files: Vec<(u64, u64, u64)>,
    open: Option<File>,
}

impl Files {
    fn open(folder: PathBuf, limit: u64) -> io::Result<Files> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut files = Vec::new();
        for (number, path) in journals(&folder)? {
            let bytes = std::fs::read(&path)?;
            files.push((number, bytes.len() as u64, calls(&bytes).count() as u64));
        }
        Ok(Files { folder, limit: limit.max(FILES << 10), files, open: None })
    }

    /// Appends a call; gives how many old ones went for it.
    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let full = self.files.last().is_none_or(|(_, size, _)| *size >= self.limit / FILES);
        if self.open.is_none() || full {
            // A new file at each start, too: what a killed process left cut stays apart.
            let number = self.files.last().map_or(1, |(number, ..)| number + 1);
            let path = self.folder.join(format!("{number:08}.journal"));
            self.open = Some(OpenOptions::new().create(true).append(true).mode(0o600).open(path)?);
            self.files.push((number, 0, 0));
        }
        if let Some(file) = &mut self.open {
            file.write_all(bytes)?;
        }
        if let Some((_, size, calls)) = self.files.last_mut() {
            *size += bytes.len() as u64;
            *calls += 1;
        }
        let mut gone = 0;
        while self.files.len() > 1 && self.files.iter().map(|(_, size, _)| size).sum::<u64>() > self.limit {
            let (number, _, calls) = self.files.remove(0);
            std::fs::remove_file(self.folder.join(format!("{number:08}.journal")))?;
            gone += calls;
        }
        Ok(gone)
    }
}

/// The journal files of a folder, oldest first.
pub(crate) fn journals(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_suffix(".journal").and_then(|number| number.parse().ok());
        found.extend(number.map(|number: u64| (number, path.clone())));
    }
    found.sort_unstable();
    Ok(found)
}

/// The calls in a file: each its header and its bytes. Ends at what can't be read.
pub(crate) fn calls(bytes: &[u8]) -> impl Iterator<Item = (text::Header, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let (header, length) = text::read_header(rest).ok()?;
        at += length;
        Some((header, rest.get(..length)?))
    })
}
