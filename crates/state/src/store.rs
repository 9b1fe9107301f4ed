use crate::writer::{Commit, Place, WriterState};
use crossbeam_channel::{Sender, TrySendError, bounded};
use database::{Error, OpenError, Schema, Server};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};

pub(crate) const SCHEMA: Schema = Schema {
    name: "the configuration database",
    // "EcSt"
    id: 0x4563_5374,
    steps: &["CREATE TABLE state(
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID"],
    // A value that was removed stays as NULL, so that whoever follows hears of it.
    postgres: &["
        CREATE TABLE state(
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT,
            seq BIGINT NOT NULL,
            writer TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        );
        CREATE INDEX state_seq ON state(seq);
        -- The number of the last commit. Whoever writes holds this row: commits are numbered in their order.
        CREATE TABLE state_feed(last BIGINT NOT NULL);
        INSERT INTO state_feed VALUES (0);
    "],
    oldest: 1,
};

/// Commits that may wait for the writer. A role that changes more than this during one sync is told so by
/// [`CommitError::Overloaded`] rather than growing without end.
const QUEUE: usize = 65_536;

/// One value put (`Some`) or removed (`None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the value is of: "extension", "registration", "lamp" ...
    pub kind: &'static str,
    /// Which one of its kind.
    pub key: String,
    /// JSON.
    pub value: Option<String>,
}

impl Change {
    pub fn put(kind: &'static str, key: impl Into<String>, value: impl Into<String>) -> Change {
        Change { kind, key: key.into(), value: Some(value.into()) }
    }

    pub fn remove(kind: &'static str, key: impl Into<String>) -> Change {
        Change { kind, key: key.into(), value: None }
    }
}

/// Why changes are not durable. None of the call's changes is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Writing failed: disk full, input/output error. The caller may try again.
    #[error("the configuration could not be written: {0}")]
    Write(String),
    /// More commits wait than the disk can take. The caller may try again later.
    #[error("the configuration could not be written: too many changes wait for the disk")]
    Overloaded,
    /// Another server has changed one of these values since they were read here. Read them again.
    #[error("another server has just changed the same; look again, and try again")]
    Conflict,
    /// An earlier commit of its chain failed, which it was built on.
    #[error("the configuration could not be written: a change before this one was not")]
    Before,
    /// The writer has ended, because it panicked or the process ends.
    #[error("the configuration could not be written: the store is closed")]
    Closed,
}

/// Told once, on the writer's thread, after the changes are durable or have failed. It must return soon: it holds up
/// the writer.
pub type Done = Box<dyn FnOnce(Result<(), CommitError>) + Send>;

/// Told that values are other than what was read or committed here: another server has changed some, or a commit failed.
pub type Listener = Box<dyn Fn() + Send + Sync>;

/// The state of one role, or of several ([`Store::member`]). Cloning is cheap; all clones are the same store. Dropping the
/// last one waits for what was committed and releases the file.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    member: Arc<Member>,
}

/// One of those that use a store: of several servers on it, in this process or in others.
pub(crate) struct Member {
    /// Its name, where others have the same store.
    name: Option<String>,
    /// Tells its commits from the others'.
    pub mark: String,
    /// What it last read was of this commit.
    seen: AtomicI64,
    listener: Mutex<Option<Listener>>,
    /// Its chains up to this one have lost a commit.
    pub broken: AtomicU64,
    /// Commits that are under way.
    pub pending: AtomicUsize,
    /// It has read while some of its own commits were: it did not read those.
    pub again: AtomicBool,
    /// It has not been told yet that what it has is not what is durable.
    pub untold: AtomicBool,
}

impl Member {
    fn new(name: Option<String>, seen: i64) -> Arc<Member> {
        Arc::new(Member {
            name,
            mark: format!("{:016x}", rand::random::<u64>()),
            seen: AtomicI64::new(seen),
            listener: Mutex::default(),
            broken: AtomicU64::default(),
            pending: AtomicUsize::default(),
            again: AtomicBool::default(),
            untold: AtomicBool::default(),
        })
    }
}

struct Shared {
    image: Arc<Image>,
    /// None for a store in memory.
    writer: Option<Writer>,
    /// A store in memory refuses commits while this is set.
    refuses: Arc<AtomicBool>,
}

/// What is durable, by kind and key.
#[derive(Default)]
pub(crate) struct Image {
    kinds: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Of the last commit that it shows.
    position: AtomicI64,
    members: Mutex<Vec<Weak<Member>>>,
    /// Outside PostgreSQL, and only where there are several: by whom and in which commit a value was written last.
    written: Mutex<Written>,
}

/// The last commit of each value, and whose it was.
type Written = BTreeMap<(&'static str, String), (i64, String)>;

struct Writer {
    /// Taken when the store is dropped, which ends the thread.
    commits: Option<Sender<Commit>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens or creates the database file at `path`.
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        Store::start(Place::File(path.to_owned()), None)
    }

    /// The state in PostgreSQL, which other servers use as well. `name` is this server's, for what each has of its own.
    pub fn connect(server: &Server, name: &str) -> Result<Store, OpenError> {
        Store::start(Place::Server(server.clone()), Some(name.to_owned()))
    }

    fn start(place: Place, server: Option<String>) -> Result<Store, OpenError> {
        let (commits, inbox) = bounded(QUEUE);
        let (opened, result) = bounded(1);
        let failed = place.failure();
        // The writer opens the database too: it has a runtime of its own, so the caller may or may not be on one.
        let thread = thread::Builder::new()
            .name("state-writer".into())
            .spawn(move || {
                // Sending can't fail: the opener waits below.
                match WriterState::new(&place) {
                    Ok(writer) => {
                        let _ = opened.send(Ok(writer.image.clone()));
                        writer.run(&inbox);
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
            })
            .map_err(|error| failed(error.into()))?;
        let image: Arc<Image> = result.recv().map_err(|_| failed(Error::WorkerCrashed))??;
        let writer = Some(Writer { commits: Some(commits), thread: Some(thread) });
        Ok(Store::of(Shared { image, writer, refuses: Arc::default() }, server))
    }

    fn of(shared: Shared, name: Option<String>) -> Store {
        let member = shared.image.join(name);
        Store { shared: Arc::new(shared), member }
    }

    /// The same store for another server in this process, as if it were in another one: it hears of what the others change,
    /// and what it changes is refused where they were quicker. `name` as for [`Store::connect`].
    #[must_use]
    pub fn member(&self, name: &str) -> Store {
        Store { shared: self.shared.clone(), member: self.shared.image.join(Some(name.to_owned())) }
    }

    /// The server's name, where others have the same store; None: it is this server's alone.
    pub fn server(&self) -> Option<&str> {
        self.member.name.as_deref()
    }

    /// Who is to be told, on the writer's thread, that what was read is no longer so. One only; it must return soon.
    pub fn on_change(&self, listener: Listener) {
        *self.member.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Reads anew. What is committed afterwards is built on what was read: if another server has changed one of the same
    /// values since, it is refused ([`CommitError::Conflict`]). If `read` fails, all stays built on what was read before.
    pub fn read_anew<T, E>(&self, read: impl FnOnce(&Store) -> Result<T, E>) -> Result<T, E> {
        if self.member.pending.load(Ordering::SeqCst) > 0 {
            self.member.again.store(true, Ordering::SeqCst);
        }
        // Of before: what comes while it reads may be in it, or not.
        let position = self.shared.image.position();
        let values = read(self)?;
        self.member.seen.store(position, Ordering::SeqCst);
        Ok(values)
    }

    /// An empty store that forgets all when dropped, for tests. Its callbacks are called before `commit` returns.
    pub fn memory() -> Store {
        Store::memory_that_refuses(Arc::default())
    }

    /// As [`Store::memory`], but commits fail while the flag is set.
    pub fn memory_that_refuses(refuses: Arc<AtomicBool>) -> Store {
        Store::of(Shared { image: Arc::default(), writer: None, refuses }, None)
    }

    /// All values of a kind that are durable, by key in byte order. From memory; costs a copy.
    pub fn load(&self, kind: &str) -> Vec<(String, String)> {
        self.read(kind, |key, value| (key.to_owned(), value.to_owned()))
    }

    /// The same without the copy: what `read` makes of each key and value. It must return soon, for the writer waits.
    pub fn read<T>(&self, kind: &str, mut read: impl FnMut(&str, &str) -> T) -> Vec<T> {
        let kinds = self.shared.image.lock();
        kinds.get(kind).into_iter().flatten().map(|(key, value)| read(key, value)).collect()
    }

    /// One value that is durable.
    pub fn get(&self, kind: &str, key: &str) -> Option<String> {
        self.shared.image.lock().get(kind)?.get(key).cloned()
    }

    /// Makes the changes durable, all or none, and calls `done` afterwards. Returns at once. Commits become durable in
    /// the order of the calls.
    pub fn commit(&self, changes: Vec<Change>, done: Done) {
        self.commit_of_chain(0, changes, done);
    }

    /// A chain of which no commit was lost.
    pub fn new_chain(&self) -> u64 {
        self.member.broken.load(Ordering::SeqCst).saturating_add(1)
    }

    /// As [`Store::commit`], for commits that are built on each other: when one of a chain (see [`Store::new_chain`]; 0 is
    /// none) fails, those of it that still wait fail too, and those that are yet to come. Whoever is told of the failure
    /// goes back to what is durable, and begins a new chain.
    pub fn commit_of_chain(&self, chain: u64, changes: Vec<Change>, done: Done) {
        let Some(writer) = &self.shared.writer else { return self.commit_in_memory(chain, changes, done) };
        let Some(commits) = &writer.commits else { return done(Err(CommitError::Closed)) };
        let (member, based) = (self.member.clone(), self.member.seen.load(Ordering::SeqCst));
        member.pending.fetch_add(1, Ordering::SeqCst);
        let sent = commits.try_send(Commit { changes, chain, member, based, done });
        if sent.is_err() {
            self.member.pending.fetch_sub(1, Ordering::SeqCst);
        }
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(commit)) => {
                // What was built on it must not be kept without it.
                self.member.broken.fetch_max(commit.chain, Ordering::SeqCst);
                (commit.done)(Err(CommitError::Overloaded));
            }
            Err(TrySendError::Disconnected(commit)) => (commit.done)(Err(CommitError::Closed)),
        }
    }

    fn commit_in_memory(&self, chain: u64, changes: Vec<Change>, done: Done) {
        let broken = &self.member.broken;
        if self.shared.refuses.load(Ordering::SeqCst) {
            broken.fetch_max(chain, Ordering::SeqCst);
            return done(Err(CommitError::Write("it refuses".into())));
        }
        if chain > 0 && chain <= broken.load(Ordering::SeqCst) {
            return done(Err(CommitError::Before));
        }
        let image = &self.shared.image;
        let based = self.member.seen.load(Ordering::SeqCst);
        if changes.iter().any(|change| image.is_newer(change, based, &self.member.mark)) {
            self.member.untold.store(true, Ordering::SeqCst);
            done(Err(CommitError::Conflict));
            return image.tell(&BTreeSet::new());
        }
        image.apply_next(changes, &self.member.mark);
        done(Ok(()));
        image.tell(&BTreeSet::from([self.member.mark.clone()]));
    }

    /// Commits that wait for the writer.
    pub fn waiting(&self) -> usize {
        let commits = self.shared.writer.as_ref().and_then(|writer| writer.commits.as_ref());
        commits.map_or(0, Sender::len)
    }

    /// Makes the changes durable before it returns. For commands and start-up: it waits for the disk.
    pub fn commit_now(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let (sender, receiver) = bounded(1);
        self.commit(
            changes,
            Box::new(move |result| {
                // The receiver waits below: it can't be gone.
                let _ = sender.send(result);
            }),
        );
        receiver.recv().unwrap_or(Err(CommitError::Closed))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        writer.commits = None;
        if let Some(thread) = writer.thread.take() {
            // A callback may have held the last handle: the writer can't wait for itself.
            if thread.thread().id() != thread::current().id() {
                // A panic there was its own report, and every later commit was answered by Closed.
                let _ = thread.join();
            }
        }
    }
}

impl Image {
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::SeqCst)
    }

    /// Shows values as another server, or this one before, has left them, up to a commit.
    pub fn show(&self, rows: Vec<(String, String, Option<String>)>, position: i64) {
        let mut kinds = self.lock();
        for (kind, key, value) in rows {
            let values = kinds.entry(kind).or_default();
            match value {
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
        }
        drop(kinds);
        self.position.store(position, Ordering::SeqCst);
    }

    fn join(&self, name: Option<String>) -> Arc<Member> {
        let member = Member::new(name, self.position());
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|member| member.strong_count() > 0);
        members.push(Arc::downgrade(&member));
        member
    }

    /// After commits of these: the other members, and those that are behind their own.
    pub fn tell(&self, writers: &BTreeSet<String>) {
        let members: Vec<Arc<Member>> = {
            let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
            members.iter().filter_map(Weak::upgrade).collect()
        };
        for member in members {
            let untold = member.untold.swap(false, Ordering::SeqCst);
            if (untold || writers.iter().any(|writer| *writer != member.mark))
                && let Some(listener) = &*member.listener.lock().unwrap_or_else(PoisonError::into_inner)
            {
                listener();
            }
        }
    }

    /// Outside PostgreSQL: whether another member has written the value after this commit.
    pub fn is_newer(&self, change: &Change, based: i64, mark: &str) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly always: nobody shares it.
        if written.is_empty() {
            return false;
        }
        let last = written.get(&(change.kind, change.key.clone()));
        last.is_some_and(|(seq, writer)| *seq > based && writer != mark)
    }

    /// Outside PostgreSQL: the next commit, by the member with this mark.
    pub fn apply_next(&self, changes: Vec<Change>, mark: &str) {
        if self.members.lock().unwrap_or_else(PoisonError::into_inner).len() > 1 {
            let next = self.position().saturating_add(1);
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.extend(changes.iter().map(|change| ((change.kind, change.key.clone()), (next, mark.to_owned()))));
        }
        self.apply(changes);
        self.position.fetch_add(1, Ordering::SeqCst);
    }

    pub fn apply(&self, changes: Vec<Change>) {
        let mut kinds = self.lock();
        for Change { kind, key, value } in changes {
            match value {
                Some(value) => {
                    kinds.entry(kind.to_owned()).or_default().insert(key, value);
                }
                None => {
                    if let Some(values) = kinds.get_mut(kind) {
                        values.remove(&key);
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        // Each change to the maps is whole: a panic elsewhere while the lock was held leaves nothing half done.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::ROWS;
    use std::time::Instant;

    fn values(store: &Store) -> Vec<(String, String)> {
        store.load("lamp")
    }

    #[test]
    fn what_was_committed_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        let store = Store::open(&path).unwrap();
        store.commit_now(vec![Change::put("lamp", "27001", "1"), Change::put("lamp", "27000", "2")]).unwrap();
        store.commit(vec![Change::remove("lamp", "27001"), Change::put("route", "55", "{}")], Box::new(|_| {}));
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(values(&store), [("27000".to_owned(), "2".to_owned())]);
        assert_eq!(store.load("route").len(), 1);
        assert!(store.load("unknown").is_empty());
    }

    #[test]
    fn a_value_is_read_from_the_moment_its_commit_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        for store in [Store::memory(), Store::open(&folder.path().join("node.db")).unwrap()] {
            let (sender, receiver) = bounded(1);
            let reader = store.clone();
            store.commit(
                vec![Change::put("lamp", "27000", "3")],
                Box::new(move |result| sender.send((result, values(&reader))).unwrap()),
            );
            assert_eq!(receiver.recv().unwrap(), (Ok(()), vec![("27000".into(), "3".into())]));
        }
    }

    #[test]
    fn commits_that_wait_share_a_sync_and_the_last_value_wins() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("node.db")).unwrap();
        let begun = Instant::now();
        let done = Arc::new(AtomicUsize::new(0));
        for n in 0..10_000 {
            let done = done.clone();
            store.commit(
                vec![Change::put("lamp", (n % 10).to_string(), n.to_string())],
                Box::new(move |result| {
                    result.unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }),
            );
        }
        store.commit_now(Vec::new()).unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 10_000, "answered in order");
        assert!(values(&store).iter().all(|(key, value)| *value == format!("999{key}")));
        // No timed test; shown with --nocapture.
        println!("10,000 commits in {:?}", begun.elapsed());
    }

    #[test]
    fn after_a_lost_commit_nothing_of_its_chain_is_kept_and_the_next_chain_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("node.db")).unwrap();
        let (sender, results) = crossbeam_channel::unbounded();
        let commit = |chain, key: &str| {
            let (sender, name) = (sender.clone(), key.to_owned());
            let done = move |result: Result<(), CommitError>| sender.send((name, result)).unwrap();
            store.commit_of_chain(chain, vec![Change::put("extension", key, "{}")], Box::new(done));
        };
        commit(1, "kept");
        assert_eq!(results.recv().unwrap(), ("kept".into(), Ok(())));
        // As when the disk refuses a commit.
        store.member.broken.fetch_max(1, Ordering::SeqCst);
        commit(1, "built on it");
        commit(0, "of no chain");
        commit(2, "anew");
        let mut answers: Vec<_> = (0..3).map(|_| results.recv().unwrap()).collect();
        answers.sort_by_key(|(name, _)| name.clone());
        let expected = [("anew", Ok(())), ("built on it", Err(CommitError::Before)), ("of no chain", Ok(()))];
        assert_eq!(answers, expected.map(|(name, result)| (name.to_owned(), result)));
        let keys: Vec<String> = store.load("extension").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["anew", "kept", "of no chain"]);
    }

    #[test]
    fn rows_are_all_written_whatever_their_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        let store = Store::open(&path).unwrap();
        for count in [1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 5] {
            let rows = (0..count).map(|n| Change::put("lamp", format!("{count}-{n}"), n.to_string()));
            store.commit_now(rows.collect()).unwrap();
        }
        drop(store);
        assert_eq!(Store::open(&path).unwrap().load("lamp").len(), 6 * ROWS + 6);
    }

    #[test]
    fn a_callback_may_hold_the_last_handle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        let store = Store::open(&path).unwrap();
        let (sender, receiver) = bounded(1);
        let (gate, wait) = bounded::<()>(1);
        let last = store.clone();
        store.commit(
            Vec::new(),
            Box::new(move |_| {
                wait.recv().unwrap();
                drop(last);
                sender.send(()).unwrap();
            }),
        );
        drop(store);
        gate.send(()).unwrap();
        receiver.recv().unwrap();
    }

    #[tokio::test]
    async fn a_store_may_be_opened_and_dropped_on_a_runtime() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(&folder.path().join("node.db")).unwrap());
    }

    #[test]
    fn a_file_in_use_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        let _first = Store::open(&path).unwrap();
        let error = Store::open(&path).err().unwrap().to_string();
        assert_eq!(error, format!("the configuration database {} is in use by another process", path.display()));
    }
}
