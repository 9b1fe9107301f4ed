//! Character classes of RFC 3261 25.1, and quoting and escaping.

use crate::Text;
use std::borrow::Cow;
use std::fmt::{self, Write};

const TOKEN: u8 = 1;
const UNRESERVED: u8 = 2;
const USER: u8 = 4;
const PARAM: u8 = 8;
const URI_HEADER: u8 = 16;
const HOST: u8 = 32;
const PASSWORD: u8 = 64;
const HOPELESS: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        let mut class = 0;
        let mark = matches!(c, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
        if c.is_ascii_alphanumeric() || mark {
            class |= UNRESERVED | USER | PARAM | URI_HEADER | PASSWORD;
        }
        if c.is_ascii_alphanumeric()
            || matches!(c, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
        {
            class |= TOKEN;
        }
        if matches!(c, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/') {
            class |= USER;
        }
        if matches!(c, b'&' | b'=' | b'+' | b'$' | b',') {
            class |= PASSWORD;
        }
        if matches!(c, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$') {
            class |= PARAM;
        }
        if matches!(c, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$') {
            class |= URI_HEADER;
        }
        // The underscore is no host character, but Windows networks have it.
        if c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_') {
            class |= HOST;
        }
        if c <= b' ' || c == 0x7f || matches!(c, b'<' | b'>' | b'"') {
            class |= HOPELESS;
        }
        table[i] = class;
        i += 1;
    }
    table
};

const fn is(class: u8, byte: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    is(TOKEN, byte)
}

/// What ends a parameter, its name, or begins a quoted string. A look into a table, since this is asked of each byte.
pub(crate) const fn cuts_params(byte: u8) -> bool {
    const CUTS: [bool; 256] = {
        let mut cuts = [false; 256];
        cuts[b';' as usize] = true;
        cuts[b'=' as usize] = true;
        cuts[b'"' as usize] = true;
        cuts
    };
    CUTS[byte as usize]
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

pub(crate) fn is_host_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| is(HOST, b))
}

/// Which characters a part of a URI takes as they are; all others are written as %XX (RFC 3261 19.1.1, 25.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriPart {
    User,
    Password,
    Param,
    Header,
}

impl UriPart {
    const fn takes(self, byte: u8) -> bool {
        match self {
            UriPart::User => is(USER, byte),
            UriPart::Password => is(PASSWORD, byte),
            UriPart::Param => is(PARAM, byte),
            UriPart::Header => is(URI_HEADER, byte),
        }
    }
}

/// Text between the angle brackets that no URI part may hold, however tolerant the reader.
pub(crate) const fn is_hopeless_in_uri(byte: u8) -> bool {
    is(HOPELESS, byte)
}

/// Whether each % is followed by two hexadecimal digits.
pub(crate) fn escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    if find(text, b'%').is_none() {
        return true;
    }
    bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// %XX read back; a % that begins no escape stays. Bytes that make no UTF-8 become U+FFFD.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    unescape_into(text, |byte| out.push(byte));
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn unescape_into(text: &str, mut each: impl FnMut(u8)) {
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let digits = (tail.first().copied().and_then(hex), tail.get(1).copied().and_then(hex));
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                each(high * 16 + low);
                rest = &tail[2..];
            }
            _ => each(byte),
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// Whether two URI parts are the same after unescaping, letters compared as ASCII without case when `any_case`.
pub(crate) fn same_unescaped(a: &str, b: &str, any_case: bool) -> bool {
    let (a, b) = (unescape(a), unescape(b));
    if any_case { a.eq_ignore_ascii_case(&b) } else { a == b }
}

/// Writes `text` so that `part` may hold it; what is escaped already stays so when `raw`, else % itself is escaped.
pub(crate) fn write_escaped(f: &mut impl Write, text: &str, part: UriPart, raw: bool) -> fmt::Result {
    let bytes = text.as_bytes();
    if bytes.iter().all(|&b| part.takes(b)) {
        return f.write_str(text);
    }
    for (i, &byte) in bytes.iter().enumerate() {
        let escape = raw
            && byte == b'%'
            && bytes.get(i + 1).is_some_and(u8::is_ascii_hexdigit)
            && bytes.get(i + 2).is_some_and(u8::is_ascii_hexdigit);
        if part.takes(byte) || escape {
            f.write_char(byte as char)?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// `text` with everything escaped that `part` does not take, % included.
pub fn escape(text: &str, part: UriPart) -> Text {
    let mut out = String::with_capacity(text.len() + 8);
    // Writing to a String cannot fail.
    let _ = write_escaped(&mut out, text, part, false);
    Text::from(out)
}

/// Writes a quoted-string (RFC 3261 25.1): quote and backslash escaped, line ends made spaces, so that no text can end
/// the string or the header line.
pub(crate) fn write_quoted(f: &mut impl Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                f.write_char('\\')?;
                f.write_char(c)?;
            }
            '\r' | '\n' => f.write_char(' ')?,
            _ => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// The length of the quoted-string that `text` begins with, quotes included; `None` when it never ends.
pub(crate) fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

/// What becomes of the parts of a text that is read: slices of it, or nothing when it is only checked. Each slice counts
/// its buffer's owners up and down, which would be a third of what it takes to read a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep<'a>(Option<&'a Text>);

impl<'a> Keep<'a> {
    /// Parts are empty: only whether there is an error counts.
    pub(crate) const NOTHING: Keep<'static> = Keep(None);

    /// Parts share the buffer of this text, which they lie in.
    pub(crate) fn slices_of(whole: &'a Text) -> Keep<'a> {
        Keep(Some(whole))
    }

    pub(crate) fn part(self, part: &str) -> Text {
        self.0.map(|whole| whole.slice_of(part)).unwrap_or_default()
    }
}

/// The text of a quoted-string without its quotes, backslash pairs resolved; copies only when there are any.
pub(crate) fn unquote(keep: Keep<'_>, quoted: &str) -> Text {
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(quoted);
    match unquote_inner(inner) {
        Cow::Borrowed(text) => keep.part(text),
        Cow::Owned(text) => Text::from(text),
    }
}

pub(crate) fn unquote_inner(inner: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' { out.extend(chars.next()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Where a byte is. Names, URIs and their parts are so short that memchr's start would cost more than the loop.
#[inline]
pub(crate) fn find(text: &str, byte: u8) -> Option<usize> {
    text.as_bytes().iter().position(|b| *b == byte)
}

/// Where the first of two bytes is.
#[inline]
pub(crate) fn find2(text: &str, a: u8, b: u8) -> Option<usize> {
    text.as_bytes().iter().position(|c| *c == a || *c == b)
}

/// White space within a header value: unfolding left only these.
#[inline(always)]
pub(crate) fn trim(text: &str) -> &str {
    const fn blank(byte: u8) -> bool {
        matches!(byte, b' ' | b'\t')
    }
    #[cold]
    fn trim_all(text: &str) -> &str {
        text.trim_matches([' ', '\t'])
    }
    match text.as_bytes() {
        [] => text,
        // Nearly all values have none at the end, and one or no blank before.
        [first, .., last] if !blank(*first) && !blank(*last) => text,
        [b' ', first, .., last] if !blank(*first) && !blank(*last) => &text[1..],
        _ => trim_all(text),
    }
}

/// Splits a header value at its commas, but not at those in quoted strings, angle brackets or comments.
#[derive(Clone, Debug)]
pub(crate) struct SplitValues<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> SplitValues<'a> {
    pub(crate) fn new(value: &'a str) -> SplitValues<'a> {
        SplitValues { rest: Some(value), separator: b',' }
    }

    pub(crate) fn at(value: &'a str, separator: u8) -> SplitValues<'a> {
        SplitValues { rest: Some(value), separator }
    }
}

impl<'a> Iterator for SplitValues<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        // Most lines have one value, and most values nothing that a separator could hide in.
        let Some(first) = memchr::memchr(self.separator, bytes) else {
            self.rest = None;
            return Some(trim(rest));
        };
        let mut at = memchr::memchr2(b'"', b'<', bytes).map_or(first, |hiding| hiding.min(first));
        let mut angle = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' if !angle => match quoted_length(&rest[at..]) {
                    Some(length) => {
                        at += length;
                        continue;
                    }
                    // The quote never ends: all that is left is one value, for its own parser to refuse or to mend.
                    None => break,
                },
                b'<' => angle = true,
                b'>' => angle = false,
                _ if byte == self.separator && !angle => {
                    self.rest = Some(&rest[at + 1..]);
                    return Some(trim(&rest[..at]));
                }
                _ => {}
            }
            at += 1;
        }
        self.rest = None;
        Some(trim(rest))
    }
}
