//! URIs: sip, sips (RFC 3261 19.1), tel (RFC 3966), and any other kept as it is.

use super::chars::{
    self, Keep, UriPart, escapes_are_whole, find, find2, is_hopeless_in_uri, is_host_name, same_unescaped,
};
use super::params::Params;
use crate::{Text, Transport};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Why a text is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No scheme and colon at the start.
    #[error("has a URI without scheme")]
    Scheme,
    /// The user part is empty, or holds what no URI may, or half an escape.
    #[error("has a URI with a malformed user part")]
    User,
    /// The host is no name, IPv4 address or bracketed IPv6 reference.
    #[error("has a URI with a malformed host")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("has a URI with a malformed port")]
    Port,
    /// A parameter is empty, or holds what no URI may.
    #[error("has a URI with malformed parameters")]
    Params,
    /// The part after the question mark is not `name=value&name=value`.
    #[error("has a URI with malformed headers")]
    Headers,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    Sip,
    Sips,
    Tel,
    /// Any other, as written.
    Other(Text),
}

impl Scheme {
    pub fn as_str(&self) -> &str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(text) => text,
        }
    }
}

/// A host, as in a URI or a Via.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A domain name; empty for URIs that have no host (tel).
    Name(Text),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Host {
    pub(crate) fn parse(keep: Keep<'_>, host: &str) -> Option<Host> {
        if let Some(inner) = host.strip_prefix('[') {
            // A zone (RFC 6874) means something on one machine only.
            return inner.strip_suffix(']')?.parse().ok().map(Host::V6);
        }
        if host.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && let Ok(address) = host.parse()
        {
            return Some(Host::V4(address));
        }
        is_host_name(host).then(|| Host::Name(keep.part(host)))
    }

    /// The address, when the host is one and needs no look-up.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(*address)),
            Host::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Equal as hosts are: names without case and without a last dot.
    pub fn same_as(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => {
                let bare = |name: &Text| name.strip_suffix('.').unwrap_or(name).len();
                let (a, b) = (&a[..bare(a)], &b[..bare(b)]);
                a.eq_ignore_ascii_case(b)
            }
            _ => self == other,
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Host::Name(name) if name.is_empty())
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Host {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl FromStr for Host {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Host, UriError> {
        Host::parse(Keep::slices_of(&Text::default()), text).ok_or(UriError::Host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A URI. `PartialEq` compares what is written; [`Uri::same_as`] compares as RFC 3261 19.1.4 asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    pub scheme: Scheme,
    /// As written, escapes kept. A tel URI's number, and what follows the colon of an unknown scheme, are here too.
    pub user: Option<Text>,
    pub password: Option<Text>,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
    /// What follows the question mark, as written: `name=value&name=value`.
    pub headers: Option<Text>,
}

impl Uri {
    /// `sip:user@host`, the user escaped as needed.
    pub fn sip(user: &str, host: Host) -> Uri {
        Uri { user: Some(chars::escape(user, UriPart::User)), ..Uri::sip_host(host) }
    }

    /// `sip:host`.
    pub fn sip_host(host: Host) -> Uri {
        Uri {
            scheme: Scheme::Sip,
            user: None,
            password: None,
            host,
            port: None,
            params: Params::for_uri(),
            headers: None,
        }
    }

    /// `tel:number` (RFC 3966); the number is used as it is.
    pub fn tel(number: &str) -> Uri {
        let number = chars::escape(number, UriPart::User);
        Uri { scheme: Scheme::Tel, user: Some(number), ..Uri::sip_host(Host::Name(Text::default())) }
    }

    pub fn with_port(mut self, port: u16) -> Uri {
        self.port = Some(port);
        self
    }

    pub fn with_transport(mut self, transport: Transport) -> Uri {
        self.params.set("transport", transport.parameter());
        self
    }

    /// Reads a URI that fills the whole text.
    pub fn parse(text: &Text) -> Result<Uri, UriError> {
        Uri::parse_in(Keep::slices_of(text), text)
    }

    /// Reads a URI that fills `whole`.
    pub(super) fn parse_in(keep: Keep<'_>, whole: &str) -> Result<Uri, UriError> {
        let colon = find(whole, b':').ok_or(UriError::Scheme)?;
        let (scheme, rest) = (&whole[..colon], &whole[colon + 1..]);
        let scheme = match () {
            () if scheme.eq_ignore_ascii_case("sip") => Scheme::Sip,
            () if scheme.eq_ignore_ascii_case("sips") => Scheme::Sips,
            () if scheme.eq_ignore_ascii_case("tel") => Scheme::Tel,
            () if is_scheme(scheme) => Scheme::Other(keep.part(scheme)),
            () => return Err(UriError::Scheme),
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => Uri::parse_sip(scheme, keep, rest),
            Scheme::Tel => Uri::parse_tel(keep, rest),
            Scheme::Other(_) => {
                if rest.is_empty() || rest.bytes().any(is_hopeless_in_uri) {
                    return Err(UriError::User);
                }
                let user = Some(keep.part(rest));
                Ok(Uri { scheme, user, ..Uri::sip_host(Host::Name(Text::default())) })
            }
        }
    }

    fn parse_sip(scheme: Scheme, keep: Keep<'_>, rest: &str) -> Result<Uri, UriError> {
        // No @ may follow the host unescaped, and a user part may hold ; and ?: so the @ is looked for first.
        let (user, password, rest) = match find(rest, b'@') {
            None => (None, None, rest),
            Some(at) => {
                let (info, rest) = (&rest[..at], &rest[at + 1..]);
                let (user, password) = match find(info, b':') {
                    Some(at) => (&info[..at], Some(&info[at + 1..])),
                    None => (info, None),
                };
                // Phones dial # unescaped, and names in UTF-8: both are read, and escaped when written.
                if user.is_empty() || info.bytes().any(is_hopeless_in_uri) || !escapes_are_whole(info) {
                    return Err(UriError::User);
                }
                (Some(keep.part(user)), password.map(|p| keep.part(p)), rest)
            }
        };
        let end = find2(rest, b';', b'?').unwrap_or(rest.len());
        let (host, port) = split_port(&rest[..end]).ok_or(UriError::Port)?;
        let host = Host::parse(keep, host).ok_or(UriError::Host)?;
        let (params, headers) = split_headers(&rest[end..]);
        let params = Params::parse_uri(keep, params).map_err(|_| UriError::Params)?;
        if headers.is_some_and(|h| h.is_empty() || h.bytes().any(is_hopeless_in_uri)) {
            return Err(UriError::Headers);
        }
        let headers = headers.map(|h| keep.part(h));
        Ok(Uri { scheme, user, password, host, port, params, headers })
    }

    fn parse_tel(keep: Keep<'_>, rest: &str) -> Result<Uri, UriError> {
        let end = find2(rest, b';', b'?').unwrap_or(rest.len());
        let number = &rest[..end];
        if number.is_empty() || number.bytes().any(is_hopeless_in_uri) || !escapes_are_whole(number) {
            return Err(UriError::User);
        }
        // RFC 3966 has no headers, but History-Info's Reason is put there by peers.
        let (params, headers) = split_headers(&rest[end..]);
        let params = Params::parse_uri(keep, params).map_err(|_| UriError::Params)?;
        if headers.is_some_and(|h| h.is_empty() || h.bytes().any(is_hopeless_in_uri)) {
            return Err(UriError::Headers);
        }
        let headers = headers.map(|h| keep.part(h));
        let user = Some(keep.part(number));
        Ok(Uri { scheme: Scheme::Tel, user, params, headers, ..Uri::sip_host(Host::Name(Text::default())) })
    }

    /// The user part with its escapes resolved.
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        self.user.as_ref().map(|user| chars::unescape(user))
    }

    /// The dialled number or name: the user part up to a `;` (RFC 3261 19.1.6 puts tel parameters there), escapes
    /// resolved; for tel URIs, and numbers under `user=phone`, without visual separators (RFC 3966 5.1.1).
    pub fn number(&self) -> Option<String> {
        let user = self.user.as_ref()?;
        let user = user.split(';').next().unwrap_or_default();
        let user = chars::unescape(user);
        let phone =
            self.scheme == Scheme::Tel || self.params.get("user").is_some_and(|u| u.eq_ignore_ascii_case("phone"));
        if phone && user.bytes().all(|b| b.is_ascii_digit() || b"+-.()*#".contains(&b)) {
            return Some(user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect());
        }
        Some(user.into_owned())
    }

    /// The transport parameter, when it is one that Earcon has.
    pub fn transport(&self) -> Option<Transport> {
        Transport::parse(self.params.get("transport")?)
    }

    /// TLS on all the way (RFC 3261 26.2.2).
    pub fn is_sips(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The headers part, names and values unescaped.
    pub fn header_fields(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.headers.iter().flat_map(|headers| headers.split('&')).map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (chars::unescape(name), chars::unescape(value))
        })
    }

    /// One header of the headers part, unescaped.
    pub fn header_field(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header_fields().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Appends to the headers part, escaping.
    pub fn add_header_field(&mut self, name: &str, value: &str) {
        let name = chars::escape(name, UriPart::Header);
        let value = chars::escape(value, UriPart::Header);
        self.headers = Some(match &self.headers {
            Some(before) => Text::from(format!("{before}&{name}={value}")),
            None => Text::from(format!("{name}={value}")),
        });
    }

    /// Whether both mean the same resource, as RFC 3261 19.1.4 compares.
    pub fn same_as(&self, other: &Uri) -> bool {
        if self.scheme != other.scheme {
            return match (&self.scheme, &other.scheme) {
                (Scheme::Other(a), Scheme::Other(b)) => a.eq_ignore_ascii_case(b) && self.user == other.user,
                _ => false,
            };
        }
        let same_part = |a: &Option<Text>, b: &Option<Text>| match (a, b) {
            (Some(a), Some(b)) => same_unescaped(a, b, false),
            (None, None) => true,
            _ => false,
        };
        if self.scheme == Scheme::Tel {
            return self.number() == other.number() && self.same_params(other);
        }
        same_part(&self.user, &other.user)
            && same_part(&self.password, &other.password)
            && self.host.same_as(&other.host)
            // A URI without port is not the same as one with port 5060.
            && self.port == other.port
            && self.same_params(other)
            && self.same_headers(other)
    }

    fn same_params(&self, other: &Uri) -> bool {
        // These four count even when only one URI has them; others only when both have them.
        const COUNT: [&str; 4] = ["user", "ttl", "method", "maddr"];
        let covered = |a: &Uri, b: &Uri| {
            a.params.iter().all(|(name, _)| {
                let name = chars::unescape(name);
                let counts =
                    COUNT.iter().any(|c| name.eq_ignore_ascii_case(c)) || name.eq_ignore_ascii_case("transport");
                if !b.params.has(&name) {
                    return !counts;
                }
                match (a.params.get(&name), b.params.get(&name)) {
                    (Some(x), Some(y)) => same_unescaped(x, y, true),
                    (None, None) => true,
                    _ => false,
                }
            })
        };
        covered(self, other) && covered(other, self)
    }

    fn same_headers(&self, other: &Uri) -> bool {
        let sorted = |uri: &Uri| {
            let mut fields: Vec<(String, String)> =
                uri.header_fields().map(|(n, v)| (n.to_ascii_lowercase(), v.into_owned())).collect();
            fields.sort();
            fields
        };
        match (&self.headers, &other.headers) {
            (None, None) => true,
            _ => sorted(self) == sorted(other),
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// `;params?headers` into both.
fn split_headers(tail: &str) -> (&str, Option<&str>) {
    match find(tail, b'?') {
        Some(at) => (&tail[..at], Some(&tail[at + 1..])),
        None => (tail, None),
    }
}

/// `host:port` into both; `None` when there is a port that is no number from 1 to 65535.
pub(crate) fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    // A colon after an IPv6 reference's bracket, or the first.
    let from = if text.starts_with('[') { find(text, b']').unwrap_or(text.len()) } else { 0 };
    let Some(colon) = find(text.get(from..)?, b':') else { return Some((text, None)) };
    let (host, port) = (text.get(..from + colon)?, text.get(from + colon + 1..)?);
    if port.len() > 5 {
        return None;
    }
    // Five digits are far below u32's end; none make 0.
    let digit = |number: u32, b: u8| b.is_ascii_digit().then(|| number * 10 + u32::from(b - b'0'));
    let number = u16::try_from(port.bytes().try_fold(0, digit)?).ok()?;
    (number > 0).then_some((host, Some(number)))
}

impl FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::parse(&Text::from(text))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            if let Scheme::Other(_) = self.scheme {
                return f.write_str(user);
            }
            chars::write_escaped(f, user, UriPart::User, true)?;
            if let Some(password) = &self.password {
                f.write_str(":")?;
                chars::write_escaped(f, password, UriPart::Password, true)?;
            }
            if !self.host.is_none() {
                f.write_str("@")?;
            }
        }
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        if let Some(headers) = &self.headers {
            write!(f, "?{headers}")?;
        }
        Ok(())
    }
}
