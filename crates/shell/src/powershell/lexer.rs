//! The words of PowerShell that umsh reads, with their places.
//!
//! Read: cmdlet names and values, `-Name value`, `-Name:value`, `'...'` and `"..."`, here-strings, lists (`a,b`,
//! `@("a","b")`), `@{Add="a"; Remove="b"}`, the block of a `Where-Object`, `$true $false $null`, pipes, `;`, backtick as
//! line continuation and escape, `#` and `<# #>` comments. Variables are read by [`super::script`]; everything else of the
//! language (expressions, functions, loops) is refused with its place.

use std::ops::Range;

use crate::fault::Fault;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word.
    Word(String),
    /// A text in quotes.
    Quoted(Vec<Piece>),
    /// `-Name`, without the dash; `attached`: `-Name:` with its value right behind.
    Parameter {
        name: String,
        attached: bool,
    },
    /// `$true`, `$false`.
    Bool(bool),
    /// `$null`.
    Null,
    /// `$name`, or `$_.Property`, without the dollar.
    Variable(String),
    Comma,
    Pipe,
    /// `=`
    Equals,
    /// `(` or `@(`
    Open,
    Close,
    /// `@{`
    OpenTable,
    /// `{`
    OpenBlock,
    CloseBrace,
    /// `;` or the end of a line; within braces it parts the entries.
    End,
}

/// A part of a text in double quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// A variable's name.
    Variable(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// The fault of a text that breaks off: more of it may come.
pub(super) const QUOTE_OPEN: &str = "the quote is not closed";
pub(super) const COMMENT_OPEN: &str = "the comment is not closed with #>";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Parenthesis,
    Brace,
}

/// All tokens of a text. Line ends after a comma, a pipe or within parentheses end nothing.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), open: Vec::new() };
    while lexer.at < text.len() {
        lexer.next()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    open: Vec<Bracket>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    fn enter(&mut self, kind: Kind, bracket: Bracket, length: usize) {
        self.open.push(bracket);
        self.push(kind, length);
    }

    fn next(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return Ok(()) };
        match c {
            '\n' | '\r' => {
                let goes_on = matches!(self.tokens.last().map(|token| &token.kind), Some(Kind::Comma | Kind::Pipe));
                if goes_on || self.open.last() == Some(&Bracket::Parenthesis) {
                    self.at += 1;
                } else {
                    self.push(Kind::End, 1);
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
            '=' => self.push(Kind::Equals, 1),
            '(' => self.enter(Kind::Open, Bracket::Parenthesis, 1),
            '@' if rest.starts_with("@(") => self.enter(Kind::Open, Bracket::Parenthesis, 2),
            '@' if rest.starts_with("@{") => self.enter(Kind::OpenTable, Bracket::Brace, 2),
            '{' => self.enter(Kind::OpenBlock, Bracket::Brace, 1),
            ')' => {
                self.open.pop_if(|open| *open == Bracket::Parenthesis);
                self.push(Kind::Close, 1);
            }
            '}' => {
                self.open.pop_if(|open| *open == Bracket::Brace);
                self.push(Kind::CloseBrace, 1);
            }
            '@' if here(rest).is_some() => self.here_string()?,
            // Typographic quotes come with what is pasted from documents.
            '\'' | '\u{2018}' | '\u{2019}' => self.single_quoted(c)?,
            '"' | '\u{201C}' | '\u{201D}' => self.double_quoted(c)?,
            '$' => self.variable()?,
            // A dash, or what word processors make of it, before a letter; `-?` asks for help.
            '-' | '\u{2013}' | '\u{2014}'
                if rest.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || c == '?') =>
            {
                let name: String =
                    rest.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '?')).collect();
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
        let braced = self.open.contains(&Bracket::Brace);
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
                '=' | '}' if braced => {
                    length = at;
                    break;
                }
                _ if c.is_whitespace() => {
                    length = at;
                    break;
                }
                '$' => return Err(unknown_variable(start + at..start + at + 1)),
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
                self.push(Kind::Quoted(vec![Piece::Text(value)]), at + c.len_utf8());
                return Ok(());
            }
        }
        Err(Fault::new(QUOTE_OPEN, self.at..self.at + open.len_utf8()))
    }

    fn double_quoted(&mut self, open: char) -> Result<(), Fault> {
        let typographic = open != '"';
        let closes = |c: char| if typographic { matches!(c, '\u{201C}' | '\u{201D}') } else { c == '"' };
        let mut pieces = Pieces::default();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            match c {
                _ if closes(c) => {
                    if characters.peek().is_some_and(|(_, next)| closes(*next)) {
                        pieces.text.push(c);
                        characters.next();
                    } else {
                        self.push(Kind::Quoted(pieces.done()), at + c.len_utf8());
                        return Ok(());
                    }
                }
                _ => pieces
                    .read(c, at, &mut characters)
                    .map_err(|at| unknown_variable(self.at + at..self.at + at + 1))?,
            }
        }
        Err(Fault::new(QUOTE_OPEN, self.at..self.at + open.len_utf8()))
    }

    /// `@'` or `@"`, lines, and the same the other way round at the start of a line.
    fn here_string(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let (quote, begin) = here(rest).unwrap_or(('\'', 2));
        let body = rest.get(begin..).unwrap_or_default();
        let end = if body.starts_with(&format!("{quote}@")) { Some(0) } else { body.find(&format!("\n{quote}@")) };
        let Some(end) = end else { return Err(Fault::new(QUOTE_OPEN, self.at..self.at + 2)) };
        let content = body.get(..end).unwrap_or_default();
        let content = content.strip_suffix('\r').unwrap_or(content);
        let mut pieces = Pieces::default();
        let mut characters = content.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            match quote {
                '\'' => pieces.text.push(c),
                _ => {
                    let place = |at: usize| self.at + begin + at..self.at + begin + at + 1;
                    pieces.read(c, at, &mut characters).map_err(|at| unknown_variable(place(at)))?;
                }
            }
        }
        let closing = if end == 0 && content.is_empty() && body.starts_with(quote) { 2 } else { 3 };
        self.push(Kind::Quoted(pieces.done()), begin + end + closing);
        Ok(())
    }

    fn variable(&mut self) -> Result<(), Fault> {
        let name: String =
            self.rest().chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).collect();
        let kind = match name.to_ascii_lowercase().as_str() {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            "" => return Err(unknown_variable(self.at..self.at + 1)),
            _ => Kind::Variable(name.clone()),
        };
        self.push(kind, name.len() + 1);
        Ok(())
    }
}

/// The quote of a here-string, and where its lines begin.
fn here(rest: &str) -> Option<(char, usize)> {
    let quote = rest.chars().nth(1).filter(|quote| matches!(quote, '\'' | '"'))?;
    let after = rest.get(2..)?;
    let blank = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
    after.get(blank..)?.starts_with('\n').then_some((quote, 2 + blank + 1))
}

/// What double quotes hold, as it is read.
#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    text: String,
}

impl Pieces {
    /// One character that closes nothing, with those that belong to it. An error is the place of a `$` that cannot be
    /// read.
    fn read(
        &mut self,
        c: char,
        at: usize,
        characters: &mut std::iter::Peekable<impl Iterator<Item = (usize, char)>>,
    ) -> Result<(), usize> {
        match c {
            '`' => match characters.next() {
                Some((_, 'n')) => self.text.push('\n'),
                Some((_, 't')) => self.text.push('\t'),
                Some((_, escaped)) => self.text.push(escaped),
                None => {}
            },
            '$' => {
                let braced = characters.next_if(|(_, next)| *next == '{').is_some();
                let mut name = String::new();
                while let Some((_, next)) = characters.next_if(|(_, next)| next.is_ascii_alphanumeric() || *next == '_')
                {
                    name.push(next);
                }
                let closed = !braced || characters.next_if(|(_, next)| *next == '}').is_some();
                match name.is_empty() {
                    // A price, or a dollar alone.
                    true if !braced && characters.peek().is_none_or(|(_, next)| *next != '(') => self.text.push('$'),
                    false if closed => {
                        self.done.push(Piece::Text(std::mem::take(&mut self.text)));
                        self.done.push(Piece::Variable(name));
                    }
                    _ => return Err(at),
                }
            }
            _ => self.text.push(c),
        }
        Ok(())
    }

    fn done(mut self) -> Vec<Piece> {
        self.done.push(Piece::Text(self.text));
        self.done.retain(|piece| *piece != Piece::Text(String::new()));
        self.done
    }
}

pub(super) fn unknown_variable(place: Range<usize>) -> Fault {
    Fault::new(
        "such variables are not known here, but for $true, $false, $null and those that the script has set before: \
         write the value, or put it in single quotes",
        place,
    )
}
