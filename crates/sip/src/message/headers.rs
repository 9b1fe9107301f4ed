//! A message's header fields: ordered lines, as they came.

use super::chars::SplitValues;
use super::name::Name;
use crate::Text;
use std::fmt;

/// The header fields of a message, in order; a value is unfolded, and lies in the datagram where it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    lines: Vec<(Name, Text)>,
}

/// Why a header's value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The line has no value where one is needed.
    #[error("has no value")]
    Empty,
    /// The URI in the value is none.
    #[error("{0}")]
    Uri(#[from] super::uri::UriError),
    /// A quoted string or an angle bracket never ends.
    #[error("has a quote or bracket that never ends")]
    Unbalanced,
    /// A parameter is no `;name` or `;name=value`.
    #[error("has a malformed parameter")]
    Param,
    /// A number is none, or outside of its range.
    #[error("has a number out of range")]
    Number,
    /// Anything else that the grammar does not have.
    #[error("{0}")]
    Syntax(&'static str),
}

/// A header whose value has a grammar. Its `Display` writes the value.
pub trait Header: Sized + fmt::Display {
    const NAME: Name;
    /// Whether a line may carry several values, separated by commas (RFC 3261 7.3.1).
    const LIST: bool = false;
    /// Reads one value.
    fn parse(value: &Text) -> Result<Self, HeaderError>;
}

impl Headers {
    pub fn new() -> Headers {
        Headers::default()
    }

    pub fn with_capacity(lines: usize) -> Headers {
        Headers { lines: Vec::with_capacity(lines) }
    }

    /// The first line of that name.
    pub fn get(&self, name: &Name) -> Option<&Text> {
        self.lines.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    pub fn has(&self, name: &Name) -> bool {
        self.get(name).is_some()
    }

    /// All lines of that name, in order.
    pub fn lines<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Text> + 'a {
        self.lines.iter().filter(move |(n, _)| n == name).map(|(_, value)| value)
    }

    /// All values of that name, in order, over lines and commas; empty ones are left out.
    pub fn values<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Text> + 'a {
        self.lines(name)
            .flat_map(|line| SplitValues::new(line).map(|part| line.slice_of(part)))
            .filter(|value| !value.is_empty())
    }

    /// Whether a list header (Supported, Require, Allow ...) names the token, in any case.
    pub fn lists(&self, name: &Name, token: &str) -> bool {
        self.lines(name).any(|line| SplitValues::new(line).any(|value| value.eq_ignore_ascii_case(token)))
    }

    /// Appends a line.
    pub fn push(&mut self, name: Name, value: impl Into<Text>) {
        self.lines.push((name, value.into()));
    }

    /// Puts a line before all others.
    pub fn push_front(&mut self, name: Name, value: impl Into<Text>) {
        self.lines.insert(0, (name, value.into()));
    }

    /// Makes `value` the only line of that name, where the first one was.
    pub fn set(&mut self, name: Name, value: impl Into<Text>) {
        let value = value.into();
        match self.lines.iter().position(|(n, _)| *n == name) {
            Some(first) => {
                let mut at = 0;
                self.lines.retain(|(n, _)| {
                    at += 1;
                    at <= first + 1 || *n != name
                });
                if let Some(line) = self.lines.get_mut(first) {
                    line.1 = value;
                }
            }
            None => self.push(name, value),
        }
    }

    /// Takes all lines of that name away; says whether there were any.
    pub fn remove(&mut self, name: &Name) -> bool {
        let before = self.lines.len();
        self.lines.retain(|(n, _)| n != name);
        self.lines.len() != before
    }

    /// Takes the first value of that name away (a proxy's or user agent's own Via, a used Route).
    pub fn remove_first_value(&mut self, name: &Name) -> Option<Text> {
        let at = self.lines.iter().position(|(n, _)| n == name)?;
        let line = self.lines.get(at)?.1.clone();
        let mut values = SplitValues::new(&line);
        let first = values.next().map(|value| line.slice_of(value));
        match values.next() {
            // What follows the first value stays as it was written.
            Some(second) => {
                let start = (second.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
                let rest = line.get(start..).unwrap_or_default();
                if let Some(entry) = self.lines.get_mut(at) {
                    entry.1 = line.slice_of(rest);
                }
            }
            None => {
                self.lines.remove(at);
            }
        }
        first
    }

    /// The first value, read. `None` when there is no such line.
    pub fn typed<T: Header>(&self) -> Option<Result<T, HeaderError>> {
        let line = self.get(&T::NAME)?;
        if !T::LIST {
            return Some(T::parse(line));
        }
        let mut values = SplitValues::new(line);
        Some(match values.next() {
            Some(first) => T::parse(&line.slice_of(first)),
            None => Err(HeaderError::Empty),
        })
    }

    /// The first value when it is there and sound.
    pub fn sound<T: Header>(&self) -> Option<T> {
        self.typed::<T>()?.ok()
    }

    /// All values, read, over lines and commas.
    pub fn all_typed<T: Header>(&self) -> impl Iterator<Item = Result<T, HeaderError>> + '_ {
        self.lines.iter().filter(|(n, _)| *n == T::NAME).flat_map(|(_, line)| {
            // A line of a header that is no list is one value, commas and all.
            let split = if T::LIST { SplitValues::new(line) } else { SplitValues::at(line, b'\n') };
            split.map(|value| T::parse(&line.slice_of(value)))
        })
    }

    pub fn push_typed<T: Header>(&mut self, value: &T) {
        self.push(T::NAME, value.to_string());
    }

    pub fn set_typed<T: Header>(&mut self, value: &T) {
        self.set(T::NAME, value.to_string());
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Text)> {
        self.lines.iter().map(|(name, value)| (name, value))
    }

    /// Appends all lines of the other.
    pub fn extend(&mut self, other: &Headers) {
        self.lines.extend(other.lines.iter().cloned());
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl FromIterator<(Name, Text)> for Headers {
    fn from_iter<I: IntoIterator<Item = (Name, Text)>>(lines: I) -> Headers {
        Headers { lines: lines.into_iter().collect() }
    }
}
