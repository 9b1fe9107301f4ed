use crate::*;
use bytes::Bytes;
use std::path::Path;
use std::time::SystemTime;

/// All mailboxes of a UM server. Cloning is cheap; all clones are the same store. Needs tokio.
#[derive(Clone)]
pub struct Mailboxes {}

/// Changes as they become durable.
pub struct Changes {}

#[allow(unused_variables)]
impl Mailboxes {
    /// Opens or creates the store in a folder: `mailbox.db` and, below `audio`, the recordings.
    pub async fn open(folder: &Path) -> Result<Mailboxes, OpenError> {
        todo!()
    }
    /// An empty store that forgets all when dropped, for tests.
    pub async fn memory() -> Result<Mailboxes, OpenError> {
        todo!()
    }
    /// Makes a mailbox; one that exists stays as it is. `now` becomes part of its UIDVALIDITY.
    pub async fn create(&self, mailbox: &MailboxId, now: SystemTime) -> Result<(), Unavailable> {
        todo!()
    }
    /// Removes a mailbox with all that is in it. One that does not exist is none.
    pub async fn remove(&self, mailbox: &MailboxId) -> Result<(), Unavailable> {
        todo!()
    }
    /// All mailboxes, by name.
    pub async fn mailboxes(&self) -> Result<Vec<MailboxId>, Unavailable> {
        todo!()
    }
    /// Puts a message into its mailbox. When this returns, it is durable.
    pub async fn deliver(&self, message: NewMessage) -> Result<MessageId, DeliverError> {
        todo!()
    }
    /// The messages that are not deleted.
    pub async fn list(&self, mailbox: &MailboxId, order: Order) -> Result<Vec<Message>, MailboxError> {
        todo!()
    }
    pub async fn get(&self, mailbox: &MailboxId, message: MessageId) -> Result<Message, MessageError> {
        todo!()
    }
    pub async fn set_read(&self, mailbox: &MailboxId, message: MessageId, read: bool) -> Result<(), MessageError> {
        todo!()
    }
    /// Moves a message among the deleted ones.
    pub async fn delete(&self, mailbox: &MailboxId, message: MessageId, now: SystemTime) -> Result<(), MessageError> {
        todo!()
    }
    /// Brings a deleted message back.
    pub async fn undelete(&self, mailbox: &MailboxId, message: MessageId) -> Result<(), MessageError> {
        todo!()
    }
    /// The recording, as a G.711 WAV file.
    pub async fn audio(&self, mailbox: &MailboxId, message: MessageId) -> Result<Bytes, MessageError> {
        todo!()
    }
    /// The whole MIME message.
    pub async fn mime(&self, mailbox: &MailboxId, message: MessageId) -> Result<Bytes, MessageError> {
        todo!()
    }
    pub async fn counts(&self, mailbox: &MailboxId) -> Result<Counts, MailboxError> {
        todo!()
    }
    /// Keeps a greeting. Any WAV of `read_wav`'s kinds; kept as 8 kHz mono.
    pub async fn put_greeting(&self, mailbox: &MailboxId, kind: GreetingKind, wav: Bytes) -> Result<(), GreetingError> {
        todo!()
    }
    /// A greeting as 8 kHz mono 16-bit PCM WAV; None if there is none.
    pub async fn greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<Option<Bytes>, MailboxError> {
        todo!()
    }
    /// Removes a greeting; one that does not exist is none.
    pub async fn delete_greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<(), MailboxError> {
        todo!()
    }
    /// What changed after change number `since` (0: from the beginning), oldest first.
    pub async fn changes(&self, since: u64) -> Result<Vec<Change>, ChangesError> {
        todo!()
    }
    /// Every change from now on.
    pub fn subscribe(&self) -> Changes {
        todo!()
    }
}

impl Changes {
    /// Waits for the next change. None: the store is closed.
    pub async fn next(&mut self) -> Option<Change> {
        todo!()
    }
}
