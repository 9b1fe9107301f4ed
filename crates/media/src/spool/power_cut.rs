//! A disk that forgets what was not synced, and refuses now and then: what was said to be durable is there afterwards,
//! once, whole; what was not is there up to some point, or not at all.

use super::files::{Append, Files};
use super::index::Index;
use super::log::{Log, Outcome};
use super::{Recovered, Spool, lock};
use crate::{Codec, RecordingId};
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Memory {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Content>,
    /// Names that are sure to be there after a power cut, and what they name.
    synced_folder: BTreeMap<String, Content>,
    /// The next so many writes or syncs succeed, then one fails.
    refuse_write: Option<u32>,
    refuse_sync: Option<u32>,
}

#[derive(Clone, Default)]
struct Content(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    written: Vec<u8>,
    synced: usize,
}

impl Memory {
    /// The power goes. Of what was not synced any part may be there: a beginning, with holes of zeros in it.
    fn power_cut(&self, random: &mut StdRng) {
        let mut disk = lock(&self.disk);
        let names: BTreeSet<String> = disk.files.keys().chain(disk.synced_folder.keys()).cloned().collect();
        let mut after = BTreeMap::new();
        for name in names {
            let (now, synced) = (disk.files.get(&name), disk.synced_folder.get(&name));
            // A name made or removed since the last sync of the folder may be there or not.
            let survives = match (now, synced) {
                (Some(now), Some(_)) => Some(now),
                (Some(file), None) | (None, Some(file)) => random.random_bool(0.5).then_some(file),
                (None, None) => None,
            };
            let Some(file) = survives else { continue };
            let content = lock(&file.0);
            let kept = random.random_range(content.synced..=content.written.len());
            let mut bytes = content.written[..kept].to_vec();
            if kept > content.synced && random.random_bool(0.3) {
                let hole = random.random_range(content.synced..kept);
                let end = random.random_range(hole..=kept);
                bytes[hole..end].fill(0);
            }
            let synced = bytes.len();
            after.insert(name, Content(Arc::new(Mutex::new(Stored { written: bytes, synced }))));
        }
        disk.files = after.clone();
        disk.synced_folder = after;
        (disk.refuse_write, disk.refuse_sync) = (None, None);
    }
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

/// Counts down; true when it is this one's turn to fail.
fn fails(countdown: &mut Option<u32>) -> bool {
    match countdown {
        Some(0) => {
            *countdown = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

impl Files for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.disk).files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        let mut disk = lock(&self.disk);
        if disk.files.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let content = Content::default();
        disk.files.insert(name.into(), content.clone());
        Ok(Box::new(Handle { disk: self.clone(), content }))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let content = lock(&self.disk).files.get(name).cloned().ok_or_else(gone)?;
        let bytes = lock(&content.0).written.clone();
        Ok(bytes)
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.read(name)?;
        let start = offset as usize;
        Ok(bytes.get(start..start + length).ok_or_else(gone)?.to_vec())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.disk).files.remove(name).map(drop).ok_or_else(gone)
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        disk.synced_folder = disk.files.clone();
        Ok(())
    }
}

struct Handle {
    disk: Memory,
    content: Content,
}

impl Append for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let refused = fails(&mut lock(&self.disk.disk).refuse_write);
        let mut content = lock(&self.content.0);
        if refused {
            content.written.extend_from_slice(&bytes[..bytes.len() / 2]);
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        content.written.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if fails(&mut lock(&self.disk.disk).refuse_sync) {
            // As after a failed fsync: the bytes can still be read, but a later sync does not bring them to the disk.
            return Err(io::Error::other("lost a page"));
        }
        let mut content = lock(&self.content.0);
        content.synced = content.written.len();
        Ok(())
    }
}

/// What a recording should look like.
#[derive(Clone, Default)]
struct Model {
    audio: Vec<u8>,
    metas: Vec<Bytes>,
    finish_asked: bool,
    outcome: Option<Outcome>,
    released: bool,
    /// The release was followed by a sync.
    forgotten: bool,
}

struct Run {
    memory: Memory,
    log: Log,
    index: Arc<Mutex<Index>>,
    models: BTreeMap<RecordingId, Model>,
    random: StdRng,
    /// Whether the disk refuses now and then, so that recordings may fail.
    refuses: bool,
}

const LIMIT: u64 = 3000;

impl Run {
    fn new(seed: u64, refuses: bool) -> Run {
        let memory = Memory::default();
        let index = Arc::new(Mutex::new(Index::default()));
        let (log, _) = Log::open(Arc::new(memory.clone()), index.clone(), LIMIT).unwrap();
        Run { memory, log, index, models: BTreeMap::new(), random: StdRng::seed_from_u64(seed), refuses }
    }

    fn pick(&mut self, wanted: impl Fn(&Model) -> bool) -> Option<RecordingId> {
        let all: Vec<RecordingId> = self.models.iter().filter(|(_, m)| wanted(m)).map(|(id, _)| *id).collect();
        (!all.is_empty()).then(|| all[self.random.random_range(0..all.len())])
    }

    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..10 => {
                let id = RecordingId(self.random.random());
                let meta = Bytes::from(format!("meta of {id}"));
                self.log.begin(id, Codec::Pcma, &meta, Arc::default());
                self.models.insert(id, Model { metas: vec![meta], ..Model::default() });
            }
            10..50 => {
                let Some(id) = self.pick(|m| !m.finish_asked) else { return };
                let length = self.random.random_range(1..200);
                let bytes: Vec<u8> = (0..length).map(|_| self.random.random()).collect();
                let model = self.models.get_mut(&id).unwrap();
                self.log.audio(id, Codec::Pcma, model.audio.len() as u64, &bytes);
                model.audio.extend(bytes);
            }
            50..55 => {
                let Some(id) = self.pick(|m| !m.released && m.outcome.is_none()) else { return };
                let meta = Bytes::from(format!("changed {}", self.random.random::<u32>()));
                self.log.annotate(id, &meta);
                self.models.get_mut(&id).unwrap().metas.push(meta);
            }
            55..65 => {
                let Some(id) = self.pick(|m| !m.finish_asked) else { return };
                let model = self.models.get_mut(&id).unwrap();
                model.finish_asked = true;
                self.log.finish(id, Codec::Pcma, model.audio.len() as u64);
            }
            65..75 => {
                let Some(id) = self.pick(|m| m.outcome.is_some() && !m.released) else { return };
                self.models.get_mut(&id).unwrap().released = true;
                self.log.release(id);
            }
            75..90 => self.log.write(),
            90..97 => self.sync(),
            _ if self.refuses => {
                let after = self.random.random_range(0..5);
                let mut disk = lock(&self.memory.disk);
                if self.random.random_bool(0.5) {
                    disk.refuse_write = Some(after);
                } else {
                    disk.refuse_sync = Some(after);
                }
            }
            _ => {}
        }
    }

    fn sync(&mut self) {
        let refused_before =
            lock(&self.memory.disk).refuse_write.is_some() || lock(&self.memory.disk).refuse_sync.is_some();
        for outcome in self.log.sync() {
            let (Outcome::Durable { recording, .. } | Outcome::Failed { recording, .. }) = outcome;
            let model = self.models.get_mut(&recording).unwrap();
            assert!(model.outcome.is_none(), "told twice");
            assert!(self.refuses || matches!(outcome, Outcome::Durable { .. }), "{outcome:?}");
            model.outcome = Some(outcome);
        }
        if !refused_before {
            self.models.values_mut().filter(|model| model.released).for_each(|model| model.forgotten = true);
        }
    }

    fn power_cut_and_check(&mut self) {
        self.memory.power_cut(&mut self.random);
        let index = Arc::new(Mutex::new(Index::default()));
        let (log, recovered) = Log::open(Arc::new(self.memory.clone()), index.clone(), LIMIT).unwrap();
        (self.log, self.index) = (log, index);
        let (spool, _) = Spool::open_on(Arc::new(self.memory.clone()), LIMIT, "memory").unwrap();
        let by_id: BTreeMap<RecordingId, &Recovered> = recovered.iter().map(|r| (r.recording, r)).collect();
        assert_eq!(by_id.len(), recovered.len(), "once only");
        for (id, model) in &self.models {
            let found = by_id.get(id);
            let durable = matches!(model.outcome, Some(Outcome::Durable { .. }));
            if durable && !model.released {
                let found = found.expect("what was said to be durable is there");
                assert!(found.finished);
                assert_eq!(found.length, model.audio.len() as u64);
                assert_eq!(Some(&found.meta), model.metas.last());
            }
            if model.forgotten && !self.refuses {
                assert!(found.is_none(), "what was forgotten came back");
            }
            if let Some(found) = found {
                assert!(model.metas.contains(&found.meta) || found.meta.is_empty());
                let read = spool.read(*id).unwrap().bytes;
                if self.refuses && (!durable || model.released) {
                    // Pieces that the disk refused are silence.
                    assert!(read.len() <= model.audio.len());
                } else {
                    assert_eq!(read, model.audio[..read.len()]);
                }
            }
        }
        assert!(by_id.keys().all(|id| self.models.contains_key(id)), "nothing comes from nowhere");
        drop(spool);
        // What is left goes on as after a restart: recovered recordings are finished by whoever recovers them.
        self.models.retain(|id, model| {
            let there = by_id.contains_key(id);
            model.finish_asked = true;
            model.outcome.get_or_insert(Outcome::Failed { recording: *id, error: "cut".into() });
            model.released &= !there;
            model.forgotten &= !there;
            there
        });
        for (id, model) in &mut self.models {
            // What is there now is what it is from now on.
            model.audio.truncate(by_id[id].length as usize);
            model.metas = vec![by_id[id].meta.clone()];
        }
    }
}

fn run(seeds: std::ops::Range<u64>, refuses: bool) {
    for seed in seeds {
        let mut run = Run::new(seed, refuses);
        for _ in 0..4 {
            let steps = run.random.random_range(1..150);
            (0..steps).for_each(|_| run.step());
            run.power_cut_and_check();
        }
    }
}

#[test]
fn what_was_said_to_be_durable_survives_power_cuts_at_any_moment() {
    run(0..100, false);
}

#[test]
fn it_does_so_too_on_a_disk_that_refuses_writes_and_syncs() {
    run(1000..1100, true);
}

#[test]
fn segments_go_once_all_that_is_in_them_was_released() {
    let mut run = Run::new(1, false);
    for n in 0..50u128 {
        run.log.begin(RecordingId(n), Codec::Pcma, &Bytes::new(), Arc::default());
        run.log.audio(RecordingId(n), Codec::Pcma, 0, &[1; 500]);
        run.log.finish(RecordingId(n), Codec::Pcma, 500);
        run.log.write();
    }
    run.log.sync();
    assert!(run.memory.list().unwrap().len() >= 8);
    for n in 0..50u128 {
        run.log.release(RecordingId(n));
    }
    run.log.sync();
    assert_eq!(run.memory.list().unwrap().len(), 1, "only the one in use is left");
    assert_eq!(lock(&run.index).recordings().count(), 0);
}

#[test]
fn one_that_is_kept_keeps_only_its_own_segments() {
    let mut run = Run::new(1, false);
    for n in 0..50u128 {
        run.log.begin(RecordingId(n), Codec::Pcma, &Bytes::new(), Arc::default());
        run.log.audio(RecordingId(n), Codec::Pcma, 0, &[1; 500]);
        run.log.finish(RecordingId(n), Codec::Pcma, 500);
        run.log.write();
    }
    run.log.sync();
    for n in (0..50u128).filter(|n| *n != 20) {
        run.log.release(RecordingId(n));
    }
    run.log.sync();
    assert!(run.memory.list().unwrap().len() <= 3);
}

#[test]
fn a_write_that_is_refused_once_is_made_up_for_in_a_new_segment() {
    let mut run = Run::new(1, false);
    let (safe, hurt) = (RecordingId(1), RecordingId(2));
    let failed: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    run.log.begin(safe, Codec::Pcma, &Bytes::new(), Arc::default());
    run.log.audio(safe, Codec::Pcma, 0, &[1; 500]);
    run.log.begin(hurt, Codec::Pcma, &Bytes::new(), failed.clone());
    run.log.write();
    run.log.audio(hurt, Codec::Pcma, 0, &[2; 500]);
    lock(&run.memory.disk).refuse_write = Some(0);
    run.log.write();
    run.log.finish(hurt, Codec::Pcma, 500);
    run.log.finish(safe, Codec::Pcma, 500);
    let outcomes = run.log.sync();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Durable { .. })));
    assert!(!failed.load(std::sync::atomic::Ordering::Relaxed));
}

struct Refusing(Memory);

impl Files for Refusing {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }
    fn create(&self, _: &str) -> io::Result<Box<dyn Append>> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.read(name)
    }
    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(name, offset, length)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
    fn sync_folder(&self) -> io::Result<()> {
        self.0.sync_folder()
    }
}

#[test]
fn a_failed_sync_hurts_only_what_was_written_since_the_last() {
    let mut run = Run::new(1, false);
    let (before, hurt, after) = (RecordingId(1), RecordingId(2), RecordingId(3));
    for (id, refuse) in [(before, None), (hurt, Some(0)), (after, None)] {
        run.log.begin(id, Codec::Pcma, &Bytes::new(), Arc::default());
        run.log.audio(id, Codec::Pcma, 0, &[1; 50]);
        run.log.finish(id, Codec::Pcma, 50);
        lock(&run.memory.disk).refuse_sync = refuse;
        let durable = matches!(run.log.sync()[..], [Outcome::Durable { .. }]);
        assert_eq!(durable, refuse.is_none(), "{id}");
    }
}

#[test]
fn on_a_full_disk_every_recording_hears_that_it_failed_and_the_spool_lives_on() {
    let memory = Memory::default();
    let (mut log, _) = Log::open(Arc::new(Refusing(memory.clone())), Arc::default(), LIMIT).unwrap();
    let failed: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    log.begin(RecordingId(1), Codec::Pcma, &Bytes::new(), failed.clone());
    log.write();
    assert!(failed.load(std::sync::atomic::Ordering::Relaxed));
    log.finish(RecordingId(1), Codec::Pcma, 0);
    assert!(matches!(log.sync()[..], [Outcome::Failed { .. }]));
    assert!(memory.list().unwrap().is_empty());
}
