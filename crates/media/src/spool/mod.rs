//! The spool: recordings are on disk as they are spoken.
//!
//! One append-only segment at a time is shared by all recordings. A writer thread puts frames into it as they come,
//! forces it to disk each second, and at once when a recording ends. Segments of 64 MiB follow each other, and are
//! deleted once everything in them was released. Whatever kills the process, [`Spool::open`] finds the recordings
//! again: what was said to be durable is whole, what was under way lacks at most its last second.
//!
//! A release that a power cut takes away before the next sync is forgotten: the recording is then recovered once more.
//! Whoever delivers recordings does it under the [`RecordingId`], so that a second delivery is none.

pub mod files;
mod frame;
mod index;
mod log;
#[cfg(test)]
mod power_cut;
mod writer;

use crate::{Codec, MediaEvent, RecordingId};
use bytes::Bytes;
use files::{Disk, Files};
use frame::{Frame, segment_name};
use index::Index;
use log::Log;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use writer::{Order, Writer};

/// Segments roll over at this length.
const SEGMENT: u64 = 64 << 20;
/// Audio that may wait for the writer: some seconds of a thousand calls. Beyond it the disk is too slow, and recordings
/// end as failed rather than eat the memory.
const WAITING: usize = 64 << 20;
/// Longest meta data.
const META: usize = 256 << 10;

/// The handle; clones are the same spool. When the last one goes, all is forced to disk.
#[derive(Clone)]
pub struct Spool {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    files: Arc<dyn Files>,
    index: Arc<Mutex<Index>>,
    waiting: Arc<AtomicUsize>,
}

/// A recording that was in the spool when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub recording: RecordingId,
    /// As given at its start or by the last `annotate`.
    pub meta: Bytes,
    pub codec: Codec,
    /// Bytes of audio, 8,000 a second.
    pub length: u64,
    /// False when the process ended while it was recorded: it is complete up to its last second.
    pub finished: bool,
}

/// The audio of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub codec: Codec,
    /// As it was on the wire; what is missing is silence.
    pub bytes: Vec<u8>,
}

/// Why a spool could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process uses the folder: two Earcons must not share one.
    #[error("spool folder {path} is used by another process")]
    InUse { path: String },
    /// The folder could not be made, read or written.
    #[error("spool folder {path}: {error}")]
    Folder { path: String, error: io::Error },
    /// The writer thread could not be started.
    #[error("spool writer: {0}")]
    Thread(io::Error),
}

/// Why a recording could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The spool has no such recording, or it was released.
    #[error("no recording {0} in the spool")]
    Unknown(RecordingId),
    /// The disk failed, or what it gave back is not what was written.
    #[error("recording {recording}: {error}")]
    Damaged { recording: RecordingId, error: String },
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The index is changed a frame at a time: a panic in between leaves it as it was before or after one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Spool {
    /// Opens (or makes) the spool in a folder, and tells what is still in it, in the order of the identifiers.
    pub fn open(dir: &Path) -> Result<(Spool, Vec<Recovered>), SpoolError> {
        let path = dir.display().to_string();
        let disk = Disk::open(dir).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => SpoolError::InUse { path: path.clone() },
            _ => SpoolError::Folder { path: path.clone(), error },
        })?;
        Spool::open_on(Arc::new(disk), SEGMENT, &path)
    }

    /// On any file layer, with segments of another length.
    pub fn open_on(files: Arc<dyn Files>, segment: u64, path: &str) -> Result<(Spool, Vec<Recovered>), SpoolError> {
        let index = Arc::new(Mutex::new(Index::default()));
        let (log, recovered) = Log::open(files.clone(), index.clone(), segment)
            .map_err(|error| SpoolError::Folder { path: path.to_owned(), error })?;
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer::start(log, waiting.clone()).map_err(SpoolError::Thread)?;
        Ok((Spool { inner: Arc::new(Inner { writer, files, index, waiting }) }, recovered))
    }

    /// The audio of a recording, also of one still under way (as far as it is written).
    pub fn read(&self, recording: RecordingId) -> Result<Recorded, ReadError> {
        let (codec, length, pieces) = {
            let index = lock(&self.inner.index);
            let entry = index.get(recording).filter(|entry| !entry.released).ok_or(ReadError::Unknown(recording))?;
            (entry.codec, entry.length, entry.pieces.clone())
        };
        let damaged = |error: String| ReadError::Damaged { recording, error };
        let length = usize::try_from(length).map_err(|_| damaged("too long for this machine".into()))?;
        let mut bytes = vec![codec.silence(); length];
        for pieces in pieces.chunk_by(|a, b| a.segment == b.segment) {
            let name = segment_name(pieces.first().map_or(0, |piece| piece.segment));
            let places: Vec<(u64, usize)> = pieces.iter().map(|piece| (piece.offset, piece.length)).collect();
            let mut problem = None;
            let mut take = |raw: &[u8]| {
                let Some((frame, _)) = Frame::read(raw) else {
                    problem = Some(format!("checksum in {name}"));
                    return;
                };
                let start = usize::try_from(frame.position).unwrap_or(usize::MAX);
                let place = start.checked_add(frame.payload.len()).and_then(|end| bytes.get_mut(start..end));
                let Some(place) = place else {
                    problem = Some("a piece beyond its end".into());
                    return;
                };
                place.copy_from_slice(frame.payload);
                rtp::transcode(frame.codec, codec, place);
            };
            self.inner.files.read_pieces(&name, &places, &mut take).map_err(|e| damaged(e.to_string()))?;
            if let Some(problem) = problem {
                return Err(damaged(problem));
            }
        }
        Ok(Recorded { codec, bytes })
    }

    /// The meta data of a recording, if it is in the spool.
    pub fn meta(&self, recording: RecordingId) -> Option<Bytes> {
        lock(&self.inner.index).get(recording).filter(|entry| !entry.released).map(|entry| entry.meta.clone())
    }

    /// Recordings that are not released, and bytes of audio that wait for the writer.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let index = lock(&self.inner.index);
        let recordings = index.recordings().filter(|(_, entry)| !entry.released).count();
        (recordings, self.inner.waiting.load(Ordering::Relaxed))
    }

    /// Replaces the meta data of a recording; at most 256 KiB are kept. It is forced to disk with the recording, or at
    /// once if that has ended.
    pub fn annotate(&self, recording: RecordingId, mut meta: Bytes) {
        meta.truncate(META);
        self.inner.writer.order(Order::Annotate { recording, meta });
    }

    /// The recording is safe elsewhere: the spool may forget it.
    pub fn release(&self, recording: RecordingId) {
        self.inner.writer.order(Order::Release { recording });
    }

    /// Returns when all that was given so far is on disk, or could not be put there.
    pub fn flush(&self) {
        let (done, wait) = crossbeam_channel::bounded(1);
        self.inner.writer.order(Order::Flush { done });
        // An error means that the writer has ended, and with it all that it had to do.
        let _ = wait.recv();
    }

    /// Who is told what became of recordings. One at a time: a later one takes the place of the former.
    pub(crate) fn tell(&self, listener: impl Fn(MediaEvent) + Send + Sync + 'static) {
        self.inner.writer.order(Order::Listen { listener: Box::new(listener) });
    }

    pub(crate) fn begin(&self, recording: RecordingId, codec: Codec, mut meta: Bytes) -> SpoolWriter {
        meta.truncate(META);
        let failed = Arc::new(AtomicBool::new(false));
        self.inner.writer.order(Order::Begin { recording, codec, meta, failed: failed.clone() });
        SpoolWriter { spool: self.clone(), recording, codec, position: 0, failed }
    }
}

/// The pen of one recording under way.
pub(crate) struct SpoolWriter {
    spool: Spool,
    recording: RecordingId,
    codec: Codec,
    position: u64,
    failed: Arc<AtomicBool>,
}

impl std::fmt::Debug for SpoolWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpoolWriter({} at {})", self.recording, self.position)
    }
}

impl SpoolWriter {
    /// False when the spool can take no more of it. Never blocks.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> bool {
        let inner = &self.spool.inner;
        if inner.waiting.load(Ordering::Relaxed) > WAITING {
            self.failed.store(true, Ordering::Relaxed);
        }
        if self.failed.load(Ordering::Relaxed) {
            return false;
        }
        inner.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        let (recording, codec, position) = (self.recording, self.codec, self.position);
        self.position += bytes.len() as u64;
        inner.writer.order(Order::Audio { recording, codec, position, bytes: bytes.to_vec() });
        true
    }

    pub(crate) fn finish(self) {
        let order = Order::Finish { recording: self.recording, codec: self.codec, length: self.position };
        self.spool.inner.writer.order(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("earcon-spool-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_recording_is_durable_read_recovered_and_forgotten_on_a_real_disk() {
        let path = folder("life");
        let (spool, recovered) = Spool::open(&path).unwrap();
        assert!(recovered.is_empty());
        let (sender, events) = channel();
        spool.tell(move |event| drop(sender.send(event)));
        let id = RecordingId(7);
        let mut writer = spool.begin(id, Codec::Pcmu, Bytes::from_static(b"for 27000"));
        assert!(writer.append(&[1; 4000]));
        assert!(writer.append(&[2; 100]));
        writer.finish();
        assert_eq!(events.recv().unwrap(), MediaEvent::RecordDurable { recording: id, length: 4100 });
        spool.annotate(id, Bytes::from_static(b"urgent"));
        let mut unfinished = spool.begin(RecordingId(8), Codec::Pcma, Bytes::new());
        unfinished.append(&[9; 50]);
        spool.flush();
        assert_eq!(spool.read(id).unwrap().bytes, [vec![1; 4000], vec![2; 100]].concat());
        assert!(matches!(Spool::open(&path), Err(SpoolError::InUse { .. })));
        drop((spool, unfinished));

        let (spool, recovered) = Spool::open(&path).unwrap();
        assert_eq!(recovered.len(), 2);
        let expected =
            Recovered { recording: id, meta: "urgent".into(), codec: Codec::Pcmu, length: 4100, finished: true };
        assert_eq!(recovered[0], expected);
        assert_eq!((recovered[1].length, recovered[1].finished), (50, false));
        assert_eq!(spool.read(RecordingId(8)).unwrap(), Recorded { codec: Codec::Pcma, bytes: vec![9; 50] });
        spool.release(id);
        spool.release(RecordingId(8));
        spool.flush();
        assert!(matches!(spool.read(id), Err(ReadError::Unknown(_))));
        drop(spool);

        let (spool, recovered) = Spool::open(&path).unwrap();
        assert!(recovered.is_empty());
        drop(spool);
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn meta_data_may_come_before_its_recording() {
        let path = folder("early");
        let (spool, _) = Spool::open(&path).unwrap();
        spool.annotate(RecordingId(1), Bytes::from_static(b"late news"));
        spool.begin(RecordingId(1), Codec::Pcma, Bytes::from_static(b"first")).finish();
        spool.flush();
        assert_eq!(spool.meta(RecordingId(1)).unwrap(), "late news");
        drop(spool);
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        assert!(matches!(Spool::open(Path::new("/proc/no/such")), Err(SpoolError::Folder { .. })));
    }
}
