//! RTP, RTCP, telephone events, G.711, jitter buffer, level, tones and in-band key detection: what goes in a media
//! packet, without sockets and without a clock. Time is an argument, and so is randomness.

mod codec;

pub use codec::{Codec, SAMPLE_RATE};
