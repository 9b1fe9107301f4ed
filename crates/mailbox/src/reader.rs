//! What is read: on connections of its own, beside the writer.

use crate::blobs::message_path;
use crate::error::ChangesError;
use crate::mime::Envelope;
use crate::schema::Folder;
use crate::writer::message_id;
use crate::{
    Change, ChangeKind, Counts, GreetingKind, Line, MailboxId, Message, MessageId, MessageKind, ModSeq, Order, Preview,
    Status, Uid, Unavailable,
};
use database::{Error, FromRow, Pool, Row, values};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

#[derive(Clone)]
pub(crate) struct Reader {
    pub pool: Pool,
}

/// A message's columns, in the order that [`Found`] reads them by name.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT message.id, mailbox.name AS mailbox, folder, uid, message.modseq, from_number, from_name, subject,
                received_ms, duration_ms, kind, read, urgent, private, protected, flagged, preview, preview_confidence, size
             FROM message JOIN mailbox ON mailbox.id = message.mailbox WHERE mailbox.name = $1 AND ",
            $rest
        )
    };
}

struct Found(Message);

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Found, Error> {
        let id: Vec<u8> = row.get("id")?;
        let mailbox: String = row.get("mailbox")?;
        let text = |name: &str| Ok::<_, Error>(row.get::<Option<String>, _>(name)?.as_deref().map(Line::new));
        let received: i64 = row.get("received_ms")?;
        Ok(Found(Message {
            id: message_id(id.try_into().map_err(|_| damaged("id"))?),
            mailbox: MailboxId::parse(&mailbox).map_err(|_| damaged("mailbox"))?,
            uid: Uid(unsigned(row, "uid")?),
            modseq: ModSeq(unsigned(row, "modseq")?),
            from_number: text("from_number")?,
            from_name: text("from_name")?,
            subject: row.get("subject")?,
            received: SystemTime::UNIX_EPOCH + Duration::from_millis(received.unsigned_abs()),
            duration_ms: unsigned(row, "duration_ms")?,
            kind: MessageKind::of_number(row.get("kind")?).ok_or_else(|| damaged("kind"))?,
            read: row.get("read")?,
            urgent: row.get("urgent")?,
            private: row.get("private")?,
            protected: row.get("protected")?,
            flagged: row.get("flagged")?,
            preview: match row.get::<Option<String>, _>("preview")? {
                Some(text) => Some(Preview { text, confidence: unsigned(row, "preview_confidence")? }),
                None => None,
            },
            deleted: row.get::<i64, _>("folder")? == Folder::Deleted.number(),
            size: unsigned(row, "size")?,
        }))
    }
}

fn unsigned<T: TryFrom<i64>>(row: &Row, name: &'static str) -> Result<T, Error> {
    T::try_from(row.get::<i64, _>(name)?).map_err(|_| damaged(name))
}

fn damaged(column: &str) -> Error {
    Error::Decode(format!("{column} of a row is not what was written there").into())
}

impl Reader {
    pub async fn mailboxes(&self) -> Result<Vec<MailboxId>, Unavailable> {
        let names: Vec<(String,)> = self.pool.all("SELECT name FROM mailbox ORDER BY name", values![]).await?;
        Ok(names.iter().filter_map(|(name,)| MailboxId::parse(name).ok()).collect())
    }

    pub async fn status(&self, mailbox: &MailboxId) -> Result<Option<Status>, Unavailable> {
        let query = "SELECT uidvalidity, uidnext, modseq FROM mailbox WHERE name = $1";
        let row: Option<(i64, i64, i64)> = self.pool.optional(query, values![mailbox.as_str()]).await?;
        Ok(row.map(|(uidvalidity, uidnext, modseq)| Status {
            uidvalidity: u32::try_from(uidvalidity).unwrap_or(u32::MAX),
            uidnext: Uid(u32::try_from(uidnext).unwrap_or(u32::MAX)),
            modseq: ModSeq(modseq.unsigned_abs()),
        }))
    }

    /// Whether a mailbox exists, and whether a recording has become a message already, be it deleted since.
    pub async fn before_delivery(&self, mailbox: &MailboxId, id: MessageId) -> Result<(bool, bool), Unavailable> {
        let query = "SELECT EXISTS(SELECT 1 FROM mailbox WHERE name = $1),
                EXISTS(SELECT 1 FROM message WHERE id = $2) OR EXISTS(SELECT 1 FROM tombstone WHERE message = $2)";
        Ok(self.pool.one(query, values![mailbox.as_str(), id.bytes()]).await?)
    }

    pub async fn list(&self, mailbox: &MailboxId, order: Order) -> Result<Vec<Message>, Unavailable> {
        let query = match order {
            Order::NewestFirst => messages!("folder = $2 ORDER BY received_ms DESC, uid DESC"),
            Order::NewThenSaved => messages!("folder = $2 AND kind <> 2 ORDER BY read, received_ms DESC, uid DESC"),
        };
        let found: Vec<Found> = self.pool.all(query, values![mailbox.as_str(), Folder::Inbox.number()]).await?;
        Ok(found.into_iter().map(|found| found.0).collect())
    }

    pub async fn get(&self, mailbox: &MailboxId, message: MessageId) -> Result<Option<Message>, Unavailable> {
        let query = messages!("message.id = $2");
        let found: Option<Found> = self.pool.optional(query, values![mailbox.as_str(), message.bytes()]).await?;
        Ok(found.map(|found| found.0))
    }

    /// Where the recording of a message is.
    pub async fn audio(&self, mailbox: &MailboxId, message: MessageId) -> Result<Option<String>, Unavailable> {
        let query = "SELECT audio FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = $1 AND message.id = $2";
        let row: Option<(Option<String>,)> =
            self.pool.optional(query, values![mailbox.as_str(), message.bytes()]).await?;
        Ok(row.map(|(audio,)| audio.unwrap_or_else(|| message_path(message))))
    }

    pub async fn envelope(&self, mailbox: &MailboxId, message: MessageId) -> Result<Option<Envelope>, Unavailable> {
        let query = "SELECT mime_before, mime_after FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = $1 AND message.id = $2";
        let row: Option<(String, String)> =
            self.pool.optional(query, values![mailbox.as_str(), message.bytes()]).await?;
        Ok(row.map(|(before, after)| Envelope { before, after }))
    }

    pub async fn counts(&self, mailbox: &MailboxId) -> Result<Counts, Unavailable> {
        let query = "SELECT read, urgent, count(*) FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = $1 AND folder = $2 AND kind <> 2 GROUP BY read, urgent";
        let rows: Vec<(bool, bool, i64)> =
            self.pool.all(query, values![mailbox.as_str(), Folder::Inbox.number()]).await?;
        let mut counts = Counts::default();
        for (read, urgent, count) in rows {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let (all, urgents) = match read {
                false => (&mut counts.new, &mut counts.new_urgent),
                true => (&mut counts.old, &mut counts.old_urgent),
            };
            *all = all.saturating_add(count);
            if urgent {
                *urgents = count;
            }
        }
        Ok(counts)
    }

    /// Bytes of all messages that are not deleted.
    pub async fn usage(&self, mailbox: &MailboxId) -> Result<u64, Unavailable> {
        // PostgreSQL sums up to a type of its own.
        let query = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM message
             JOIN mailbox ON mailbox.id = message.mailbox WHERE mailbox.name = $1 AND folder = $2";
        let (bytes,): (i64,) = self.pool.one(query, values![mailbox.as_str(), Folder::Inbox.number()]).await?;
        Ok(bytes.unsigned_abs())
    }

    /// UIDs that left a folder after a modification sequence.
    pub async fn vanished(&self, mailbox: &MailboxId, folder: Folder, since: ModSeq) -> Result<Vec<Uid>, Unavailable> {
        let query = "SELECT uid FROM tombstone JOIN mailbox ON mailbox.id = tombstone.mailbox
             WHERE mailbox.name = $1 AND folder = $2 AND tombstone.modseq > $3 ORDER BY uid";
        let since = i64::try_from(since.0).unwrap_or(i64::MAX);
        let uids: Vec<(i64,)> = self.pool.all(query, values![mailbox.as_str(), folder.number(), since]).await?;
        Ok(uids.into_iter().filter_map(|(uid,)| u32::try_from(uid).ok().map(Uid)).collect())
    }

    pub async fn greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<Option<String>, Unavailable> {
        let query = "SELECT audio FROM greeting JOIN mailbox ON mailbox.id = greeting.mailbox
             WHERE mailbox.name = $1 AND kind = $2";
        let row: Option<(String,)> = self.pool.optional(query, values![mailbox.as_str(), kind.as_str()]).await?;
        Ok(row.map(|(audio,)| audio))
    }

    pub async fn last_change(&self) -> Result<u64, Unavailable> {
        let (last,): (Option<i64>,) = self.pool.one("SELECT max(seq) FROM change", values![]).await?;
        Ok(last.unwrap_or_default().unsigned_abs())
    }

    pub async fn changes(&self, since: u64) -> Result<Vec<Change>, ChangesError> {
        let query = "SELECT seq, mailbox, kind, message FROM change WHERE seq > $1 ORDER BY seq";
        let since_seq = i64::try_from(since).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String, String, Option<Vec<u8>>)> =
            self.pool.all(query, values![since_seq]).await.map_err(Unavailable::from)?;
        // The log is only ever cut at its old end, so its numbers have no gaps.
        if let Some((first, ..)) = rows.first()
            && first.unsigned_abs() > since.saturating_add(1)
        {
            let last = rows.last().map_or(0, |(last, ..)| last.unsigned_abs());
            return Err(ChangesError::Forgotten { last });
        }
        Ok(rows
            .into_iter()
            .filter_map(|(seq, mailbox, kind, message)| {
                let message = message.and_then(|id| id.try_into().ok()).map(message_id);
                let kind = ChangeKind::from_parts(&kind, message)?;
                Some(Change { seq: seq.unsigned_abs(), mailbox: MailboxId::parse(&mailbox).ok()?, kind })
            })
            .collect())
    }

    /// The recordings that rows name: all else among the blobs is orphaned.
    pub async fn blobs(&self) -> Result<HashSet<String>, Unavailable> {
        let messages: Vec<(Vec<u8>, Option<String>)> =
            self.pool.all("SELECT id, audio FROM message", values![]).await?;
        let greetings: Vec<(String,)> = self.pool.all("SELECT audio FROM greeting", values![]).await?;
        let messages = messages.into_iter().filter_map(|(id, audio)| audio_of(id, audio));
        Ok(messages.chain(greetings.into_iter().map(|(audio,)| audio)).collect())
    }
}

/// Where the recording of a row is.
pub(crate) fn audio_of(id: Vec<u8>, audio: Option<String>) -> Option<String> {
    audio.or_else(|| id.try_into().ok().map(message_id).map(message_path))
}
