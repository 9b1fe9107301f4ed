use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use database::{Database, Error, OpenError, Pool, Schema, values};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

const SCHEMA: Schema = Schema {
    name: "the configuration database",
    // "EcSt"
    id: 0x4563_5374,
    steps: &["CREATE TABLE state(
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID"],
    postgres: &[],
    oldest: 0,
};

/// Commits that may wait for the writer. A role that changes more than this during one sync is told so by
/// [`CommitError::Overloaded`] rather than growing without end.
const QUEUE: usize = 65_536;

/// Rows that are written by one statement.
const ROWS: usize = 32;

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

/// The state of one role. Cloning is cheap; all clones are the same store. Dropping the last one waits for what was
/// committed and releases the file.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    image: Arc<Image>,
    /// None for a store in memory.
    writer: Option<Writer>,
    /// Chains up to this one have lost a commit.
    broken: Arc<AtomicU64>,
    /// A store in memory refuses commits while this is set.
    refuses: Arc<AtomicBool>,
}

/// What is durable, by kind and key.
#[derive(Default)]
struct Image {
    kinds: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    watchers: Mutex<Vec<Watcher>>,
}

/// Told after each commit.
type Watcher = Box<dyn Fn() + Send>;

struct Writer {
    /// Taken when the store is dropped, which ends the thread.
    commits: Option<Sender<Commit>>,
    thread: Option<JoinHandle<()>>,
}

struct Commit {
    changes: Vec<Change>,
    /// 0: of no chain.
    chain: u64,
    done: Done,
}

impl Store {
    /// Opens or creates the database file at `path`.
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        let (commits, inbox) = bounded(QUEUE);
        let (opened, result) = bounded(1);
        let file = path.to_owned();
        let broken = Arc::new(AtomicU64::new(0));
        let lost = broken.clone();
        // The writer opens the file too: it has a runtime of its own, so the caller may or may not be on one.
        let thread = thread::Builder::new()
            .name("state-writer".into())
            .spawn(move || {
                // Sending can't fail: the opener waits below.
                match WriterState::new(&file) {
                    Ok(writer) => {
                        let _ = opened.send(Ok(writer.image.clone()));
                        writer.run(&inbox, &lost);
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
            })
            .map_err(|error| failed(path, error.into()))?;
        let image = result.recv().map_err(|_| failed(path, Error::WorkerCrashed))??;
        let writer = Some(Writer { commits: Some(commits), thread: Some(thread) });
        Ok(Store { shared: Arc::new(Shared { image, writer, broken, refuses: Arc::default() }) })
    }

    /// An empty store that forgets all when dropped, for tests. Its callbacks are called before `commit` returns.
    pub fn memory() -> Store {
        Store::memory_that_refuses(Arc::default())
    }

    /// As [`Store::memory`], but commits fail while the flag is set.
    pub fn memory_that_refuses(refuses: Arc<AtomicBool>) -> Store {
        let shared = Shared { image: Arc::default(), writer: None, broken: Arc::default(), refuses };
        Store { shared: Arc::new(shared) }
    }

    /// All values of a kind that are durable, by key in byte order. From memory; costs a copy.
    pub fn load(&self, kind: &str) -> Vec<(String, String)> {
        let kinds = self.shared.image.lock();
        kinds.get(kind).into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Calls `changed` after each commit that is durable, whoever made it: for several roles on one store. It is called on
    /// the writer's thread, and must return soon.
    pub fn watch(&self, changed: impl Fn() + Send + 'static) {
        self.shared.image.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(changed));
    }

    /// Makes the changes durable, all or none, and calls `done` afterwards. Returns at once. Commits become durable in
    /// the order of the calls.
    pub fn commit(&self, changes: Vec<Change>, done: Done) {
        self.commit_of_chain(0, changes, done);
    }

    /// A chain of which no commit was lost.
    pub fn new_chain(&self) -> u64 {
        self.shared.broken.load(Ordering::SeqCst).saturating_add(1)
    }

    /// As [`Store::commit`], for commits that are built on each other: when one of a chain (see [`Store::new_chain`]; 0 is
    /// none) fails, those of it that still wait fail too, and those that are yet to come. Whoever is told of the failure
    /// goes back to what is durable, and begins a new chain.
    pub fn commit_of_chain(&self, chain: u64, changes: Vec<Change>, done: Done) {
        let Some(writer) = &self.shared.writer else { return self.commit_in_memory(chain, changes, done) };
        let Some(commits) = &writer.commits else { return done(Err(CommitError::Closed)) };
        match commits.try_send(Commit { changes, chain, done }) {
            Ok(()) => {}
            Err(TrySendError::Full(commit)) => {
                // What was built on it must not be kept without it.
                self.shared.broken.fetch_max(commit.chain, Ordering::SeqCst);
                (commit.done)(Err(CommitError::Overloaded));
            }
            Err(TrySendError::Disconnected(commit)) => (commit.done)(Err(CommitError::Closed)),
        }
    }

    fn commit_in_memory(&self, chain: u64, changes: Vec<Change>, done: Done) {
        let broken = &self.shared.broken;
        if self.shared.refuses.load(Ordering::SeqCst) {
            broken.fetch_max(chain, Ordering::SeqCst);
            return done(Err(CommitError::Write("it refuses".into())));
        }
        if chain > 0 && chain <= broken.load(Ordering::SeqCst) {
            return done(Err(CommitError::Before));
        }
        self.shared.image.apply(changes);
        done(Ok(()));
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
    async fn read(pool: &Pool) -> Result<Image, Error> {
        let rows: Vec<(String, String, String)> = pool.all("SELECT kind, key, value FROM state", values![]).await?;
        let image = Image::default();
        let mut kinds = image.lock();
        for (kind, key, value) in rows {
            kinds.entry(kind).or_default().insert(key, value);
        }
        drop(kinds);
        Ok(image)
    }

    fn apply(&self, changes: Vec<Change>) {
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
        drop(kinds);
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.iter().for_each(|changed| changed());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        // Each change to the maps is whole: a panic elsewhere while the lock was held leaves nothing half done.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(path: &Path, reason: Error) -> OpenError {
    OpenError::Failed { name: SCHEMA.name, path: path.to_owned(), reason }
}

/// What the writer's thread holds.
struct WriterState {
    runtime: tokio::runtime::Runtime,
    pool: Pool,
    image: Arc<Image>,
    /// Keeps other processes out until the thread ends.
    _database: Database,
}

impl WriterState {
    fn new(path: &Path) -> Result<WriterState, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(path, error.into()))?;
        let (database, pool, image) = runtime.block_on(async {
            let database = Database::open(path, &SCHEMA).await?;
            let pool = database.single(&SCHEMA).await.map_err(|error| failed(path, error))?;
            let image = Image::read(&pool).await.map_err(|error| failed(path, error))?;
            Ok::<_, OpenError>((database, pool, Arc::new(image)))
        })?;
        Ok(WriterState { runtime, pool, image, _database: database })
    }

    /// Everything that waits goes into one transaction, with one sync.
    fn run(self, inbox: &Receiver<Commit>, broken: &AtomicU64) {
        while let Ok(first) = inbox.recv() {
            let lost = broken.load(Ordering::SeqCst);
            let mut group = Vec::new();
            for commit in std::iter::once(first).chain(inbox.try_iter()) {
                if commit.chain > 0 && commit.chain <= lost {
                    (commit.done)(Err(CommitError::Before));
                } else {
                    group.push(commit);
                }
            }
            if group.is_empty() {
                continue;
            }
            let result = self.runtime.block_on(commit(&self.pool, &group)).map_err(|error| {
                let text = error.as_database_error().map(|error| error.message().to_owned());
                CommitError::Write(text.unwrap_or_else(|| error.to_string()))
            });
            if result.is_err() {
                let chain = group.iter().map(|commit| commit.chain).max().unwrap_or(0);
                broken.fetch_max(chain, Ordering::SeqCst);
            }
            for Commit { changes, done, .. } in group {
                if result.is_ok() {
                    self.image.apply(changes);
                }
                done(result.clone());
            }
        }
        // What is in the log is durable; closing only tidies it into the file.
        self.runtime.block_on(self.pool.close());
    }
}

async fn commit(pool: &Pool, group: &[Commit]) -> Result<(), Error> {
    // Of several changes to one value only the last is written.
    let last: BTreeMap<(&str, &str), Option<&str>> = group
        .iter()
        .flat_map(|commit| &commit.changes)
        .map(|change| ((change.kind, change.key.as_str()), change.value.as_deref()))
        .collect();
    let mut sql = pool.begin().await?;
    let (put, removed): (Vec<_>, Vec<_>) = last.into_iter().partition(|(_, value)| value.is_some());
    // Each statement is handed to SQLite's own thread and back, which costs more than the row: many a statement.
    let (many, few) = put.split_at(put.len() - put.len() % ROWS);
    for rows in many.chunks(ROWS).chain(few.chunks(1)) {
        // Of two lengths only, so that both stay prepared.
        let rows = rows.iter().map(|((kind, key), value)| values![*kind, *key, *value]);
        let replace = "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
        sql.insert("INSERT INTO state(kind, key, value)", rows.collect(), replace).await?;
    }
    for ((kind, key), _) in removed {
        sql.execute("DELETE FROM state WHERE kind = $1 AND key = $2", values![kind, key]).await?;
    }
    sql.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
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
        store.shared.broken.fetch_max(1, Ordering::SeqCst);
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
