//! History-Info (RFC 7044): the targets that a request was sent to, one after another. What is written can be read by
//! parsers of RFC 4244: bracketed URIs, the reason in the URI's headers, an index on each entry.

use crate::header::Reason;
use crate::message::chars::trim;
use crate::{Header, HeaderError, Headers, Name, NameAddr, Text, Uri};
use std::fmt;

/// The most entries that are read; a longer history is a loop.
const MAX_ENTRIES: usize = 64;
/// The most numbers in an index.
const MAX_DEPTH: usize = 32;

/// `1.1.2`: entries sort by it, number by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index(Vec<u32>);

impl Index {
    pub fn first() -> Index {
        Index(vec![1])
    }

    /// The first target below this one: `1` gives `1.1`.
    pub fn child(&self) -> Index {
        let mut numbers = self.0.clone();
        numbers.push(1);
        Index(numbers)
    }

    /// The next target beside this one: `1.1` gives `1.2`.
    pub fn sibling(&self) -> Index {
        let mut numbers = self.0.clone();
        if let Some(last) = numbers.last_mut() {
            *last = last.saturating_add(1);
        }
        Index(numbers)
    }

    fn parse(text: &str) -> Option<Index> {
        let numbers: Option<Vec<u32>> = text.split('.').take(MAX_DEPTH + 1).map(|n| trim(n).parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() <= MAX_DEPTH).map(Index)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, number) in self.0.iter().enumerate() {
            write!(f, "{}{number}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// How a target was found (RFC 7044 10.1); with the index of the entry that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A contact of the same user (registered contact).
    Rc(Option<Index>),
    /// Another user (mapping).
    Mp(Option<Index>),
    /// No change of the target.
    Np(Option<Index>),
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub display: Option<Text>,
    /// Without the Reason and Privacy that its headers part carried.
    pub uri: Uri,
    /// Why this target was left, as its URI's headers say.
    pub reason: Option<Reason>,
    /// Whether the URI's headers ask to keep it from the called (`Privacy=history`).
    pub private: bool,
    pub index: Index,
    pub change: Option<Change>,
}

impl Entry {
    pub fn new(uri: Uri, index: Index, change: Option<Change>) -> Entry {
        Entry { display: None, uri, reason: None, private: false, index, change }
    }

    /// Why the target was left, as a number: the reason's cause, or the `cause` parameter of RFC 4458 in the URI.
    pub fn cause(&self) -> Option<u16> {
        let reason = self.reason.as_ref().and_then(|reason| reason.cause);
        reason.or_else(|| self.uri.params.get("cause")?.parse().ok())
    }

    /// The number or name of the target.
    pub fn number(&self) -> Option<String> {
        self.uri.number()
    }

    fn read(value: &Text) -> Result<(Entry, bool), HeaderError> {
        let NameAddr { display, mut uri, params } = NameAddr::parse(value)?;
        let index = params.get("index").and_then(Index::parse);
        let reason = uri.header_field("Reason").and_then(|reason| Reason::parse(&Text::from(&*reason)).ok());
        let private = uri.header_field("Privacy").is_some_and(|p| p.to_ascii_lowercase().contains("history"));
        strip_own_headers(&mut uri);
        let from = |name: &str| Some(params.get(name).and_then(Index::parse)).filter(|_| params.has(name));
        let change = from("rc").map(Change::Rc).or(from("mp").map(Change::Mp)).or(from("np").map(Change::Np));
        let indexed = index.is_some();
        Ok((Entry { display, uri, reason, private, index: index.unwrap_or(Index(Vec::new())), change }, indexed))
    }
}

/// Takes Reason and Privacy out of the headers part, and leaves the others as they are written.
fn strip_own_headers(uri: &mut Uri) {
    let Some(headers) = &uri.headers else { return };
    let others: Vec<&str> = headers
        .split('&')
        .filter(|field| {
            let name = crate::message::unescape(field.split('=').next().unwrap_or_default());
            !name.eq_ignore_ascii_case("Reason") && !name.eq_ignore_ascii_case("Privacy")
        })
        .collect();
    uri.headers = Some(Text::from(others.join("&"))).filter(|headers| !headers.is_empty());
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut uri = self.uri.clone();
        if let Some(reason) = &self.reason {
            uri.add_header_field("Reason", &reason.to_string());
        }
        if self.private {
            uri.add_header_field("Privacy", "history");
        }
        let mut address = NameAddr::new(uri);
        address.display = self.display.clone();
        write!(f, "{address};index={}", self.index)?;
        let (name, from) = match &self.change {
            None => return Ok(()),
            Some(Change::Rc(from)) => ("rc", from),
            Some(Change::Mp(from)) => ("mp", from),
            Some(Change::Np(from)) => ("np", from),
        };
        match from {
            Some(from) => write!(f, ";{name}={from}"),
            None => write!(f, ";{name}"),
        }
    }
}

/// A request's history, sorted by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub entries: Vec<Entry>,
}

impl History {
    /// Reads all entries of a message. What is no entry is left out; one without a sound index follows the one before it.
    pub fn read(headers: &Headers) -> History {
        let mut entries: Vec<Entry> = Vec::new();
        for value in headers.values(&Name::HistoryInfo).take(MAX_ENTRIES) {
            let Ok((mut entry, indexed)) = Entry::read(&value) else { continue };
            if !indexed {
                entry.index = entries.last().map_or_else(Index::first, |last| last.index.clone());
            }
            entries.push(entry);
        }
        entries.sort_by(|a, b| a.index.cmp(&b.index));
        History { entries }
    }

    /// Puts the history into a message, in the place of any other: a line an entry.
    pub fn write(&self, headers: &mut Headers) {
        headers.remove(&Name::HistoryInfo);
        for entry in &self.entries {
            headers.push(Name::HistoryInfo, entry.to_string());
        }
    }

    pub fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// The target before the last: whom the caller wanted, when the last is a pilot.
    pub fn last_but_one(&self) -> Option<&Entry> {
        self.entries.iter().rev().nth(1)
    }

    /// Adds the first target, or one below the last: the request goes on to another entity's target.
    pub fn forward(&mut self, uri: Uri, change: impl FnOnce(Option<Index>) -> Change) {
        let (index, from) = match self.entries.last() {
            Some(last) => (last.index.child(), Some(last.index.clone())),
            None => (Index::first(), None),
        };
        let change = from.map(|from| change(Some(from)));
        self.entries.push(Entry::new(uri, index, change));
    }

    /// The last target is left for `reason` (it diverted, was busy, did not answer, answered 302), and the next one is
    /// tried. The next stands beside it, or below it when it is the first (RFC 7044 10.3).
    pub fn retarget(&mut self, reason: Reason, uri: Uri, change: impl FnOnce(Option<Index>) -> Change) {
        let Some(last) = self.entries.last_mut() else { return self.forward(uri, change) };
        last.reason = Some(reason);
        let from = last.index.clone();
        let index = if from.0.len() > 1 { from.sibling() } else { from.child() };
        self.entries.push(Entry::new(uri, index, Some(change(Some(from)))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> History {
        History::read(&lines.iter().map(|line| (Name::HistoryInfo, Text::from_static(line))).collect())
    }

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_diverted_call_is_written_and_read_again() {
        let mut history = History::default();
        history.forward(uri("sip:27000@moon.galaxy"), Change::Mp);
        history.retarget(Reason::sip(408, "Request Timeout"), uri("sip:43334@192.168.222.4"), Change::Mp);
        let mut headers = Headers::new();
        history.write(&mut headers);
        let lines: Vec<&str> = headers.lines(&Name::HistoryInfo).map(Text::as_str).collect();
        assert_eq!(
            lines,
            [
                "<sip:27000@moon.galaxy?Reason=SIP%3Bcause%3D408%3Btext%3D%22Request%20Timeout%22>;index=1",
                "<sip:43334@192.168.222.4>;index=1.1;mp=1",
            ]
        );
        let read = History::read(&headers);
        assert_eq!(read, history);
        assert_eq!(read.last_but_one().unwrap().number().unwrap(), "27000");
        assert_eq!(read.last_but_one().unwrap().cause(), Some(408));
    }

    #[test]
    fn entries_are_sorted_by_index_number_by_number() {
        let history = read(&["<sip:c@h>;index=1.10, <sip:b@h>;index=1.2", "<sip:a@h>;index=1"]);
        let users: Vec<_> = history.entries.iter().map(|e| e.number().unwrap()).collect();
        assert_eq!(users, ["a", "b", "c"]);
    }

    #[test]
    fn a_4244_history_is_read() {
        let history = read(&[
            "\"Anna\" <sip:27000@h;user=phone?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%22&Privacy=history>; index=1",
            "<tel:43334;cause=486>;index=1.1;foo=bar",
        ]);
        let first = &history.entries[0];
        assert_eq!((first.cause(), first.private), (Some(302), true));
        assert_eq!(first.uri.headers, None);
        assert_eq!(history.last().unwrap().cause(), Some(486));
        assert_eq!(history.last().unwrap().number().unwrap(), "43334");
    }

    #[test]
    fn entries_without_index_keep_their_place() {
        let history = read(&["<sip:a@h>;index=1, <sip:b@h>, <sip:c@h>;index=bad, <sip:d@h>;index=1.1, nonsense"]);
        let users: Vec<_> = history.entries.iter().map(|e| e.number().unwrap()).collect();
        assert_eq!(users, ["a", "b", "c", "d"]);
    }

    #[test]
    fn redirects_stand_beside_each_other() {
        let mut history = History::default();
        history.forward(uri("sip:43334@pbx"), Change::Mp);
        history.retarget(Reason::sip(302, ""), uri("sip:43334@um:5062"), Change::Np);
        history.retarget(Reason::sip(302, ""), uri("sip:43334@um:5065"), Change::Np);
        let indexes: Vec<_> = history.entries.iter().map(|e| e.index.to_string()).collect();
        assert_eq!(indexes, ["1", "1.1", "1.2"]);
    }
}
