use crate::writer::unix_ms;
use crate::{MailboxId, MessageId, Unavailable, wav};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use rtp::Codec;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// Writes at once: each waits for the disk on a thread of its own, and more of them do not make the disk faster.
const WRITERS: usize = 4;

/// The audio of messages and greetings, each in a file that is durable when writing it returns.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    writers: Arc<Semaphore>,
}

impl Blobs {
    pub fn new(store: Arc<dyn ObjectStore>) -> Blobs {
        Blobs { store, writers: Arc::new(Semaphore::new(WRITERS)) }
    }

    pub async fn put_message(&self, path: &str, codec: Codec, audio: Bytes) -> Result<(), Unavailable> {
        let length = u32::try_from(audio.len()).map_err(|_| Unavailable("the recording is over 4 GB long".into()))?;
        let pad = Bytes::from_static(if length % 2 == 1 { b"\0" } else { b"" });
        let payload: PutPayload = [wav::g711_header(codec, length), audio, pad].into_iter().collect();
        self.put(&Path::from(path), payload).await
    }

    pub async fn put_greeting(&self, path: &str, audio: Bytes) -> Result<(), Unavailable> {
        self.put(&Path::from(path), audio.into()).await
    }

    async fn put(&self, path: &Path, payload: PutPayload) -> Result<(), Unavailable> {
        // The semaphore is never closed.
        let _turn = self.writers.acquire().await;
        self.store.put(path, payload).await.map(drop).map_err(|error| match error {
            // Of a write: what it was to go into is not there.
            object_store::Error::NotFound { source, .. } => {
                Unavailable(format!("the place for recordings is not there: {source}"))
            }
            error => error.into(),
        })
    }

    pub async fn get(&self, path: &str) -> Result<Bytes, Unavailable> {
        Ok(self.store.get(&Path::from(path)).await?.bytes().await?)
    }

    /// Copies a file of another place, under the same name. None: neither has it. False: it was here already.
    pub async fn copy_from(&self, other: &Blobs, path: &str) -> Result<Option<bool>, Unavailable> {
        let path = Path::from(path);
        match self.store.head(&path).await {
            Err(object_store::Error::NotFound { .. }) => {}
            found => return Ok(found.map(|_| Some(false))?),
        }
        let file = match other.store.get(&path).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found?.bytes().await?,
        };
        self.put(&path, file.into()).await?;
        Ok(Some(true))
    }

    /// Deletes what no row names any more. What fails stays, and is collected at the next start.
    pub async fn forget(&self, paths: &[String]) {
        for path in paths {
            if let Err(error) = self.store.delete(&Path::from(&**path)).await {
                tracing::warn!(%path, %error, "audio without a message could not be removed");
            }
        }
    }

    /// What was written before a time (None: all), to see whether any row names it. A name is never written twice, so that what has
    /// been without a row for long never gets one.
    pub async fn written_before(&self, time: Option<SystemTime>) -> Result<Vec<String>, Unavailable> {
        let mut found = Vec::new();
        let mut listing = self.store.list(None);
        while let Some(blob) = listing.try_next().await? {
            if time.is_none_or(|time| blob.last_modified.timestamp_millis() < unix_ms(time)) {
                found.push(blob.location.into());
            }
        }
        Ok(found)
    }

    /// Deletes those that no row names. `kept` was read after `found` was listed.
    pub async fn collect(&self, found: Vec<String>, kept: &HashSet<String>) -> Result<usize, Unavailable> {
        let orphans: Vec<String> = found.into_iter().filter(|path| !kept.contains(path)).collect();
        for orphan in &orphans {
            self.store.delete(&Path::from(&**orphan)).await?;
        }
        Ok(orphans.len())
    }
}

/// Where recordings of messages are that say nothing about it.
pub(crate) fn message_path(id: MessageId) -> String {
    // 256 folders, so that none grows long. The id's digits are all that is in it.
    format!("messages/{:02x}/{id}.wav", id.0 >> 120)
}

/// A new name for each attempt: nobody else writes it, so whose row is not committed may take it away.
pub(crate) fn new_message_path(id: MessageId) -> String {
    format!("messages/{:02x}/{id}-{:08x}.wav", id.0 >> 120, rand::random::<u32>())
}

/// A new name for each recording: the old greeting stays whole until the new one's row is committed.
pub(crate) fn greeting_path(mailbox: &MailboxId, kind: &str) -> String {
    format!("greetings/{mailbox}/{kind}-{:016x}.wav", rand::random::<u64>())
}
