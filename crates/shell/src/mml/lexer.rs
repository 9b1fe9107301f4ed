//! The words of the node's two command families, with their places.
//!
//! MML: `NAME:P1=V1,P2=V2;`. Unix style: `name -switch -option value --option=value`.

use std::ops::Range;

use crate::fault::{Fault, Statement};

/// A word with where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub span: Range<usize>,
    /// Whether it stood in quotes, so that a dash before it makes no option.
    pub quoted: bool,
}

/// A parameter of an MML command: `P=V`, or `P` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub name: Word,
    pub value: Option<Word>,
}

/// A statement taken apart, before anybody knows the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Mml { name: Word, pairs: Vec<Pair> },
    Unix { name: Word, words: Vec<Word> },
}

/// Splits a script: comment lines (`#`) and blank lines are passed over; a line that breaks off (the guide's `-match`
/// with its value on the next line, an MML line without its `;` before a continuation, a `\` at the end) is joined
/// with the next.
pub(crate) fn statements(
    script: &str,
    is_command: impl Fn(&str) -> bool,
    stands_alone: impl Fn(&str, &str) -> bool,
) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    let mut open = false;
    for (line, text) in (1..).zip(script.lines()) {
        let bare = text.trim();
        if bare.is_empty() || bare.starts_with('#') {
            open = false;
            continue;
        }
        let first = bare.split([' ', '\t', ':', ';']).next().unwrap_or_default();
        match statements.last_mut() {
            Some(last) if open && !is_command(first) => {
                last.text.push('\n');
                last.text.push_str(text.trim_end());
            }
            _ => statements.push(Statement { text: text.trim_end().into(), line }),
        }
        open = statements.last().is_some_and(|statement| breaks_off(&statement.text, &stands_alone));
    }
    // Several MML commands may stand on one line.
    statements.into_iter().flat_map(split_at_semicolons).collect()
}

/// Whether a person who typed this has more to type. `stands_alone`: whether an option of a command needs no value.
pub(crate) fn breaks_off(text: &str, stands_alone: impl Fn(&str, &str) -> bool) -> bool {
    let text = text.trim_end();
    if text.ends_with('\\') || unclosed(text) {
        return true;
    }
    if is_mml(text) {
        return !text.ends_with(';') && text.ends_with([',', '=', ':', '&']);
    }
    // An option's value is missing; what stands alone (switches) breaks off nothing.
    let command = text.split_whitespace().next().unwrap_or_default();
    let last = words(text).ok().and_then(|words| words.into_iter().last());
    last.is_some_and(|last| {
        let option = !last.quoted && last.text.len() > 1 && last.text.starts_with('-') && !last.text.contains('=');
        option && last.text != command && !stands_alone(command, &last.text)
    })
}

/// A name of five letters, then `:` or `;` or nothing.
fn is_mml(text: &str) -> bool {
    let text = text.trim_start();
    let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let after = text.get(name.len()..).unwrap_or_default().trim_start();
    !name.is_empty() && (after.starts_with(':') || after.starts_with(';'))
}

fn unclosed(text: &str) -> bool {
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
    }
    quote == Some('"')
}

fn split_at_semicolons(statement: Statement) -> Vec<Statement> {
    if !is_mml(&statement.text) {
        return vec![statement];
    }
    let mut parts = Vec::new();
    let mut quote = false;
    let mut start = 0;
    for (at, c) in statement.text.char_indices() {
        match c {
            '"' => quote = !quote,
            ';' if !quote => {
                parts.push(start..at + 1);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(start..statement.text.len());
    parts
        .into_iter()
        .filter_map(|part| {
            let before = statement.text.get(..part.start)?;
            let text = statement.text.get(part)?;
            let lead = text.len() - text.trim_start().len();
            let skipped = before.matches('\n').count() + text.get(..lead)?.matches('\n').count();
            let text = text.trim();
            (!text.is_empty() && !text.starts_with('#'))
                .then(|| Statement { text: text.into(), line: statement.line + skipped })
        })
        .collect()
}

/// Takes a statement apart.
pub(crate) fn lex(text: &str) -> Result<Line, Fault> {
    if is_mml(text) { mml(text) } else { unix(text) }
}

fn word(text: &str, span: Range<usize>) -> Word {
    let raw = text.get(span.clone()).unwrap_or_default();
    let lead = raw.len() - raw.trim_start().len();
    let bare = raw.trim();
    let span = span.start + lead..span.start + lead + bare.len();
    match bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Word { text: inner.replace("\"\"", "\""), span, quoted: true },
        None => Word { text: bare.into(), span, quoted: false },
    }
}

fn mml(text: &str) -> Result<Line, Fault> {
    let end = text.trim_end().len();
    let end = if text.get(..end).is_some_and(|text| text.ends_with(';')) { end - 1 } else { end };
    let colon = text.get(..end).and_then(|text| text.find(':'));
    let name = word(text, 0..colon.unwrap_or(end));
    let mut pairs = Vec::new();
    if let Some(colon) = colon {
        for part in pieces(text, colon + 1..end, ',')? {
            let piece = text.get(part.clone()).unwrap_or_default();
            if piece.trim().is_empty() {
                // `ROCAP:;` is as good as `ROCAP;`; two commas in a row are a slip.
                if pairs.is_empty() && part.end == end {
                    break;
                }
                return Err(Fault::new("NOT ACCEPTED: a parameter is missing between the commas", part));
            }
            let pair = match piece.find('=') {
                Some(at) => Pair {
                    name: word(text, part.start..part.start + at),
                    value: Some(word(text, part.start + at + 1..part.end)),
                },
                None => Pair { name: word(text, part), value: None },
            };
            pairs.push(pair);
        }
    }
    Ok(Line::Mml { name, pairs })
}

/// The parts of a range between separators that stand outside quotes.
fn pieces(text: &str, range: Range<usize>, separator: char) -> Result<Vec<Range<usize>>, Fault> {
    let mut parts = Vec::new();
    let mut start = range.start;
    let mut quote = None;
    for (at, c) in text.get(range.clone()).unwrap_or_default().char_indices() {
        let at = range.start + at;
        if c == '"' {
            quote = if quote.is_some() { None } else { Some(at) };
        } else if c == separator && quote.is_none() {
            parts.push(start..at);
            start = at + c.len_utf8();
        }
    }
    if let Some(open) = quote {
        return Err(Fault::new("NOT ACCEPTED: the quote is not closed", open..range.end));
    }
    parts.push(start..range.end);
    Ok(parts)
}

fn unix(text: &str) -> Result<Line, Fault> {
    let mut words = words(text)?.into_iter();
    match words.next() {
        Some(name) => Ok(Line::Unix { name, words: words.collect() }),
        None => Err(Fault::new("NOT ACCEPTED: there is no command", 0..text.len())),
    }
}

/// The words of a unix-style line.
fn words(text: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some(&(start, c)) = characters.peek() {
        // A backslash at the end of a line only joins it with the next.
        if c.is_whitespace()
            || c == '\\' && text.get(start + 1..).is_some_and(|rest| rest.starts_with('\n') || rest.is_empty())
        {
            characters.next();
            continue;
        }
        let mut value = String::new();
        let mut quoted = false;
        let mut end = start;
        while let Some(&(at, c)) = characters.peek() {
            if c.is_whitespace() {
                break;
            }
            characters.next();
            end = at + c.len_utf8();
            // A quote opens only at the start of a word or of its value: O'Neil is a name.
            let opens = at == start || value.ends_with('=');
            if (c == '"' || c == '\'') && opens {
                quoted = at == start;
                let mut closed = false;
                while let Some((at, inner)) = characters.next() {
                    end = at + inner.len_utf8();
                    // Two of them stand for one within quotes.
                    if inner == c && characters.next_if(|(_, next)| *next == c).is_none() {
                        closed = true;
                        break;
                    }
                    value.push(inner);
                }
                if !closed {
                    return Err(Fault::new("NOT ACCEPTED: the quote is not closed", at..end));
                }
            } else {
                value.push(c);
            }
        }
        words.push(Word { text: value, span: start..end, quoted });
    }
    // A semicolon at the end, as MML has it, is no part of the last value.
    if let Some(last) = words.last_mut().filter(|last| !last.quoted && last.text.ends_with(';')) {
        last.text.pop();
        last.span.end -= 1;
    }
    words.retain(|word| word.quoted || !word.text.is_empty());
    Ok(words)
}
