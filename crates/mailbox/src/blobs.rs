use crate::{MailboxId, MessageId, Unavailable, wav};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use rtp::Codec;
use std::collections::HashSet;
use std::sync::Arc;
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

    pub async fn put_message(&self, id: MessageId, codec: Codec, audio: Bytes) -> Result<(), Unavailable> {
        let length = u32::try_from(audio.len()).map_err(|_| Unavailable("the recording is over 4 GB long".into()))?;
        let pad = Bytes::from_static(if length % 2 == 1 { b"\0" } else { b"" });
        let payload: PutPayload = [wav::g711_header(codec, length), audio, pad].into_iter().collect();
        self.put(&message_path(id), payload).await
    }

    pub async fn put_greeting(&self, path: &str, audio: Bytes) -> Result<(), Unavailable> {
        self.put(&Path::from(path), audio.into()).await
    }

    async fn put(&self, path: &Path, payload: PutPayload) -> Result<(), Unavailable> {
        // The semaphore is never closed.
        let _turn = self.writers.acquire().await;
        self.store.put(path, payload).await?;
        Ok(())
    }

    pub async fn message(&self, id: MessageId) -> Result<Bytes, Unavailable> {
        Ok(self.store.get(&message_path(id)).await?.bytes().await?)
    }

    pub async fn greeting(&self, path: &str) -> Result<Bytes, Unavailable> {
        Ok(self.store.get(&Path::from(path)).await?.bytes().await?)
    }

    /// Deletes what no row names any more. What fails stays, and is collected at the next start.
    pub async fn forget(&self, messages: &[MessageId], greetings: &[String]) {
        let paths = messages.iter().map(|id| message_path(*id)).chain(greetings.iter().map(|path| Path::from(&**path)));
        for path in paths {
            if let Err(error) = self.store.delete(&path).await {
                tracing::warn!(%path, %error, "audio without a message could not be removed");
            }
        }
    }

    /// Deletes what a crash left without a row. To be called before anything is written.
    pub async fn collect(
        &self,
        messages: &HashSet<MessageId>,
        greetings: &HashSet<String>,
    ) -> Result<usize, Unavailable> {
        let kept = |path: &Path| match path.as_ref().strip_suffix(".wav").and_then(|path| path.rsplit_once('/')) {
            Some((folder, name)) if folder.starts_with("messages/") => {
                name.parse().is_ok_and(|id| messages.contains(&id))
            }
            _ => greetings.contains(path.as_ref()),
        };
        let mut orphans = Vec::new();
        let mut listing = self.store.list(None);
        while let Some(blob) = listing.try_next().await? {
            if !kept(&blob.location) {
                orphans.push(blob.location);
            }
        }
        for orphan in &orphans {
            self.store.delete(orphan).await?;
        }
        Ok(orphans.len())
    }
}

fn message_path(id: MessageId) -> Path {
    // 256 folders, so that none grows long. The id's digits are all that is in it.
    Path::from(format!("messages/{:02x}/{id}.wav", id.0 >> 120))
}

/// A new name for each recording: the old greeting stays whole until the new one's row is committed.
pub(crate) fn greeting_path(mailbox: &MailboxId, kind: &str) -> String {
    format!("greetings/{mailbox}/{kind}-{:016x}.wav", rand::random::<u64>())
}
