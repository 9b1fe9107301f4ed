//! The role's doors to media and events, with the journal looking on.

use crate::entry::{Cause, Key};
use crate::handle::Journal;
use event::{Event, Now, Sink};
use media::{Control, MediaCommand, MediaEvent, OpenError, SessionId};
use sip::Watch;
use sip::chance::Origin;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// A media engine whose answers and commands are recorded.
pub struct WatchedMedia {
    inner: Box<dyn Control + Send>,
    journal: Journal,
}

impl WatchedMedia {
    pub fn new(inner: Box<dyn Control + Send>, journal: Journal) -> WatchedMedia {
        WatchedMedia { inner, journal }
    }
}

impl Control for WatchedMedia {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        let opened = self.inner.open();
        if !self.journal.listens() {
            return opened;
        }
        let opened = passed(&self.journal, opened);
        let fresh = opened.as_ref().ok().map(|(session, _)| Key::Session(session.0));
        self.journal.did(None, fresh, || match &opened {
            Ok((session, address)) => format!("opens media session {} at {address}", session.0),
            Err(error) => format!("finds no media session: {error}"),
        });
        opened
    }

    fn command(&mut self, command: MediaCommand) {
        if self.journal.listens() {
            let (of, fresh) = keys_of(&command);
            self.journal.did(of, fresh, || said(&command));
        }
        self.inner.command(command);
    }
}

/// What opening gave, by way of the watch: numbers, as everything that is drawn.
fn passed(
    journal: &Journal,
    opened: Result<(SessionId, SocketAddr), OpenError>,
) -> Result<(SessionId, SocketAddr), OpenError> {
    let pass = |value| journal.pass(Origin::Shared, value);
    let outcome = match &opened {
        Ok(_) => 0,
        Err(OpenError::NoPort) => 1,
        Err(OpenError::Stopped) => 2,
        Err(OpenError::Socket(_)) => 3,
    };
    let (session, address) = match opened {
        Ok(opened) => opened,
        Err(_) => (SessionId(0), SocketAddr::from(([127, 0, 0, 1], 0))),
    };
    match pass(outcome) {
        0 => {}
        1 => return Err(OpenError::NoPort),
        2 => return Err(OpenError::Stopped),
        _ => return Err(OpenError::Socket("as it was then".into())),
    }
    let bits = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let session = pass(session.0);
    let port = pass(address.port().into());
    let (high, low) = (pass((bits >> 64) as u64), pass(bits as u64));
    let ip = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)).to_canonical();
    Ok((SessionId(session), SocketAddr::new(ip, port as u16)))
}

fn keys_of(command: &MediaCommand) -> (Option<Key>, Option<Key>) {
    use MediaCommand::*;
    match command {
        Record { session, recording, .. } => (Some(Key::Session(session.0)), Some(Key::Recording(recording.0))),
        Annotate { recording, .. } => (Some(Key::Recording(recording.0)), None),
        Connect { session, .. }
        | Play { session, .. }
        | StopPlay { session }
        | PauseRecord { session }
        | ResumeRecord { session }
        | StopRecord { session }
        | Listen { session, .. }
        | SendKeys { session, .. }
        | Unrelay { session }
        | Close { session } => (Some(Key::Session(session.0)), None),
        Relay { a, .. } => (Some(Key::Session(a.0)), None),
    }
}

/// A command in a line. Audio is left out (what is played, the role says itself), and keys, which may be a PIN.
fn said(command: &MediaCommand) -> String {
    match command {
        MediaCommand::Play { session, play, barge_in, repeat, .. } => {
            format!("media Play session {} play {} barge_in {barge_in} repeat {repeat}", session.0, play.0)
        }
        MediaCommand::SendKeys { session, keys, .. } => {
            format!("media SendKeys session {} ({} keys)", session.0, keys.chars().count())
        }
        other => format!("media {other:?}"),
    }
}

impl Journal {
    /// Something happened on a media session.
    pub fn begin_media(&self, event: &MediaEvent, now: Now) {
        use MediaEvent::*;
        let keys: Vec<crate::Key> = match event {
            RecordEnded { session, recording, .. } => {
                vec![crate::Key::Session(session.0), crate::Key::Recording(recording.0)]
            }
            RecordDurable { recording, .. } | RecordFailed { recording, .. } => {
                vec![crate::Key::Recording(recording.0)]
            }
            Key { session, .. }
            | PlayEnded { session, .. }
            | SpeechBegan { session }
            | Spoken { session, .. }
            | StreamLost { session }
            | Latched { session, .. }
            | Line { session, .. }
            | Dropped { session, .. } => {
                vec![crate::Key::Session(session.0)]
            }
        };
        self.begin_own(&keys, now, || Cause::Media(event.clone()));
    }
}

/// A sink of events that the journal hears first.
pub struct WatchedSink {
    inner: Arc<dyn Sink>,
    journal: Journal,
}

impl WatchedSink {
    pub fn new(inner: Arc<dyn Sink>, journal: Journal) -> WatchedSink {
        WatchedSink { inner, journal }
    }
}

impl Sink for WatchedSink {
    fn emit(&self, now: Now, event: Event) {
        self.journal.event(&event);
        self.inner.emit(now, event);
    }

    fn listens(&self) -> bool {
        self.inner.listens()
    }
}
