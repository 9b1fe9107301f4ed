//! Messages, folders, read state, greetings, and the store that keeps them; the change feed.
//!
//! [`Mailboxes`] is the store. A message becomes durable in two steps: its audio is written and synced, then its row is
//! committed, together with all others that wait. So a row is never without audio; audio without a row, left by a crash
//! between the two, is removed at the next start.

mod audio;
mod blobs;
mod change;
mod copy;
mod error;
mod feed;
mod greeting;
mod id;
mod lamp;
mod message;
mod mime;
mod reader;
mod schema;
mod store;
#[cfg(test)]
mod test;
mod text;
mod wav;
mod writer;

pub use audio::{AudioError, AudioPlace, AudioUrlError, Bucket};
pub use change::{Change, ChangeKind};
pub use copy::{Copied, CopyError};
pub use database::{OpenError, Server, UrlError};
pub use error::{ChangesError, DeliverError, GreetingError, MailboxError, MessageError, Unavailable};
pub use feed::Changes;
pub use greeting::{GreetingKind, GreetingKindError};
pub use id::{IdError, MailboxId, MessageId, ModSeq, Uid};
pub use lamp::Turn;
pub use message::{Audio, Caller, Counts, Message, MessageKind, NewMessage, Order, Preview, Status};
pub use store::Mailboxes;
pub use text::{Address, AddressError, Line};
pub use wav::{LONGEST_GREETING_S, WavError, read_wav};

#[cfg(test)]
mod tests;
