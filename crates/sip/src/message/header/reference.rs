//! Headers that refer to something: a media type, a dialog, a cause.

use super::super::chars::{Keep, SplitValues, is_token, quoted_length, trim, unquote, write_quoted};
use super::super::{Header, HeaderError, Name, Params};
use super::{before_params, exact_number};
use crate::Text;
use std::fmt;

/// RFC 3261 20.15: `type/subtype;params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    pub kind: Text,
    pub subtype: Text,
    pub params: Params,
}

impl ContentType {
    /// Whether this is `type/subtype`, in any case.
    pub fn is(&self, media_type: &str) -> bool {
        media_type
            .split_once('/')
            .is_some_and(|(kind, sub)| self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(sub))
    }
}

impl Header for ContentType {
    const NAME: Name = Name::ContentType;
    fn parse(value: &Text) -> Result<ContentType, HeaderError> {
        let (media, params) = before_params(value);
        let (kind, subtype) = media.split_once('/').ok_or(HeaderError::Syntax("is no type/subtype"))?;
        let (kind, subtype) = (trim(kind), trim(subtype));
        if !is_token(kind) || !is_token(subtype) {
            return Err(HeaderError::Syntax("is no type/subtype"));
        }
        let params = Params::parse_header(Keep::slices_of(value), params)?;
        Ok(ContentType { kind: value.slice_of(kind), subtype: value.slice_of(subtype), params })
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

/// RFC 3891: the dialog that an INVITE takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    pub call_id: Text,
    pub to_tag: Text,
    pub from_tag: Text,
    pub early_only: bool,
}

impl Header for Replaces {
    const NAME: Name = Name::Replaces;
    fn parse(value: &Text) -> Result<Replaces, HeaderError> {
        let (call_id, params) = before_params(value);
        let params = Params::parse_header(Keep::slices_of(value), params)?;
        let (Some(to_tag), Some(from_tag)) = (params.text("to-tag"), params.text("from-tag")) else {
            return Err(HeaderError::Syntax("lacks to-tag or from-tag"));
        };
        if call_id.is_empty() {
            return Err(HeaderError::Empty);
        }
        Ok(Replaces { call_id: value.slice_of(call_id), to_tag, from_tag, early_only: params.has("early-only") })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

/// RFC 3326: why a request is sent, or (in History-Info) why a target was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850`, or another.
    pub protocol: Text,
    pub cause: Option<u16>,
    pub text: Option<Text>,
}

impl Reason {
    pub fn sip(cause: u16, text: &'static str) -> Reason {
        let text = Some(text).filter(|t| !t.is_empty()).map(Text::from_static);
        Reason { protocol: Text::from_static("SIP"), cause: Some(cause), text }
    }

    pub fn q850(cause: u16, text: &'static str) -> Reason {
        Reason { protocol: Text::from_static("Q.850"), ..Reason::sip(cause, text) }
    }
}

impl Header for Reason {
    const NAME: Name = Name::Reason;
    const LIST: bool = true;
    fn parse(value: &Text) -> Result<Reason, HeaderError> {
        let (protocol, params) = before_params(value);
        if !is_token(protocol) {
            return Err(HeaderError::Syntax("has no protocol"));
        }
        let params = Params::parse_header(Keep::slices_of(value), params)?;
        let cause = params.get("cause").and_then(|cause| cause.parse().ok());
        let text = params.plain("text").map(|text| value.slice_of(&text));
        Ok(Reason { protocol: value.slice_of(protocol), cause, text })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        if let Some(text) = &self.text {
            f.write_str(";text=")?;
            write_quoted(f, text)?;
        }
        Ok(())
    }
}

/// RFC 3261 20.43: `399 host "text"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub code: u16,
    pub agent: Text,
    pub text: Text,
}

impl Warning {
    /// 399 is the code for what has no code of its own.
    pub fn miscellaneous(agent: impl Into<Text>, text: impl Into<Text>) -> Warning {
        Warning { code: 399, agent: agent.into(), text: text.into() }
    }
}

impl Header for Warning {
    const NAME: Name = Name::Warning;
    const LIST: bool = true;
    fn parse(value: &Text) -> Result<Warning, HeaderError> {
        let mut words = SplitValues::at(trim(value), b' ').filter(|word| !word.is_empty());
        let (Some(code), Some(agent), Some(text)) = (words.next(), words.next(), words.next()) else {
            return Err(HeaderError::Syntax("is no code, agent and text"));
        };
        let code = u16::try_from(exact_number(code)?).ok().filter(|c| (100..=999).contains(c));
        if quoted_length(text) != Some(text.len()) {
            return Err(HeaderError::Unbalanced);
        }
        let code = code.ok_or(HeaderError::Number)?;
        Ok(Warning { code, agent: value.slice_of(agent), text: unquote(Keep::slices_of(value), text) })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} ", self.code, self.agent)?;
        write_quoted(f, &self.text)
    }
}
