//! What a role may ask of the media engine, and what it hears from it.

use crate::{Clip, Dropped, Srtp, Tape, Utterance};
use bytes::Bytes;
use rtp::Codec;
use rtp::srtp::{Keying, Suite};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One media session: a port pair (RTP and RTCP) and what is done on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Chosen by whoever starts a play, and given back when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// Names one recording for good, also in the spool after a restart: choose it at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub u128);

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Which way audio flows, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    SendReceive,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

impl Direction {
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::ReceiveOnly)
    }
}

/// Whom to believe and to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Source {
    /// Media is taken from the IP that the SDP named only (from whichever of its ports comes first, the named one
    /// preferred) and sent to the address that it named.
    #[default]
    Named,
    /// For phones behind NAT: the first source seen is taken, locked, and answered (symmetric RTP, RFC 4961). If the
    /// named address is heard first, it is that one.
    FirstSeen,
}

/// One end of a negotiated audio stream, as SDP left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Where the peer said that it takes RTP; RTCP goes to the next port.
    pub remote: SocketAddr,
    pub codec: Codec,
    /// The payload type of `codec`, both ways.
    pub payload_type: u8,
    /// The payload type under which the peer takes telephone events (RFC 4733); `None`: it does not.
    pub dtmf: Option<u8>,
    /// The payload type under which the peer sends telephone events to us.
    pub dtmf_receive: Option<u8>,
    pub direction: Direction,
    /// Milliseconds of audio in a packet that we send: 10 to 60 in steps of 10; others are taken as 20.
    pub ptime_ms: u16,
    pub source: Source,
    /// The peer sends its keys as tones in the audio (an analog telephone behind a gateway). Relayed to a peer that takes
    /// telephone events, they are heard, taken out of the audio and sent on as events.
    pub inband_keys: bool,
    /// The audio ends here: keys that come as tones (where the stream has no telephone events), fax machines and the
    /// exchange's tones are made out in it and told.
    pub listened: bool,
    /// RTP and RTCP are encrypted with these keys; `None`: they go in the clear. What comes in otherwise is dropped.
    pub srtp: Option<Srtp>,
}

impl Stream {
    /// Both ways, 20 ms, the codec's static payload type, no telephone events, source as named.
    pub fn new(remote: SocketAddr, codec: Codec) -> Stream {
        Stream {
            remote,
            codec,
            payload_type: codec.payload_type(),
            dtmf: None,
            dtmf_receive: None,
            direction: Direction::SendReceive,
            ptime_ms: 20,
            source: Source::Named,
            inband_keys: false,
            listened: false,
            srtp: None,
        }
    }

    /// The same where the audio ends here.
    pub fn listened(self) -> Stream {
        Stream { listened: true, ..self }
    }
}

/// What SDP agreed on, source as named. A stream that was declined (port 0) is inactive, and nothing is sent to 0.0.0.0.
impl From<&sdp::Negotiated> for Stream {
    fn from(agreed: &sdp::Negotiated) -> Stream {
        let codec = match agreed.codec {
            sdp::Codec::Pcma => Codec::Pcma,
            sdp::Codec::Pcmu => Codec::Pcmu,
        };
        let declined = agreed.remote.port() == 0;
        let sends = agreed.direction.sends() && !declined && !agreed.remote.ip().is_unspecified();
        let direction = match (sends, agreed.direction.receives() && !declined) {
            (true, true) => Direction::SendReceive,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::ReceiveOnly,
            (false, false) => Direction::Inactive,
        };
        Stream {
            payload_type: agreed.payload_type,
            dtmf: agreed.dtmf,
            dtmf_receive: agreed.dtmf_receive,
            direction,
            ptime_ms: agreed.ptime_ms,
            srtp: agreed.srtp.as_ref().and_then(srtp),
            ..Stream::new(agreed.remote, codec)
        }
    }
}

/// SDP's suites and keys are those of RTP, by other names: neither crate knows the other.
fn srtp(agreed: &sdp::Agreed) -> Option<Srtp> {
    let suite = match agreed.suite {
        sdp::Suite::AeadAes256Gcm => Suite::AeadAes256Gcm,
        sdp::Suite::AeadAes128Gcm => Suite::AeadAes128Gcm,
        sdp::Suite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        sdp::Suite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
    };
    let keying = |key: &sdp::MasterKey| Keying::new(suite, key.bytes());
    Some(Srtp { send: keying(&agreed.send)?, receive: keying(&agreed.receive)? })
}

/// A set of telephone keys (`0`-`9`, `*`, `#`, `A`-`D`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Keys(u16);

impl Keys {
    pub const NONE: Keys = Keys(0);
    pub const ALL: Keys = Keys(0xffff);

    /// The keys of `text`; characters that are no keys are left out.
    pub fn of(text: &str) -> Keys {
        Keys(text.chars().filter_map(Keys::bit).fold(0, |set, bit| set | bit))
    }

    pub fn contains(self, key: char) -> bool {
        Keys::bit(key).is_some_and(|bit| self.0 & bit != 0)
    }

    fn bit(key: char) -> Option<u16> {
        "0123456789*#ABCD".find(key.to_ascii_uppercase()).map(|at| 1 << at)
    }
}

/// When a recording ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordLimits {
    /// Ends this long after the last sound above the level, or after the start when there was none.
    pub idle: Duration,
    /// The longest recording.
    pub max: Duration,
    /// What counts as sound, in dBm0.
    pub level_dbm0: f32,
    /// A key of this set ends the recording when it is pressed (`RecordEnd::Key`); the key itself is reported after
    /// that, when it is let go.
    pub stop_keys: Keys,
}

impl Default for RecordLimits {
    /// Idle 5 s, at most 20 min, -40 dBm0, any key.
    fn default() -> RecordLimits {
        RecordLimits {
            idle: Duration::from_secs(5),
            max: Duration::from_secs(20 * 60),
            level_dbm0: -40.0,
            stop_keys: Keys::ALL,
        }
    }
}

/// Where a recording goes.
#[derive(Clone, Debug)]
pub enum RecordTo {
    /// To the engine's spool: on disk as it is spoken.
    Spool,
    /// To memory; whoever holds the tape reads it at any time, and has all of it once `RecordEnded` is heard.
    Tape(Tape),
}

/// Commands are carried out in the order given. One for a session that is not open is ignored.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// The stream was negotiated, or negotiated anew (hold, resume, another codec or address). Playing and recording
    /// go on across it.
    Connect {
        session: SessionId,
        stream: Stream,
    },
    /// Plays the clips one after the other. What was playing is stopped (`PlayEnd::Stopped`). Starts at once when
    /// connected, else when `Connect` comes.
    Play {
        session: SessionId,
        play: PlayId,
        clips: Vec<Arc<Clip>>,
        /// A key stops it (`PlayEnd::Key`) when it is pressed; the key itself is reported when it is let go.
        barge_in: bool,
        /// Over and over, until stopped.
        repeat: bool,
    },
    StopPlay {
        session: SessionId,
    },
    /// Hears from now on when somebody speaks ([`MediaEvent::SpeechBegan`], [`MediaEvent::Spoken`]), or no more. Speech
    /// stops a play with `barge_in` ([`PlayEnd::Speech`]), as a key does.
    Listen {
        session: SessionId,
        listen: bool,
    },
    /// Records what comes in, from now. A recording under way is ended first (`RecordEnd::Stopped`).
    Record {
        session: SessionId,
        recording: RecordingId,
        to: RecordTo,
        meta: Bytes,
        limits: RecordLimits,
    },
    /// What comes in is left out, and neither limit runs, until resumed.
    PauseRecord {
        session: SessionId,
    },
    ResumeRecord {
        session: SessionId,
    },
    StopRecord {
        session: SessionId,
    },
    /// Replaces the meta data that the spool keeps with a recording.
    Annotate {
        recording: RecordingId,
        meta: Bytes,
    },
    /// Sends keys as telephone events (RFC 4733), each `tone` long with `gap` between; characters that are no keys
    /// are left out, and a comma is a pause of one second. Without telephone events on the stream: as in-band tones.
    SendKeys {
        session: SessionId,
        keys: String,
        tone: Duration,
        gap: Duration,
    },
    /// What comes in on the one goes out on the other, both ways, until `Unrelay` or `Close` of either.
    Relay {
        a: SessionId,
        b: SessionId,
    },
    Unrelay {
        session: SessionId,
    },
    /// Ends everything on the session (a recording is kept: `RecordEnd::Closed`), then gives its ports back.
    Close {
        session: SessionId,
    },
}

impl MediaCommand {
    /// The one session that it is for. `None` for what is for two (`Relay`), or for a recording (`Annotate`).
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self {
            MediaCommand::Connect { session, .. }
            | MediaCommand::Play { session, .. }
            | MediaCommand::StopPlay { session }
            | MediaCommand::Record { session, .. }
            | MediaCommand::PauseRecord { session }
            | MediaCommand::ResumeRecord { session }
            | MediaCommand::StopRecord { session }
            | MediaCommand::Listen { session, .. }
            | MediaCommand::SendKeys { session, .. }
            | MediaCommand::Unrelay { session }
            | MediaCommand::Close { session } => Some(*session),
            MediaCommand::Relay { .. } | MediaCommand::Annotate { .. } => None,
        }
    }
}

/// Why a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    Finished,
    Key,
    /// The caller began to speak.
    Speech,
    Stopped,
}

/// What a line says of itself, by tones or by events. Each is told once a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSignal {
    /// A fax machine calls: its calling tone twice (ITU-T T.30), or its event (RFC 4734).
    Fax,
    /// Nobody is there any more: dial tone, busy or reorder tone, which began so long ago; so much of it is tone. A recording
    /// under way is ended with it; what it has of the tone is still in it.
    Dead { since: Duration, loud: Duration },
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// Nothing above the level for the idle time.
    Idle,
    Max,
    Key,
    Stopped,
    /// The session was closed, usually because the caller hung up.
    Closed,
    /// It could not be written. What was written before is kept.
    Failed,
}

/// What happened on a session. Sent from a media or writer thread: the callback must be quick and never block.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// A key was pressed and let go, or is still held after its longest time (5 s).
    Key {
        session: SessionId,
        digit: char,
        duration_ms: u32,
    },
    PlayEnded {
        session: SessionId,
        play: PlayId,
        played: Duration,
        reason: PlayEnd,
    },
    /// Somebody began to speak on a session that is listened to.
    SpeechBegan {
        session: SessionId,
    },
    /// He has done.
    Spoken {
        session: SessionId,
        /// What he said, with a little of the silence around it.
        speech: Utterance,
    },
    /// No more is recorded. `duration` is what was recorded, `loud` how much of it was above the level.
    RecordEnded {
        session: SessionId,
        recording: RecordingId,
        reason: RecordEnd,
        duration: Duration,
        loud: Duration,
    },
    /// The whole recording, with its meta data, is on disk: a power cut does not take it any more.
    /// `length` is in bytes of audio, 8,000 a second.
    RecordDurable {
        recording: RecordingId,
        length: u64,
    },
    /// The spool could not make the recording durable; what it has of it can be read until the process ends.
    RecordFailed {
        recording: RecordingId,
        error: String,
    },
    /// Nothing was heard for the engine's stream timeout though the stream's direction says that something should be.
    /// Said once, and again only after something was heard in between.
    StreamLost {
        session: SessionId,
    },
    /// Packets of an SRTP stream were not taken: how many, since the session was opened. Told once a second at most, and
    /// when it closes.
    Dropped {
        session: SessionId,
        dropped: Dropped,
    },
    /// The line says something of itself.
    Line {
        session: SessionId,
        signal: LineSignal,
    },
    /// The source was locked: media comes from here.
    Latched {
        session: SessionId,
        remote: SocketAddr,
    },
}

/// Why no session could be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Every port pair of the configured range is in use: refuse the call, or widen the range.
    #[error("no free media port pair")]
    NoPort,
    /// The engine has stopped.
    #[error("the media engine has stopped")]
    Stopped,
    /// The system refused the socket for another reason than that the port is taken.
    #[error("media socket: {0}")]
    Socket(String),
}

/// The door to the media engine.
pub trait Control {
    /// Opens a session: its RTP port (even, the next one is RTCP's) is bound when this returns, so that it can be
    /// named in SDP. Nothing is taken or sent before `Connect`.
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError>;
    fn command(&mut self, command: MediaCommand);
}
