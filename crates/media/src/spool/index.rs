//! What is where in the spool: kept in memory, made anew from the segments at every start.

use super::frame::{FRAME_HEADER, Frame, Kind};
use crate::{Codec, RecordingId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One frame of audio.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub segment: u64,
    /// Of the frame in the segment.
    pub offset: u64,
    /// Of the whole frame.
    pub length: usize,
}

#[derive(Debug)]
pub struct Entry {
    pub codec: Codec,
    pub meta: Bytes,
    annotated: bool,
    /// Bytes of audio, up to the end of the last piece.
    pub length: u64,
    pub finished: bool,
    pub pieces: Vec<Piece>,
    /// Segments that hold anything of it.
    segments: BTreeSet<u64>,
    /// Asked to be forgotten.
    pub released: bool,
    /// The release is on disk, so that segments may go.
    forgotten: bool,
    /// Why it can not be said to be whole.
    pub damage: Option<String>,
    /// Told to whoever writes it.
    pub failed: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Segment {
    data: BTreeSet<RecordingId>,
    releases: BTreeSet<RecordingId>,
}

#[derive(Debug, Default)]
pub struct Index {
    recordings: BTreeMap<RecordingId, Entry>,
    segments: BTreeMap<u64, Segment>,
}

impl Index {
    pub fn get(&self, recording: RecordingId) -> Option<&Entry> {
        self.recordings.get(&recording)
    }

    pub fn recordings(&self) -> impl Iterator<Item = (RecordingId, &Entry)> {
        self.recordings.iter().map(|(recording, entry)| (*recording, entry))
    }

    pub fn add_segment(&mut self, segment: u64) {
        self.segments.entry(segment).or_default();
    }

    /// Everything that there is may be forgotten.
    pub fn is_all_released(&self) -> bool {
        self.recordings.values().all(|entry| entry.released)
    }

    /// A recording begins; what is written of it says whether it was known before.
    pub fn begin(&mut self, recording: RecordingId, failed: Arc<AtomicBool>) {
        self.entry(recording, Codec::Pcma).failed = failed;
    }

    fn entry(&mut self, recording: RecordingId, codec: Codec) -> &mut Entry {
        self.recordings.entry(recording).or_insert_with(|| Entry {
            codec,
            meta: Bytes::new(),
            annotated: false,
            length: 0,
            finished: false,
            pieces: Vec::new(),
            segments: BTreeSet::new(),
            released: false,
            forgotten: false,
            damage: None,
            failed: Arc::default(),
        })
    }

    /// A frame is in a segment.
    pub fn add(&mut self, frame: &Frame<'_>, segment: u64, offset: u64) {
        let place = self.segments.entry(segment).or_default();
        if frame.kind == Kind::Release {
            place.releases.insert(frame.recording);
            self.release(frame.recording);
            return;
        }
        place.data.insert(frame.recording);
        let entry = self.entry(frame.recording, frame.codec);
        entry.segments.insert(segment);
        match frame.kind {
            Kind::Begin => {
                entry.codec = frame.codec;
                if !entry.annotated {
                    entry.meta = Bytes::copy_from_slice(frame.payload);
                }
            }
            Kind::Audio => {
                entry.length = entry.length.max(frame.position.saturating_add(frame.payload.len() as u64));
                let length = FRAME_HEADER + frame.payload.len();
                entry.pieces.push(Piece { segment, offset, length });
            }
            Kind::Meta => {
                entry.meta = Bytes::copy_from_slice(frame.payload);
                entry.annotated = true;
            }
            Kind::Finish => entry.finished = true,
            Kind::Release => {}
        }
    }

    /// The recording may be forgotten.
    pub fn release(&mut self, recording: RecordingId) {
        if let Some(entry) = self.recordings.get_mut(&recording) {
            entry.released = true;
        }
    }

    /// The recording is not whole on the disk, or can not be said to be.
    pub fn damage(&mut self, recording: RecordingId, why: &str) {
        if let Some(entry) = self.recordings.get_mut(&recording) {
            entry.damage.get_or_insert_with(|| why.to_owned());
            entry.failed.store(true, Ordering::Relaxed);
        }
    }

    /// Releases so far are on the disk.
    pub fn releases_are_durable(&mut self) {
        for entry in self.recordings.values_mut().filter(|entry| entry.released) {
            entry.forgotten = true;
        }
        // Those of which nothing was ever written.
        self.recordings.retain(|_, entry| !(entry.forgotten && entry.segments.is_empty()));
    }

    /// The next segment that nothing keeps: all that it holds is forgotten, and no release in it is needed to keep
    /// something in another segment forgotten.
    pub fn removable(&self, current: Option<u64>) -> Option<u64> {
        let forgotten = |id: &RecordingId| self.recordings.get(id).is_none_or(|entry| entry.forgotten);
        let (number, _) = self.segments.iter().find(|(number, segment)| {
            let needed = |id: &RecordingId| {
                self.recordings.get(id).is_some_and(|entry| entry.segments.iter().any(|other| other != *number))
            };
            Some(**number) != current && segment.data.iter().all(forgotten) && !segment.releases.iter().any(needed)
        })?;
        Some(*number)
    }

    pub fn remove_segment(&mut self, number: u64) {
        self.segments.remove(&number);
        self.recordings.retain(|_, entry| {
            let held = entry.segments.remove(&number);
            !(held && entry.forgotten && entry.segments.is_empty())
        });
    }
}
