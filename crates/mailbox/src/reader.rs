//! What is read: on connections of its own, beside the writer.

use crate::error::ChangesError;
use crate::mime::Envelope;
use crate::schema::Folder;
use crate::writer::message_id;
use crate::{
    Change, ChangeKind, Counts, GreetingKind, Line, MailboxId, Message, MessageId, MessageKind, ModSeq, Order, Preview,
    Status, Uid, Unavailable,
};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Row};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

#[derive(Clone)]
pub(crate) struct Reader {
    pub pool: SqlitePool,
}

/// A message's columns, in the order that [`Found`] reads them by name.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT message.id, mailbox.name AS mailbox, folder, uid, message.modseq, from_number, from_name, subject,
                received_ms, duration_ms, kind, read, urgent, private, protected, flagged, preview, preview_confidence, size
             FROM message JOIN mailbox ON mailbox.id = message.mailbox WHERE mailbox.name = ? AND ",
            $rest
        )
    };
}

struct Found(Message);

impl<'r> FromRow<'r, SqliteRow> for Found {
    fn from_row(row: &'r SqliteRow) -> Result<Found, sqlx::Error> {
        let id: Vec<u8> = row.try_get("id")?;
        let mailbox: String = row.try_get("mailbox")?;
        let text = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(name)?.as_deref().map(Line::new));
        let received: i64 = row.try_get("received_ms")?;
        Ok(Found(Message {
            id: message_id(id.try_into().map_err(|_| damaged("id"))?),
            mailbox: MailboxId::parse(&mailbox).map_err(|_| damaged("mailbox"))?,
            uid: Uid(unsigned(row, "uid")?),
            modseq: ModSeq(unsigned(row, "modseq")?),
            from_number: text("from_number")?,
            from_name: text("from_name")?,
            subject: row.try_get("subject")?,
            received: SystemTime::UNIX_EPOCH + Duration::from_millis(received.unsigned_abs()),
            duration_ms: unsigned(row, "duration_ms")?,
            kind: MessageKind::of_number(row.try_get("kind")?).ok_or_else(|| damaged("kind"))?,
            read: row.try_get("read")?,
            urgent: row.try_get("urgent")?,
            private: row.try_get("private")?,
            protected: row.try_get("protected")?,
            flagged: row.try_get("flagged")?,
            preview: match row.try_get::<Option<String>, _>("preview")? {
                Some(text) => Some(Preview { text, confidence: unsigned(row, "preview_confidence")? }),
                None => None,
            },
            deleted: row.try_get::<i64, _>("folder")? == Folder::Deleted.number(),
            size: unsigned(row, "size")?,
        }))
    }
}

fn unsigned<T: TryFrom<i64>>(row: &SqliteRow, name: &'static str) -> Result<T, sqlx::Error> {
    T::try_from(row.try_get(name)?).map_err(|_| damaged(name))
}

fn damaged(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{column} of a row is not what was written there").into())
}

impl Reader {
    pub async fn mailboxes(&self) -> Result<Vec<MailboxId>, Unavailable> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM mailbox ORDER BY name").fetch_all(&self.pool).await?;
        Ok(names.iter().filter_map(|name| MailboxId::parse(name).ok()).collect())
    }

    pub async fn status(&self, mailbox: &MailboxId) -> Result<Option<Status>, Unavailable> {
        let row: Option<(i64, i64, i64)> =
            sqlx::query_as("SELECT uidvalidity, uidnext, modseq FROM mailbox WHERE name = ?")
                .bind(mailbox.as_str())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|(uidvalidity, uidnext, modseq)| Status {
            uidvalidity: u32::try_from(uidvalidity).unwrap_or(u32::MAX),
            uidnext: Uid(u32::try_from(uidnext).unwrap_or(u32::MAX)),
            modseq: ModSeq(modseq.unsigned_abs()),
        }))
    }

    /// Whether a mailbox exists, and whether a recording has become a message already, be it deleted since.
    pub async fn before_delivery(&self, mailbox: &MailboxId, id: MessageId) -> Result<(bool, bool), Unavailable> {
        Ok(sqlx::query_as(
            "SELECT EXISTS(SELECT 1 FROM mailbox WHERE name = ?1),
                EXISTS(SELECT 1 FROM message WHERE id = ?2) OR EXISTS(SELECT 1 FROM tombstone WHERE message = ?2)",
        )
        .bind(mailbox.as_str())
        .bind(id.bytes())
        .fetch_one(&self.pool)
        .await?)
    }

    pub async fn list(&self, mailbox: &MailboxId, order: Order) -> Result<Vec<Message>, Unavailable> {
        let query = match order {
            Order::NewestFirst => messages!("folder = ? ORDER BY received_ms DESC, uid DESC"),
            Order::NewThenSaved => messages!("folder = ? AND kind <> 2 ORDER BY read, received_ms DESC, uid DESC"),
        };
        let found: Vec<Found> =
            sqlx::query_as(query).bind(mailbox.as_str()).bind(Folder::Inbox.number()).fetch_all(&self.pool).await?;
        Ok(found.into_iter().map(|found| found.0).collect())
    }

    pub async fn get(&self, mailbox: &MailboxId, message: MessageId) -> Result<Option<Message>, Unavailable> {
        let found: Option<Found> = sqlx::query_as(messages!("message.id = ?"))
            .bind(mailbox.as_str())
            .bind(message.bytes())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(|found| found.0))
    }

    pub async fn envelope(&self, mailbox: &MailboxId, message: MessageId) -> Result<Option<Envelope>, Unavailable> {
        let row: Option<(String, String)> = sqlx::query_as(
            "SELECT mime_before, mime_after FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = ? AND message.id = ?",
        )
        .bind(mailbox.as_str())
        .bind(message.bytes())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(before, after)| Envelope { before, after }))
    }

    pub async fn counts(&self, mailbox: &MailboxId) -> Result<Counts, Unavailable> {
        let rows: Vec<(bool, bool, u32)> = sqlx::query_as(
            "SELECT read, urgent, count(*) FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = ? AND folder = ? AND kind <> 2 GROUP BY read, urgent",
        )
        .bind(mailbox.as_str())
        .bind(Folder::Inbox.number())
        .fetch_all(&self.pool)
        .await?;
        let mut counts = Counts::default();
        for (read, urgent, count) in rows {
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
        let bytes: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(size), 0) FROM message JOIN mailbox ON mailbox.id = message.mailbox
             WHERE mailbox.name = ? AND folder = ?",
        )
        .bind(mailbox.as_str())
        .bind(Folder::Inbox.number())
        .fetch_one(&self.pool)
        .await?;
        Ok(bytes.unsigned_abs())
    }

    /// UIDs that left a folder after a modification sequence.
    pub async fn vanished(&self, mailbox: &MailboxId, folder: Folder, since: ModSeq) -> Result<Vec<Uid>, Unavailable> {
        let uids: Vec<u32> = sqlx::query_scalar(
            "SELECT uid FROM tombstone JOIN mailbox ON mailbox.id = tombstone.mailbox
             WHERE mailbox.name = ? AND folder = ? AND tombstone.modseq > ? ORDER BY uid",
        )
        .bind(mailbox.as_str())
        .bind(folder.number())
        .bind(i64::try_from(since.0).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(uids.into_iter().map(Uid).collect())
    }

    pub async fn greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<Option<String>, Unavailable> {
        Ok(sqlx::query_scalar(
            "SELECT audio FROM greeting JOIN mailbox ON mailbox.id = greeting.mailbox WHERE mailbox.name = ? AND kind = ?",
        )
        .bind(mailbox.as_str())
        .bind(kind.as_str())
        .fetch_optional(&self.pool)
        .await?)
    }

    pub async fn last_change(&self) -> Result<u64, Unavailable> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM change").fetch_one(&self.pool).await?;
        Ok(last.unwrap_or_default().unsigned_abs())
    }

    pub async fn changes(&self, since: u64) -> Result<Vec<Change>, ChangesError> {
        let rows: Vec<(i64, String, String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT seq, mailbox, kind, message FROM change WHERE seq > ? ORDER BY seq")
                .bind(i64::try_from(since).unwrap_or(i64::MAX))
                .fetch_all(&self.pool)
                .await
                .map_err(Unavailable::from)?;
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

    /// What rows name: all else among the blobs is orphaned.
    pub async fn blobs(&self) -> Result<(HashSet<MessageId>, HashSet<String>), Unavailable> {
        let messages: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM message").fetch_all(&self.pool).await?;
        let greetings: Vec<String> = sqlx::query_scalar("SELECT audio FROM greeting").fetch_all(&self.pool).await?;
        let messages = messages.into_iter().filter_map(|id| id.try_into().ok()).map(message_id).collect();
        Ok((messages, greetings.into_iter().collect()))
    }
}
