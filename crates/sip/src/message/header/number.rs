//! Headers that are numbers, and Call-ID.

use super::super::chars::{Keep, find2, trim};
use super::super::{Header, HeaderError, Method, Name, Params};
use super::{before_params, exact_number, saturating_number};
use crate::Text;
use std::fmt;

/// RFC 3261 20.16. The number is below 2^31 (8.1.1.5), but a peer's may fill 32 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    pub seq: u32,
    pub method: Method,
}

impl Header for CSeq {
    const NAME: Name = Name::CSeq;
    fn parse(value: &Text) -> Result<CSeq, HeaderError> {
        CSeq::parse_in(Keep::slices_of(value), value)
    }
}

impl CSeq {
    /// Reads a part of a text.
    pub(in super::super) fn parse_in(keep: Keep<'_>, value: &str) -> Result<CSeq, HeaderError> {
        let value = trim(value);
        let blank = find2(value, b' ', b'\t').ok_or(HeaderError::Syntax("is no number and method"))?;
        let (seq, method) = (&value[..blank], &value[blank + 1..]);
        let method = Method::parse_in(keep, trim(method)).ok_or(HeaderError::Syntax("has no method"))?;
        Ok(CSeq { seq: exact_number(seq)?, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

/// RFC 3261 20.8. Compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub Text);

impl Header for CallId {
    const NAME: Name = Name::CallId;
    fn parse(value: &Text) -> Result<CallId, HeaderError> {
        CallId::parse_in(Keep::slices_of(value), value)
    }
}

impl CallId {
    /// Reads a part of a text.
    pub(in super::super) fn parse_in(keep: Keep<'_>, value: &str) -> Result<CallId, HeaderError> {
        let text = trim(value);
        if text.is_empty() || text.bytes().any(|b| matches!(b, b' ' | b'\t')) {
            return Err(HeaderError::Syntax("is no word"));
        }
        Ok(CallId(keep.part(text)))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $type:ident $read:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(pub u32);

        impl Header for $type {
            const NAME: Name = Name::$type;
            fn parse(value: &Text) -> Result<Self, HeaderError> {
                // Parameters and comments behind the number say nothing that Earcon needs.
                let number = trim(value).split([';', '(', ' ', '\t']).next().unwrap_or_default();
                $read(number).map($type)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

numbers! {
    /// Seconds (RFC 3261 20.19); more than 32 bits hold becomes the largest.
    Expires saturating_number;
    /// Seconds (RFC 3261 20.23).
    MinExpires saturating_number;
    /// Seconds (RFC 4028 5).
    MinSe saturating_number;
    /// Seconds (RFC 3261 20.33), without comment and duration.
    RetryAfter saturating_number;
    /// RFC 3262 7.1.
    RSeq exact_number;
    /// Octets of the body (RFC 3261 20.14).
    ContentLength exact_number;
}

/// Hops left (RFC 3261 20.22), at most 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxForwards(pub u8);

impl Header for MaxForwards {
    const NAME: Name = Name::MaxForwards;
    fn parse(value: &Text) -> Result<MaxForwards, HeaderError> {
        MaxForwards::read(value)
    }
}

impl MaxForwards {
    pub(in super::super) fn read(value: &str) -> Result<MaxForwards, HeaderError> {
        let number = exact_number(trim(value))?;
        u8::try_from(number).map(MaxForwards).map_err(|_| HeaderError::Number)
    }
}

impl fmt::Display for MaxForwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who refreshes a session (RFC 4028 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

/// RFC 4028 4: seconds, and who refreshes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

impl Header for SessionExpires {
    const NAME: Name = Name::SessionExpires;
    fn parse(value: &Text) -> Result<SessionExpires, HeaderError> {
        let (number, params) = before_params(value);
        let params = Params::parse_header(Keep::slices_of(value), params)?;
        let refresher = params.get("refresher").and_then(|who| match () {
            () if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            () if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            () => None,
        });
        Ok(SessionExpires { seconds: saturating_number(number)?, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// RFC 3262 7.2: which reliable provisional response a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    pub rseq: u32,
    pub cseq: u32,
    pub method: Method,
}

impl Header for RAck {
    const NAME: Name = Name::RAck;
    fn parse(value: &Text) -> Result<RAck, HeaderError> {
        let (rseq, rest) = trim(value).split_once([' ', '\t']).ok_or(HeaderError::Syntax("lacks the CSeq"))?;
        let CSeq { seq, method } = CSeq::parse_in(Keep::slices_of(value), rest)?;
        Ok(RAck { rseq: exact_number(rseq)?, cseq: seq, method })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}
