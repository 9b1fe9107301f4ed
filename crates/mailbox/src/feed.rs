use crate::reader::Reader;
use crate::{Change, ChangesError};
use database::{Hints, Pool, Server};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;

/// Changes that may wait for a follower before it is sent to the database for them.
const QUEUE: usize = 1024;

/// The writer's end of the feed.
pub(crate) struct Publisher {
    sender: broadcast::Sender<Change>,
    last: Arc<AtomicU64>,
}

/// Other servers' changes are looked for this often; hints make it sooner.
const POLL: Duration = Duration::from_millis(500);
const CHANNEL: &str = "earcon_mailbox";

/// How what was committed is told.
pub(crate) enum Announce {
    /// Nobody else writes: at once.
    Directly(Publisher),
    /// Others write, too: what counts is the order in the database, from where all changes are read, one's own as well.
    /// The end of the channel ends the poll.
    Polled { look: mpsc::Sender<()>, hints: Hints },
}

impl Announce {
    /// For a store that other processes write, too. Runs on the runtime that it is called on.
    pub fn polled(publisher: Publisher, reader: Reader, server: &Server) -> Announce {
        let (look, asked) = mpsc::channel(1);
        tokio::spawn(poll(publisher, reader, server.hints(CHANNEL), asked));
        Announce::Polled { look, hints: server.hints(CHANNEL) }
    }

    /// Whether others are to be given a hint, once whoever asked has been answered.
    pub fn publish(&mut self, changes: Vec<Change>) -> bool {
        match self {
            Announce::Directly(publisher) => {
                publisher.publish(changes);
                false
            }
            Announce::Polled { look, .. } => {
                // Full: it is about to look anyway.
                let _ = look.try_send(());
                !changes.is_empty()
            }
        }
    }

    pub async fn hint(&self, pool: &Pool) {
        if let Announce::Polled { hints, .. } = self {
            hints.give(pool).await;
        }
    }
}

async fn poll(mut publisher: Publisher, reader: Reader, mut hints: Hints, mut asked: mpsc::Receiver<()>) {
    loop {
        match reader.changes(publisher.last()).await {
            Ok(changes) => publisher.publish(changes),
            Err(ChangesError::Forgotten { last }) => {
                tracing::warn!("this server was away so long that changes up to number {last} are lost to it");
                publisher.skip(last);
            }
            // Looked for again in a moment.
            Err(ChangesError::Unavailable(error)) => tracing::debug!(%error, "changes could not be read"),
        }
        tokio::select! {
            asked = asked.recv() => if asked.is_none() { return },
            () = hints.wait(POLL) => {}
        }
    }
}

/// The store's end: new followers.
#[derive(Clone)]
pub(crate) struct Feed {
    sender: broadcast::WeakSender<Change>,
    last: Arc<AtomicU64>,
}

/// Changes as they become durable, in order, without gaps: what a slow follower misses it reads from the database.
pub struct Changes {
    receiver: Option<broadcast::Receiver<Change>>,
    reader: Reader,
    /// Number of the last change given out.
    last: u64,
    /// Read from the database, yet to be given out.
    missed: VecDeque<Change>,
}

impl Publisher {
    pub fn new(last: u64) -> (Publisher, Feed) {
        let sender = broadcast::Sender::new(QUEUE);
        let last = Arc::new(AtomicU64::new(last));
        let feed = Feed { sender: sender.downgrade(), last: last.clone() };
        (Publisher { sender, last }, feed)
    }

    fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    fn skip(&mut self, last: u64) {
        self.last.store(last, Ordering::Release);
    }

    fn publish(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.last.store(change.seq, Ordering::Release);
            // Nobody follows: nothing to do.
            let _ = self.sender.send(change);
        }
    }
}

impl Feed {
    pub fn follow(&self, reader: Reader) -> Changes {
        // Before the subscription: a change in between may be given out, but none after it can be lost.
        let last = self.last.load(Ordering::Acquire);
        let receiver = self.sender.upgrade().map(|sender| sender.subscribe());
        Changes { receiver, reader, last, missed: VecDeque::new() }
    }
}

impl Changes {
    /// Waits for the next change. None: the store was closed.
    ///
    /// Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.missed.pop_front() {
                self.last = change.seq;
                return Some(change);
            }
            match self.receiver.as_mut()?.recv().await {
                // Read from the database already.
                Ok(change) if change.seq <= self.last => {}
                Ok(change) => {
                    self.last = change.seq;
                    return Some(change);
                }
                Err(RecvError::Lagged(_)) => self.catch_up().await,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn catch_up(&mut self) {
        match self.reader.changes(self.last).await {
            Ok(changes) => self.missed = changes.into(),
            Err(ChangesError::Forgotten { last }) => {
                tracing::warn!("a follower was so slow that changes up to number {last} are lost to it");
                self.last = last;
            }
            // The next change tries again: until then `last` stays.
            Err(ChangesError::Unavailable(error)) => tracing::warn!(%error, "changes could not be read"),
        }
    }
}
