//! What is wrong with a line, and where.

use std::fmt;
use std::ops::Range;

/// A statement: what is executed as one. It may span lines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// As it stood in the script, from its first to its last character.
    pub text: String,
    /// The line of the script on which it begins, from 1.
    pub line: usize,
}

/// Why a statement was not executed. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, and what to write instead.
    pub message: String,
    /// Bytes of the statement that are meant; `None` where no place is at fault (disk full).
    pub span: Option<Range<usize>>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Fault {
        Fault { message: message.into(), span: Some(span) }
    }

    pub(crate) fn nowhere(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), span: None }
    }

    /// The fault with its place in `statement`: line and column (from 1, in characters), the line itself and a caret.
    /// `secrets` are the parts of the statement that must not be shown again.
    pub fn located(&self, statement: &Statement, secrets: &[Range<usize>]) -> Located {
        let Some(span) = &self.span else {
            return Located { message: self.message.clone(), line: statement.line, place: None };
        };
        let text = masked(&statement.text, secrets);
        let start = floor(&text, span.start);
        let end = floor(&text, span.end.max(start));
        let before = text.get(..start).unwrap_or_default();
        let row = before.matches('\n').count();
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let shown: String = text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default().into();
        let column = text.get(begin..start).unwrap_or_default().chars().count() + 1;
        let width = text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default().chars().count();
        Located {
            message: self.message.clone(),
            line: statement.line + row,
            place: Some(Place { column, width: width.max(1), shown }),
        }
    }
}

/// The greatest character boundary that is not beyond `index`.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The text with its secrets as stars, byte by byte, so that places stay where they are.
fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let mut shown = text.to_string();
    for secret in secrets {
        if let Some(part) = text.get(secret.clone()) {
            shown.replace_range(secret.clone(), &"*".repeat(part.len()));
        }
    }
    shown
}

/// A fault as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub message: String,
    /// From 1, within the script.
    pub line: usize,
    pub place: Option<Place>,
}

/// Where in its line a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub width: usize,
    /// The whole line.
    pub shown: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.place {
            None => write!(f, "\n  at line {}", self.line),
            Some(Place { column, width, shown }) => {
                let indent: String =
                    shown.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
                write!(f, "\n  at line {}, column {column}:\n  {shown}\n  {indent}{}", self.line, "^".repeat(*width))
            }
        }
    }
}
