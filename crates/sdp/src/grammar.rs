//! Reading a session description, tolerantly.
//!
//! Tolerated, because the field sends it: bare LF or CR, blank lines, blanks at line ends, a missing `v=`, `o=`, `s=` or
//! `t=`, an odd `t=`, an `o=` with fields missing, lines of unknown type, text that is not UTF-8, several `c=` lines
//! (the first counts). Refused: what leaves it open where the media goes.

use std::net::IpAddr;

use crate::session::{Address, Attribute, Media, Origin, Session};

/// Largest description that is read, in bytes. A WebRTC offer with all its candidates is some 10 kB.
const MAX_BYTES: usize = 64 * 1024;
/// Most lines that are read.
const MAX_LINES: usize = 2_000;
/// Most streams that are read; each costs a line in the answer.
const MAX_MEDIA: usize = 32;

/// The order of the lines that are only kept (RFC 8866 5).
const SESSION_ORDER: &str = "iuepbrzk";

/// Why a body is no session description. Answer such an offer with 400, or 488 with a Warning (RFC 3261 21.4.26).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing in it but white space.
    #[error("the session description is empty")]
    Empty,
    /// More bytes, lines or streams than any phone sends.
    #[error("the session description is too large")]
    TooLarge,
    /// A line that is not a letter, `=` and a value.
    #[error("line {0} of the session description is not of the form x=value")]
    Line(usize),
    /// `v=` is not 0: a version of SDP that does not exist yet.
    #[error("line {0} of the session description: version is not 0")]
    Version(usize),
    /// A `c=` line without a usable address.
    #[error("line {0} of the session description: no usable address in c=")]
    Connection(usize),
    /// An `m=` line with a field missing or a port that is no number up to 65535.
    #[error("line {0} of the session description: m= is not a stream")]
    Media(usize),
}

impl Session {
    /// Reads a session description, as tolerantly as the module says.
    ///
    /// # Errors
    /// [`ParseError`], with the number of the line (from 1) where reading stopped.
    pub fn parse(body: &[u8]) -> Result<Session, ParseError> {
        if body.len() > MAX_BYTES {
            return Err(ParseError::TooLarge);
        }
        let text = String::from_utf8_lossy(body);
        let mut session = Session {
            origin: Origin::default(),
            name: "-".into(),
            connection: None,
            times: Vec::new(),
            others: Vec::new(),
            attributes: Vec::new(),
            media: Vec::new(),
        };
        let mut lines = 0;
        for (number, line) in (1..).zip(text.replace("\r\n", "\n").split(['\n', '\r'])) {
            // NUL never belongs in a line (RFC 8866 9, byte-string); some gateways pad the body with it.
            let padding = |c: char| c.is_whitespace() || c == '\0';
            let line = line.trim_matches(padding);
            if line.is_empty() {
                continue;
            }
            lines += 1;
            if lines > MAX_LINES {
                return Err(ParseError::TooLarge);
            }
            let mut characters = line.chars();
            let (Some(kind), Some('=')) = (characters.next(), characters.next()) else {
                return Err(ParseError::Line(number));
            };
            if !kind.is_ascii_alphabetic() {
                return Err(ParseError::Line(number));
            }
            session.line(kind.to_ascii_lowercase(), characters.as_str().trim_matches(padding), number)?;
        }
        if lines == 0 {
            return Err(ParseError::Empty);
        }
        // Kept in the order in which they are written.
        let place = |kind: char| SESSION_ORDER.find(kind);
        session.others.sort_by_key(|(kind, _)| place(*kind));
        for media in &mut session.media {
            media.others.sort_by_key(|(kind, _)| place(*kind));
        }
        Ok(session)
    }

    fn line(&mut self, kind: char, value: &str, number: usize) -> Result<(), ParseError> {
        match (kind, self.media.last_mut()) {
            ('v', _) if value != "0" => return Err(ParseError::Version(number)),
            ('v', _) => {}
            ('o', None) => self.origin = origin(value),
            ('s', None) => self.name = if value.is_empty() { "-".into() } else { value.into() },
            // Only two numbers make sense in t=; anything else is as good as `0 0`, a session without bounds.
            ('t', None) if value != "0 0" && is_time(value) => self.times.push(value.into()),
            ('m', _) => {
                if self.media.len() >= MAX_MEDIA {
                    return Err(ParseError::TooLarge);
                }
                self.media.push(media(value).ok_or(ParseError::Media(number))?);
            }
            ('c', current) => {
                let address = connection(value).ok_or(ParseError::Connection(number))?;
                let place = match current {
                    Some(media) => &mut media.connection,
                    None => &mut self.connection,
                };
                place.get_or_insert(address);
            }
            ('a', current) => {
                if let Some(attribute) = attribute(value) {
                    current.map_or(&mut self.attributes, |media| &mut media.attributes).push(attribute);
                }
            }
            ('i' | 'b' | 'k', Some(media)) => media.others.push((kind, value.into())),
            ('i' | 'u' | 'e' | 'p' | 'b' | 'r' | 'z' | 'k', None) => self.others.push((kind, value.into())),
            // RFC 8866 5: a parser must ignore a description with a type letter it doesn't know; in the field the line
            // alone is ignored, which is what keeps calls working.
            _ => {}
        }
        Ok(())
    }
}

/// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`, missing fields filled in. A user
/// name with blanks in it is read from the right.
fn origin(value: &str) -> Origin {
    let mut origin = Origin::default();
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    match fields.as_slice() {
        [username @ .., id, version, _, _, address] if !username.is_empty() => {
            origin.username = username.join("_");
            origin.session_id = (*id).into();
            origin.version = (*version).into();
            if let Some(address) = address_of(address) {
                origin.address = address;
            }
        }
        [username, rest @ ..] => {
            origin.username = (*username).into();
            let mut rest = rest.iter();
            if let Some(id) = rest.next() {
                origin.session_id = (*id).into();
            }
            if let Some(version) = rest.next() {
                origin.version = (*version).into();
            }
        }
        [] => {}
    }
    origin
}

/// `t=<start> <stop>`
fn is_time(value: &str) -> bool {
    let number = |field: &str| !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
    value.split(' ').count() == 2 && value.split(' ').all(number)
}

/// `c=<nettype> <addrtype> <connection-address>`; TTL and address count behind `/` are for multicast and dropped.
fn connection(value: &str) -> Option<Address> {
    let mut fields = value.split_ascii_whitespace();
    let _network = fields.next()?;
    let _kind = fields.next()?;
    let address = fields.next()?;
    address_of(address.split('/').next()?)
}

fn address_of(text: &str) -> Option<Address> {
    // Some stacks write IPv6 in the brackets that a URI wants.
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some(Address::Ip(ip));
    }
    let host = !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        // All digits and dots, yet no address: a typo, no name.
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    host.then(|| Address::Name(text.into()))
}

/// `m=<media> <port>[/<number of ports>] <proto> <fmt> ...`
fn media(value: &str) -> Option<Media> {
    let mut fields = value.split_ascii_whitespace();
    let kind = fields.next()?;
    let port = fields.next()?;
    let protocol = fields.next()?;
    let formats: Vec<String> = fields.map(String::from).collect();
    if formats.is_empty() {
        return None;
    }
    let port = port.split('/').next()?.parse().ok()?;
    Some(Media {
        kind: kind.into(),
        port,
        protocol: protocol.into(),
        formats,
        connection: None,
        others: Vec::new(),
        attributes: Vec::new(),
    })
}

/// `a=<attribute>` or `a=<attribute>:<value>`; a line without a name is dropped.
fn attribute(value: &str) -> Option<Attribute> {
    let (name, value) = match value.split_once(':') {
        Some((name, value)) => (name, Some(value.trim().to_string())),
        None => (value, None),
    };
    let name = name.trim();
    (!name.is_empty()).then(|| Attribute { name: name.into(), value })
}
