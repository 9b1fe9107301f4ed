use crate::audio::audio_folder;
use crate::blobs::{Blobs, greeting_path, new_message_path};
use crate::feed::{Announce, Changes, Feed, Publisher};
use crate::lamp::Leases;
use crate::reader::Reader;
use crate::schema::{Folder, SCHEMA};
use crate::writer::{Outcome, Write, Writer};
use crate::{
    Change, ChangesError, Counts, DeliverError, GreetingError, GreetingKind, MailboxError, MailboxId, Message,
    MessageError, MessageId, ModSeq, NewMessage, OpenError, Order, Preview, Status, Uid, Unavailable, mime, wav,
};
use bytes::Bytes;
use database::{Database, Error, Pool, Server, values};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Changes that are kept for followers who were away.
const KEPT_CHANGES: i64 = 100_000;
/// Connections that read beside the writer.
const READERS: u32 = 2;
/// A recording without a row that is older belongs to nobody: no delivery takes so long.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a G.711 WAV file before its audio.
const WAV_HEADER: usize = 58;

/// All mailboxes of a UM server. Cloning is cheap; all clones are the same store. Needs a tokio runtime.
///
/// Where it says that something *is done*, it is durable.
#[derive(Clone)]
pub struct Mailboxes {
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) blobs: Blobs,
    feed: Feed,
    pub(crate) leases: Leases,
}

impl Mailboxes {
    /// Opens or creates the store in a folder: `mailbox.db`, and the recordings below `audio`.
    pub async fn open(folder: &Path) -> Result<Mailboxes, OpenError> {
        Mailboxes::open_with(folder, audio_folder(&folder.join("audio"))?).await
    }

    /// The same with the recordings elsewhere: in an object store whose writes are durable when they return.
    pub async fn open_with(folder: &Path, blobs: Arc<dyn ObjectStore>) -> Result<Mailboxes, OpenError> {
        let path = folder.join("mailbox.db");
        let database = Database::open(&path, &SCHEMA).await?;
        Mailboxes::start(database, blobs).await.map_err(|reason| OpenError::Failed { name: SCHEMA.name, path, reason })
    }

    /// The store in PostgreSQL, which other servers use as well, and the recordings where all of them reach them.
    pub async fn connect(server: &Server, blobs: Arc<dyn ObjectStore>) -> Result<Mailboxes, OpenError> {
        let database = Database::connect(server, &SCHEMA).await?;
        Mailboxes::start(database, blobs).await.map_err(|reason| OpenError::Server {
            name: SCHEMA.name,
            server: server.to_string(),
            reason,
        })
    }

    /// An empty store that forgets all when dropped, for tests.
    pub async fn memory() -> Result<Mailboxes, OpenError> {
        let failed = |reason| OpenError::Failed { name: SCHEMA.name, path: ":memory:".into(), reason };
        let database = Database::memory();
        let pool = database.single(&SCHEMA).await.map_err(failed)?;
        let reader = Reader { pool: pool.clone() };
        Mailboxes::start_with(database, pool, reader, Blobs::new(Arc::new(InMemory::new()))).await.map_err(failed)
    }

    async fn start(database: Database, blobs: Arc<dyn ObjectStore>) -> Result<Mailboxes, Error> {
        let pool = database.single(&SCHEMA).await?;
        let reader = Reader { pool: database.pool(READERS).await? };
        Mailboxes::start_with(database, pool, reader, Blobs::new(blobs)).await
    }

    async fn start_with(database: Database, pool: Pool, reader: Reader, blobs: Blobs) -> Result<Mailboxes, Error> {
        let other = |error: Unavailable| Error::Io(io::Error::other(error));
        pool.execute("DELETE FROM change WHERE seq <= (SELECT max(seq) FROM change) - $1", values![KEPT_CHANGES])
            .await?;
        let (publisher, feed) = Publisher::new(reader.last_change().await.map_err(other)?);
        let announce = match &database {
            Database::File(_) => {
                // Nothing is being written yet, and nobody else has the file: what has no row now never gets one.
                if let Err(error) = collect(&reader, &blobs, None).await {
                    tracing::warn!(%error, "audio without a message stays until the next start");
                }
                Announce::Directly(publisher)
            }
            Database::Server(server) => Announce::polled(publisher, reader.clone(), server),
        };
        let writer = Writer::start(database, pool, announce);
        Ok(Mailboxes { writer, reader, blobs, feed, leases: Leases::default() })
    }

    /// Removes recordings that a crash, here or on another server, has left without a message. Those of the last day may
    /// be somebody's who is about to commit the row.
    pub async fn collect_orphans(&self, now: SystemTime) -> Result<usize, Unavailable> {
        collect(&self.reader, &self.blobs, now.checked_sub(ORPHANED)).await
    }

    /// Waits until all that was asked for is done, and releases the file. Afterwards every clone answers
    /// [`Unavailable`].
    pub async fn close(&self) {
        self.writer.close().await;
        self.reader.pool.close().await;
    }

    /// Writes that wait for the writer.
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Makes a mailbox; one that exists stays as it is. `now` becomes part of its UIDVALIDITY.
    pub async fn create(&self, mailbox: &MailboxId, now: SystemTime) -> Result<(), Unavailable> {
        self.writer.write(Write::Create { mailbox: mailbox.clone(), now }).await?;
        Ok(())
    }

    /// Removes a mailbox with all that is in it, for good. One that does not exist is none.
    pub async fn remove(&self, mailbox: &MailboxId) -> Result<(), Unavailable> {
        let outcome = self.writer.write(Write::Remove { mailbox: mailbox.clone() }).await?;
        self.leases.forget(mailbox);
        self.forget(outcome).await;
        Ok(())
    }

    /// All mailboxes, by name.
    pub async fn mailboxes(&self) -> Result<Vec<MailboxId>, Unavailable> {
        self.reader.mailboxes().await
    }

    /// What a mail client must know of a mailbox before all else.
    pub async fn status(&self, mailbox: &MailboxId) -> Result<Status, MailboxError> {
        self.reader.status(mailbox).await?.ok_or(MailboxError::NoMailbox)
    }

    /// Puts a message into its mailbox. Doing it again, after a crash or in doubt, changes nothing: neither makes it a
    /// second message, nor brings back one that was deleted since.
    pub async fn deliver(&self, message: NewMessage) -> Result<MessageId, DeliverError> {
        let id = message.id;
        match self.reader.before_delivery(&message.mailbox, id).await? {
            (_, true) => return Ok(id),
            (false, false) => return Err(DeliverError::NoMailbox),
            (true, false) => {}
        }
        // The audio first: if the row's commit does not follow, it is an orphan for the next start to collect.
        let envelope = mime::envelope(&message);
        let mut size = envelope.size(0);
        let path = message.kind.is_voice().then(|| new_message_path(id));
        if let Some(path) = &path {
            self.blobs.put_message(path, message.audio.codec, message.audio.bytes.clone()).await?;
            let audio = message.audio.bytes.len();
            size = envelope.size(WAV_HEADER.saturating_add(audio).saturating_add(audio % 2));
        }
        let subject = mime::subject(&message);
        let unused = path.clone().into_iter().collect::<Vec<_>>();
        let write = Write::Deliver { message: Box::new(message), subject, envelope, size, audio: path };
        match self.writer.write(write).await? {
            Outcome::NoMailbox => {
                // Removed while the audio was being written.
                self.blobs.forget(&unused).await;
                Err(DeliverError::NoMailbox)
            }
            Outcome::Known => {
                self.blobs.forget(&unused).await;
                Ok(id)
            }
            _ => Ok(id),
        }
    }

    /// The messages that are not deleted.
    pub async fn list(&self, mailbox: &MailboxId, order: Order) -> Result<Vec<Message>, MailboxError> {
        let messages = self.reader.list(mailbox, order).await?;
        if messages.is_empty() {
            self.status(mailbox).await?;
        }
        Ok(messages)
    }

    /// One message, deleted or not.
    pub async fn get(&self, mailbox: &MailboxId, message: MessageId) -> Result<Message, MessageError> {
        self.reader.get(mailbox, message).await?.ok_or(MessageError::NoMessage)
    }

    /// Marks a message read or unread.
    pub async fn set_read(&self, mailbox: &MailboxId, message: MessageId, read: bool) -> Result<(), MessageError> {
        self.change(Write::SetRead { mailbox: mailbox.clone(), message, read }).await
    }

    /// Marks a message for its owner to come back to, or no more.
    pub async fn set_flagged(
        &self,
        mailbox: &MailboxId,
        message: MessageId,
        flagged: bool,
    ) -> Result<(), MessageError> {
        self.change(Write::SetFlagged { mailbox: mailbox.clone(), message, flagged }).await
    }

    /// Keeps what a transcriber made of a message.
    pub async fn set_preview(
        &self,
        mailbox: &MailboxId,
        message: MessageId,
        preview: Preview,
    ) -> Result<(), MessageError> {
        self.change(Write::SetPreview { mailbox: mailbox.clone(), message, preview }).await
    }

    /// Moves a message among the deleted ones, from where [`Mailboxes::undelete`] brings it back.
    pub async fn delete(&self, mailbox: &MailboxId, message: MessageId, now: SystemTime) -> Result<(), MessageError> {
        self.change(Write::Delete { mailbox: mailbox.clone(), message, now }).await
    }

    /// Brings a deleted message back.
    pub async fn undelete(&self, mailbox: &MailboxId, message: MessageId) -> Result<(), MessageError> {
        self.change(Write::Undelete { mailbox: mailbox.clone(), message }).await
    }

    async fn change(&self, write: Write) -> Result<(), MessageError> {
        match self.writer.write(write).await? {
            Outcome::NoMessage | Outcome::NoMailbox => Err(MessageError::NoMessage),
            Outcome::Done | Outcome::Known | Outcome::Forgotten { .. } | Outcome::Copied(_) => Ok(()),
        }
    }

    /// Removes for good, in all mailboxes, what was deleted before a time. Returns how many messages that were.
    pub async fn expunge(&self, deleted_before: SystemTime) -> Result<usize, Unavailable> {
        let outcome = self.writer.write(Write::Expunge { before: deleted_before }).await?;
        let count = if let Outcome::Forgotten { messages, .. } = &outcome { *messages } else { 0 };
        self.forget(outcome).await;
        Ok(count)
    }

    async fn forget(&self, outcome: Outcome) {
        if let Outcome::Forgotten { audio, .. } = outcome {
            self.blobs.forget(&audio).await;
        }
    }

    /// The recording, as a G.711 WAV file. A missed call has none.
    pub async fn audio(&self, mailbox: &MailboxId, message: MessageId) -> Result<Bytes, MessageError> {
        if !self.get(mailbox, message).await?.kind.is_voice() {
            return Err(MessageError::NoMessage);
        }
        Ok(self.blobs.get(&self.path_of(mailbox, message).await?).await?)
    }

    async fn path_of(&self, mailbox: &MailboxId, message: MessageId) -> Result<String, MessageError> {
        self.reader.audio(mailbox, message).await?.ok_or(MessageError::NoMessage)
    }

    /// The whole MIME message, the same bytes each time.
    pub async fn mime(&self, mailbox: &MailboxId, message: MessageId) -> Result<Bytes, MessageError> {
        let envelope = self.reader.envelope(mailbox, message).await?.ok_or(MessageError::NoMessage)?;
        if !self.get(mailbox, message).await?.kind.is_voice() {
            return Ok(envelope.fill(&[]));
        }
        Ok(envelope.fill(&self.blobs.get(&self.path_of(mailbox, message).await?).await?))
    }

    /// Bytes that the messages of a mailbox take, as mail clients see them; deleted ones do not count.
    pub async fn usage(&self, mailbox: &MailboxId) -> Result<u64, MailboxError> {
        let bytes = self.reader.usage(mailbox).await?;
        if bytes == 0 {
            self.status(mailbox).await?;
        }
        Ok(bytes)
    }

    pub async fn counts(&self, mailbox: &MailboxId) -> Result<Counts, MailboxError> {
        let counts = self.reader.counts(mailbox).await?;
        if counts == Counts::default() {
            self.status(mailbox).await?;
        }
        Ok(counts)
    }

    /// UIDs of messages that have left the mailbox (deleted or moved) since a modification sequence.
    pub async fn vanished(&self, mailbox: &MailboxId, since: ModSeq) -> Result<Vec<Uid>, MailboxError> {
        self.status(mailbox).await?;
        Ok(self.reader.vanished(mailbox, Folder::Inbox, since).await?)
    }

    /// Keeps a greeting in place of the one before, as 8 kHz mono. Takes any WAV that [`crate::read_wav`] reads.
    pub async fn put_greeting(
        &self,
        mailbox: &MailboxId,
        kind: GreetingKind,
        file: Bytes,
    ) -> Result<(), GreetingError> {
        // Minutes of 48 kHz take a while to convert.
        let samples = tokio::task::spawn_blocking(move || wav::read_wav(&file))
            .await
            .map_err(|error| Unavailable(error.to_string()))??;
        if self.reader.status(mailbox).await?.is_none() {
            return Err(GreetingError::NoMailbox);
        }
        let audio = greeting_path(mailbox, kind.as_str());
        self.blobs.put_greeting(&audio, wav::pcm_file(&samples)).await?;
        let write = Write::PutGreeting { mailbox: mailbox.clone(), kind, audio: audio.clone() };
        match self.writer.write(write).await? {
            Outcome::NoMailbox => {
                self.blobs.forget(&[audio]).await;
                Err(GreetingError::NoMailbox)
            }
            outcome => {
                self.forget(outcome).await;
                Ok(())
            }
        }
    }

    /// A greeting as an 8 kHz mono 16-bit PCM WAV file. None: there is none of this kind.
    pub async fn greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<Option<Bytes>, MailboxError> {
        let mut name = self.reader.greeting(mailbox, kind).await?;
        loop {
            let Some(audio) = name else {
                self.status(mailbox).await?;
                return Ok(None);
            };
            match self.blobs.get(&audio).await {
                Ok(file) => return Ok(Some(file)),
                Err(error) => {
                    // Replaced since its name was read? Then the new one it is.
                    name = self.reader.greeting(mailbox, kind).await?;
                    if name.as_ref() == Some(&audio) {
                        return Err(error.into());
                    }
                }
            }
        }
    }

    /// Removes a greeting. One that does not exist is none.
    pub async fn delete_greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<(), MailboxError> {
        match self.writer.write(Write::DeleteGreeting { mailbox: mailbox.clone(), kind }).await? {
            Outcome::NoMailbox => Err(MailboxError::NoMailbox),
            outcome => {
                self.forget(outcome).await;
                Ok(())
            }
        }
    }

    /// What changed after change number `since` (0: from the beginning), oldest first.
    pub async fn changes(&self, since: u64) -> Result<Vec<Change>, ChangesError> {
        self.reader.changes(since).await
    }

    /// Every change from now on. In PostgreSQL perhaps a few that have just been made, too.
    pub fn subscribe(&self) -> Changes {
        self.feed.follow(self.reader.clone())
    }
}

/// Removes what no row names, of what was written before a time (None: of all).
async fn collect(reader: &Reader, blobs: &Blobs, before: Option<SystemTime>) -> Result<usize, Unavailable> {
    let found = blobs.written_before(before).await?;
    // After the listing: a row that is committed meanwhile keeps its recording.
    let orphans = blobs.collect(found, &reader.blobs().await?).await?;
    if orphans > 0 {
        tracing::info!(orphans, "removed audio that a crash had left without a message");
    }
    Ok(orphans)
}
