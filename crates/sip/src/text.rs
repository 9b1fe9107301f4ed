//! `Text`: a piece of UTF-8 that is a slice of the datagram it came in.
//!
//! A message's header values, tags and URI parts are all slices of one buffer: cloning one costs a reference count,
//! never a copy. The module holds the crate's one piece of `unsafe`: the bytes are checked once, when a `Text` is made,
//! and reading them as `str` must not check them again for each header that is looked at.
#![allow(unsafe_code)]

use bytes::Bytes;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::Utf8Error;

/// UTF-8 text that shares its buffer. Invariant: the bytes were checked, or came from a `str`.
#[derive(Clone, Default)]
pub struct Text(Bytes);

impl Text {
    /// A text of the program itself; no allocation.
    pub const fn from_static(text: &'static str) -> Text {
        Text(Bytes::from_static(text.as_bytes()))
    }

    /// Takes outside bytes when they are UTF-8.
    pub fn new(bytes: Bytes) -> Result<Text, Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Text(bytes))
    }

    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor checked the bytes or took them from a str, and nothing changes them afterwards.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// `part`, sharing this text's buffer when it lies in it (it came from `self.as_str()`); copied otherwise.
    pub fn slice_of(&self, part: &str) -> Text {
        let start = (part.as_ptr() as usize).wrapping_sub(self.0.as_ptr() as usize);
        match start.checked_add(part.len()) {
            Some(end) if !part.is_empty() && end <= self.0.len() => Text(self.0.slice(start..end)),
            _ if part.is_empty() => Text::default(),
            _ => Text::from(part),
        }
    }

    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    /// Copies; [`Text::from_static`] does not.
    fn from(text: &str) -> Text {
        Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Bytes::from(text))
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Text {
        text.clone()
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Text {
        Text::from(text.as_str())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        text.as_str().to_owned()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.0 == other.0
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    // As str, so that a map keyed by Text can be asked with a &str.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_shares_the_buffer() {
        let whole = Text::from("Call-ID: abc");
        let part = whole.slice_of(&whole.as_str()[9..]);
        assert_eq!(part, "abc");
        assert_eq!(part.as_ptr(), whole[9..].as_ptr());
    }

    #[test]
    fn a_foreign_part_is_copied() {
        let whole = Text::from_static("Call-ID: abc");
        assert_eq!(whole.slice_of("elsewhere"), "elsewhere");
        assert_eq!(whole.slice_of(""), "");
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_refused() {
        assert!(Text::new(Bytes::from_static(b"\xff")).is_err());
    }
}
