//! The words of PowerShell that umsh reads, with their places.
//!
//! Read: cmdlet names and values, `-Name value`, `-Name:value`, `'...'` and `"..."`, lists (`a,b`, `@("a","b")`),
//! `$true $false $null`, pipes, `;`, backtick as line continuation and escape, `#` and `<# #>` comments. Everything
//! else of the language (variables, expressions, script blocks) is refused with its place.

use std::ops::Range;

use crate::fault::{Fault, Located, Statement};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word.
    Word(String),
    /// A text in quotes.
    Quoted(String),
    /// `-Name`, without the dash; `attached`: `-Name:` with its value right behind.
    Parameter {
        name: String,
        attached: bool,
    },
    /// `$true`, `$false`.
    Bool(bool),
    /// `$null`.
    Null,
    Comma,
    Pipe,
    /// `(` or `@(`
    Open,
    Close,
    /// `;` or the end of a line.
    End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// The fault of a text that breaks off: more of it may come.
const BREAKS_OFF: &str = "the quote is not closed";
const COMMENT_OPEN: &str = "the comment is not closed with #>";

/// All tokens of a text. Line ends after a comma, a pipe or within parentheses end nothing.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), depth: 0 };
    while lexer.at < text.len() {
        lexer.next()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    depth: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    fn next(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return Ok(()) };
        match c {
            '\n' | '\r' => {
                let goes_on = matches!(self.tokens.last().map(|token| &token.kind), Some(Kind::Comma | Kind::Pipe));
                if self.depth == 0 && !goes_on {
                    self.push(Kind::End, 1);
                } else {
                    self.at += 1;
                }
            }
            _ if c.is_whitespace() => self.at += c.len_utf8(),
            '`' => {
                let after = rest.get(1..).unwrap_or_default();
                let blank = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
                let joins = after.get(blank..).is_some_and(|after| after.is_empty() || after.starts_with('\n'));
                if !joins {
                    return self.word();
                }
                self.at = (self.at + 1 + blank + 1).min(self.text.len());
            }
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '<' if rest.starts_with("<#") => match rest.find("#>") {
                Some(end) => self.at += end + 2,
                None => return Err(Fault::new(COMMENT_OPEN, self.at..self.at + 2)),
            },
            ';' => self.push(Kind::End, 1),
            '|' => self.push(Kind::Pipe, 1),
            ',' => self.push(Kind::Comma, 1),
            '(' => {
                self.depth += 1;
                self.push(Kind::Open, 1);
            }
            '@' if rest.starts_with("@(") => {
                self.depth += 1;
                self.push(Kind::Open, 2);
            }
            ')' => {
                self.depth = self.depth.saturating_sub(1);
                self.push(Kind::Close, 1);
            }
            '{' | '}' => {
                return Err(Fault::new(
                    "script blocks and tables in braces are not known here: write the value",
                    self.at..self.at + 1,
                ));
            }
            // Typographic quotes come with what is pasted from documents.
            '\'' | '\u{2018}' | '\u{2019}' => self.single_quoted(c)?,
            '"' | '\u{201C}' | '\u{201D}' => self.double_quoted(c)?,
            '$' => self.variable()?,
            // A dash, or what word processors make of it, before a letter.
            '-' | '\u{2013}' | '\u{2014}' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic()) => {
                let name: String =
                    rest.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let length = c.len_utf8() + name.len();
                let attached = rest.get(length..).is_some_and(|after| after.starts_with(':'));
                self.push(Kind::Parameter { name, attached }, length);
                if attached {
                    self.at += 1;
                }
            }
            _ => self.word()?,
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut value = String::new();
        let mut characters = self.rest().char_indices();
        let mut length = self.rest().len();
        while let Some((at, c)) = characters.next() {
            match c {
                '`' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                ',' | '|' | ';' | '(' | ')' => {
                    length = at;
                    break;
                }
                _ if c.is_whitespace() => {
                    length = at;
                    break;
                }
                '$' => return Err(variable_fault(start + at)),
                _ => value.push(c),
            }
        }
        self.push(Kind::Word(value), length);
        Ok(())
    }

    fn single_quoted(&mut self, open: char) -> Result<(), Fault> {
        let typographic = open != '\'';
        let closes = |c: char| if typographic { matches!(c, '\u{2018}' | '\u{2019}') } else { c == '\'' };
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            if !closes(c) {
                value.push(c);
            } else if characters.peek().is_some_and(|(_, next)| closes(*next)) {
                // Doubled, it stands for itself.
                value.push(c);
                characters.next();
            } else {
                self.push(Kind::Quoted(value), at + c.len_utf8());
                return Ok(());
            }
        }
        Err(Fault::new(BREAKS_OFF, self.at..self.at + open.len_utf8()))
    }

    fn double_quoted(&mut self, open: char) -> Result<(), Fault> {
        let typographic = open != '"';
        let closes = |c: char| if typographic { matches!(c, '\u{201C}' | '\u{201D}') } else { c == '"' };
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            match c {
                '`' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, escaped)) => value.push(escaped),
                    None => {}
                },
                '$' if characters
                    .peek()
                    .is_some_and(|(_, next)| next.is_alphabetic() || matches!(next, '(' | '{' | '_')) =>
                {
                    return Err(variable_fault(self.at + at));
                }
                _ if closes(c) => {
                    if characters.peek().is_some_and(|(_, next)| closes(*next)) {
                        value.push(c);
                        characters.next();
                    } else {
                        self.push(Kind::Quoted(value), at + c.len_utf8());
                        return Ok(());
                    }
                }
                _ => value.push(c),
            }
        }
        Err(Fault::new(BREAKS_OFF, self.at..self.at + open.len_utf8()))
    }

    fn variable(&mut self) -> Result<(), Fault> {
        let name: String = self.rest().chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let kind = match name.to_ascii_lowercase().as_str() {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            _ => return Err(variable_fault(self.at)),
        };
        self.push(kind, name.len() + 1);
        Ok(())
    }
}

fn variable_fault(at: usize) -> Fault {
    Fault::new(
        "variables are not known here, but for $true, $false and $null: write the value, or put it in single quotes",
        at..at + 1,
    )
}

/// Splits a script into statements, comments left out.
pub(crate) fn statements(script: &str) -> Result<Vec<Statement>, Located> {
    let whole = Statement { text: script.into(), line: 1 };
    let tokens = tokens(script).map_err(|fault| fault.located(&whole, &[]))?;
    let mut statements = Vec::new();
    for tokens in tokens.split(|token| token.kind == Kind::End).filter(|tokens| !tokens.is_empty()) {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
        let text = script.get(first.span.start..last.span.end).unwrap_or_default();
        let line = script.get(..first.span.start).unwrap_or_default().matches('\n').count() + 1;
        statements.push(Statement { text: text.into(), line });
    }
    Ok(statements)
}

/// Whether somebody who typed this has more to type.
pub(crate) fn breaks_off(text: &str) -> bool {
    if text.trim_end().ends_with('`') {
        return true;
    }
    match tokens(text) {
        Err(fault) => fault.message == BREAKS_OFF || fault.message == COMMENT_OPEN,
        Ok(tokens) => {
            let opened = tokens.iter().filter(|token| token.kind == Kind::Open).count();
            let closed = tokens.iter().filter(|token| token.kind == Kind::Close).count();
            opened > closed || matches!(tokens.last().map(|token| &token.kind), Some(Kind::Pipe | Kind::Comma))
        }
    }
}
