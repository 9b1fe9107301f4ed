//! A message's header fields: ordered lines, as they came.

use super::chars::SplitValues;
use super::name::Name;
use crate::Text;
use std::fmt;
use std::sync::OnceLock;

/// The header fields of a message, in order; a value is unfolded, and lies in the datagram where it can.
#[derive(Clone, Default)]
pub struct Headers {
    /// What the places of the lines are in; empty for a message that was not read.
    head: Text,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    name: Name,
    /// Where in the head the value is, if it is there as it stands.
    place: (u32, u32),
    /// Made when somebody asks for it: each slice counts its buffer's owners up and down, and most lines are never
    /// looked at.
    text: OnceLock<Text>,
}

impl Line {
    fn new(name: Name, value: Text) -> Line {
        Line { name, place: (0, 0), text: OnceLock::from(value) }
    }

    fn value<'a>(&'a self, head: &'a Text) -> &'a str {
        match self.text.get() {
            Some(text) => text,
            None => head.get(self.place.0 as usize..self.place.1 as usize).unwrap_or_default(),
        }
    }

    fn text(&self, head: &Text) -> &Text {
        self.text.get_or_init(|| head.slice_of(self.value(head)))
    }
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
        Headers { head: Text::default(), lines: Vec::with_capacity(lines) }
    }

    /// For lines that lie in a head that is read.
    pub(super) fn of_head(head: &Text, lines: usize) -> Headers {
        Headers { head: head.clone(), lines: Vec::with_capacity(lines) }
    }

    /// The first line of that name.
    pub fn get(&self, name: &Name) -> Option<&Text> {
        self.lines.iter().find(|line| line.name == *name).map(|line| line.text(&self.head))
    }

    pub fn has(&self, name: &Name) -> bool {
        self.lines.iter().any(|line| line.name == *name)
    }

    /// All lines of that name, in order.
    pub fn lines<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Text> + 'a {
        self.lines.iter().filter(move |line| line.name == *name).map(|line| line.text(&self.head))
    }

    /// Like [`Headers::lines`], for who only looks at them.
    pub(super) fn values_of<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> + 'a {
        self.lines.iter().filter(move |line| line.name == *name).map(|line| line.value(&self.head))
    }

    /// All values of that name, in order, over lines and commas; empty ones are left out.
    pub fn values<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Text> + 'a {
        self.lines(name)
            .flat_map(|line| SplitValues::new(line).map(|part| line.slice_of(part)))
            .filter(|value| !value.is_empty())
    }

    /// Whether a list header (Supported, Require, Allow ...) names the token, in any case.
    pub fn lists(&self, name: &Name, token: &str) -> bool {
        self.values_of(name).any(|line| SplitValues::new(line).any(|value| value.eq_ignore_ascii_case(token)))
    }

    /// Appends a line.
    pub fn push(&mut self, name: Name, value: impl Into<Text>) {
        self.lines.push(Line::new(name, value.into()));
    }

    /// Appends a line whose value is a part of the head.
    pub(super) fn push_part(&mut self, name: Name, value: &str) {
        let start = (value.as_ptr() as usize).wrapping_sub(self.head.as_ptr() as usize);
        let place = u32::try_from(start).ok().zip(u32::try_from(start.wrapping_add(value.len())).ok());
        match place.filter(|(_, end)| *end as usize <= self.head.len()) {
            Some(place) => self.lines.push(Line { name, place, text: OnceLock::new() }),
            None => self.push(name, value),
        }
    }

    /// Puts a line before all others.
    pub fn push_front(&mut self, name: Name, value: impl Into<Text>) {
        self.lines.insert(0, Line::new(name, value.into()));
    }

    /// Makes `value` the only line of that name, where the first one was.
    pub fn set(&mut self, name: Name, value: impl Into<Text>) {
        let value = value.into();
        match self.lines.iter().position(|line| line.name == name) {
            Some(first) => {
                let mut at = 0;
                self.lines.retain(|line| {
                    at += 1;
                    at <= first + 1 || line.name != name
                });
                if let Some(line) = self.lines.get_mut(first) {
                    line.text = OnceLock::from(value);
                }
            }
            None => self.push(name, value),
        }
    }

    /// Takes all lines of that name away; says whether there were any.
    pub fn remove(&mut self, name: &Name) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| line.name != *name);
        self.lines.len() != before
    }

    /// Takes the first value of that name away (a proxy's or user agent's own Via, a used Route).
    pub fn remove_first_value(&mut self, name: &Name) -> Option<Text> {
        let at = self.lines.iter().position(|line| line.name == *name)?;
        let line = self.lines.get(at)?.text(&self.head).clone();
        let mut values = SplitValues::new(&line);
        let first = values.next().map(|value| line.slice_of(value));
        match values.next() {
            // What follows the first value stays as it was written.
            Some(second) => {
                let start = (second.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
                let rest = line.get(start..).unwrap_or_default();
                if let Some(entry) = self.lines.get_mut(at) {
                    entry.text = OnceLock::from(line.slice_of(rest));
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
        self.lines.iter().filter(|line| line.name == T::NAME).flat_map(|line| {
            let line = line.text(&self.head);
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
        self.lines.iter().map(|line| (&line.name, line.text(&self.head)))
    }

    /// All lines, in order, for who only looks at them.
    pub(super) fn iter_values(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.lines.iter().map(|line| (&line.name, line.value(&self.head)))
    }

    /// Appends all lines of the other.
    pub fn extend(&mut self, other: &Headers) {
        self.lines.extend(other.iter().map(|(name, text)| Line::new(name.clone(), text.clone())));
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
        let lines = lines.into_iter().map(|(name, value)| Line::new(name, value)).collect();
        Headers { head: Text::default(), lines }
    }
}

impl PartialEq for Headers {
    /// The same lines in the same order, wherever they lie.
    fn eq(&self, other: &Headers) -> bool {
        self.iter_values().eq(other.iter_values())
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter_values()).finish()
    }
}
