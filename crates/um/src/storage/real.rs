//! The real storage: the mailbox store and the spool's files, on tokio.

use super::preview::{LONGEST_MS, Previews};
use super::{
    Addressee, Greeting, Letter, Parcel, Storage, StoreAnswer, StoreFailure, StoreRequest, StoreResult, Ticket,
};
use crate::Own;
use mailbox::{
    Address, Caller, ChangeKind, DeliverError, GreetingError, GreetingKind, Line, MailboxError, MailboxId, Mailboxes,
    MessageError, MessageId, NewMessage, Order, Unavailable,
};
use media::{Codec, RecordingId, Spool};
use rtp::{Level, Threshold};
use speech::{Audio, Speech, Transcriber};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Deliveries at once. Each holds its audio in memory, so a thousand hang-ups in one second must not all be served at
/// once; those at once share the store's syncs.
const DELIVERIES: usize = 8;
/// Other requests at once.
const OTHERS: usize = 64;
/// Samples of silence before what is forwarded.
const BETWEEN: usize = 4000;
/// How long a caller waits for a greeting.
const GREETING: Duration = Duration::from_millis(1500);
/// Audio is read back from the spool by so many threads of tokio's at most.
const READERS: usize = 2;
/// Text to speech programs that read out mail at once.
const VOICES: usize = 2;

/// The storage of a UM server. Cloning is cheap.
#[derive(Clone)]
pub struct MailboxStorage {
    runtime: Handle,
    work: Arc<Work>,
}

pub(super) struct Work {
    pub(super) runtime: Handle,
    pub(super) mailboxes: Mailboxes,
    pub(super) previews: Option<Arc<Previews>>,
    spool: Spool,
    /// For addresses that nobody configured: 27000@domain.
    domain: String,
    /// This process among those that have the same store.
    me: String,
    answer: Box<dyn Fn(Own) + Send + Sync>,
    deliveries: Semaphore,
    others: Semaphore,
    readers: Semaphore,
    speech: Option<Speech>,
    voices: Semaphore,
}

impl MailboxStorage {
    /// `answer` puts what it is given into the server's inbox; it is called from tokio's threads.
    pub fn new(
        runtime: Handle,
        mailboxes: Mailboxes,
        spool: Spool,
        domain: impl Into<String>,
        answer: impl Fn(Own) + Send + Sync + 'static,
    ) -> MailboxStorage {
        let work = Work {
            runtime: runtime.clone(),
            mailboxes,
            previews: None,
            spool,
            domain: domain.into(),
            me: format!("{:016x}", rand::random::<u64>()),
            answer: Box::new(answer),
            deliveries: Semaphore::new(DELIVERIES),
            others: Semaphore::new(OTHERS),
            readers: Semaphore::new(READERS),
            speech: None,
            voices: Semaphore::new(VOICES),
        };
        MailboxStorage { runtime, work: Arc::new(work) }
    }

    /// The same, and texts such as mail are read out by this. To be called before it is cloned or used.
    #[must_use]
    pub fn with_speech(mut self, speech: Speech) -> MailboxStorage {
        if let Some(work) = Arc::get_mut(&mut self.work) {
            work.speech = Some(speech);
        }
        self
    }

    /// The same with texts of messages. To be called before it is cloned or used.
    #[must_use]
    pub fn with_transcriber(mut self, transcriber: Arc<dyn Transcriber>) -> MailboxStorage {
        if let Some(work) = Arc::get_mut(&mut self.work) {
            work.previews = Some(Arc::new(Previews::new(transcriber)));
        }
        self
    }
}

impl Storage for MailboxStorage {
    fn submit(&mut self, request: StoreRequest, ticket: Ticket) {
        let work = self.work.clone();
        self.runtime.spawn(async move {
            let turn = if matches!(request, StoreRequest::Deliver(_)) { &work.deliveries } else { &work.others };
            // The semaphores are never closed.
            let _turn = turn.acquire().await;
            let result = work.run(request).await;
            (work.answer)(Own::Store(ticket, result));
        });
    }
}

/// Tells the server of every change to a mailbox, whoever made it. Ends with the store.
pub fn follow_changes(runtime: &Handle, mailboxes: &Mailboxes, tell: impl Fn(Own) + Send + Sync + 'static) {
    // From now on, also for changes that come before the task first runs.
    let mut changes = mailboxes.subscribe();
    runtime.spawn(async move {
        while let Some(change) = changes.next().await {
            let greeting = change.kind == ChangeKind::Greeting;
            tell(Own::Changed { mailbox: change.mailbox, greeting });
        }
    });
}

impl Work {
    async fn run(self: &Arc<Self>, request: StoreRequest) -> StoreResult {
        match request {
            StoreRequest::Create(mailbox) => {
                self.mailboxes.create(&mailbox, SystemTime::now()).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Remove(mailbox) => {
                self.mailboxes.remove(&mailbox).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Deliver(parcel) => self.deliver(*parcel).await,
            StoreRequest::Discard(recordings) => {
                recordings.into_iter().for_each(|recording| self.spool.release(recording));
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Replay(recordings) => {
                let (codec, bytes) = self.recorded(recordings).await?;
                Ok(StoreAnswer::Audio(Arc::new(Audio::from_samples(rtp::decode(codec, &bytes)))))
            }
            StoreRequest::Greeting(mailbox) => {
                // A caller waits: a store that does not answer soon is as good as none, and he hears the plain greeting.
                let greeting = async {
                    let personal = self.greeting(&mailbox, GreetingKind::Personal).await?;
                    let oof = self.greeting(&mailbox, GreetingKind::Oof).await?;
                    let name = self.greeting(&mailbox, GreetingKind::Name).await?;
                    Ok(StoreAnswer::Greeting(Greeting { personal, oof, name }))
                };
                let late = |_| Err(StoreFailure::Unavailable("it does not answer".into()));
                tokio::time::timeout(GREETING, greeting).await.unwrap_or_else(late)
            }
            StoreRequest::List(mailbox) => {
                Ok(StoreAnswer::Messages(self.mailboxes.list(&mailbox, Order::NewThenSaved).await?))
            }
            StoreRequest::Audio(mailbox, message) => {
                let wav = self.mailboxes.audio(&mailbox, message).await?;
                let audio = Audio::from_wav(&wav).map_err(|error| StoreFailure::Damaged(error.to_string()))?;
                Ok(StoreAnswer::Audio(Arc::new(audio)))
            }
            StoreRequest::SetRead(mailbox, message, read) => {
                self.mailboxes.set_read(&mailbox, message, read).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Delete(mailbox, message) => {
                self.mailboxes.delete(&mailbox, message, SystemTime::now()).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::SetFlagged(mailbox, message, flagged) => {
                self.mailboxes.set_flagged(&mailbox, message, flagged).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Undelete(mailbox, message) => {
                self.mailboxes.undelete(&mailbox, message).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Recorded(mailbox, kind) => match self.greeting(&mailbox, kind).await? {
                Some(audio) => Ok(StoreAnswer::Audio(audio)),
                None => Err(StoreFailure::NoMessage),
            },
            StoreRequest::PutGreeting(mailbox, kind, audio) => {
                let file = media::wav::write_linear(audio.samples());
                self.mailboxes.put_greeting(&mailbox, kind, file.into()).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::RemoveGreeting(mailbox, kind) => {
                self.mailboxes.delete_greeting(&mailbox, kind).await?;
                Ok(StoreAnswer::Done)
            }
            StoreRequest::Usage(mailbox) => Ok(StoreAnswer::Usage(self.mailboxes.usage(&mailbox).await?)),
            StoreRequest::Stretch(audio, percent) => {
                let stretched = tokio::task::spawn_blocking(move || rtp::stretch(audio.samples(), percent)).await;
                let samples = stretched.map_err(|error| StoreFailure::Unavailable(error.to_string()))?;
                Ok(StoreAnswer::Audio(Arc::new(Audio::from_samples(samples))))
            }
            StoreRequest::Speak(text, language) => {
                let Some(speech) = self.speech.clone() else {
                    return Err(StoreFailure::Damaged("nothing speaks here".into()));
                };
                // Never closed.
                let _turn = self.voices.acquire().await;
                let spoken =
                    tokio::task::spawn_blocking(move || speech.in_language(language).read_aloud(&text.0)).await;
                let spoken = spoken.map_err(|error| StoreFailure::Unavailable(error.to_string()))?;
                Ok(StoreAnswer::Audio(Arc::new(spoken.map_err(|error| StoreFailure::Damaged(error.to_string()))?)))
            }
            StoreRequest::Counts(mailbox) => Ok(StoreAnswer::Counts(self.mailboxes.counts(&mailbox).await?)),
            StoreRequest::LampTurn(mailbox, anew) => {
                Ok(StoreAnswer::Lamp(self.mailboxes.lamp_turn(&mailbox, &self.me, anew).await?))
            }
            StoreRequest::LampTold(mailbox, told) => {
                Ok(StoreAnswer::LampTold(self.mailboxes.lamp_told(&mailbox, &self.me, told).await?))
            }
        }
    }

    async fn greeting(&self, mailbox: &MailboxId, kind: GreetingKind) -> Result<Option<Arc<Audio>>, StoreFailure> {
        let Some(wav) = self.mailboxes.greeting(mailbox, kind).await? else { return Ok(None) };
        let audio = Audio::from_wav(&wav).map_err(|error| StoreFailure::Damaged(error.to_string()))?;
        Ok(Some(Arc::new(audio)))
    }

    /// Recordings one after the other, in the first one's codec. The caller may have changed codecs in between.
    async fn recorded(&self, recordings: Vec<RecordingId>) -> Result<(Codec, Vec<u8>), StoreFailure> {
        // Never closed.
        let _turn = self.readers.acquire().await;
        let spool = self.spool.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut whole: Option<(Codec, Vec<u8>)> = None;
            for recording in recordings {
                let mut part = spool.read(recording).map_err(|error| StoreFailure::Damaged(error.to_string()))?;
                match &mut whole {
                    None => whole = Some((part.codec, part.bytes)),
                    Some((codec, bytes)) => {
                        if part.codec != *codec {
                            rtp::transcode(part.codec, *codec, &mut part.bytes);
                        }
                        bytes.extend_from_slice(&part.bytes);
                    }
                }
            }
            whole.ok_or(StoreFailure::NoMessage)
        });
        read.await.map_err(|error| StoreFailure::Unavailable(error.to_string()))?
    }

    async fn deliver(self: &Arc<Self>, parcel: Parcel) -> StoreResult {
        let (codec, bytes) = self.sound_of(&parcel).await?;
        let Parcel { letter, parts, recovered, protected, to, .. } = parcel;
        if recovered && letter.attached.is_none() && sound_in(codec, &bytes) < crate::worker::delivery::LEAST_SOUND {
            parts.into_iter().for_each(|recording| self.spool.release(recording));
            return Ok(StoreAnswer::TooQuiet);
        }
        let audio = mailbox::Audio { codec, bytes: bytes.into() };
        let duration_ms = u64::from(audio.duration_ms());
        let language = to.iter().find_map(|addressee| addressee.preview);
        let previewed = to.iter().filter(|addressee| addressee.preview.is_some());
        let copies =
            previewed.map(|addressee| (addressee.mailbox.clone(), message_of(&letter, &addressee.mailbox))).collect();
        for addressee in to {
            let message = NewMessage { protected, ..self.message(letter.clone(), addressee, audio.clone()) };
            match self.mailboxes.deliver(message.clone()).await {
                Err(DeliverError::NoMailbox) => {
                    // The configuration has the mailbox, or there would be no message: the store was down when it was
                    // made.
                    self.mailboxes.create(&message.mailbox, SystemTime::now()).await?;
                    self.mailboxes.deliver(message).await?;
                }
                other => {
                    other?;
                }
            }
        }
        parts.into_iter().for_each(|recording| self.spool.release(recording));
        if let Some(language) = language.filter(|_| self.previews.is_some() && (1..=LONGEST_MS).contains(&duration_ms))
        {
            self.preview(rtp::decode(audio.codec, &audio.bytes), language, copies);
        }
        Ok(StoreAnswer::Delivered { duration_ms })
    }

    /// What was recorded, and behind it, after a moment, what it came with.
    async fn sound_of(&self, parcel: &Parcel) -> Result<(Codec, Vec<u8>), StoreFailure> {
        let spoken = !parcel.quiet && !parcel.parts.is_empty();
        let mut whole = if spoken { Some(self.recorded(parcel.parts.clone()).await?) } else { None };
        if let Some((_, bytes)) = &mut whole {
            // A byte is a sample.
            bytes.truncate(bytes.len().saturating_sub(parcel.letter.cut_ms as usize * 8));
        }
        if let Some((mailbox, message)) = &parcel.letter.attached {
            let wav = match self.mailboxes.audio(mailbox, *message).await {
                Ok(wav) => wav,
                // It was removed for good meanwhile: what was said about it still counts.
                Err(MessageError::NoMessage) if whole.is_some() => return whole.ok_or(StoreFailure::NoMessage),
                Err(MessageError::NoMessage) => return Err(StoreFailure::Damaged("what it forwards is gone".into())),
                Err(error) => return Err(error.into()),
            };
            let audio = Audio::from_wav(&wav).map_err(|error| StoreFailure::Damaged(error.to_string()))?;
            let (codec, bytes) = whole.get_or_insert_with(|| (Codec::Pcma, Vec::new()));
            if !bytes.is_empty() {
                bytes.extend(rtp::encode(*codec, &[0; BETWEEN]));
            }
            bytes.extend(rtp::encode(*codec, audio.samples()));
        }
        // A missed call has no sound.
        Ok(whole.unwrap_or((Codec::Pcma, Vec::new())))
    }

    fn message(&self, letter: Letter, to: Addressee, audio: mailbox::Audio) -> NewMessage {
        let address = |text: Option<String>| text.and_then(|text| Address::parse(&text).ok());
        let ended = Duration::from_millis(letter.received)
            .saturating_add(Duration::from_millis(u64::from(audio.duration_ms())));
        NewMessage {
            id: message_of(&letter, &to.mailbox),
            to: address(to.address).unwrap_or_else(|| Address::of_number(to.mailbox.as_str(), &self.domain)),
            mailbox: to.mailbox,
            to_name: to.name.as_deref().map(Line::new),
            from: Caller {
                number: letter.from_number.as_deref().map(Line::new),
                name: letter.from_name.as_deref().map(Line::new),
                address: address(letter.from_address),
            },
            call_id: Line::new(&letter.call_id),
            received: SystemTime::UNIX_EPOCH.checked_add(ended).unwrap_or(SystemTime::UNIX_EPOCH),
            kind: letter.kind,
            urgent: letter.urgent,
            private: letter.private,
            protected: false,
            audio,
        }
    }
}

/// What a message is called in one of its mailboxes: always the same, so that delivering again changes nothing.
fn message_of(letter: &Letter, mailbox: &MailboxId) -> MessageId {
    if *mailbox == letter.mailbox {
        return letter.message;
    }
    // FNV-1a, 128 bit, over the id and the name: as random as the id is.
    let bytes = letter.message.0.to_be_bytes().into_iter().chain(mailbox.as_str().bytes());
    let hash = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    MessageId(hash)
}

/// How much of it is above -40 dBm0, in steps of 20 ms as the recorder counts.
fn sound_in(codec: Codec, bytes: &[u8]) -> Duration {
    let threshold = Threshold::dbm0(-40.0);
    let loud = bytes.chunks(160).filter(|frame| Level::of(codec, frame).is_above(threshold)).count();
    Duration::from_millis(20).saturating_mul(u32::try_from(loud).unwrap_or(u32::MAX))
}

impl From<Unavailable> for StoreFailure {
    fn from(error: Unavailable) -> StoreFailure {
        StoreFailure::Unavailable(error.to_string())
    }
}

impl From<DeliverError> for StoreFailure {
    fn from(error: DeliverError) -> StoreFailure {
        match error {
            DeliverError::NoMailbox => StoreFailure::NoMailbox,
            DeliverError::Unavailable(error) => error.into(),
        }
    }
}

impl From<MailboxError> for StoreFailure {
    fn from(error: MailboxError) -> StoreFailure {
        match error {
            MailboxError::NoMailbox => StoreFailure::NoMailbox,
            MailboxError::Unavailable(error) => error.into(),
        }
    }
}

impl From<MessageError> for StoreFailure {
    fn from(error: MessageError) -> StoreFailure {
        match error {
            MessageError::NoMessage => StoreFailure::NoMessage,
            MessageError::Unavailable(error) => error.into(),
        }
    }
}

impl From<GreetingError> for StoreFailure {
    fn from(error: GreetingError) -> StoreFailure {
        match error {
            GreetingError::NoMailbox => StoreFailure::NoMailbox,
            GreetingError::Unavailable(error) => error.into(),
            other => StoreFailure::Damaged(other.to_string()),
        }
    }
}
