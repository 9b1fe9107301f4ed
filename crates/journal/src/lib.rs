//! The journal of calls: everything that enters a call by its role's one door, written down so that the call can be looked at,
//! exported as a capture, and run again.
//!
//! A role holds a [`Journal`] and says of each thing that it handles when it begins and ends, and what it does meanwhile. Recording, that
//! becomes entries of the call concerned; when the call is over, a [`Writer`] puts it into the data folder. [`Folder`] finds it
//! there again. Running it again, the same [`Journal`] gives back what was drawn, and [`replay`] compares.

mod convert;
mod entry;
mod folder;
mod handle;
mod mask;
mod named;
pub mod pcapng;
mod player;
mod recorder;
pub mod replay;
mod tape;
#[cfg(test)]
mod tests;
mod text;
mod watched;
mod writer;

pub use entry::{Cause, Entry, Key, Known, Output};
pub use folder::{Folder, Found, Sought, find, together};
pub use handle::Journal;
pub use named::texts;
pub use player::Step;
pub use recorder::Wanted;
pub use tape::{About, Setup, Tape};
pub use text::{Header, ReadError, Recorded, read, read_header, write};
pub use watched::{WatchedMedia, WatchedSink};
pub use writer::{DEFAULT_LIMIT, Door, FOLDER, Writer};
