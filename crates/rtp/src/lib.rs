//! RTP, RTCP, SRTP, telephone events, G.711, jitter buffer, level, tones and in-band key detection: what goes in a media
//! packet, without sockets and without a clock. Time is an argument, and so is randomness.

mod codec;
mod g711;
mod inband;
mod jitter;
mod level;
mod line;
mod packet;
mod rtcp;
mod sequence;
pub mod srtp;
mod stretch;
mod telephone_event;
mod tone;

pub use codec::{Codec, SAMPLE_RATE};
pub use g711::{decode, decode_into, encode, transcode};
pub use inband::{InbandDetector, InbandKey};
pub use jitter::{JitterBuffer, Played};
pub use level::{Level, Threshold};
pub use line::{LineListener, LineSignal};
pub use packet::{HEADER_LEN, Header, Packet, PacketError, is_stun};
pub use rtcp::{Received, ReceiverStatistics, ReportBlock, RtcpError, Sent, bye, read_rtcp, report};
pub use sequence::{Accepted, SequenceTracker, SsrcFilter, SsrcVerdict, TimestampUnwrapper};
pub use stretch::stretch;
pub use telephone_event::{EventPacket, EventReceiver, EventSender, KeyPress, event_of, is_fax_event, key_of};
pub use tone::{Tone, key_tone};
