//! The media engine: threads, ports, sessions that play, record and relay; the recording spool.
//!
//! [`Engine`] owns the threads and sockets. Roles hold a [`Control`]: [`Media`] in the product, [`fake::FakeMedia`] in
//! tests. Commands go in by a queue, [`MediaEvent`]s come out by the callback given at start.

mod clip;
mod command;
mod ear;
mod endpointer;
mod engine;
pub mod fake;
mod key_tones;
mod listener;
mod meter;
mod player;
mod ports;
mod recorder;
mod recording;
mod secure;
mod session;
mod speaker;
pub mod spool;
mod sys;
mod tape;
pub mod wav;
mod worker;

pub use clip::{Clip, ClipError};
pub use command::{
    Control, Direction, Keys, LineSignal, MediaCommand, MediaEvent, OpenError, PlayEnd, PlayId, RecordEnd,
    RecordLimits, RecordTo, RecordingId, SessionId, Source, Stream,
};
pub use endpointer::Utterance;
pub use engine::{Engine, EngineConfig, Media, StartError};
pub use rtp::Codec;
pub use secure::{Dropped, Srtp};
pub use spool::{Recorded, Recovered, Spool};
pub use tape::Tape;
