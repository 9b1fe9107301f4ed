//! Payload types, codecs and directions of an audio stream.

use crate::session::{Attribute, Media};

/// A codec that Earcon sends and receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 mu-law.
    Pcmu,
}

impl Codec {
    /// RFC 3551 6: the static payload type.
    pub fn static_payload(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// The encoding name in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
        }
    }

    /// The codec of that encoding name, in any case.
    pub fn from_name(name: &str) -> Option<Codec> {
        [Codec::Pcma, Codec::Pcmu].into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }
}

/// Who sends, as the author of the description sees it (RFC 3264 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    /// The direction of somebody who sends and receives so.
    pub fn new(send: bool, receive: bool) -> Direction {
        match (send, receive) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same stream seen from the other end.
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// What is left when both must hold.
    pub fn and(self, other: Direction) -> Direction {
        Direction::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The name of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The first direction attribute among `attributes`.
    pub(crate) fn of(attributes: &[Attribute]) -> Option<Direction> {
        const ALL: [Direction; 4] =
            [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
        attributes.iter().find_map(|attribute| {
            ALL.into_iter().find(|direction| attribute.name.eq_ignore_ascii_case(direction.name()))
        })
    }
}

/// A format of an RTP stream with what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The payload type, 0 to 127.
    pub number: u8,
    /// Encoding name; empty for a dynamic type without `a=rtpmap`.
    pub name: String,
    /// Clock rate in Hz.
    pub rate: u32,
    pub channels: u8,
    /// The `a=fmtp` parameters as they stood.
    pub parameters: Option<String>,
}

impl Payload {
    /// The codec, where it is one of ours (8 kHz, mono).
    pub fn codec(&self) -> Option<Codec> {
        Codec::from_name(&self.name).filter(|_| self.rate == 8000 && self.channels == 1)
    }

    /// RFC 4733: key events on the audio's clock.
    pub fn is_telephone_event(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event") && self.rate == 8000
    }
}

pub(crate) fn payloads(media: &Media) -> impl Iterator<Item = Payload> + '_ {
    media.formats.iter().filter_map(|format| {
        let number = format.parse::<u8>().ok().filter(|number| *number < 128)?;
        let parameters = described(media, "fmtp", number).map(String::from);
        let (name, rate, channels) = match described(media, "rtpmap", number).and_then(rtpmap) {
            Some(map) => map,
            // RFC 3551 6: types with a fixed meaning need no rtpmap.
            None => match number {
                0 => ("PCMU".into(), 8000, 1),
                8 => ("PCMA".into(), 8000, 1),
                _ => (String::new(), 0, 1),
            },
        };
        Some(Payload { number, name, rate, channels, parameters })
    })
}

/// The rest of `a=<name>:<number> <rest>`.
fn described<'a>(media: &'a Media, name: &str, number: u8) -> Option<&'a str> {
    media.attributes.iter().filter(|attribute| attribute.name.eq_ignore_ascii_case(name)).find_map(|attribute| {
        let (of, rest) = attribute.value.as_deref()?.split_once([' ', '\t'])?;
        (of.parse() == Ok(number)).then(|| rest.trim())
    })
}

/// `<encoding name>/<clock rate>[/<channels>]`
fn rtpmap(value: &str) -> Option<(String, u32, u8)> {
    let mut parts = value.split('/').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let rate = parts.next()?.parse().ok()?;
    let channels = match parts.next() {
        Some(channels) => channels.parse().ok()?,
        None => 1,
    };
    Some((name.into(), rate, channels))
}
