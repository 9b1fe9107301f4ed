use crate::{MailboxId, MessageId};
use serde::Serialize;

/// What happened to a mailbox. Read flag, lamp, page and mail client follow these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Counts up over the whole store. A number may be left out.
    pub seq: u64,
    pub mailbox: MailboxId,
    #[serde(flatten)]
    pub kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", content = "message", rename_all = "snake_case")]
pub enum ChangeKind {
    MailboxCreated,
    MailboxRemoved,
    /// A message is durable in the mailbox.
    Delivered(MessageId),
    Read(MessageId),
    Unread(MessageId),
    Flagged(MessageId),
    Unflagged(MessageId),
    /// Its text is there.
    Preview(MessageId),
    /// Moved among the deleted ones.
    Deleted(MessageId),
    /// Brought back from there.
    Restored(MessageId),
    /// Gone for good.
    Expunged(MessageId),
    /// A greeting was recorded or removed.
    Greeting,
}

impl ChangeKind {
    pub(crate) fn parts(self) -> (&'static str, Option<MessageId>) {
        match self {
            ChangeKind::MailboxCreated => ("mailbox_created", None),
            ChangeKind::MailboxRemoved => ("mailbox_removed", None),
            ChangeKind::Delivered(id) => ("delivered", Some(id)),
            ChangeKind::Read(id) => ("read", Some(id)),
            ChangeKind::Unread(id) => ("unread", Some(id)),
            ChangeKind::Flagged(id) => ("flagged", Some(id)),
            ChangeKind::Unflagged(id) => ("unflagged", Some(id)),
            ChangeKind::Preview(id) => ("preview", Some(id)),
            ChangeKind::Deleted(id) => ("deleted", Some(id)),
            ChangeKind::Restored(id) => ("restored", Some(id)),
            ChangeKind::Expunged(id) => ("expunged", Some(id)),
            ChangeKind::Greeting => ("greeting", None),
        }
    }

    pub(crate) fn from_parts(name: &str, message: Option<MessageId>) -> Option<ChangeKind> {
        Some(match (name, message) {
            ("mailbox_created", _) => ChangeKind::MailboxCreated,
            ("mailbox_removed", _) => ChangeKind::MailboxRemoved,
            ("delivered", Some(id)) => ChangeKind::Delivered(id),
            ("read", Some(id)) => ChangeKind::Read(id),
            ("unread", Some(id)) => ChangeKind::Unread(id),
            ("flagged", Some(id)) => ChangeKind::Flagged(id),
            ("unflagged", Some(id)) => ChangeKind::Unflagged(id),
            ("preview", Some(id)) => ChangeKind::Preview(id),
            ("deleted", Some(id)) => ChangeKind::Deleted(id),
            ("restored", Some(id)) => ChangeKind::Restored(id),
            ("expunged", Some(id)) => ChangeKind::Expunged(id),
            ("greeting", _) => ChangeKind::Greeting,
            _ => return None,
        })
    }
}
