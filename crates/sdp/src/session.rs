//! What a session description holds, and how it is written (RFC 8866).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::audio::{self, Direction, Payload};
use crate::crypto::{Crypto, CryptoError};

/// A session description. Read with [`Session::parse`], written with [`Session::to_bytes`] or `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The `o=` line.
    pub origin: Origin,
    /// The `s=` line; `-` where the peer sent none.
    pub name: String,
    /// The session's `c=` line: the default for media without one of its own.
    pub connection: Option<Address>,
    /// The `t=` lines as they stood; empty is written as `0 0`, a session without bounds.
    pub times: Vec<String>,
    /// Lines that Earcon has no use for (`i u e p b r z k`) with their type letter, in their order.
    pub others: Vec<(char, String)>,
    /// Session level attributes, in their order.
    pub attributes: Vec<Attribute>,
    /// The streams, in their order; an answer has as many as its offer (RFC 3264 6).
    pub media: Vec<Media>,
}

/// The `o=` line: who made this description, and which version of it this is.
///
/// Id and version are text: peers send numbers past 64 bits, and it is theirs to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub username: String,
    pub session_id: String,
    pub version: String,
    pub address: Address,
}

impl Default for Origin {
    fn default() -> Origin {
        Origin {
            username: "-".into(),
            session_id: "0".into(),
            version: "0".into(),
            address: Address::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }
}

/// Where media goes: an address, or a host name that somebody would have to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Ip(IpAddr),
    Name(String),
}

impl Address {
    /// The address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Ip(ip) => Some(*ip),
            Address::Name(_) => None,
        }
    }
}

impl fmt::Display for Address {
    /// As in `c=` and `o=`: network type, address type, address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Address::Ip(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Address::Name(name) => write!(f, "IN IP4 {name}"),
        }
    }
}

/// An `a=` line: a property (`a=sendrecv`) or a value (`a=ptime:20`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: Option<String>,
}

impl Attribute {
    /// `a=name`
    pub fn flag(name: &str) -> Attribute {
        Attribute { name: name.into(), value: None }
    }

    /// `a=name:value`
    pub fn value(name: &str, value: impl Into<String>) -> Attribute {
        Attribute { name: name.into(), value: Some(value.into()) }
    }
}

/// One stream: an `m=` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, `application`, ...
    pub kind: String,
    /// 0 means declined or removed (RFC 3264 6 and 8.2).
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `udptl`, ...
    pub protocol: String,
    /// Payload types for RTP, in order of preference; anything for other protocols.
    pub formats: Vec<String>,
    pub connection: Option<Address>,
    pub others: Vec<(char, String)>,
    pub attributes: Vec<Attribute>,
}

impl Media {
    /// A stream declined in an answer (RFC 3264 6): the offer's line with port 0 and no attributes.
    pub(crate) fn declined(&self) -> Media {
        Media {
            kind: self.kind.clone(),
            port: 0,
            protocol: self.protocol.clone(),
            formats: self.formats.clone(),
            connection: None,
            others: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Whether this is audio over RTP, secured or not.
    pub fn is_rtp_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio") && self.protocol.to_ascii_uppercase().starts_with("RTP/")
            || self.is_secured() && self.kind.eq_ignore_ascii_case("audio")
    }

    /// Whether the stream is SRTP by its protocol (`RTP/SAVP`, `RTP/SAVPF`, also behind `UDP/TLS/`).
    pub fn is_secured(&self) -> bool {
        let protocol = self.protocol.to_ascii_uppercase();
        protocol.ends_with("RTP/SAVP") || protocol.ends_with("RTP/SAVPF")
    }

    /// The value of the first attribute of that name; `Some("")` for a property.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }

    /// The stream's formats with what `a=rtpmap` and `a=fmtp`, or RFC 3551's table, say about each.
    pub fn payloads(&self) -> impl Iterator<Item = Payload> + '_ {
        audio::payloads(self)
    }

    /// The `a=crypto` lines (RFC 4568), in order of preference.
    pub fn cryptos(&self) -> impl Iterator<Item = Result<Crypto, CryptoError>> + '_ {
        self.attributes
            .iter()
            .filter(|attribute| attribute.name.eq_ignore_ascii_case("crypto"))
            .map(|attribute| Crypto::parse(attribute.value.as_deref().unwrap_or_default()))
    }
}

impl Session {
    /// The first stream that is audio over RTP, with its index.
    pub fn audio(&self) -> Option<(usize, &Media)> {
        self.media.iter().enumerate().find(|(_, media)| media.is_rtp_audio())
    }

    /// Where `media` is to be sent: its own `c=` line, else the session's.
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Address> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The direction of `media` as its author sees it: its own attribute, else the session's, else both ways
    /// (RFC 8866 6.7).
    pub fn direction_of(&self, media: &Media) -> Direction {
        Direction::of(&media.attributes).or_else(|| Direction::of(&self.attributes)).unwrap_or(Direction::SendRecv)
    }

    /// Gives this description the identity of `previous`, one of ours in the same dialog: the same session id, and the
    /// version one higher if anything differs (RFC 3264 8).
    pub fn follow(&mut self, previous: &Session) {
        self.origin.session_id = previous.origin.session_id.clone();
        self.origin.version = previous.origin.version.clone();
        if self != previous {
            let version = previous.origin.version.parse::<u64>().unwrap_or(0).wrapping_add(1);
            self.origin.version = version.to_string();
        }
    }

    /// Moves the audio stream to an address of ours, for a gateway that passes a description on: `o=`, `c=` and the
    /// port are replaced, what names the peer's own transport (candidates, RTCP port, keys) is dropped. Streams other
    /// than the first audio stream are declined.
    pub fn rewrite_connection(&mut self, address: IpAddr, port: u16) {
        let own = Address::Ip(address);
        self.origin.address = own.clone();
        self.connection = Some(own);
        drop_transport(&mut self.attributes);
        let audio = self.audio().map(|(index, _)| index);
        for (index, media) in self.media.iter_mut().enumerate() {
            if Some(index) == audio {
                media.connection = None;
                if media.port != 0 {
                    media.port = port;
                }
                drop_transport(&mut media.attributes);
            } else {
                *media = media.declined();
            }
        }
    }

    /// The description as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

fn drop_transport(attributes: &mut Vec<Attribute>) {
    const TRANSPORT: [&str; 12] = [
        "candidate",
        "crypto",
        "end-of-candidates",
        "fingerprint",
        "group",
        "ice-lite",
        "ice-options",
        "ice-pwd",
        "ice-ufrag",
        "rtcp",
        "rtcp-mux",
        "setup",
    ];
    attributes.retain(|attribute| !TRANSPORT.iter().any(|name| attribute.name.eq_ignore_ascii_case(name)));
}

pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
        .map(|attribute| attribute.value.as_deref().unwrap_or_default())
}

/// Lines of the letters in `kinds`, written in that order: RFC 8866 5 fixes it.
fn write_others(f: &mut fmt::Formatter<'_>, others: &[(char, String)], kinds: &str) -> fmt::Result {
    for wanted in kinds.chars() {
        for (_, value) in others.iter().filter(|(kind, _)| *kind == wanted) {
            write!(f, "{wanted}={value}\r\n")?;
        }
    }
    Ok(())
}

fn write_attributes(f: &mut fmt::Formatter<'_>, attributes: &[Attribute]) -> fmt::Result {
    for Attribute { name, value } in attributes {
        match value {
            Some(value) => write!(f, "a={name}:{value}\r\n")?,
            None => write!(f, "a={name}\r\n")?,
        }
    }
    Ok(())
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session_id, version, address } = &self.origin;
        write!(f, "v=0\r\no={username} {session_id} {version} {address}\r\ns={}\r\n", self.name)?;
        write_others(f, &self.others, "iuep")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        write_others(f, &self.others, "b")?;
        if self.times.is_empty() {
            write!(f, "t=0 0\r\n")?;
        }
        for time in &self.times {
            write!(f, "t={time}\r\n")?;
        }
        write_others(f, &self.others, "rzk")?;
        write_attributes(f, &self.attributes)?;
        for media in &self.media {
            write!(f, "m={} {} {}", media.kind, media.port, media.protocol)?;
            for format in &media.formats {
                write!(f, " {format}")?;
            }
            write!(f, "\r\n")?;
            write_others(f, &media.others, "i")?;
            if let Some(connection) = &media.connection {
                write!(f, "c={connection}\r\n")?;
            }
            write_others(f, &media.others, "bk")?;
            write_attributes(f, &media.attributes)?;
        }
        Ok(())
    }
}
