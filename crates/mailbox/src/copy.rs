//! A store is copied into another: a server's own folder into what several servers share. Mailboxes are copied one at a time,
//! recordings first, then the rows in one transaction, so that what is there is whole whenever it is cut short. Copied again,
//! only what is missing is added.

use crate::reader::audio_of;
use crate::schema::Folder;
use crate::writer::{Changed, Outcome, Write, message_id};
use crate::{ChangeKind, MailboxId, Mailboxes, MessageKind, Unavailable};
use database::{Error, FromRow, Row, Transaction, Value, values};
use std::ops::AddAssign;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Mailboxes that were not there.
    pub mailboxes: usize,
    pub messages: usize,
    pub greetings: usize,
    /// Files with audio that were not there.
    pub recordings: usize,
    /// Mailboxes, messages and greetings that were there already.
    pub present: usize,
    /// Recordings that a row names and nobody has: they were gone before.
    pub gone: usize,
}

impl AddAssign for Copied {
    fn add_assign(&mut self, other: Copied) {
        self.mailboxes += other.mailboxes;
        self.messages += other.messages;
        self.greetings += other.greetings;
        self.recordings += other.recordings;
        self.present += other.present;
        self.gone += other.gone;
    }
}

/// Why a store was not copied. Mailboxes before the one that failed are there, whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// It has a mailbox of that name which did not come from here.
    #[error(
        "there is a mailbox {0} already, which was not copied from here: its messages would be mixed with another's"
    )]
    Other(MailboxId),
    /// Either store could not read or write. Copy again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A mailbox with all that is in it.
#[derive(Debug)]
pub(crate) struct Whole {
    name: MailboxId,
    uidvalidity: i64,
    uidnext: i64,
    modseq: i64,
    messages: Vec<MessageRow>,
    tombstones: Vec<Tombstone>,
    greetings: Vec<(String, String)>,
}

/// Columns of a message that are copied as they are; the others are its place.
const COLUMNS: [&str; 18] = [
    "from_number",
    "from_name",
    "subject",
    "received_ms",
    "duration_ms",
    "kind",
    "read",
    "urgent",
    "private",
    "protected",
    "flagged",
    "preview",
    "preview_confidence",
    "deleted_ms",
    "size",
    "mime_before",
    "mime_after",
    "audio",
];

#[derive(Debug)]
struct MessageRow {
    id: Vec<u8>,
    folder: i64,
    uid: i64,
    modseq: i64,
    /// A missed call has none.
    recording: Option<String>,
    /// As [`COLUMNS`].
    rest: Vec<Value>,
}

impl FromRow for MessageRow {
    fn from_row(row: &Row) -> Result<MessageRow, Error> {
        let rest = COLUMNS.iter().map(|column| {
            Ok(match *column {
                "from_number" | "from_name" | "preview" | "audio" => Value::Text(row.get(*column)?),
                "subject" | "mime_before" | "mime_after" => Value::Text(Some(row.get(*column)?)),
                "read" | "urgent" | "private" | "protected" | "flagged" => Value::Bool(row.get(*column)?),
                "deleted_ms" => Value::Int(row.get(*column)?),
                column => Value::Int(Some(row.get(column)?)),
            })
        });
        let rest = rest.collect::<Result<Vec<Value>, Error>>()?;
        let place = |column| row.get::<i64, _>(column);
        let id: Vec<u8> = row.get("id")?;
        let spoken = place("kind")? != MessageKind::MissedCall.number();
        Ok(MessageRow {
            recording: audio_of(id.clone(), row.get("audio")?).filter(|_| spoken),
            id,
            folder: place("folder")?,
            uid: place("uid")?,
            modseq: place("modseq")?,
            rest,
        })
    }
}

#[derive(Debug)]
struct Tombstone {
    message: Vec<u8>,
    place: [i64; 3],
}

impl FromRow for Tombstone {
    fn from_row(row: &Row) -> Result<Tombstone, Error> {
        let place = [row.get("folder")?, row.get("uid")?, row.get("modseq")?];
        Ok(Tombstone { message: row.get("message")?, place })
    }
}

impl Mailboxes {
    /// Copies everything into `other`: what it has is left as it is. Nobody should write here meanwhile.
    ///
    /// # Errors
    /// [`CopyError`]; nothing is copied when a mailbox there is another's.
    pub async fn copy_to(&self, other: &Mailboxes) -> Result<Copied, CopyError> {
        let mailboxes = self.reader.mailboxes().await?;
        for name in &mailboxes {
            if let (Some(ours), Some(theirs)) = (self.reader.status(name).await?, other.reader.status(name).await?)
                && ours.uidvalidity != theirs.uidvalidity
            {
                return Err(CopyError::Other(name.clone()));
            }
        }
        let mut copied = Copied::default();
        for name in mailboxes {
            let whole = self.whole(&name).await.map_err(Unavailable::from)?;
            for path in whole.recordings() {
                match other.blobs.copy_from(&self.blobs, &path).await? {
                    Some(true) => copied.recordings += 1,
                    Some(false) => {}
                    None => copied.gone += 1,
                }
            }
            if let Outcome::Copied(rows) = other.writer.write(Write::Copy(Box::new(whole))).await? {
                copied += rows;
            }
        }
        Ok(copied)
    }

    async fn whole(&self, name: &MailboxId) -> Result<Whole, Error> {
        let pool = &self.reader.pool;
        let mailbox = "SELECT id, uidvalidity, uidnext, modseq FROM mailbox WHERE name = $1";
        let (row, uidvalidity, uidnext, modseq): (i64, i64, i64, i64) =
            pool.one(mailbox, values![name.as_str()]).await?;
        Ok(Whole {
            name: name.clone(),
            uidvalidity,
            uidnext,
            modseq,
            messages: pool.all("SELECT * FROM message WHERE mailbox = $1 ORDER BY uid", values![row]).await?,
            tombstones: pool.all("SELECT * FROM tombstone WHERE mailbox = $1", values![row]).await?,
            greetings: pool.all("SELECT kind, audio FROM greeting WHERE mailbox = $1", values![row]).await?,
        })
    }
}

impl Whole {
    /// The names of its audio.
    fn recordings(&self) -> Vec<String> {
        let messages = self.messages.iter().filter_map(|message| message.recording.clone());
        messages.chain(self.greetings.iter().map(|(_, audio)| audio.clone())).collect()
    }
}

/// Adds what is missing. A mailbox that is new keeps its UIDs; in one that was there what is added comes last.
pub(crate) async fn add(sql: &mut Transaction, changes: &mut Changed, whole: &Whole) -> Result<Outcome, Error> {
    let mut copied = Copied::default();
    let found = "SELECT id FROM mailbox WHERE name = $1";
    let found: Option<(i64,)> = sql.optional(found, values![whole.name.as_str()]).await?;
    let row = match found {
        Some((row,)) => {
            copied.present += 1;
            row
        }
        None => {
            copied.mailboxes += 1;
            let greatest = "UPDATE uidvalidity SET last = CASE WHEN last < $1 THEN $1 ELSE last END";
            sql.execute(greatest, values![whole.uidvalidity]).await?;
            let insert = "INSERT INTO mailbox(name, uidvalidity, uidnext, modseq) VALUES ($1, $2, $3, $4) RETURNING id";
            let values = values![whole.name.as_str(), whole.uidvalidity, whole.uidnext, whole.modseq];
            changes.push(&whole.name, ChangeKind::MailboxCreated);
            sql.one::<(i64,)>(insert, values).await?.0
        }
    };
    let mut rows = Vec::new();
    for message in &whole.messages {
        let known =
            "SELECT EXISTS(SELECT 1 FROM message WHERE id = $1) OR EXISTS(SELECT 1 FROM tombstone WHERE message = $1)";
        // Of a mailbox that is new it is known that nothing is there.
        if found.is_some() && sql.one::<(bool,)>(known, values![message.id.clone()]).await?.0 {
            copied.present += 1;
            continue;
        }
        let (uid, modseq) = match found {
            None => (message.uid, message.modseq),
            Some(_) => {
                let next = "UPDATE mailbox SET uidnext = uidnext + 1, modseq = modseq + 1 WHERE id = $1
                     RETURNING uidnext - 1, modseq";
                sql.one(next, values![row]).await?
            }
        };
        let mut values = values![message.id.clone(), row, message.folder, uid, modseq];
        values.extend(message.rest.iter().cloned());
        rows.push(values);
        copied.messages += 1;
        if message.folder == Folder::Inbox.number()
            && let Ok(id) = message.id.clone().try_into()
        {
            changes.push(&whole.name, ChangeKind::Delivered(message_id(id)));
        }
    }
    let head = format!("INSERT INTO message(id, mailbox, folder, uid, modseq, {})", COLUMNS.join(", "));
    for some in rows.chunks(100) {
        sql.insert(&head, some.to_vec(), "").await?;
    }
    if found.is_none() {
        let rows: Vec<Vec<Value>> = whole
            .tombstones
            .iter()
            .map(|tombstone| {
                let [folder, uid, modseq] = tombstone.place;
                values![tombstone.message.clone(), row, folder, uid, modseq]
            })
            .collect();
        for some in rows.chunks(100) {
            sql.insert("INSERT INTO tombstone(message, mailbox, folder, uid, modseq)", some.to_vec(), "").await?;
        }
    }
    for (kind, audio) in &whole.greetings {
        let insert = "INSERT INTO greeting(mailbox, kind, audio) VALUES ($1, $2, $3)
             ON CONFLICT (mailbox, kind) DO NOTHING RETURNING kind";
        match sql.optional::<(String,)>(insert, values![row, kind, audio]).await? {
            Some(_) => copied.greetings += 1,
            None => copied.present += 1,
        }
    }
    if copied.greetings > 0 {
        changes.push(&whole.name, ChangeKind::Greeting);
    }
    Ok(Outcome::Copied(copied))
}
