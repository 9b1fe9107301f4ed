use crate::{Address, Line, MailboxId, MessageId, ModSeq, Uid};
use bytes::Bytes;
use rtp::Codec;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// What was recorded, as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    pub codec: Codec,
    /// One byte a sample, 8,000 a second.
    pub bytes: Bytes,
}

impl Audio {
    /// Milliseconds.
    pub fn duration_ms(&self) -> u32 {
        u32::try_from(self.bytes.len() / 8).unwrap_or(u32::MAX)
    }
}

/// Who left a message, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// None: anonymous.
    pub number: Option<Line>,
    /// The name that the number was resolved to, or that the caller's side gave.
    pub name: Option<Line>,
    /// His mail address, if he has a mailbox here.
    pub address: Option<Address>,
}

/// How a message came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A caller left it.
    #[default]
    CallAnswering,
    /// A user who had logged on sent it.
    Composed,
    /// Nobody spoke: somebody called. It has no audio, is not heard by phone, and lights no lamp.
    MissedCall,
}

impl MessageKind {
    /// Whether there is something to hear.
    pub fn is_voice(self) -> bool {
        self != MessageKind::MissedCall
    }

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_number(number: i64) -> Option<MessageKind> {
        [MessageKind::CallAnswering, MessageKind::Composed, MessageKind::MissedCall]
            .into_iter()
            .nth(usize::try_from(number).ok()?)
    }
}

/// What a transcriber made of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    pub text: String,
    /// How sure it is, in percent; 100 is certain.
    pub confidence: u8,
}

impl Preview {
    /// Whether whoever reads it should be told that it may be wrong.
    pub fn is_unsure(&self) -> bool {
        self.confidence < 60
    }
}

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The recording's random number in the spool. Delivering the same one again changes nothing.
    pub id: MessageId,
    pub mailbox: MailboxId,
    /// Name and mail address of the mailbox's owner, for the To line.
    pub to_name: Option<Line>,
    pub to: Address,
    pub from: Caller,
    /// SIP Call-ID.
    pub call_id: Line,
    /// When the recording ended.
    pub received: SystemTime,
    pub kind: MessageKind,
    pub urgent: bool,
    pub private: bool,
    /// Heard by phone and page only, and not forwarded.
    pub protected: bool,
    /// Empty for a missed call.
    pub audio: Audio,
}

/// A message in a mailbox, without its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub mailbox: MailboxId,
    pub uid: Uid,
    pub modseq: ModSeq,
    /// None: anonymous.
    pub from_number: Option<Line>,
    pub from_name: Option<Line>,
    pub subject: String,
    /// To the millisecond.
    pub received: SystemTime,
    pub duration_ms: u32,
    pub kind: MessageKind,
    pub read: bool,
    pub urgent: bool,
    pub private: bool,
    /// Heard by phone and page only, and not forwarded.
    pub protected: bool,
    /// Its owner wants to come back to it.
    pub flagged: bool,
    /// None: there is none (yet).
    pub preview: Option<Preview>,
    /// It lies among the deleted ones, from where it can be brought back.
    pub deleted: bool,
    /// Bytes of the MIME message.
    pub size: u64,
}

/// Voice messages that are not deleted, as RFC 3842 counts them: new (unread) and old (read), and the urgent among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub new: u32,
    pub old: u32,
    pub new_urgent: u32,
    pub old_urgent: u32,
}

/// In which order messages are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The page: newest first.
    NewestFirst,
    /// The phone: those that can be heard, the unread ones, then the read ones, each newest first.
    NewThenSaved,
}

/// What a mail client must know of a mailbox before all else (RFC 9051, RFC 7162).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Another one: all UIDs known from before are void.
    pub uidvalidity: u32,
    /// The next message's UID, or a higher one.
    pub uidnext: Uid,
    /// The highest modification sequence given so far.
    pub modseq: ModSeq,
}
