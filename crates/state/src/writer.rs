//! The writer's thread: everything that waits goes into one transaction. In PostgreSQL it also follows what other servers
//! write.

use crate::reader;
use crate::store::{Done, Image, Member, SCHEMA};
use crate::{Change, CommitError, OpenError};
use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use database::{Database, Error, Pool, Server, Transaction, Value, values};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Rows that are written by one statement at most.
pub(crate) const ROWS: usize = 32;
/// Where commits come by the hundred, so long is waited for more of them to share a sync, which costs as much as many rows.
/// A commit that comes alone never waits.
const GATHERING: Duration = Duration::from_millis(3);
/// Other servers' changes are looked for this often; hints make it sooner.
const POLL: Duration = Duration::from_millis(500);
const CHANNEL: &str = "earcon_state";

pub(crate) struct Commit {
    pub changes: Vec<Change>,
    /// 0: of no chain.
    pub chain: u64,
    pub member: Arc<Member>,
    /// What its caller had read was of this commit.
    pub based: i64,
    pub done: Done,
}

/// Where the values are.
pub(crate) enum Place {
    File(PathBuf),
    Server(Server),
}

impl Place {
    /// What it is called when it fails to open.
    pub fn failure(&self) -> impl Fn(Error) -> OpenError + use<> {
        let (path, server) = match self {
            Place::File(path) => (path.clone(), None),
            Place::Server(server) => (PathBuf::new(), Some(server.to_string())),
        };
        move |reason| match &server {
            None => OpenError::Failed { name: SCHEMA.name, path: path.clone(), reason },
            Some(server) => OpenError::Server { name: SCHEMA.name, server: server.clone(), reason },
        }
    }
}

/// What the writer's thread holds.
pub(crate) struct WriterState {
    runtime: tokio::runtime::Runtime,
    pool: Pool,
    pub image: Arc<Image>,
    /// Keeps other processes out of a file until the thread ends.
    database: Database,
}

impl WriterState {
    pub fn new(place: &Place) -> Result<WriterState, OpenError> {
        let failed = place.failure();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(error.into()))?;
        let (database, pool, image) = runtime.block_on(async {
            let database = match place {
                Place::File(path) => Database::open(path, &SCHEMA).await?,
                Place::Server(server) => Database::connect(server, &SCHEMA).await?,
            };
            let pool = database.single(&SCHEMA).await.map_err(&failed)?;
            let image = reader::read(&pool).await.map_err(&failed)?;
            Ok::<_, OpenError>((database, pool, Arc::new(image)))
        })?;
        Ok(WriterState { runtime, pool, image, database })
    }

    pub fn run(self, inbox: &Receiver<Commit>) {
        let looks = match &self.database {
            Database::File(_) => never(),
            Database::Server(server) => look_often(server),
        };
        let mut crowded = false;
        loop {
            let wrote = select! {
                recv(inbox) -> first => match first {
                    Ok(first) => {
                        if crowded {
                            thread::sleep(GATHERING);
                        }
                        let group: Vec<Commit> = std::iter::once(first).chain(inbox.try_iter()).collect();
                        crowded = group.len() > 1;
                        self.write(group)
                    }
                    Err(_) => break,
                },
                recv(looks) -> _ => BTreeSet::new(),
            };
            // A commit that failed may have happened all the same: what counts is read, and then told.
            let writers = match &self.database {
                Database::File(_) => Ok(wrote),
                Database::Server(_) => self.runtime.block_on(self.look()),
            };
            match writers {
                Ok(writers) => self.image.tell(&writers),
                Err(error) => tracing::debug!(%error, "what other servers changed could not be read"),
            }
        }
        // What is in the log is durable; closing only tidies it into the file.
        self.runtime.block_on(self.pool.close());
    }

    /// Everything that waits goes into one transaction, with one sync. Returns whose commits were taken.
    fn write(&self, waiting: Vec<Commit>) -> BTreeSet<String> {
        let mut group = Vec::new();
        for commit in waiting {
            if commit.chain > 0 && commit.chain <= commit.member.broken.load(Ordering::SeqCst) {
                commit.member.pending.fetch_sub(1, Ordering::SeqCst);
                (commit.done)(Err(CommitError::Before));
            } else {
                group.push(commit);
            }
        }
        let mut wrote = BTreeSet::new();
        if group.is_empty() {
            return wrote;
        }
        let result = self.runtime.block_on(self.commit(&group)).map_err(|error| {
            let text = error.as_database_error().map(|error| error.message().to_owned());
            CommitError::Write(text.unwrap_or_else(|| error.to_string()))
        });
        for (n, Commit { changes, chain, member, done, .. }) in group.into_iter().enumerate() {
            let result = match &result {
                Ok(refused) if refused.contains(&n) => Err(CommitError::Conflict),
                Ok(_) => Ok(()),
                Err(error) => Err(error.clone()),
            };
            match &result {
                Ok(()) => {
                    if !changes.is_empty() {
                        wrote.insert(member.mark.clone());
                    }
                    match &self.database {
                        Database::File(_) => self.image.apply_next(changes, &member.mark),
                        // Its position is that of the last look.
                        Database::Server(_) => self.image.apply(changes),
                    }
                }
                Err(_) => {
                    member.untold.store(true, Ordering::SeqCst);
                    member.broken.fetch_max(chain, Ordering::SeqCst);
                }
            }
            member.pending.fetch_sub(1, Ordering::SeqCst);
            // What was read meanwhile lacks this one.
            if member.again.swap(false, Ordering::SeqCst) {
                member.untold.store(true, Ordering::SeqCst);
            }
            done(result);
        }
        if !wrote.is_empty()
            && let Database::Server(server) = &self.database
        {
            self.runtime.block_on(server.hints(CHANNEL).give(&self.pool));
        }
        wrote
    }

    /// Returns those of the group that are refused, since another server has changed the same.
    async fn commit(&self, group: &[Commit]) -> Result<BTreeSet<usize>, Error> {
        let mut sql = self.pool.begin().await?;
        let (seq, refused) = match &self.database {
            Database::File(_) => {
                let newer =
                    |commit: &Commit, change: &Change| self.image.is_newer(change, commit.based, &commit.member.mark);
                (None, refused(group, newer))
            }
            Database::Server(_) => {
                let (seq,): (i64,) = sql.one("UPDATE state_feed SET last = last + 1 RETURNING last", values![]).await?;
                (Some(seq), self.conflicts(&mut sql, group).await?)
            }
        };
        // Of several changes to one value only the last is written.
        let last: BTreeMap<(&str, &str), (Option<&str>, &str)> = group
            .iter()
            .enumerate()
            .filter(|(n, _)| !refused.contains(n))
            .flat_map(|(_, commit)| commit.changes.iter().map(|change| (change, commit.member.mark.as_str())))
            .map(|(change, mark)| ((change.kind, change.key.as_str()), (change.value.as_deref(), mark)))
            .collect();
        let (head, tail) = match seq {
            None => {
                ("INSERT INTO state(kind, key, value)", "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value")
            }
            Some(_) => (
                "INSERT INTO state(kind, key, value, seq, writer)",
                "ON CONFLICT (kind, key) DO UPDATE
                 SET value = excluded.value, seq = excluded.seq, writer = excluded.writer",
            ),
        };
        let row = |((kind, key), (value, mark)): &((&str, &str), (Option<&str>, &str))| -> Vec<Value> {
            let mut row = values![*kind, *key, *value];
            if let Some(seq) = seq {
                row.extend(values![seq, *mark]);
            }
            row
        };
        let (put, removed): (Vec<_>, Vec<_>) =
            last.into_iter().partition(|(_, (value, _))| seq.is_some() || value.is_some());
        // Each statement is handed to SQLite's own thread and back, which costs more than the row: many a statement.
        let mut rest = put.as_slice();
        while !rest.is_empty() {
            // Of six lengths only, the powers of two, so that all stay prepared.
            let length = ROWS.min(1 << rest.len().ilog2());
            let (rows, others) = rest.split_at(length);
            sql.insert(head, rows.iter().map(row).collect(), tail).await?;
            rest = others;
        }
        for ((kind, key), _) in removed {
            sql.execute("DELETE FROM state WHERE kind = $1 AND key = $2", values![kind, key]).await?;
        }
        sql.commit().await?;
        Ok(refused)
    }

    async fn conflicts(&self, sql: &mut Transaction, group: &[Commit]) -> Result<BTreeSet<usize>, Error> {
        let oldest = group.iter().map(|commit| commit.based).min().unwrap_or_default();
        // Of a group that is one member's (nearly all are) its own are left out: there may be many.
        let first = group.first().map(|commit| commit.member.mark.as_str()).unwrap_or_default();
        let own = if group.iter().all(|commit| commit.member.mark == first) { first } else { "" };
        let query = "SELECT kind, key, seq, writer FROM state WHERE seq > $1 AND writer <> $2";
        let others: Vec<(String, String, i64, String)> = sql.all(query, values![oldest, own]).await?;
        let others: BTreeMap<(&str, &str), (i64, &str)> = others
            .iter()
            .map(|(kind, key, seq, writer)| ((kind.as_str(), key.as_str()), (*seq, writer.as_str())))
            .collect();
        Ok(refused(group, |commit, change| {
            let last = others.get(&(change.kind, change.key.as_str()));
            last.is_some_and(|(seq, writer)| *seq > commit.based && *writer != commit.member.mark)
        }))
    }

    /// Shows what was written since the last look. Returns by whom.
    async fn look(&self) -> Result<BTreeSet<String>, Error> {
        let query = "SELECT kind, key, value, seq, writer FROM state WHERE seq > $1 ORDER BY seq";
        let rows: Vec<(String, String, Option<String>, i64, String)> =
            self.pool.all(query, values![self.image.position()]).await?;
        let Some(last) = rows.iter().map(|row| row.3).max() else { return Ok(BTreeSet::new()) };
        let writers = rows.iter().map(|row| row.4.clone()).collect();
        self.image.show(rows.into_iter().map(|(kind, key, value, ..)| (kind, key, value)).collect(), last);
        Ok(writers)
    }
}

/// Those of a group that are built on what another member has changed since, in an earlier commit or in this group.
fn refused(group: &[Commit], newer: impl Fn(&Commit, &Change) -> bool) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    let mut written: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let several = group.iter().any(|commit| group.first().is_some_and(|first| first.member.mark != commit.member.mark));
    for (n, commit) in group.iter().enumerate() {
        let mark = commit.member.mark.as_str();
        let taken =
            |change: &Change| written.get(&(change.kind, change.key.as_str())).is_some_and(|writer| *writer != mark);
        if commit.changes.iter().any(|change| newer(commit, change) || taken(change)) {
            refused.insert(n);
        } else if several {
            written.extend(commit.changes.iter().map(|change| ((change.kind, change.key.as_str()), mark)));
        }
    }
    refused
}

/// A thread that says when to look. It ends when nobody listens.
fn look_often(server: &Server) -> Receiver<()> {
    let (look, looks): (Sender<()>, _) = bounded(1);
    let mut hints = server.hints(CHANNEL);
    let follow = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::warn!(%error, "changes of other servers are noticed late"),
        };
        // Its connection is given back where it was made.
        runtime.block_on(async move {
            while !matches!(look.try_send(()), Err(error) if error.is_disconnected()) {
                hints.wait(POLL).await;
            }
        });
    };
    // Without a thread it follows when it writes: a machine that gives none has other troubles.
    if let Err(error) = thread::Builder::new().name("state-hints".into()).spawn(follow) {
        tracing::warn!(%error, "changes of other servers are noticed late");
    }
    looks
}
