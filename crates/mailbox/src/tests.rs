//! The store as its users see it, and what a crash leaves of it.

use crate::test::{at, new_message};
use crate::*;
use bytes::Bytes;
use database::testing::Cluster;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as BlobPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

fn anna() -> MailboxId {
    MailboxId::parse("27000").unwrap()
}

/// The same tests on every kind of store: each is given an empty one.
macro_rules! on_every_store {
    ($($test:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Mailboxes::memory().await.unwrap()).await;
            })*
        }

        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(super::Mailboxes::open(folder.path()).await.unwrap()).await;
            })*
        }

        /// One server for all of them, a database for each.
        #[tokio::test]
        async fn what_holds_on_sqlite_holds_on_postgresql() {
            let cluster = Cluster::start();
            $(
                println!("{}", stringify!($test));
                let server = cluster.database().parse().unwrap();
                $test(Mailboxes::connect(&server, Arc::new(InMemory::new())).await.unwrap()).await;
            )*
        }
    };
}

async fn with_anna(store: Mailboxes) -> Mailboxes {
    store.create(&anna(), at(0)).await.unwrap();
    store
}

async fn list(store: &Mailboxes) -> Vec<Message> {
    store.list(&anna(), Order::NewestFirst).await.unwrap()
}

on_every_store! {
    a_delivered_message_is_listed_and_its_audio_is_what_was_recorded
    a_missed_call_is_listed_and_neither_heard_nor_counted
    flag_and_preview_are_kept_and_told
    of_two_who_want_to_tell_about_a_mailbox_one_does_and_the_other_knows
    usage_counts_what_is_not_deleted
    messages_come_newest_first_or_new_before_saved
    counts_follow_read_urgent_and_deleted
    a_redelivery_gives_the_same_message_once_and_never_brings_back_a_deleted_one
    every_change_has_a_higher_modification_sequence_and_moves_leave_tombstones
    a_mailbox_made_anew_has_a_greater_uidvalidity_even_if_the_clock_went_back
    a_message_is_seen_through_its_own_mailbox_only
    a_greeting_is_replaced_and_removed_and_a_bad_file_leaves_the_old_one
    the_feed_tells_of_each_change_once_in_order
    a_follower_that_slept_reads_what_it_missed
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

async fn a_delivered_message_is_listed_and_its_audio_is_what_was_recorded(store: Mailboxes) {
    let store = with_anna(store).await;
    let mut sent = new_message(1, "27000");
    sent.audio.bytes = (0..=255).cycle().take(8001).collect::<Vec<u8>>().into();
    let id = store.deliver(sent.clone()).await.unwrap();
    let messages = list(&store).await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!((message.id, message.uid, message.duration_ms), (id, Uid(1), 1000));
    assert_eq!(message.from_number.as_deref(), Some("27001"));
    assert_eq!(message.from_name.as_deref(), Some("Björn Åkesson"));
    assert_eq!(message.subject, "Voice message from Björn Åkesson (1 second)");
    assert_eq!(message.received, at(0));
    assert!(!message.read && !message.urgent && !message.private && !message.deleted);
    let wav = store.audio(&anna(), id).await.unwrap();
    assert_eq!(read_wav(&wav).unwrap(), rtp::decode(sent.audio.codec, &sent.audio.bytes));
    let mime = store.mime(&anna(), id).await.unwrap();
    assert_eq!(mime.len() as u64, message.size);
    assert_eq!(mime, store.mime(&anna(), id).await.unwrap(), "immutable");
}

async fn a_missed_call_is_listed_and_neither_heard_nor_counted(store: Mailboxes) {
    let store = with_anna(store).await;
    let mut missed = new_message(1, "27000");
    missed.kind = MessageKind::MissedCall;
    missed.audio.bytes = Bytes::new();
    let id = store.deliver(missed).await.unwrap();
    assert_eq!(list(&store).await[0].kind, MessageKind::MissedCall);
    assert!(store.list(&anna(), Order::NewThenSaved).await.unwrap().is_empty());
    assert_eq!(store.counts(&anna()).await.unwrap(), Counts::default());
    assert!(matches!(store.audio(&anna(), id).await, Err(MessageError::NoMessage)));
    assert_eq!(store.mime(&anna(), id).await.unwrap().len() as u64, list(&store).await[0].size);
}

async fn flag_and_preview_are_kept_and_told(store: Mailboxes) {
    let store = with_anna(store).await;
    let id = store.deliver(new_message(1, "27000")).await.unwrap();
    let before = store.changes(0).await.unwrap().len();
    store.set_flagged(&anna(), id, true).await.unwrap();
    let preview = Preview { text: "Call me back".into(), confidence: 80 };
    store.set_preview(&anna(), id, preview.clone()).await.unwrap();
    let message = store.get(&anna(), id).await.unwrap();
    assert!(message.flagged);
    assert_eq!(message.preview, Some(preview));
    let kinds: Vec<ChangeKind> =
        store.changes(0).await.unwrap().into_iter().skip(before).map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Flagged(id), ChangeKind::Preview(id)]);
    assert!(matches!(store.set_flagged(&anna(), MessageId(9), true).await, Err(MessageError::NoMessage)));
}

async fn usage_counts_what_is_not_deleted(store: Mailboxes) {
    let store = with_anna(store).await;
    assert_eq!(store.usage(&anna()).await.unwrap(), 0);
    let id = store.deliver(new_message(1, "27000")).await.unwrap();
    assert_eq!(store.usage(&anna()).await.unwrap(), store.get(&anna(), id).await.unwrap().size);
    store.delete(&anna(), id, at(1)).await.unwrap();
    assert_eq!(store.usage(&anna()).await.unwrap(), 0);
}

async fn messages_come_newest_first_or_new_before_saved(store: Mailboxes) {
    let store = with_anna(store).await;
    for n in 1..=4 {
        let mut message = new_message(n, "27000");
        message.received = at(n as u64);
        store.deliver(message).await.unwrap();
    }
    store.set_read(&anna(), MessageId(4), true).await.unwrap();
    store.set_read(&anna(), MessageId(2), true).await.unwrap();
    let ids = |messages: Vec<Message>| messages.iter().map(|message| message.id.0).collect::<Vec<_>>();
    assert_eq!(ids(list(&store).await), [4, 3, 2, 1]);
    assert_eq!(ids(store.list(&anna(), Order::NewThenSaved).await.unwrap()), [3, 1, 4, 2]);
}

async fn counts_follow_read_urgent_and_deleted(store: Mailboxes) {
    let store = with_anna(store).await;
    for (n, urgent) in [(1, false), (2, true), (3, true)] {
        let mut message = new_message(n, "27000");
        message.urgent = urgent;
        store.deliver(message).await.unwrap();
    }
    assert_eq!(store.counts(&anna()).await.unwrap(), Counts { new: 3, old: 0, new_urgent: 2, old_urgent: 0 });
    store.set_read(&anna(), MessageId(2), true).await.unwrap();
    assert_eq!(store.counts(&anna()).await.unwrap(), Counts { new: 2, old: 1, new_urgent: 1, old_urgent: 1 });
    store.delete(&anna(), MessageId(3), at(1)).await.unwrap();
    assert_eq!(store.counts(&anna()).await.unwrap(), Counts { new: 1, old: 1, new_urgent: 0, old_urgent: 1 });
    store.undelete(&anna(), MessageId(3)).await.unwrap();
    assert_eq!(store.counts(&anna()).await.unwrap().new_urgent, 1);
}

async fn a_redelivery_gives_the_same_message_once_and_never_brings_back_a_deleted_one(store: Mailboxes) {
    let store = with_anna(store).await;
    for _ in 0..3 {
        assert_eq!(store.deliver(new_message(1, "27000")).await, Ok(MessageId(1)));
    }
    assert_eq!(list(&store).await.len(), 1);
    store.delete(&anna(), MessageId(1), at(1)).await.unwrap();
    store.deliver(new_message(1, "27000")).await.unwrap();
    assert!(list(&store).await.is_empty());
    assert_eq!(store.expunge(at(2)).await, Ok(1));
    store.deliver(new_message(1, "27000")).await.unwrap();
    assert!(list(&store).await.is_empty());
    assert_eq!(store.get(&anna(), MessageId(1)).await, Err(MessageError::NoMessage));
}

async fn every_change_has_a_higher_modification_sequence_and_moves_leave_tombstones(store: Mailboxes) {
    let store = with_anna(store).await;
    store.deliver(new_message(1, "27000")).await.unwrap();
    store.deliver(new_message(2, "27000")).await.unwrap();
    let before = store.status(&anna()).await.unwrap();
    let mut last = before.modseq;
    let mut rises = |message: Message| {
        assert!(message.modseq > last, "{message:?}");
        last = message.modseq;
        message
    };
    store.set_read(&anna(), MessageId(1), true).await.unwrap();
    rises(store.get(&anna(), MessageId(1)).await.unwrap());
    store.delete(&anna(), MessageId(1), at(1)).await.unwrap();
    let deleted = rises(store.get(&anna(), MessageId(1)).await.unwrap());
    assert!(deleted.deleted && deleted.read, "keeps its flags");
    assert_eq!(store.vanished(&anna(), before.modseq).await.unwrap(), [Uid(1)]);
    store.undelete(&anna(), MessageId(1)).await.unwrap();
    let restored = rises(store.get(&anna(), MessageId(1)).await.unwrap());
    assert!(restored.uid > Uid(2), "a message that comes back has a new UID: {:?}", restored.uid);
    store.set_read(&anna(), MessageId(2), false).await.unwrap();
    let status = store.status(&anna()).await.unwrap();
    assert_eq!(status.modseq, restored.modseq, "what changes nothing counts nothing");
    assert!(status.uidnext > restored.uid);
    assert_eq!(status.uidvalidity, before.uidvalidity);
}

async fn a_mailbox_made_anew_has_a_greater_uidvalidity_even_if_the_clock_went_back(store: Mailboxes) {
    let store = with_anna(store).await;
    let first = store.status(&anna()).await.unwrap().uidvalidity;
    store.create(&anna(), at(50)).await.unwrap();
    assert_eq!(store.status(&anna()).await.unwrap().uidvalidity, first, "creating what exists changes nothing");
    store.deliver(new_message(1, "27000")).await.unwrap();
    store.remove(&anna()).await.unwrap();
    assert_eq!(store.list(&anna(), Order::NewestFirst).await, Err(MailboxError::NoMailbox));
    assert_eq!(store.counts(&anna()).await, Err(MailboxError::NoMailbox));
    store.create(&anna(), at(0)).await.unwrap();
    assert!(store.status(&anna()).await.unwrap().uidvalidity > first);
    assert!(list(&store).await.is_empty());
}

async fn a_message_is_seen_through_its_own_mailbox_only(store: Mailboxes) {
    let store = with_anna(store).await;
    let bjorn = MailboxId::parse("27001").unwrap();
    store.create(&bjorn, at(0)).await.unwrap();
    store.deliver(new_message(1, "27000")).await.unwrap();
    assert_eq!(store.get(&bjorn, MessageId(1)).await, Err(MessageError::NoMessage));
    assert_eq!(store.audio(&bjorn, MessageId(1)).await, Err(MessageError::NoMessage));
    assert_eq!(store.mime(&bjorn, MessageId(1)).await, Err(MessageError::NoMessage));
    assert_eq!(store.set_read(&bjorn, MessageId(1), true).await, Err(MessageError::NoMessage));
    assert_eq!(store.delete(&bjorn, MessageId(1), at(1)).await, Err(MessageError::NoMessage));
    assert!(!store.get(&anna(), MessageId(1)).await.unwrap().read);
    assert_eq!(store.deliver(new_message(2, "27099")).await, Err(DeliverError::NoMailbox));
}

async fn a_greeting_is_replaced_and_removed_and_a_bad_file_leaves_the_old_one(store: Mailboxes) {
    let store = with_anna(store).await;
    let kind = GreetingKind::Personal;
    assert_eq!(store.greeting(&anna(), kind).await, Ok(None));
    for sample in [100, 200] {
        let file = wav::pcm_file(&[sample; 80]);
        store.put_greeting(&anna(), kind, file.clone()).await.unwrap();
        assert_eq!(store.greeting(&anna(), kind).await.unwrap().unwrap(), file);
    }
    let error = store.put_greeting(&anna(), kind, Bytes::from_static(b"mp3")).await.unwrap_err();
    assert_eq!(error, GreetingError::Wav(WavError::NotWav));
    assert!(store.greeting(&anna(), kind).await.unwrap().is_some());
    assert_eq!(store.greeting(&anna(), GreetingKind::Oof).await, Ok(None));
    store.delete_greeting(&anna(), kind).await.unwrap();
    store.delete_greeting(&anna(), kind).await.unwrap();
    assert_eq!(store.greeting(&anna(), kind).await, Ok(None));
    let nobody = MailboxId::parse("1").unwrap();
    let error = store.put_greeting(&nobody, kind, wav::pcm_file(&[1])).await.unwrap_err();
    assert_eq!(error, GreetingError::NoMailbox);
}

async fn the_feed_tells_of_each_change_once_in_order(store: Mailboxes) {
    let store = with_anna(store).await;
    let mut feed = store.subscribe();
    let id = store.deliver(new_message(1, "27000")).await.unwrap();
    store.set_read(&anna(), id, true).await.unwrap();
    store.set_read(&anna(), id, true).await.unwrap();
    store.set_read(&anna(), id, false).await.unwrap();
    store.delete(&anna(), id, at(1)).await.unwrap();
    store.undelete(&anna(), id).await.unwrap();
    let expected = [
        ChangeKind::Delivered(id),
        ChangeKind::Read(id),
        ChangeKind::Unread(id),
        ChangeKind::Deleted(id),
        ChangeKind::Restored(id),
    ];
    let mut seen = Vec::new();
    for kind in expected {
        let mut change = feed.next().await.unwrap();
        // Of before: a feed of several servers may begin with it.
        if change.kind == ChangeKind::MailboxCreated {
            change = feed.next().await.unwrap();
        }
        assert_eq!((change.kind, &change.mailbox), (kind, &anna()));
        seen.push(change);
    }
    assert_eq!(store.changes(seen[0].seq - 1).await.unwrap(), seen);
    assert_eq!(store.changes(seen[3].seq).await.unwrap(), seen[4..]);
    let json = serde_json::to_string(&seen[1]).unwrap();
    assert_eq!(json, format!(r#"{{"seq":3,"mailbox":"27000","change":"read","message":"{id}"}}"#));
    store.close().await;
    assert_eq!(feed.next().await, None);
}

async fn a_follower_that_slept_reads_what_it_missed(store: Mailboxes) {
    let store = with_anna(store).await;
    let id = store.deliver(new_message(1, "27000")).await.unwrap();
    let mut feed = store.subscribe();
    for n in 0..3000 {
        store.set_read(&anna(), id, n % 2 == 0).await.unwrap();
    }
    let mut last = 2;
    while last < 3002 {
        let change = feed.next().await.unwrap();
        if change.seq <= 2 {
            continue;
        }
        assert_eq!(change.seq, last + 1);
        last = change.seq;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_deliveries_at_once_are_there_once_each_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Mailboxes::open(folder.path()).await.unwrap();
    store.create(&anna(), at(0)).await.unwrap();
    // Each of them twice, as a spool does that is in doubt.
    let deliveries = (0..400).map(|n| store.deliver(new_message(n % 200 + 1, "27000")));
    for delivered in join_all(deliveries).await {
        delivered.unwrap();
    }
    store.close().await;
    let store = Mailboxes::open(folder.path()).await.unwrap();
    let messages = list(&store).await;
    assert_eq!(messages.len(), 200);
    let uids: BTreeSet<Uid> = messages.iter().map(|message| message.uid).collect();
    let modseqs: BTreeSet<ModSeq> = messages.iter().map(|message| message.modseq).collect();
    assert_eq!((uids.len(), modseqs.len()), (200, 200));
    assert_eq!(files(&folder.path().join("audio")).len(), 200);
    for message in &messages {
        assert_eq!(store.audio(&anna(), message.id).await.unwrap().len(), 16_058);
    }
    assert_eq!(store.counts(&anna()).await.unwrap().new, 200);
}

/// A file layer that, once told so, writes the file and then fails: the process died between audio and row.
#[derive(Debug)]
struct Dying {
    inner: LocalFileSystem,
    dies: AtomicBool,
    /// Or it fails before anything is written: the disk is full.
    full: AtomicBool,
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dying")
    }
}

fn died() -> object_store::Error {
    object_store::Error::Generic { store: "dying", source: "the process has died".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Dying {
    async fn put_opts(&self, at: &BlobPath, data: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        if self.full.load(Ordering::SeqCst) {
            return Err(died());
        }
        let result = self.inner.put_opts(at, data, options).await;
        if self.dies.load(Ordering::SeqCst) { Err(died()) } else { result }
    }
    async fn put_multipart_opts(
        &self,
        at: &BlobPath,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }
    async fn get_opts(&self, at: &BlobPath, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(at, options).await
    }
    fn delete_stream(
        &self,
        at: BoxStream<'static, object_store::Result<BlobPath>>,
    ) -> BoxStream<'static, object_store::Result<BlobPath>> {
        self.inner.delete_stream(at)
    }
    fn list(&self, prefix: Option<&BlobPath>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&BlobPath>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &BlobPath, to: &BlobPath, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_crash_between_audio_and_row_leaves_neither_for_good_and_the_redelivery_both() {
    let folder = tempfile::tempdir().unwrap();
    let audio = folder.path().join("audio");
    std::fs::create_dir(&audio).unwrap();
    let dying = || {
        let inner = LocalFileSystem::new_with_prefix(&audio).unwrap().with_fsync(true);
        Arc::new(Dying { inner, dies: AtomicBool::new(false), full: AtomicBool::new(false) })
    };
    let layer = dying();
    let store = Mailboxes::open_with(folder.path(), layer.clone()).await.unwrap();
    store.create(&anna(), at(0)).await.unwrap();
    store.deliver(new_message(1, "27000")).await.unwrap();
    store.put_greeting(&anna(), GreetingKind::Name, wav::pcm_file(&[1])).await.unwrap();
    layer.dies.store(true, Ordering::SeqCst);
    assert!(matches!(store.deliver(new_message(2, "27000")).await, Err(DeliverError::Unavailable(_))));
    let greeting = store.put_greeting(&anna(), GreetingKind::Name, wav::pcm_file(&[2])).await;
    assert!(matches!(greeting, Err(GreetingError::Unavailable(_))));
    assert_eq!(files(&audio).len(), 4, "two of them orphans");
    assert_eq!(list(&store).await.len(), 1, "no row without audio");
    store.close().await;

    let layer = dying();
    let store = Mailboxes::open_with(folder.path(), layer.clone()).await.unwrap();
    assert_eq!(files(&audio).len(), 2, "the orphans are collected");
    assert!(store.greeting(&anna(), GreetingKind::Name).await.unwrap().is_some());
    layer.full.store(true, Ordering::SeqCst);
    let error = store.deliver(new_message(2, "27000")).await.unwrap_err();
    assert!(error.to_string().starts_with("the mailbox store is not available"), "{error}");
    layer.full.store(false, Ordering::SeqCst);
    store.deliver(new_message(2, "27000")).await.unwrap();
    assert_eq!(list(&store).await.len(), 2);
    assert!(store.audio(&anna(), MessageId(2)).await.is_ok());
}

#[tokio::test]
async fn what_is_removed_for_good_takes_its_files_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = Mailboxes::open(folder.path()).await.unwrap();
    store.create(&anna(), at(0)).await.unwrap();
    for n in 1..=3 {
        store.deliver(new_message(n, "27000")).await.unwrap();
    }
    store.put_greeting(&anna(), GreetingKind::Oof, wav::pcm_file(&[1])).await.unwrap();
    store.delete(&anna(), MessageId(1), at(10)).await.unwrap();
    store.delete(&anna(), MessageId(2), at(20)).await.unwrap();
    assert_eq!(store.expunge(at(15)).await, Ok(1));
    assert_eq!(files(&folder.path().join("audio")).len(), 3);
    assert!(store.undelete(&anna(), MessageId(2)).await.is_ok());
    store.remove(&anna()).await.unwrap();
    assert_eq!(files(&folder.path().join("audio")).len(), 0);
}

#[tokio::test]
async fn a_store_that_cannot_be_used_says_why_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let store = Mailboxes::open(folder.path()).await.unwrap();
    let error = Mailboxes::open(folder.path()).await.err().unwrap().to_string();
    assert!(error.ends_with("mailbox.db is in use by another process"), "{error}");
    store.create(&anna(), at(0)).await.unwrap();
    store.close().await;
    assert!(matches!(store.create(&anna(), at(0)).await, Err(Unavailable(_))));
    std::fs::write(folder.path().join("mailbox.db"), vec![0x5a; 8192]).unwrap();
    let error = Mailboxes::open(folder.path()).await.err().unwrap().to_string();
    assert!(error.contains("the mailbox database") && error.contains("is damaged"), "{error}");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = Mailboxes::open(&file).await.err().unwrap().to_string();
    assert!(error.contains("is not writable"), "{error}");
}

/// Two servers on one PostgreSQL: their stores, and what they follow.
async fn two_servers(url: &str) -> (Mailboxes, Mailboxes) {
    let (server, audio) = (url.parse().unwrap(), Arc::new(InMemory::new()));
    let one = with_anna(Mailboxes::connect(&server, audio.clone()).await.unwrap()).await;
    (one, Mailboxes::connect(&server, audio).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_servers_write_at_once_both_hear_of_in_one_order_without_gaps_and_without_hints_as_well() {
    let cluster = Cluster::start();
    for hints in ["", "?notify=off"] {
        let (one, two) = two_servers(&format!("{}{hints}", cluster.database())).await;
        let (mut feed_one, mut feed_two) = (one.subscribe(), two.subscribe());
        let writes = (0..200u128).map(|n| {
            let store = if n % 2 == 0 { &one } else { &two };
            // Each message by both servers, as after a spool that was copied: it is there once.
            async move { store.deliver(new_message(n / 2 + 1, "27000")).await.unwrap() }
        });
        join_all(writes).await;
        assert_eq!(list(&one).await, list(&two).await);
        assert_eq!(list(&one).await.len(), 100);
        let mut heard = Vec::new();
        for feed in [&mut feed_one, &mut feed_two] {
            let mut changes = Vec::new();
            while changes.len() < 100 {
                let change = feed.next().await.unwrap();
                if change.kind != ChangeKind::MailboxCreated {
                    changes.push(change);
                }
            }
            heard.push(changes);
        }
        let seqs: Vec<u64> = heard[0].iter().map(|change| change.seq).collect();
        assert_eq!(seqs, (2..=101).collect::<Vec<u64>>(), "numbered in the order of commits");
        assert_eq!(heard[0], heard[1]);
    }
}

#[tokio::test]
async fn a_message_left_through_one_server_is_heard_and_deleted_through_the_other() {
    let cluster = Cluster::start();
    let (one, two) = two_servers(&cluster.database()).await;
    let id = one.deliver(new_message(1, "27000")).await.unwrap();
    assert_eq!(two.audio(&anna(), id).await.unwrap(), one.audio(&anna(), id).await.unwrap());
    two.set_read(&anna(), id, true).await.unwrap();
    assert!(one.get(&anna(), id).await.unwrap().read);
    two.delete(&anna(), id, at(1)).await.unwrap();
    assert_eq!(one.expunge(at(2)).await, Ok(1));
    assert_eq!(two.audio(&anna(), id).await, Err(MessageError::NoMessage));
}

#[tokio::test]
async fn orphans_of_several_servers_are_collected_when_they_are_a_day_old_and_nobody_names_them() {
    let cluster = Cluster::start();
    let folder = tempfile::tempdir().unwrap();
    let inner = || LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let layer = Arc::new(Dying { inner: inner(), dies: AtomicBool::new(false), full: AtomicBool::new(false) });
    let server = cluster.database().parse().unwrap();
    let one = with_anna(Mailboxes::connect(&server, layer.clone()).await.unwrap()).await;
    one.deliver(new_message(1, "27000")).await.unwrap();
    layer.dies.store(true, Ordering::SeqCst);
    one.deliver(new_message(2, "27000")).await.unwrap_err();
    let two = Mailboxes::connect(&server, Arc::new(inner())).await.unwrap();
    let now = SystemTime::now();
    assert_eq!(two.collect_orphans(now).await, Ok(0), "it may be a delivery that is under way");
    assert_eq!(files(folder.path()).len(), 2);
    two.deliver(new_message(2, "27000")).await.unwrap();
    assert_eq!(two.collect_orphans(now + Duration::from_secs(25 * 3600)).await, Ok(1));
    assert_eq!(files(folder.path()).len(), 2, "the one that was left, and both messages keep theirs");
    for id in [1, 2] {
        two.audio(&anna(), MessageId(id)).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_went_away_is_an_error_that_passes() {
    let mut cluster = Cluster::start();
    let (one, two) = two_servers(&cluster.database()).await;
    let mut feed = two.subscribe();
    cluster.stop();
    assert!(matches!(one.deliver(new_message(1, "27000")).await, Err(DeliverError::Unavailable(_))));
    assert!(matches!(one.counts(&anna()).await, Err(MailboxError::Unavailable(_))));
    cluster.resume();
    let id = one.deliver(new_message(1, "27000")).await.unwrap();
    loop {
        let change = feed.next().await.unwrap();
        if change.kind == ChangeKind::Delivered(id) {
            break;
        }
    }
}

async fn of_two_who_want_to_tell_about_a_mailbox_one_does_and_the_other_knows(store: Mailboxes) {
    let store = with_anna(store).await;
    store.deliver(new_message(1, "27000")).await.unwrap();
    let Turn::Tell(counts, modseq) = store.lamp_turn(&anna(), "one", false).await.unwrap() else { panic!() };
    assert_eq!(counts.new, 1);
    assert!(matches!(store.lamp_turn(&anna(), "two", false).await, Ok(Turn::Other(after)) if after.as_secs() == 5));
    assert_eq!(store.lamp_told(&anna(), "one", Some(modseq)).await, Ok(true));
    assert_eq!(store.lamp_turn(&anna(), "two", true).await, Ok(Turn::Known));
    store.deliver(new_message(2, "27000")).await.unwrap();
    assert!(matches!(store.lamp_turn(&anna(), "two", false).await, Ok(Turn::Tell(counts, _)) if counts.new == 2));
    // It could not, and leaves it to the other.
    assert_eq!(store.lamp_told(&anna(), "two", None).await, Ok(true));
    assert!(matches!(store.lamp_turn(&anna(), "one", false).await, Ok(Turn::Tell(..))));
    // Another mailbox of the same name has been told of to nobody.
    store.remove(&anna()).await.unwrap();
    let store = with_anna(store).await;
    assert!(matches!(store.lamp_turn(&anna(), "two", false).await, Ok(Turn::Tell(counts, _)) if counts.new == 0));
}

#[tokio::test]
async fn one_server_at_a_time_tells_about_a_mailbox_and_another_when_it_has_died() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let (one, two) = two_servers(&url).await;
    one.deliver(new_message(1, "27000")).await.unwrap();
    let Turn::Tell(counts, modseq) = one.lamp_turn(&anna(), "one", false).await.unwrap() else { panic!() };
    assert_eq!(counts.new, 1);
    assert!(matches!(two.lamp_turn(&anna(), "two", false).await, Ok(Turn::Other(after)) if after.as_secs() == 5));
    assert_eq!(one.lamp_told(&anna(), "one", Some(modseq)).await, Ok(true));
    assert_eq!(two.lamp_turn(&anna(), "two", false).await, Ok(Turn::Known));
    assert_eq!(two.lamp_turn(&anna(), "two", true).await, Ok(Turn::Known), "nor anew, it was just told");
    // A change is told by whoever comes first; that it was not taken leaves it to the next.
    two.set_read(&anna(), MessageId(1), true).await.unwrap();
    assert!(matches!(two.lamp_turn(&anna(), "two", false).await, Ok(Turn::Tell(counts, _)) if counts.old == 1));
    assert_eq!(two.lamp_told(&anna(), "two", None).await, Ok(true));
    assert!(matches!(one.lamp_turn(&anna(), "one", false).await, Ok(Turn::Tell(..))));
    // The first dies, its lease expires; what it says after all is not believed.
    let database = url.rsplit('/').next().unwrap();
    assert!(cluster.psql(database, "UPDATE lamp SET until_ms = 1, told_ms = 1"));
    assert!(matches!(two.lamp_turn(&anna(), "two", false).await, Ok(Turn::Tell(..))));
    let modseq = one.status(&anna()).await.unwrap().modseq;
    assert_eq!(one.lamp_told(&anna(), "one", Some(modseq)).await, Ok(false));
    assert_eq!(two.lamp_told(&anna(), "two", Some(modseq)).await, Ok(true));
    assert!(cluster.psql(database, "UPDATE lamp SET told_ms = 1"));
    assert!(matches!(one.lamp_turn(&anna(), "one", true).await, Ok(Turn::Tell(..))), "anew, as after a start");
}
