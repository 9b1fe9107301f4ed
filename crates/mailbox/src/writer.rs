//! The one writer: everything that waits goes into one transaction, with one sync.

use crate::feed::Publisher;
use crate::mime::Envelope;
use crate::schema::Folder;
use crate::{Change, ChangeKind, GreetingKind, MailboxId, MessageId, NewMessage, Preview, Unavailable};
use database::Database;
use sqlx::query::Query;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
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
}

/// What a write came to, once durable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    NoMailbox,
    NoMessage,
    /// Done, and no row names these any more.
    Forgotten {
        messages: Vec<MessageId>,
        greetings: Vec<String>,
    },
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
    pub fn start(database: Database, pool: SqlitePool, publisher: Publisher) -> Writer {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(run(database, pool, publisher, inbox));
        Writer { jobs }
    }

    pub async fn write(&self, write: Write) -> Result<Outcome, Unavailable> {
        let closed = || Unavailable("it is closed".into());
        let (sender, answer) = oneshot::channel();
        self.jobs.send(Job::Write(write, sender)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
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

async fn run(database: Database, pool: SqlitePool, mut publisher: Publisher, mut inbox: mpsc::Receiver<Job>) {
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
                publisher.publish(changes);
                for ((_, answer), outcome) in writes.into_iter().zip(outcomes) {
                    // Who no longer waits has gone away; the write stands.
                    let _ = answer.send(Ok(outcome));
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

async fn commit(pool: &SqlitePool, writes: &[(Write, Answer)]) -> Result<(Vec<Outcome>, Vec<Change>), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let mut changes = Changed::default();
    let mut outcomes = Vec::with_capacity(writes.len());
    for (write, _) in writes {
        outcomes.push(apply(&mut transaction, &mut changes, write).await?);
    }
    let numbered = record(&mut transaction, changes).await?;
    transaction.commit().await?;
    Ok((outcomes, numbered))
}

/// Writes the changes into the feed's table, many a statement.
async fn record(sql: &mut SqliteConnection, changes: Changed) -> Result<Vec<Change>, sqlx::Error> {
    let mut numbered = Vec::with_capacity(changes.0.len());
    for some in changes.0.chunks(100) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO change(mailbox, kind, message) ");
        insert.push_values(some, |mut row, (mailbox, kind)| {
            let (name, message) = kind.parts();
            row.push_bind(mailbox.as_str()).push_bind(name).push_bind(message.map(MessageId::bytes));
        });
        let last = insert.build().execute(&mut *sql).await?.last_insert_rowid();
        // AUTOINCREMENT on the one connection that writes: the numbers of one statement follow each other.
        let first = u64::try_from(last).unwrap_or_default().saturating_sub(some.len() as u64);
        numbered.extend((first + 1..).zip(some).map(|(seq, (mailbox, kind))| Change {
            seq,
            mailbox: mailbox.clone(),
            kind: *kind,
        }));
    }
    Ok(numbered)
}

#[derive(Default)]
struct Changed(Vec<(MailboxId, ChangeKind)>);

impl Changed {
    fn push(&mut self, mailbox: &MailboxId, kind: ChangeKind) {
        self.0.push((mailbox.clone(), kind));
    }
}

async fn apply(sql: &mut SqliteConnection, changes: &mut Changed, write: &Write) -> Result<Outcome, sqlx::Error> {
    match write {
        Write::Create { mailbox, now } => create(sql, changes, mailbox, *now).await,
        Write::Remove { mailbox } => remove(sql, changes, mailbox).await,
        Write::Deliver { message, subject, envelope, size } => {
            deliver(sql, changes, message, subject, envelope, *size).await
        }
        Write::SetRead { mailbox, message, read } => set_read(sql, changes, mailbox, *message, *read).await,
        Write::SetFlagged { mailbox, message, flagged } => {
            let kind = if *flagged { ChangeKind::Flagged(*message) } else { ChangeKind::Unflagged(*message) };
            let update = "UPDATE message SET flagged = ?, modseq = ? WHERE id = ?";
            mark(sql, changes, (mailbox, *message), kind, sqlx::query(update).bind(*flagged)).await
        }
        Write::SetPreview { mailbox, message, preview } => {
            let update = "UPDATE message SET preview = ?, preview_confidence = ?, modseq = ? WHERE id = ?";
            let update = sqlx::query(update).bind(&preview.text).bind(preview.confidence);
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
    }
}

async fn create(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    mailbox: &MailboxId,
    now: SystemTime,
) -> Result<Outcome, sqlx::Error> {
    if row_of(sql, mailbox).await?.is_some() {
        return Ok(Outcome::Done);
    }
    // RFC 9051 2.3.1.1: a mailbox made anew under an old name must have a greater UIDVALIDITY, whatever the clock says.
    let uidvalidity: i64 = sqlx::query_scalar("UPDATE uidvalidity SET last = max(last + 1, ?) RETURNING last")
        .bind(unix_ms(now) / 1000)
        .fetch_one(&mut *sql)
        .await?;
    sqlx::query("INSERT INTO mailbox(name, uidvalidity, uidnext, modseq) VALUES (?, ?, 1, 1)")
        .bind(mailbox.as_str())
        .bind(uidvalidity)
        .execute(sql)
        .await?;
    changes.push(mailbox, ChangeKind::MailboxCreated);
    Ok(Outcome::Done)
}

async fn remove(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    mailbox: &MailboxId,
) -> Result<Outcome, sqlx::Error> {
    let Some(row) = row_of(sql, mailbox).await? else { return Ok(Outcome::Done) };
    let messages: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM message WHERE mailbox = ?").bind(row).fetch_all(&mut *sql).await?;
    let greetings =
        sqlx::query_scalar("SELECT audio FROM greeting WHERE mailbox = ?").bind(row).fetch_all(&mut *sql).await?;
    // What is in it goes with it (ON DELETE CASCADE).
    sqlx::query("DELETE FROM mailbox WHERE id = ?").bind(row).execute(sql).await?;
    changes.push(mailbox, ChangeKind::MailboxRemoved);
    let messages = messages.into_iter().filter_map(|id| id.try_into().ok()).map(message_id).collect();
    Ok(Outcome::Forgotten { messages, greetings })
}

async fn deliver(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    message: &NewMessage,
    subject: &str,
    envelope: &Envelope,
    size: u64,
) -> Result<Outcome, sqlx::Error> {
    // One statement where two would do: at the end of a thousand calls the statements are what costs.
    let place: Option<(i64, i64, i64)> = sqlx::query_as(
        "UPDATE mailbox SET uidnext = uidnext + 1, modseq = modseq + 1
         WHERE name = ?1 AND NOT EXISTS(SELECT 1 FROM message WHERE id = ?2)
            AND NOT EXISTS(SELECT 1 FROM tombstone WHERE message = ?2)
         RETURNING id, uidnext - 1, modseq",
    )
    .bind(message.mailbox.as_str())
    .bind(message.id.bytes())
    .fetch_optional(&mut *sql)
    .await?;
    let Some((row, uid, modseq)) = place else {
        let exists = row_of(sql, &message.mailbox).await?.is_some();
        return Ok(if exists { Outcome::Done } else { Outcome::NoMailbox });
    };
    sqlx::query(
        "INSERT INTO message(id, mailbox, folder, uid, modseq, from_number, from_name, subject, received_ms,
            duration_ms, kind, read, urgent, private, protected, size, mime_before, mime_after)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
    )
    .bind(message.id.bytes())
    .bind(row)
    .bind(Folder::Inbox.number())
    .bind(uid)
    .bind(modseq)
    .bind(message.from.number.as_deref())
    .bind(message.from.name.as_deref())
    .bind(subject)
    .bind(unix_ms(message.received))
    .bind(message.audio.duration_ms())
    .bind(message.kind.number())
    .bind(message.urgent)
    .bind(message.private)
    .bind(message.protected)
    .bind(i64::try_from(size).unwrap_or(i64::MAX))
    .bind(&envelope.before)
    .bind(&envelope.after)
    .execute(sql)
    .await?;
    changes.push(&message.mailbox, ChangeKind::Delivered(message.id));
    Ok(Outcome::Done)
}

async fn set_read(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    mailbox: &MailboxId,
    message: MessageId,
    read: bool,
) -> Result<Outcome, sqlx::Error> {
    let Some((_, _, was_read)) = find(sql, mailbox, message).await? else { return Ok(Outcome::NoMessage) };
    if was_read == read {
        return Ok(Outcome::Done);
    }
    let modseq: i64 = sqlx::query_scalar("UPDATE mailbox SET modseq = modseq + 1 WHERE name = ? RETURNING modseq")
        .bind(mailbox.as_str())
        .fetch_one(&mut *sql)
        .await?;
    sqlx::query("UPDATE message SET read = ?, modseq = ? WHERE id = ?")
        .bind(read)
        .bind(modseq)
        .bind(message.bytes())
        .execute(sql)
        .await?;
    changes.push(mailbox, if read { ChangeKind::Read(message) } else { ChangeKind::Unread(message) });
    Ok(Outcome::Done)
}

/// Changes what is said of a message. `update` still lacks its last values: the modification sequence and the id.
async fn mark<'q>(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    (mailbox, message): (&MailboxId, MessageId),
    kind: ChangeKind,
    update: Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments>,
) -> Result<Outcome, sqlx::Error> {
    if find(sql, mailbox, message).await?.is_none() {
        return Ok(Outcome::NoMessage);
    }
    let modseq: i64 = sqlx::query_scalar("UPDATE mailbox SET modseq = modseq + 1 WHERE name = ? RETURNING modseq")
        .bind(mailbox.as_str())
        .fetch_one(&mut *sql)
        .await?;
    if update.bind(modseq).bind(message.bytes()).execute(sql).await?.rows_affected() > 0 {
        changes.push(mailbox, kind);
    }
    Ok(Outcome::Done)
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
    sql: &mut SqliteConnection,
    mailbox: &MailboxId,
    message: MessageId,
    folder: Folder,
    deleted: Option<SystemTime>,
) -> Result<Moved, sqlx::Error> {
    let Some((from, old, _)) = find(sql, mailbox, message).await? else { return Ok(Moved::NoMessage) };
    if from == folder.number() {
        return Ok(Moved::WasThere);
    }
    let Some(Place { row, uid, modseq }) = next_place(sql, mailbox).await? else { return Ok(Moved::NoMessage) };
    bury(sql, Grave { message: message.bytes(), row, folder: from, uid: old, modseq }).await?;
    sqlx::query("UPDATE message SET folder = ?, uid = ?, modseq = ?, deleted_ms = ? WHERE id = ?")
        .bind(folder.number())
        .bind(uid)
        .bind(modseq)
        .bind(deleted.map(unix_ms))
        .bind(message.bytes())
        .execute(sql)
        .await?;
    Ok(Moved::Now)
}

async fn expunge(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    before: SystemTime,
) -> Result<Outcome, sqlx::Error> {
    let old = sqlx::query(
        "SELECT message.id, mailbox.name, uid FROM message JOIN mailbox ON mailbox.id = message.mailbox
         WHERE folder = ? AND deleted_ms < ? ORDER BY message.id",
    )
    .bind(Folder::Deleted.number())
    .bind(unix_ms(before))
    .fetch_all(&mut *sql)
    .await?;
    let mut messages = Vec::with_capacity(old.len());
    for found in old {
        let (id, name, uid): (Vec<u8>, String, i64) = (found.try_get(0)?, found.try_get(1)?, found.try_get(2)?);
        let (Ok(mailbox), Ok(message)) = (MailboxId::parse(&name), id.clone().try_into().map(message_id)) else {
            continue;
        };
        let (row, modseq): (i64, i64) =
            sqlx::query_as("UPDATE mailbox SET modseq = modseq + 1 WHERE name = ? RETURNING id, modseq")
                .bind(&name)
                .fetch_one(&mut *sql)
                .await?;
        sqlx::query("DELETE FROM message WHERE id = ?").bind(&id).execute(&mut *sql).await?;
        bury(sql, Grave { message: id, row, folder: Folder::Deleted.number(), uid, modseq }).await?;
        changes.push(&mailbox, ChangeKind::Expunged(message));
        messages.push(message);
    }
    Ok(Outcome::Forgotten { messages, greetings: Vec::new() })
}

async fn greeting(
    sql: &mut SqliteConnection,
    changes: &mut Changed,
    mailbox: &MailboxId,
    kind: GreetingKind,
    audio: Option<&String>,
) -> Result<Outcome, sqlx::Error> {
    let Some(row) = row_of(sql, mailbox).await? else { return Ok(Outcome::NoMailbox) };
    let old: Option<String> = sqlx::query_scalar("DELETE FROM greeting WHERE mailbox = ? AND kind = ? RETURNING audio")
        .bind(row)
        .bind(kind.as_str())
        .fetch_optional(&mut *sql)
        .await?;
    if let Some(audio) = audio {
        sqlx::query("INSERT INTO greeting(mailbox, kind, audio) VALUES (?, ?, ?)")
            .bind(row)
            .bind(kind.as_str())
            .bind(audio)
            .execute(sql)
            .await?;
    }
    if old.is_some() || audio.is_some() {
        changes.push(mailbox, ChangeKind::Greeting);
    }
    Ok(Outcome::Forgotten { messages: Vec::new(), greetings: old.into_iter().collect() })
}

struct Place {
    row: i64,
    uid: i64,
    modseq: i64,
}

/// The place of the next message of a mailbox. None: there is no such mailbox.
async fn next_place(sql: &mut SqliteConnection, mailbox: &MailboxId) -> Result<Option<Place>, sqlx::Error> {
    let place: Option<(i64, i64, i64)> = sqlx::query_as(
        "UPDATE mailbox SET uidnext = uidnext + 1, modseq = modseq + 1 WHERE name = ? RETURNING id, uidnext - 1, modseq",
    )
    .bind(mailbox.as_str())
    .fetch_optional(sql)
    .await?;
    Ok(place.map(|(row, uid, modseq)| Place { row, uid, modseq }))
}

struct Grave {
    message: Vec<u8>,
    row: i64,
    folder: i64,
    uid: i64,
    modseq: i64,
}

async fn bury(sql: &mut SqliteConnection, grave: Grave) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO tombstone(message, mailbox, folder, uid, modseq) VALUES (?, ?, ?, ?, ?)")
        .bind(grave.message)
        .bind(grave.row)
        .bind(grave.folder)
        .bind(grave.uid)
        .bind(grave.modseq)
        .execute(sql)
        .await?;
    Ok(())
}

async fn row_of(sql: &mut SqliteConnection, mailbox: &MailboxId) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM mailbox WHERE name = ?").bind(mailbox.as_str()).fetch_optional(sql).await
}

/// Folder, UID and read flag of a message.
async fn find(
    sql: &mut SqliteConnection,
    mailbox: &MailboxId,
    message: MessageId,
) -> Result<Option<(i64, i64, bool)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT folder, uid, read FROM message JOIN mailbox ON mailbox.id = message.mailbox
         WHERE message.id = ? AND mailbox.name = ?",
    )
    .bind(message.bytes())
    .bind(mailbox.as_str())
    .fetch_optional(sql)
    .await
}

pub(crate) fn message_id(bytes: [u8; 16]) -> MessageId {
    MessageId(u128::from_be_bytes(bytes))
}

/// Milliseconds since 1970; before that, 0.
pub(crate) fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
