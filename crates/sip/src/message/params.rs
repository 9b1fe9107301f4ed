//! Parameters: `;name=value` of URIs and of headers.

use super::chars::{
    self, Keep, UriPart, cuts_params, is_hopeless_in_uri, is_token, quoted_length, same_unescaped, trim,
};
use super::headers::HeaderError;
use crate::Text;
use std::borrow::Cow;
use std::fmt;

/// More parameters than this are an attack: they are found by scanning.
pub(crate) const MAX_PARAMS: usize = 64;

/// Which grammar the parameters follow: a URI escapes, a header quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Kind {
    Uri,
    #[default]
    Header,
}

/// Parameters in the order they were written. They stay one slice of the message, and are found by scanning: there are
/// seldom more than four, and most are never asked for.
#[derive(Clone, Default)]
pub struct Params {
    /// `;a=b;c`, checked; or empty.
    raw: Text,
    kind: Kind,
}

impl Params {
    /// No parameters, for a header's value.
    pub fn new() -> Params {
        Params::default()
    }

    /// No parameters, for a URI.
    pub fn for_uri() -> Params {
        Params { raw: Text::default(), kind: Kind::Uri }
    }

    /// Reads `;a=b;c` after a URI's host. No white space is allowed (RFC 3261 25.1), so that a parameter after a blank
    /// is an error and not part of something else.
    pub(crate) fn parse_uri(keep: Keep<'_>, raw: &str) -> Result<Params, HeaderError> {
        let params = Params { raw: keep.part(raw), kind: Kind::Uri };
        let mut pieces = Pieces::new(raw);
        let mut left = MAX_PARAMS;
        let sound = pieces.all(|(name, value)| {
            let fits = |part: &str| !part.is_empty() && !part.bytes().any(is_hopeless_in_uri);
            left = left.saturating_sub(1);
            left > 0 && fits(name) && value.is_none_or(|value| value.is_empty() || fits(value))
        });
        if sound { Ok(params) } else { Err(HeaderError::Param) }
    }

    /// Reads `;a=b;c="d"` after a header's value. White space around `;` and `=` is allowed; one `;` too many at the
    /// end is forgiven, since peers send it.
    pub(crate) fn parse_header(keep: Keep<'_>, raw: &str) -> Result<Params, HeaderError> {
        let raw = trim(raw);
        let raw = raw.strip_suffix(';').map_or(raw, trim);
        if raw.is_empty() {
            return Ok(Params::new());
        }
        if !raw.starts_with(';') {
            return Err(HeaderError::Param);
        }
        let mut left = MAX_PARAMS;
        let sound = Pieces::new(raw).all(|(name, value)| {
            left = left.saturating_sub(1);
            left > 0
                && is_token(name)
                && value.is_none_or(|value| match quoted_length(value) {
                    Some(length) => length == value.len(),
                    // Beyond token and host, values that some peers forget to quote: base64, URIs, addresses.
                    None => !value.is_empty() && !value.bytes().any(|b| b <= b' ' || matches!(b, b'"' | b',' | 0x7f)),
                })
        });
        if sound { Ok(Params { raw: keep.part(raw), kind: Kind::Header }) } else { Err(HeaderError::Param) }
    }

    /// All parameters as written: a URI's still escaped, a header's still quoted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        Pieces::new(self.raw.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    fn is_named(&self, written: &str, name: &str) -> bool {
        written.eq_ignore_ascii_case(name) || (self.kind == Kind::Uri && same_unescaped(written, name, true))
    }

    fn find(&self, name: &str) -> Option<Option<&str>> {
        self.iter().find(|(written, _)| self.is_named(written, name)).map(|(_, value)| value)
    }

    /// The value as written, without the quotes around it; `None` also for a parameter without value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name)?.map(|value| value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value))
    }

    /// Like [`Params::get`], sharing the message's buffer.
    pub fn text(&self, name: &str) -> Option<Text> {
        self.get(name).map(|value| self.raw.slice_of(value))
    }

    /// The value with its escapes or backslash pairs resolved.
    pub fn plain(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.find(name)??;
        Some(match self.kind {
            Kind::Uri => chars::unescape(value),
            Kind::Header => match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
                Some(inner) => chars::unquote_inner(inner),
                None => Cow::Borrowed(value),
            },
        })
    }

    /// Whether the parameter is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a value, where it was before or at the end; escaped or quoted where it must be.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let mut out = String::new();
        let value = value.as_ref();
        // Writing to a String cannot fail.
        let _ = match self.kind {
            Kind::Uri => chars::write_escaped(&mut out, value, UriPart::Param, true),
            Kind::Header if is_bare(value) => fmt::Write::write_str(&mut out, value),
            Kind::Header => chars::write_quoted(&mut out, value),
        };
        self.replace(name, Some(Some(&out)));
    }

    /// Sets a parameter that has no value, as `lr`.
    pub fn set_flag(&mut self, name: &str) {
        self.replace(name, Some(None));
    }

    /// Takes a parameter away; says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let had = self.has(name);
        if had {
            self.replace(name, None);
        }
        had
    }

    /// Keeps the first `most` parameters.
    pub(crate) fn truncate(&mut self, most: usize) {
        let mut pieces = Pieces::new(self.raw.as_str());
        pieces.by_ref().take(most).for_each(drop);
        if let Some(lost) = pieces.rest {
            let kept = self.raw.len() - lost.len() - ";".len();
            self.raw = self.raw.slice_of(&self.raw.as_str()[..kept]);
        }
    }

    fn replace(&mut self, name: &str, new: Option<Option<&str>>) {
        let mut out = String::with_capacity(self.raw.len() + name.len() + 24);
        let mut new = new;
        let mut put = |name: &str, value: Option<&str>| {
            out.push(';');
            out.push_str(name);
            if let Some(value) = value {
                out.push('=');
                out.push_str(value);
            }
        };
        for (written, value) in self.iter() {
            if !self.is_named(written, name) {
                put(written, value);
            } else if let Some(value) = new.take() {
                put(name, value);
            }
        }
        if let Some(value) = new {
            put(name, value);
        }
        self.raw = Text::from(out);
    }
}

/// Whether a header parameter's value may stand without quotes: a token, or a host in brackets.
fn is_bare(value: &str) -> bool {
    is_token(value)
        || (value.starts_with('[') && value.ends_with(']') && value.bytes().all(|b| b.is_ascii_graphic() && b != b'"'))
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            f.write_str(";")?;
            if self.kind == Kind::Uri {
                chars::write_escaped(f, name, UriPart::Param, true)?;
            } else {
                f.write_str(name)?;
            }
            let Some(value) = value else { continue };
            f.write_str("=")?;
            match self.kind {
                Kind::Uri => chars::write_escaped(f, value, UriPart::Param, true)?,
                Kind::Header if value.starts_with('"') || is_bare(value) => f.write_str(value)?,
                Kind::Header => chars::write_quoted(f, value)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Params {
    /// The same names and values in the same order, as written (but names without case).
    fn eq(&self, other: &Params) -> bool {
        let mut theirs = other.iter();
        self.iter().all(|(name, value)| theirs.next().is_some_and(|(n, v)| n.eq_ignore_ascii_case(name) && v == value))
            && theirs.next().is_none()
    }
}

impl Eq for Params {}

/// Walks over `;a=b; c = "d;e"`, quoted strings kept whole.
struct Pieces<'a> {
    /// `None` when nothing is left; an empty piece is one too, for the check at parsing to refuse.
    rest: Option<&'a str>,
}

impl<'a> Pieces<'a> {
    fn new(raw: &'a str) -> Pieces<'a> {
        Pieces { rest: raw.strip_prefix(';') }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        let mut at = 0;
        let mut equals = None;
        let mut end = bytes.len();
        while let Some(more) = bytes.get(at..).and_then(|left| left.iter().position(|b| cuts_params(*b))) {
            at += more;
            match bytes[at] {
                b';' => {
                    end = at;
                    break;
                }
                b'=' => {
                    equals = equals.or(Some(at));
                    at += 1;
                }
                // A quote that never ends takes all that is left; the check at parsing refuses it.
                _ => at += quoted_length(&rest[at..]).unwrap_or(bytes.len() - at),
            }
        }
        self.rest = rest.get(end + 1..);
        Some(match equals {
            Some(equals) => (trim(&rest[..equals]), Some(trim(&rest[equals + 1..end]))),
            None => (trim(&rest[..end]), None),
        })
    }
}
