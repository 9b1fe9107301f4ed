//! `"Display" <uri>;params`: the value of From, To, Contact, Route and a dozen others (RFC 3261 20.10, 25.1).

use super::chars::{self, Keep, find, find2, is_token_byte, quoted_length, trim, unquote};
use super::headers::HeaderError;
use super::params::Params;
use super::uri::Uri;
use crate::Text;
use std::fmt;
use std::str::FromStr;

/// An address with a display name, and the header's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// Without quotes and backslashes; never empty.
    pub display: Option<Text>,
    pub uri: Uri,
    /// The header's parameters, after the angle brackets; the URI's are in the URI.
    pub params: Params,
}

impl NameAddr {
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::new() }
    }

    pub fn with_display(mut self, display: impl Into<Text>) -> NameAddr {
        self.display = Some(display.into()).filter(|d| !d.is_empty());
        self
    }

    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.set_tag(tag);
        self
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    pub fn set_tag(&mut self, tag: &str) {
        self.params.set("tag", tag);
    }

    /// Reads one value.
    pub fn parse(value: &Text) -> Result<NameAddr, HeaderError> {
        NameAddr::parse_in(Keep::slices_of(value), value)
    }

    /// Reads a part of a text.
    pub(super) fn parse_in(keep: Keep<'_>, value: &str) -> Result<NameAddr, HeaderError> {
        let text = trim(value);
        if text.is_empty() {
            return Err(HeaderError::Empty);
        }
        if text.starts_with('"') {
            let length = quoted_length(text).ok_or(HeaderError::Unbalanced)?;
            let display = unquote(keep, &text[..length]);
            let rest = trim(&text[length..]);
            let rest = rest.strip_prefix('<').ok_or(HeaderError::Syntax("has no <URI> after the display name"))?;
            return NameAddr::bracketed(keep, Some(display), rest);
        }
        match find(text, b'<') {
            Some(at) => {
                let display = trim(&text[..at]);
                // RFC 3261 25.1 wants tokens here; RFC 4475 3.1.2.15 leaves other characters to the reader's leave.
                // A comma or a semicolon would make it anybody's guess where the value ends.
                if !display.bytes().all(|b| is_token_byte(b) || matches!(b, b' ' | b'\t' | 0x80..) || is_sloppy(b)) {
                    return Err(HeaderError::Syntax("has a display name that needs quotes"));
                }
                NameAddr::bracketed(keep, Some(keep.part(display)), &text[at + 1..])
            }
            None => {
                // RFC 3261 20.10: without brackets, parameters are the header's, not the URI's.
                let end = find(text, b';').unwrap_or(text.len());
                let uri = trim(&text[..end]);
                if find2(uri, b',', b'?').is_some() {
                    return Err(HeaderError::Syntax("has a URI that needs angle brackets"));
                }
                let uri = Uri::parse_in(keep, uri)?;
                let params = Params::parse_header(keep, &text[end..])?;
                Ok(NameAddr { display: None, uri, params })
            }
        }
    }

    fn bracketed(keep: Keep<'_>, display: Option<Text>, rest: &str) -> Result<NameAddr, HeaderError> {
        let end = find(rest, b'>').ok_or(HeaderError::Unbalanced)?;
        // RFC 4475 3.1.2.11: white space inside the brackets is an error that a reader may ignore.
        let uri = Uri::parse_in(keep, trim(&rest[..end]))?;
        let params = Params::parse_header(keep, &rest[end + 1..])?;
        Ok(NameAddr { display: display.filter(|d| !d.is_empty()), uri, params })
    }
}

/// Characters that stand in unquoted display names of real phones, and confuse nothing.
fn is_sloppy(byte: u8) -> bool {
    matches!(byte, b'/' | b'&' | b'(' | b')' | b'[' | b']' | b'#' | b'=' | b'$' | b':' | b'@' | b'?')
}

impl FromStr for NameAddr {
    type Err = HeaderError;
    fn from_str(text: &str) -> Result<NameAddr, HeaderError> {
        NameAddr::parse(&Text::from(text))
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> NameAddr {
        NameAddr::new(uri)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            chars::write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}
