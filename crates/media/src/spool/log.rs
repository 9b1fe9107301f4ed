//! The spool's heart: what is appended, when it is synced, what may then be said, and what is deleted. It has no thread
//! and no clock of its own; a test drives it over files that forget.

use super::files::{Append, Files};
use super::frame::{Frame, Kind, SEGMENT_HEADER, segment_header, segment_name, segment_number};
use super::index::Index;
use super::{Recovered, lock};
use crate::{Codec, RecordingId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// With nothing left to keep, a segment longer than this gives way to a new one, so that what was released leaves the
/// disk also where few calls come.
const WORTH_DELETING: u64 = 1 << 20;
/// Meta data that came before its recording: so many at most are remembered.
const EARLY: usize = 1024;

/// What can be said of a recording that was finished. Each gets exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Durable { recording: RecordingId, length: u64 },
    Failed { recording: RecordingId, error: String },
}

pub struct Log {
    files: Arc<dyn Files>,
    index: Arc<Mutex<Index>>,
    current: Option<Current>,
    next: u64,
    /// Segments are not made longer than this.
    limit: u64,
    /// Frames that are not written yet.
    pending: Vec<u8>,
    pending_of: BTreeSet<RecordingId>,
    /// Recordings with frames that are written but not synced.
    unsynced: BTreeSet<RecordingId>,
    finishing: Vec<(RecordingId, u64)>,
    early: BTreeMap<RecordingId, Bytes>,
    /// Somebody waits for a sync though no recording ends.
    urgent: bool,
    release_pending: bool,
    /// Releases that a failed sync, or an earlier process, may not have brought to the disk: to be written once more
    /// before anything is deleted on their word.
    again: BTreeSet<RecordingId>,
}

struct Current {
    number: u64,
    file: Box<dyn Append>,
    length: u64,
    dirty: bool,
}

impl Log {
    /// Reads what is there. A segment is read up to its first frame that is not whole: what was synced lies before it.
    pub fn open(files: Arc<dyn Files>, index: Arc<Mutex<Index>>, limit: u64) -> io::Result<(Log, Vec<Recovered>)> {
        let mut numbers: Vec<u64> = files.list()?.iter().filter_map(|name| segment_number(name)).collect();
        numbers.sort_unstable();
        let mut inside = lock(&index);
        for number in &numbers {
            inside.add_segment(*number);
            let bytes = files.read(&segment_name(*number))?;
            if bytes.get(..SEGMENT_HEADER) != Some(&segment_header(*number)[..]) {
                continue;
            }
            let mut offset = SEGMENT_HEADER;
            while let Some((frame, length)) = bytes.get(offset..).and_then(Frame::read) {
                inside.add(&frame, *number, offset as u64);
                offset += length;
            }
        }
        let recovered = inside
            .recordings()
            .filter(|(_, entry)| !entry.released)
            .map(|(recording, entry)| Recovered {
                recording,
                meta: entry.meta.clone(),
                codec: entry.codec,
                length: entry.length,
                finished: entry.finished,
            })
            .collect();
        // What was read need not be on the disk: the process before may have been killed ahead of its next sync.
        let again: BTreeSet<RecordingId> =
            inside.recordings().filter(|(_, entry)| entry.released).map(|(recording, _)| recording).collect();
        drop(inside);
        let next = numbers.last().map_or(1, |last| last.saturating_add(1));
        let log = Log {
            files,
            index,
            current: None,
            next,
            limit,
            pending: Vec::new(),
            pending_of: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            finishing: Vec::new(),
            early: BTreeMap::new(),
            urgent: false,
            release_pending: true,
            again,
        };
        Ok((log, recovered))
    }

    pub fn begin(&mut self, recording: RecordingId, codec: Codec, meta: &Bytes, failed: Arc<AtomicBool>) {
        lock(&self.index).begin(recording, failed);
        let meta = self.early.remove(&recording).unwrap_or_else(|| meta.clone());
        self.push(Frame { kind: Kind::Begin, codec, recording, position: 0, payload: &meta });
    }

    pub fn audio(&mut self, recording: RecordingId, codec: Codec, position: u64, bytes: &[u8]) {
        self.push(Frame { kind: Kind::Audio, codec, recording, position, payload: bytes });
    }

    pub fn annotate(&mut self, recording: RecordingId, meta: &Bytes) {
        let known = lock(&self.index).get(recording).map(|entry| (entry.codec, entry.released, entry.finished));
        match known {
            Some((codec, false, finished)) => {
                // What is changed after the end was not covered by the sync at the end.
                self.urgent |= finished;
                self.push(Frame { kind: Kind::Meta, codec, recording, position: 0, payload: meta });
            }
            Some((_, true, _)) => {}
            None => {
                self.early.insert(recording, meta.clone());
                if self.early.len() > EARLY {
                    self.early.pop_first();
                }
            }
        }
    }

    pub fn finish(&mut self, recording: RecordingId, codec: Codec, length: u64) {
        self.push(Frame { kind: Kind::Finish, codec, recording, position: length, payload: &[] });
        self.finishing.push((recording, length));
    }

    pub fn release(&mut self, recording: RecordingId) {
        let known = lock(&self.index).get(recording).is_some_and(|entry| !entry.released);
        if known {
            self.push_release(recording);
        }
    }

    fn push_release(&mut self, recording: RecordingId) {
        self.push(Frame { kind: Kind::Release, codec: Codec::Pcma, recording, position: 0, payload: &[] });
        self.release_pending = true;
    }

    /// True when there is something that a sync would change.
    pub fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
            || !self.finishing.is_empty()
            || self.release_pending
            || !self.again.is_empty()
            || self.current.as_ref().is_some_and(|current| current.dirty)
    }

    /// True when somebody waits for a sync.
    pub fn is_awaited(&self) -> bool {
        !self.finishing.is_empty() || self.urgent
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    fn push(&mut self, frame: Frame<'_>) {
        frame.write(&mut self.pending);
        self.pending_of.insert(frame.recording);
    }

    /// Writes what waits. An error hurts only the recordings that had something waiting.
    pub fn write(&mut self) {
        for recording in std::mem::take(&mut self.again) {
            self.push_release(recording);
        }
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let of = std::mem::take(&mut self.pending_of);
        let mut result = self.append(&pending);
        if result.is_err() {
            // A part of it may be in the segment: nothing may follow there. A new one is tried once.
            self.abandon("the disk refused a write");
            result = self.append(&pending);
        }
        match result {
            Ok((segment, start)) => {
                let mut inside = lock(&self.index);
                let mut at = 0;
                while let Some((frame, length)) = pending.get(at..).and_then(Frame::read) {
                    inside.add(&frame, segment, start.saturating_add(at as u64));
                    at += length;
                }
                self.unsynced.extend(of);
            }
            Err(error) => {
                self.abandon("the disk refused a write");
                tracing::error!(%error, recordings = of.len(), "spool: cannot write");
                let mut inside = lock(&self.index);
                for recording in of {
                    inside.damage(recording, &error.to_string());
                }
                // A full disk must not keep from deletion what would make room on it: these releases hold without
                // being written. After a power cut they may be recovered once more.
                let mut at = 0;
                while let Some((frame, length)) = pending.get(at..).and_then(Frame::read) {
                    if frame.kind == Kind::Release {
                        inside.release(frame.recording);
                    }
                    at += length;
                }
            }
        }
        // Kept for the next time, so that its room is not asked for again and again.
        self.pending = pending;
        self.pending.clear();
        self.pending.shrink_to(1 << 20);
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<(u64, u64)> {
        let full = |current: &Current, limit| {
            current.length > SEGMENT_HEADER as u64 && current.length.saturating_add(bytes.len() as u64) > limit
        };
        if self.current.as_ref().is_some_and(|current| full(current, self.limit)) {
            // What a later sync says of a recording must hold for all its segments.
            self.sync_current();
            self.current = None;
        }
        let current = match &mut self.current {
            Some(current) => current,
            none => {
                let number = self.next;
                self.next = self.next.saturating_add(1);
                let mut file = self.files.create(&segment_name(number))?;
                self.files.sync_folder()?;
                file.append(&segment_header(number))?;
                lock(&self.index).add_segment(number);
                none.insert(Current { number, file, length: SEGMENT_HEADER as u64, dirty: true })
            }
        };
        let start = current.length;
        current.dirty = true;
        current.file.append(bytes)?;
        current.length = start.saturating_add(bytes.len() as u64);
        Ok((current.number, start))
    }

    /// The current segment is not to be trusted further; what is in it may still be whole.
    fn abandon(&mut self, why: &str) {
        self.sync_current();
        if self.current.take().is_some() {
            tracing::warn!(why, "spool: on to a new segment");
        }
    }

    /// True if all that was written is on the disk.
    fn sync_current(&mut self) -> bool {
        let Some(current) = self.current.as_mut().filter(|current| current.dirty) else {
            return true;
        };
        match current.file.sync() {
            Ok(()) => {
                current.dirty = false;
                self.unsynced.clear();
                true
            }
            Err(error) => {
                // After a failed sync the system may have dropped what it could not write: a second one proves nothing.
                tracing::error!(%error, recordings = self.unsynced.len(), "spool: cannot sync");
                self.current = None;
                let mut inside = lock(&self.index);
                for recording in std::mem::take(&mut self.unsynced) {
                    inside.damage(recording, &error.to_string());
                    if inside.get(recording).is_some_and(|entry| entry.released) {
                        self.again.insert(recording);
                    }
                }
                false
            }
        }
    }

    /// Forces all to disk, says what became of the recordings that were finished, and deletes what nobody needs.
    pub fn sync(&mut self) -> Vec<Outcome> {
        self.urgent = false;
        self.write();
        let synced = self.sync_current();
        let finishing = std::mem::take(&mut self.finishing);
        let outcomes = {
            let inside = lock(&self.index);
            finishing
                .into_iter()
                .map(|(recording, length)| match inside.get(recording).map(|entry| entry.damage.clone()) {
                    Some(None) => Outcome::Durable { recording, length },
                    Some(Some(error)) => Outcome::Failed { recording, error },
                    None => Outcome::Failed { recording, error: "it never began".into() },
                })
                .collect()
        };
        if synced && self.again.is_empty() && std::mem::take(&mut self.release_pending) {
            self.sweep();
        }
        outcomes
    }

    fn sweep(&mut self) {
        let all_released = {
            let mut inside = lock(&self.index);
            inside.releases_are_durable();
            inside.is_all_released()
        };
        if all_released && self.current.as_ref().is_some_and(|current| current.length > WORTH_DELETING) {
            self.current = None;
        }
        let current = self.current.as_ref().map(|current| current.number);
        loop {
            let Some(number) = lock(&self.index).removable(current) else { return };
            let removed = self.files.remove(&segment_name(number));
            // Only when it is gone for good may a release of what was in it go too.
            if let Err(error) = removed.and_then(|()| self.files.sync_folder()) {
                tracing::warn!(%error, "spool: cannot delete a segment");
                return;
            }
            lock(&self.index).remove_segment(number);
        }
    }
}
