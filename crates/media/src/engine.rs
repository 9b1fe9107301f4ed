//! The engine: its threads, its ports, and the handle that roles hold.

use crate::{Control, MediaCommand, MediaEvent, OpenError, SessionId, Spool};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How to start an engine.
pub struct EngineConfig {
    /// All media sockets are bound to this address.
    pub bind: IpAddr,
    /// RTP takes the even ports of it, RTCP the next odd one.
    pub ports: RangeInclusive<u16>,
    /// Media threads; sessions are spread over them. 0 is taken as 1.
    pub threads: usize,
    /// Where recordings go; without one, `RecordTo::Spool` fails.
    pub spool: Option<Spool>,
    /// After this long without RTP or RTCP a stream that should be heard is lost.
    pub stream_timeout: Duration,
    /// For SSRCs, first sequence numbers and timestamps (RFC 3550 5.1: they are random), and RTCP's intervals.
    pub seed: [u8; 32],
}

impl EngineConfig {
    /// One thread, no spool, streams lost after 20 s.
    pub fn new(bind: IpAddr, ports: RangeInclusive<u16>, seed: [u8; 32]) -> EngineConfig {
        EngineConfig { bind, ports, threads: 1, spool: None, stream_timeout: Duration::from_secs(20), seed }
    }
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The range holds no even port with its odd neighbour.
    #[error("the media port range holds no port pair")]
    NoPorts,
    /// The system refused a thread, an epoll or a timer.
    #[error("media engine: {0}")]
    System(#[from] std::io::Error),
}

/// Owns the media threads; dropping it closes all sessions and ends them.
pub struct Engine {
    media: Media,
}

/// The handle that roles hold. Clones are the same engine.
#[derive(Clone)]
pub struct Media {}

impl Engine {
    /// `events` is called from the engine's threads: it must be quick and never block.
    pub fn start(
        _config: EngineConfig,
        _events: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<Engine, StartError> {
        Ok(Engine { media: Media {} })
    }

    pub fn control(&self) -> Media {
        self.media.clone()
    }
}

impl Control for Media {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        Err(OpenError::Stopped)
    }

    fn command(&mut self, _command: MediaCommand) {}
}
