//! The one writer: everything that waits goes into one transaction, with one sync.

use crate::copy::{self, Copied, Whole};
use crate::feed::Announce;
use crate::mime::Envelope;
use crate::reader::audio_of;
use crate::schema::Folder;
use crate::{Change, ChangeKind, GreetingKind, MailboxId, MessageId, NewMessage, Preview, Unavailable};
use database::{Database, Error, Pool, Transaction, Value, values};
use std::time::SystemTime;
use tokio::sync::{mpsc, oneshot};

/// What waits for the writer at most; who comes later waits to get in.
const QUEUE: usize = 1024;
/// What goes into one transaction at most.
const GROUP: usize = 512;

#[derive(Debug)]
pub(crate) enum Write {
    Create {
        mailbox: MailboxId,
        now: SystemTime,
    },
    Remove {
        mailbox: MailboxId,
    },
    Deliver {
        message: Box<NewMessage>,
        subject: String,
        envelope: Envelope,
        size: u64,
        /// Where its recording is; a missed call has none.
        audio: Option<String>,
    },
    SetRead {
        mailbox: MailboxId,
        message: MessageId,
        read: bool,
    },
    SetFlagged {
        mailbox: MailboxId,
        message: MessageId,
        flagged: bool,
    },
    SetPreview {
        mailbox: MailboxId,
        message: MessageId,
        preview: Preview,
    },
    Delete {
        mailbox: MailboxId,
        message: MessageId,
        now: SystemTime,
    },
    Undelete {
        mailbox: MailboxId,
        message: MessageId,
    },
    /// Removes for good what was deleted before a time.
    Expunge {
        before: SystemTime,
    },
    PutGreeting {
        mailbox: MailboxId,
        kind: GreetingKind,
        audio: String,
    },
    DeleteGreeting {
        mailbox: MailboxId,
        kind: GreetingKind,
    },
    /// Adds what another store has of a mailbox.
    Copy(Box<Whole>),
}

/// What a write came to, once durable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The message was there already, or had been: its row names another recording.
    Known,
    NoMailbox,
    NoMessage,
    /// Done, and no row names these recordings of so many messages any more.
    Forgotten {
        messages: usize,
        audio: Vec<String>,
    },
    Copied(Copied),
}

enum Job {
    Write(Write, oneshot::Sender<Result<Outcome, Unavailable>>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the writer on the runtime that it is called on.
    pub fn start(database: Database, pool: Pool, announce: Announce) -> Writer {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(run(database, pool, announce, inbox));
        Writer { jobs }
    }

    pub async fn write(&self, write: Write) -> Result<Outcome, Unavailable> {
        let closed = || Unavailable("it is closed".into());
        let (sender, answer) = oneshot::channel();
        self.jobs.send(Job::Write(write, sender)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Jobs that the writer has not taken yet.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity().saturating_sub(self.jobs.capacity())
    }

    /// Returns when all that was handed in is durable and the file is released.
    pub async fn close(&self) {
        let (sender, answer) = oneshot::channel();
        if self.jobs.send(Job::Close(sender)).await.is_ok() {
            // Gone without an answer is closed too.
            let _ = answer.await;
        }
    }
}

async fn run(database: Database, pool: Pool, mut announce: Announce, mut inbox: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(GROUP);
    let mut closing = None;
    while closing.is_none() && inbox.recv_many(&mut jobs, GROUP).await > 0 {
        let mut writes = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Write(write, answer) => writes.push((write, answer)),
                Job::Close(answer) => closing = Some(answer),
            }
        }
        match commit(&pool, &writes).await {
            Ok((outcomes, changes)) => {
                // A follower may hear of it before whoever asked; never of what is not durable.
                let hint = announce.publish(changes);
                for ((_, answer), outcome) in writes.into_iter().zip(outcomes) {
                    // Who no longer waits has gone away; the write stands.
                    let _ = answer.send(Ok(outcome));
                }
                if hint {
                    announce.hint(&pool).await;
                }
            }
            Err(error) => {
                let error = Unavailable::from(error);
                for (_, answer) in writes {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
    pool.close().await;
    drop(database);
    if let Some(answer) = closing {
        let _ = answer.send(());
    }
}

type Answer = oneshot::Sender<Result<Outcome, Unavailable>>;

async fn commit(pool: &Pool, writes: &[(Write, Answer)]) -> Result<(Vec<Outcome>, Vec<Change>), Error> {
    let mut sql = pool.begin().await?;
    if sql.is_postgres() {
        // One server writes at a time, as one process does with a file: changes are numbered in the order of their
        // commits, and two groups never wait for each other's rows.
        sql.execute("SELECT last FROM feed FOR UPDATE", values![]).await?;
    }
    let mut changes = Changed::default();
    let mut outcomes = Vec::with_capacity(writes.len());
    for (write, _) in writes {
        outcomes.push(apply(&mut sql, &mut changes, write).await?);
    }
    let numbered = record(&mut sql, changes).await?;
    sql.commit().await?;
    Ok((outcomes, numbered))
}

/// Writes the changes into the feed's table, many a statement.
async fn record(sql: &mut Transaction, changes: Changed) -> Result<Vec<Change>, Error> {
    if changes.0.is_empty() {
        return Ok(Vec::new());
    }
    let count = i64::try_from(changes.0.len()).unwrap_or(i64::MAX);
    // SQLite has one writer, and keeps the last change always.
    let last = match sql.is_postgres() {
        true => "UPDATE feed SET last = last + $1 RETURNING last",
        false => "SELECT coalesce(max(seq), 0) + $1 FROM change",
    };
    let (last,): (i64,) = sql.one(last, values![count]).await?;
    let numbered: Vec<Change> = (last.saturating_sub(count).saturating_add(1)..)
        .zip(changes.0)
        .map(|(seq, (mailbox, kind))| Change { seq: seq.unsigned_abs(), mailbox, kind })
        .collect();
    for some in numbered.chunks(100) {
        let rows = some.iter().map(|change| {
            let (name, message) = change.kind.parts();
            let seq = i64::try_from(change.seq).unwrap_or(i64::MAX);
            values![seq, change.mailbox.as_str(), name, message.map(MessageId::bytes)]
        });
        sql.insert("INSERT INTO change(seq, mailbox, kind, message)", rows.collect(), "").await?;
    }
    Ok(numbered)
}

#[derive(Default)]
pub(crate) struct Changed(Vec<(MailboxId, ChangeKind)>);

impl Changed {
    pub fn push(&mut self, mailbox: &MailboxId, kind: ChangeKind) {
        self.0.push((mailbox.clone(), kind));
    }
}

async fn apply(sql: &mut Transaction, changes: &mut Changed, write: &Write) -> Result<Outcome, Error> {
    match write {
        Write::Create { mailbox, now } => create(sql, changes, mailbox, *now).await,
        Write::Remove { mailbox } => remove(sql, changes, mailbox).await,
        Write::Deliver { message, subject, envelope, size, audio } => {
            deliver(sql, changes, message, (subject, audio.as_deref()), envelope, *size).await
        }
        Write::SetRead { mailbox, message, read } => set_read(sql, changes, mailbox, *message, *read).await,
        Write::SetFlagged { mailbox, message, flagged } => {
            let kind = if *flagged { ChangeKind::Flagged(*message) } else { ChangeKind::Unflagged(*message) };
            let update = "UPDATE message SET modseq = $1, flagged = $3 WHERE id = $2";
            mark(sql, changes, (mailbox, *message), kind, (update, values![*flagged])).await
        }
        Write::SetPreview { mailbox, message, preview } => {
            let update = "UPDATE message SET modseq = $1, preview = $3, preview_confidence = $4 WHERE id = $2";
            let update = (update, values![&preview.text, i64::from(preview.confidence)]);
            mark(sql, changes, (mailbox, *message), ChangeKind::Preview(*message), update).await
        }
        Write::Delete { mailbox, message, now } => {
            let moved = move_to(sql, mailbox, *message, Folder::Deleted, Some(*now)).await?;
            Ok(moved.outcome(changes, mailbox, ChangeKind::Deleted(*message)))
        }
        Write::Undelete { mailbox, message } => {
            let moved = move_to(sql, mailbox, *message, Folder::Inbox, None).await?;
            Ok(moved.outcome(changes, mailbox, ChangeKind::Restored(*message)))
        }
        Write::Expunge { before } => expunge(sql, changes, *before).await,
        Write::PutGreeting { mailbox, kind, audio } => greeting(sql, changes, mailbox, *kind, Some(audio)).await,
        Write::DeleteGreeting { mailbox, kind } => greeting(sql, changes, mailbox, *kind, None).await,
        Write::Copy(whole) => copy::add(sql, changes, whole).await,
    }
}

async fn create(
    sql: &mut Transaction,
    changes: &mut Changed,
    mailbox: &MailboxId,
    now: SystemTime,
) -> Result<Outcome, Error> {
    if row_of(sql, mailbox).await?.is_some() {
        return Ok(Outcome::Done);
    }
    // RFC 9051 2.3.1.1: a mailbox made anew under an old name must have a greater UIDVALIDITY, whatever the clock says.
    let next = "UPDATE uidvalidity SET last = CASE WHEN last < $1 THEN $1 ELSE last + 1 END RETURNING last";
    let (uidvalidity,): (i64,) = sql.one(next, values![unix_ms(now) / 1000]).await?;
    let insert = "INSERT INTO mailbox(name, uidvalidity, uidnext, modseq) VALUES ($1, $2, 1, 1)";
    sql.execute(insert, values![mailbox.as_str(), uidvalidity]).await?;
    changes.push(mailbox, ChangeKind::MailboxCreated);
    Ok(Outcome::Done)
}

async fn remove(sql: &mut Transaction, changes: &mut Changed, mailbox: &MailboxId) -> Result<Outcome, Error> {
    let Some(row) = row_of(sql, mailbox).await? else { return Ok(Outcome::Done) };
    let messages: Vec<(Vec<u8>, Option<String>)> =
        sql.all("SELECT id, audio FROM message WHERE mailbox = $1", values![row]).await?;
    let greetings: Vec<(String,)> = sql.all("SELECT audio FROM greeting WHERE mailbox = $1", values![row]).await?;
    // What is in it goes with it (ON DELETE CASCADE).
    sql.execute("DELETE FROM mailbox WHERE id = $1", values![row]).await?;
    if sql.is_postgres() {
        // What the PBX was told was of this one; another of its name counts its changes anew.
        sql.execute("DELETE FROM lamp WHERE mailbox = $1", values![mailbox.as_str()]).await?;
    }
    changes.push(mailbox, ChangeKind::MailboxRemoved);
    let count = messages.len();
    let audio = messages.into_iter().filter_map(|(id, audio)| audio_of(id, audio));
    Ok(Outcome::Forgotten {
        messages: count,
        audio: audio.chain(greetings.into_iter().map(|(audio,)| audio)).collect(),
    })
}

async fn deliver(
    sql: &mut Transaction,
    changes: &mut Changed,
    message: &NewMessage,
    (subject, audio): (&str, Option<&str>),
    envelope: &Envelope,
    size: u64,
) -> Result<Outcome, Error> {
    // One statement where two would do: at the end of a thousand calls the statements are what costs.
    let place = "UPDATE mailbox SET uidnext = uidnext + 1, modseq = modseq + 1
         WHERE name = $1 AND NOT EXISTS(SELECT 1 FROM message WHERE id = $2)
            AND NOT EXISTS(SELECT 1 FROM tombstone WHERE message = $2)
         RETURNING id, uidnext - 1, modseq";
    let place: Option<(i64, i64, i64)> =
        sql.optional(place, values![message.mailbox.as_str(), message.id.bytes()]).await?;
    let Some((row, uid, modseq)) = place else {
        let exists = row_of(sql, &message.mailbox).await?.is_some();
        return Ok(if exists { Outcome::Known } else { Outcome::NoMailbox });
    };
    let insert = "INSERT INTO message(id, mailbox, folder, uid, modseq, from_number, from_name, subject, received_ms,
            duration_ms, kind, read, urgent, private, protected, size, mime_before, mime_after, audio)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    let values = values![
        message.id.bytes(),
        row,
        Folder::Inbox.number(),
        uid,
        modseq,
        message.from.number.as_deref(),
        message.from.name.as_deref(),
        subject,
        unix_ms(message.received),
        message.audio.duration_ms(),
        message.kind.number(),
        false,
        message.urgent,
        message.private,
        message.protected,
        i64::try_from(size).unwrap_or(i64::MAX),
        &envelope.before,
        &envelope.after,
        audio,
    ];
    sql.execute(insert, values).await?;
    changes.push(&message.mailbox, ChangeKind::Delivered(message.id));
    Ok(Outcome::Done)
}

async fn set_read(
    sql: &mut Transaction,
    changes: &mut Changed,
    mailbox: &MailboxId,
    message: MessageId,
    read: bool,
) -> Result<Outcome, Error> {
    let Some((_, _, was_read)) = find(sql, mailbox, message).await? else { return Ok(Outcome::NoMessage) };
    if was_read == read {
        return Ok(Outcome::Done);
    }
    let modseq = next_modseq(sql, mailbox).await?;
    let update = "UPDATE message SET read = $1, modseq = $2 WHERE id = $3";
    sql.execute(update, values![read, modseq, message.bytes()]).await?;
    changes.push(mailbox, if read { ChangeKind::Read(message) } else { ChangeKind::Unread(message) });
    Ok(Outcome::Done)
}

/// Changes what is said of a message. The first values of `update` are the modification sequence and the id; the others
/// are given.
async fn mark(
    sql: &mut Transaction,
    changes: &mut Changed,
    (mailbox, message): (&MailboxId, MessageId),
    kind: ChangeKind,
    (update, others): (&'static str, Vec<Value>),
) -> Result<Outcome, Error> {
    if find(sql, mailbox, message).await?.is_none() {
        return Ok(Outcome::NoMessage);
    }
    let mut values = values![next_modseq(sql, mailbox).await?, message.bytes()];
    values.extend(others);
    sql.execute(update, values).await?;
    changes.push(mailbox, kind);
    Ok(Outcome::Done)
}

async fn next_modseq(sql: &mut Transaction, mailbox: &MailboxId) -> Result<i64, Error> {
    let update = "UPDATE mailbox SET modseq = modseq + 1 WHERE name = $1 RETURNING modseq";
    let (modseq,): (i64,) = sql.one(update, values![mailbox.as_str()]).await?;
    Ok(modseq)
}

enum Moved {
    Now,
    WasThere,
    NoMessage,
}

impl Moved {
    fn outcome(self, changes: &mut Changed, mailbox: &MailboxId, kind: ChangeKind) -> Outcome {
        match self {
            Moved::Now => {
                changes.push(mailbox, kind);
                Outcome::Done
            }
            Moved::WasThere => Outcome::Done,
            Moved::NoMessage => Outcome::NoMessage,
        }
    }
}

async fn move_to(
    sql: &mut Transaction,
    mailbox: &MailboxId,
    message: MessageId,
    folder: Folder,
    deleted: Option<SystemTime>,
) -> Result<Moved, Error> {
    let Some((from, old, _)) = find(sql, mailbox, message).await? else { return Ok(Moved::NoMessage) };
    if from == folder.number() {
        return Ok(Moved::WasThere);
    }
    let Some(Place { row, uid, modseq }) = next_place(sql, mailbox).await? else { return Ok(Moved::NoMessage) };
    bury(sql, Grave { message: message.bytes(), row, folder: from, uid: old, modseq }).await?;
    let update = "UPDATE message SET folder = $1, uid = $2, modseq = $3, deleted_ms = $4 WHERE id = $5";
    let values = values![folder.number(), uid, modseq, deleted.map(unix_ms), message.bytes()];
    sql.execute(update, values).await?;
    Ok(Moved::Now)
}

async fn expunge(sql: &mut Transaction, changes: &mut Changed, before: SystemTime) -> Result<Outcome, Error> {
    let old = "SELECT message.id, mailbox.name, uid, audio FROM message JOIN mailbox ON mailbox.id = message.mailbox
         WHERE folder = $1 AND deleted_ms < $2 ORDER BY message.id";
    let old: Vec<(Vec<u8>, String, i64, Option<String>)> =
        sql.all(old, values![Folder::Deleted.number(), unix_ms(before)]).await?;
    let mut messages: usize = 0;
    let mut forgotten = Vec::with_capacity(old.len());
    for (id, name, uid, audio) in old {
        let (Ok(mailbox), Ok(message)) = (MailboxId::parse(&name), id.clone().try_into().map(message_id)) else {
            continue;
        };
        let update = "UPDATE mailbox SET modseq = modseq + 1 WHERE name = $1 RETURNING id, modseq";
        let (row, modseq): (i64, i64) = sql.one(update, values![name]).await?;
        sql.execute("DELETE FROM message WHERE id = $1", values![id.clone()]).await?;
        forgotten.extend(audio_of(id.clone(), audio));
        bury(sql, Grave { message: id, row, folder: Folder::Deleted.number(), uid, modseq }).await?;
        changes.push(&mailbox, ChangeKind::Expunged(message));
        messages = messages.saturating_add(1);
    }
    Ok(Outcome::Forgotten { messages, audio: forgotten })
}

async fn greeting(
    sql: &mut Transaction,
    changes: &mut Changed,
    mailbox: &MailboxId,
    kind: GreetingKind,
    audio: Option<&String>,
) -> Result<Outcome, Error> {
    let Some(row) = row_of(sql, mailbox).await? else { return Ok(Outcome::NoMailbox) };
    let delete = "DELETE FROM greeting WHERE mailbox = $1 AND kind = $2 RETURNING audio";
    let old: Option<(String,)> = sql.optional(delete, values![row, kind.as_str()]).await?;
    if let Some(audio) = audio {
        let insert = "INSERT INTO greeting(mailbox, kind, audio) VALUES ($1, $2, $3)";
        sql.execute(insert, values![row, kind.as_str(), audio]).await?;
    }
    if old.is_some() || audio.is_some() {
        changes.push(mailbox, ChangeKind::Greeting);
    }
    Ok(Outcome::Forgotten { messages: 0, audio: old.into_iter().map(|(audio,)| audio).collect() })
}

struct Place {
    row: i64,
    uid: i64,
    modseq: i64,
}

/// The place of the next message of a mailbox. None: there is no such mailbox.
async fn next_place(sql: &mut Transaction, mailbox: &MailboxId) -> Result<Option<Place>, Error> {
    let update = "UPDATE mailbox SET uidnext = uidnext + 1, modseq = modseq + 1 WHERE name = $1
         RETURNING id, uidnext - 1, modseq";
    let place: Option<(i64, i64, i64)> = sql.optional(update, values![mailbox.as_str()]).await?;
    Ok(place.map(|(row, uid, modseq)| Place { row, uid, modseq }))
}

struct Grave {
    message: Vec<u8>,
    row: i64,
    folder: i64,
    uid: i64,
    modseq: i64,
}

async fn bury(sql: &mut Transaction, grave: Grave) -> Result<(), Error> {
    let insert = "INSERT INTO tombstone(message, mailbox, folder, uid, modseq) VALUES ($1, $2, $3, $4, $5)";
    sql.execute(insert, values![grave.message, grave.row, grave.folder, grave.uid, grave.modseq]).await
}

async fn row_of(sql: &mut Transaction, mailbox: &MailboxId) -> Result<Option<i64>, Error> {
    let row = sql.optional("SELECT id FROM mailbox WHERE name = $1", values![mailbox.as_str()]).await?;
    Ok(row.map(|(id,)| id))
}

/// Folder, UID and read flag of a message.
async fn find(
    sql: &mut Transaction,
    mailbox: &MailboxId,
    message: MessageId,
) -> Result<Option<(i64, i64, bool)>, Error> {
    let query = "SELECT folder, uid, read FROM message JOIN mailbox ON mailbox.id = message.mailbox
         WHERE message.id = $1 AND mailbox.name = $2";
    sql.optional(query, values![message.bytes(), mailbox.as_str()]).await
}

pub(crate) fn message_id(bytes: [u8; 16]) -> MessageId {
    MessageId(u128::from_be_bytes(bytes))
}

/// Milliseconds since 1970; before that, 0.
pub(crate) fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
