//! The spool: recordings are on disk as they are spoken.

use crate::{Codec, RecordingId};
use bytes::Bytes;
use std::path::Path;

/// The handle; clones are the same spool.
#[derive(Clone)]
pub struct Spool {}

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
    pub bytes: Vec<u8>,
}

/// Why a spool could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder could not be made, read or written.
    #[error("spool folder {path}: {error}")]
    Folder { path: String, error: std::io::Error },
    /// The writer thread could not be started.
    #[error("spool writer: {0}")]
    Thread(std::io::Error),
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

impl Spool {
    /// Opens (or makes) the spool in a folder, and tells what is still in it.
    pub fn open(_dir: &Path) -> Result<(Spool, Vec<Recovered>), SpoolError> {
        Ok((Spool {}, Vec::new()))
    }

    /// The audio of a recording, also of one still under way.
    pub fn read(&self, recording: RecordingId) -> Result<Recorded, ReadError> {
        Err(ReadError::Unknown(recording))
    }

    /// Replaces the meta data of a recording.
    pub fn annotate(&self, _recording: RecordingId, _meta: Bytes) {}

    /// The recording is safe elsewhere: the spool may forget it.
    pub fn release(&self, _recording: RecordingId) {}
}

/// The pen of one recording under way.
#[derive(Debug)]
pub(crate) struct SpoolWriter {}

impl Spool {
    /// Who is told what became of recordings. One at a time: a later one takes the place of the former.
    pub(crate) fn tell(&self, _listener: impl Fn(crate::MediaEvent) + Send + Sync + 'static) {}

    /// Returns when all that was given so far is on disk, or could not be put there.
    pub fn flush(&self) {}

    pub(crate) fn begin(&self, _recording: RecordingId, _codec: Codec, _meta: Bytes) -> SpoolWriter {
        SpoolWriter {}
    }
}

impl SpoolWriter {
    /// False when the spool can take no more of it.
    pub(crate) fn append(&mut self, _bytes: &[u8]) -> bool {
        true
    }

    pub(crate) fn finish(self) {}
}
