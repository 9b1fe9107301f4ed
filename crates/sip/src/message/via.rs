//! Via (RFC 3261 20.42, RFC 3581).

use super::chars::{Keep, find, find2, is_token, trim};
use super::headers::{Header, HeaderError};
use super::name::Name;
use super::params::Params;
use super::uri::{Host, split_port};
use crate::{Text, Transport};
use std::fmt;
use std::net::IpAddr;

/// The cookie that RFC 3261's branches begin with (8.1.1.7).
pub const BRANCH_COOKIE: &str = "z9hG4bK";

/// One hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, or one that Earcon does not have.
    pub transport: Text,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
}

impl Via {
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Via {
        let mut params = Params::new();
        params.set("branch", branch);
        Via { transport: Text::from_static(transport.as_str()), host, port, params }
    }

    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|b| !b.is_empty())
    }

    /// The branch when it is unique as RFC 3261 promises: it begins with the cookie, and more follows.
    pub fn unique_branch(&self) -> Option<&str> {
        let branch = self.branch()?;
        let (cookie, rest) = branch.split_at_checked(BRANCH_COOKIE.len())?;
        // Parameter values have no case (7.3.1), and RFC 4475's badbranch is the cookie alone.
        (cookie.eq_ignore_ascii_case(BRANCH_COOKIE) && !rest.is_empty()).then_some(branch)
    }

    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.get("received")?;
        value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value).parse().ok()
    }

    /// RFC 3581: `None` when the parameter is not there, `Some(None)` when its value is asked for.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.has("rport").then(|| self.params.get("rport").and_then(|port| port.parse().ok()))
    }

    /// Reads a part of a text.
    pub(super) fn parse_in(keep: Keep<'_>, value: &str) -> Result<Via, HeaderError> {
        const PROTOCOL: HeaderError = HeaderError::Syntax("does not begin with SIP/2.0/transport");
        let text = trim(value);
        let rest = match text.strip_prefix("SIP/2.0/") {
            Some(rest) => trim(rest),
            None => {
                // White space may stand around each slash.
                let mut parts = text.splitn(3, '/').map(trim);
                let (Some(protocol), Some(version), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
                    return Err(PROTOCOL);
                };
                if !protocol.eq_ignore_ascii_case("SIP") || !is_token(version) {
                    return Err(PROTOCOL);
                }
                rest
            }
        };
        let blank = find2(rest, b' ', b'\t').ok_or(PROTOCOL)?;
        let (transport, rest) = (&rest[..blank], &rest[blank + 1..]);
        if !is_token(transport) {
            return Err(PROTOCOL);
        }
        let rest = trim(rest);
        let end = find(rest, b';').unwrap_or(rest.len());
        let sent_by = trim(&rest[..end]);
        let (host, port) = match split_port(sent_by) {
            Some((host, port)) => (trim(host), port),
            // White space may stand around the colon too.
            None => {
                let (host, port) = sent_by.rsplit_once(':').ok_or(HeaderError::Number)?;
                let port: u16 = trim(port).parse().map_err(|_| HeaderError::Number)?;
                (trim(host), Some(port).filter(|p| *p > 0))
            }
        };
        let host = Host::parse(keep, host).ok_or(HeaderError::Syntax("has a malformed sent-by"))?;
        // Unlike elsewhere, nothing is forgiven here: answers go by what stands in a Via.
        if rest[end..].trim_end().ends_with(';') {
            return Err(HeaderError::Param);
        }
        let params = Params::parse_header(keep, &rest[end..])?;
        Ok(Via { transport: keep.part(transport), host, port, params })
    }

    /// The transport, when it is one that Earcon has.
    pub fn known_transport(&self) -> Option<Transport> {
        Transport::parse(&self.transport)
    }
}

impl Header for Via {
    const NAME: Name = Name::Via;
    const LIST: bool = true;

    fn parse(value: &Text) -> Result<Via, HeaderError> {
        Via::parse_in(Keep::slices_of(value), value)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}
