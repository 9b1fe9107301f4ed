//! From bytes to a message: start line, header lines, and what every message must have (RFC 3261 7, 8.1.1, 20).

use super::chars::{Keep, SplitValues, find, find2, trim};
use super::header::{CSeq, CallId, MaxForwards};
use super::malformed::{Malformed, Problem};
use super::{Contact, HeaderError, Headers, Message, Method, Name, NameAddr, Request, Response, Uri, Via};
use crate::Text;
use bytes::Bytes;
use std::borrow::Cow;

/// The largest message that is read, body included: what a datagram can hold.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The most header lines of a message.
pub const MAX_HEADERS: usize = 256;
/// The longest line, folded lines counted together.
pub const MAX_LINE: usize = 8 * 1024;

/// Reads the one message in a datagram. What follows the Content-Length is dropped (RFC 3261 18.3).
pub fn parse_datagram(datagram: Bytes) -> Result<Message, Malformed> {
    // 7.5: empty lines before the start line are skipped; phones send nothing else to keep a NAT open.
    let start = datagram.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(datagram.len());
    if start == datagram.len() {
        return Err(Malformed::silent(Problem::KeepAlive));
    }
    if datagram.len() > MAX_MESSAGE {
        return Err(Malformed::silent(Problem::TooLarge));
    }
    let datagram = if start > 0 { datagram.slice(start..) } else { datagram };
    let head_end = head_end(&datagram, 0).unwrap_or(datagram.len());
    parse_message(&datagram, head_end, None)
}

/// Where the body begins: behind the first empty line at or after `from`, which must be in or before that line.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memchr::memchr(b'\n', bytes.get(at..)?) {
        at += found + 1;
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => return Some(at + 2),
            (Some(b'\n'), _) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Reads a message whose head ends at `head_end`. `framing` is what the framer found wrong, so that the answer can still
/// be made from the headers.
pub(super) fn parse_message(bytes: &Bytes, head_end: usize, framing: Option<Problem>) -> Result<Message, Malformed> {
    let head = text_of(bytes.slice(..head_end.min(bytes.len())));
    let mut rest = head.as_str();
    let start_line = take_line(&mut rest);
    let (headers, mut problem) = read_headers(&head, rest);
    let start = Start::parse(&head, start_line);
    if start_line.len() > MAX_LINE {
        problem = Some(Problem::LineTooLong);
    }
    let problem = framing.or(problem);
    let malformed = |problem, method: Option<&Method>, headers, is_response| Malformed {
        problem,
        method: method.cloned(),
        headers,
        is_response,
    };
    match start {
        Start::Request { method, uri, version } => {
            let problem = version.err().or(problem).or_else(|| check(&head, &headers, Some(&method)).err());
            let uri = match (problem, uri) {
                (None, Ok(uri)) => uri,
                (Some(problem), _) | (None, Err(problem)) => {
                    return Err(malformed(problem, Some(&method), headers, false));
                }
            };
            match body(bytes, head_end, &headers) {
                Ok(body) => Ok(Message::Request(Request { method, uri, headers, body })),
                Err(problem) => Err(malformed(problem, Some(&method), headers, false)),
            }
        }
        Start::Response { status, reason } => {
            let problem = problem.or_else(|| check(&head, &headers, None).err());
            let body = problem.map_or_else(|| body(bytes, head_end, &headers), Err);
            match body {
                Ok(body) => Ok(Message::Response(Response { status, reason, headers, body })),
                Err(problem) => Err(malformed(problem, None, headers, true)),
            }
        }
        Start::Neither { problem, is_response } => Err(malformed(problem, None, headers, is_response)),
    }
}

/// The head as text. What is no UTF-8 is read as Latin-1, line by line: old phones put names so.
fn text_of(head: Bytes) -> Text {
    match Text::new(head.clone()) {
        Ok(text) => text,
        Err(_) => {
            let mut out = String::with_capacity(head.len() + 16);
            for line in head.split_inclusive(|&b| b == b'\n') {
                match std::str::from_utf8(line) {
                    Ok(line) => out.push_str(line),
                    Err(_) => out.extend(line.iter().map(|&b| b as char)),
                }
            }
            Text::from(out)
        }
    }
}

/// The next line, without its end; `rest` is moved behind it.
fn take_line<'a>(rest: &mut &'a str) -> &'a str {
    let text = *rest;
    match memchr::memchr(b'\n', text.as_bytes()) {
        Some(at) => {
            *rest = &text[at + 1..];
            text[..at].strip_suffix('\r').unwrap_or(&text[..at])
        }
        None => {
            *rest = "";
            text
        }
    }
}

/// Reads header lines up to the empty one. A line that is none is skipped: 8.2 wants malformed headers ignored that
/// nobody needs, and those that are needed are then missing.
fn read_headers(head: &Text, mut rest: &str) -> (Headers, Option<Problem>) {
    // Header lines are some sixty bytes long.
    let mut headers = Headers::of_head(head, (rest.len() / 56 + 2).min(MAX_HEADERS));
    // Looked for once, since there is none in an honest message: each CR belongs to a line's end.
    let stray = has_stray_cr(head);
    while !rest.is_empty() {
        let whole = rest;
        let first = take_line(&mut rest);
        if first.is_empty() {
            break;
        }
        let mut folded = false;
        let mut end = first.len();
        // 7.3.1: a line that begins with white space continues the one before.
        while rest.as_bytes().first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
            folded = true;
            let more = take_line(&mut rest);
            end = (more.as_ptr() as usize - whole.as_ptr() as usize) + more.len();
        }
        if end > MAX_LINE {
            return (headers, Some(Problem::LineTooLong));
        }
        if headers.len() >= MAX_HEADERS {
            return (headers, Some(Problem::TooManyHeaders));
        }
        let line = whole.get(..end).unwrap_or(first);
        let Some(colon) = find(line, b':') else { continue };
        let Some(name) = Name::parse_in(head, trim(&line[..colon])) else { continue };
        let value = &line[colon + 1..];
        if folded || stray {
            headers.push(name, unfold(value));
        } else {
            headers.push_part(name, trim(value));
        }
    }
    (headers, None)
}

fn has_stray_cr(head: &str) -> bool {
    // Without a branch, so that the compiler takes many bytes at a time.
    let bytes = head.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(false, |stray, (a, b)| stray | ((*a == b'\r') & (*b != b'\n'))) | (bytes.last() == Some(&b'\r'))
}

/// Each line end with the white space around it becomes one space (7.3.1); so does a stray CR, which must not reach
/// anyone who takes it for a line end.
fn unfold(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for part in value.split(['\r', '\n']).map(trim).filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(part);
    }
    out
}

/// What the first line is.
enum Start {
    Request { method: Method, uri: Result<Uri, Problem>, version: Result<(), Problem> },
    Response { status: u16, reason: Text },
    Neither { problem: Problem, is_response: bool },
}

impl Start {
    fn parse(head: &Text, line: &str) -> Start {
        let bytes = line.as_bytes();
        if bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return Start::status_line(head, line)
                .unwrap_or(Start::Neither { problem: Problem::StartLine, is_response: true });
        }
        let neither = Start::Neither { problem: Problem::NotSip, is_response: false };
        let Some(space) = find(line, b' ') else { return neither };
        let (method, rest) = (&line[..space], &line[space + 1..]);
        let Some(method) = Method::parse_in(Keep::slices_of(head), method) else { return neither };
        // Something that has a method and says SIP was meant to be a request, and may be told what is wrong with it.
        let Some((uri, version)) = rest.rsplit_once(' ').filter(|(_, v)| starts_like_version(v)) else {
            let meant = rest.split(' ').any(starts_like_version);
            let line = Err(Problem::StartLine);
            return if meant { Start::Request { method, uri: line, version: Ok(()) } } else { neither };
        };
        let version = if version.eq_ignore_ascii_case("SIP/2.0") { Ok(()) } else { Err(Problem::Version) };
        // 7.1: one SP between the three parts, and no other white space. RFC 4475 3.1.2.8 to 3.1.2.10 answer 400.
        let uri = if find2(uri, b' ', b'\t').is_some() || uri.is_empty() {
            Err(Problem::StartLine)
        } else {
            Uri::parse_in(Keep::slices_of(head), uri).map_err(Problem::Uri)
        };
        Start::Request { method, uri, version }
    }

    fn status_line(head: &Text, line: &str) -> Option<Start> {
        let (version, rest) = line.split_once(' ')?;
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        if !version.eq_ignore_ascii_case("SIP/2.0") || status.len() != 3 || !status.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let status: u16 = status.parse().ok().filter(|s| (100..700).contains(s))?;
        Some(Start::Response { status, reason: head.slice_of(reason) })
    }
}

fn starts_like_version(text: &str) -> bool {
    text.as_bytes().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

/// The lines that every message needs, found in one pass; the first of each.
#[derive(Default)]
struct Found<'a> {
    via: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    call_id: Option<&'a str>,
    cseq: Option<&'a str>,
    max_forwards: Option<&'a str>,
    content_length: Option<&'a str>,
    contact: bool,
}

impl<'a> Found<'a> {
    fn collect(headers: &'a Headers) -> Result<Found<'a>, Problem> {
        let mut found = Found::default();
        for (name, value) in headers.iter_values() {
            let slot = match name {
                Name::Via => {
                    found.via = found.via.or(Some(value));
                    continue;
                }
                Name::Contact => {
                    found.contact = true;
                    continue;
                }
                Name::From => &mut found.from,
                Name::To => &mut found.to,
                Name::CallId => &mut found.call_id,
                Name::CSeq => &mut found.cseq,
                Name::MaxForwards => &mut found.max_forwards,
                Name::ContentLength => &mut found.content_length,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Problem::Duplicate(name.clone()));
            }
        }
        Ok(found)
    }
}

/// 8.1.1: what a message can't be understood without must be there once, and be sound. Max-Forwards and Content-Length
/// may be missing.
fn check(head: &Text, headers: &Headers, method: Option<&Method>) -> Result<(), Problem> {
    let found = Found::collect(headers)?;
    let first = |line| SplitValues::new(line).next().unwrap_or_default();
    sound(Name::Via, found.via, |via| Via::parse_in(Keep::NOTHING, first(via)).map(drop))?;
    sound(Name::From, found.from, |from| NameAddr::parse_in(Keep::NOTHING, from).map(drop))?;
    sound(Name::To, found.to, |to| NameAddr::parse_in(Keep::NOTHING, to).map(drop))?;
    sound(Name::CallId, found.call_id, |call_id| CallId::parse_in(Keep::NOTHING, call_id).map(drop))?;
    // An unknown method is compared, so it is kept.
    let cseq = sound(Name::CSeq, found.cseq, |cseq| CSeq::parse_in(Keep::slices_of(head), cseq))?;
    let Some(method) = method else { return Ok(()) };
    if cseq.method != *method {
        return Err(Problem::MethodMismatch);
    }
    if found.max_forwards.is_some() {
        sound(Name::MaxForwards, found.max_forwards, MaxForwards::read)?;
    }
    // Requests that make a dialog or a binding can't do without a sound Contact; for others it says nothing.
    let needed =
        matches!(method, Method::Invite | Method::Register | Method::Subscribe | Method::Refer | Method::Update);
    if found.contact && needed {
        for contact in headers.values_of(&Name::Contact).flat_map(SplitValues::new) {
            Contact::parse_in(Keep::NOTHING, contact).map_err(|error| Problem::Header(Name::Contact, error))?;
        }
    }
    Ok(())
}

fn sound<'a, T>(
    name: Name,
    value: Option<&'a str>,
    read: impl FnOnce(&'a str) -> Result<T, HeaderError>,
) -> Result<T, Problem> {
    match value {
        Some(value) => read(value).map_err(|error| Problem::Header(name, error)),
        None => Err(Problem::Missing(name)),
    }
}

/// What a Content-Length says. `None` when there is none.
pub(super) fn content_length(value: Option<&str>) -> Result<Option<usize>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let value = trim(value);
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::ContentLength);
    }
    value.parse().map(Some).map_err(|_| Problem::ContentLength)
}

/// 18.3, for datagrams: without Content-Length the body is all that is left; a longer datagram is cut; a shorter one is an
/// error. The framer hands over exactly one message, so for streams nothing differs.
fn body(bytes: &Bytes, head_end: usize, headers: &Headers) -> Result<Bytes, Problem> {
    let left = bytes.len().saturating_sub(head_end);
    match content_length(headers.values_of(&Name::ContentLength).next())? {
        None => Ok(bytes.slice(bytes.len() - left..)),
        Some(0) => Ok(Bytes::new()),
        Some(length) if length <= left => Ok(bytes.slice(head_end..head_end + length)),
        Some(_) => Err(Problem::BodyTooShort),
    }
}

/// All Content-Length values of a head, for the framer: found before the message is read, so that a head that says two
/// things is never taken for one.
pub(super) fn content_lengths(head: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    let mut lines = head.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).skip(1).peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let name = line[..colon].trim_ascii();
            if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
                continue;
            }
            if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
                continue; // a folded line of another header that happens to read so
            }
            let mut value = String::from_utf8_lossy(line[colon + 1..].trim_ascii());
            while let Some(more) = lines.next_if(|line| line.first().is_some_and(|b| matches!(b, b' ' | b'\t'))) {
                value.to_mut().push_str(&format!(" {}", String::from_utf8_lossy(more.trim_ascii())));
            }
            return Some(match value {
                Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
                borrowed => borrowed,
            });
        }
    })
}
