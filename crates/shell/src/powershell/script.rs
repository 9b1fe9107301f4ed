//! A script as statements: comments left out, variables in the place of their values.
//!
//! A variable holds a text, a number, or a list of such, from its assignment to the end of the script (of the line, when a
//! person types). The statements that are executed have the values themselves, so nothing else knows of variables.

use std::collections::BTreeMap;
use std::ops::Range;

use um::commands::Given;

use super::lexer::{COMMENT_OPEN, Kind, Piece, QUOTE_OPEN, Token, tokens, unknown_variable};
use super::{parse, write};
use crate::fault::{Fault, Located, Statement};

/// Splits a script into statements.
pub(crate) fn statements(script: &str) -> Result<Vec<Statement>, Located> {
    let whole = Statement { text: script.into(), line: 1 };
    let refused = |fault: Fault| fault.located(&whole, &rough_secrets(script));
    let all = tokens(script).map_err(refused)?;
    let mut statements = Vec::new();
    let mut variables: BTreeMap<String, Given> = BTreeMap::new();
    for part in split(&all) {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        if let [Token { kind: Kind::Variable(name), .. }, Token { kind: Kind::Equals, .. }, value @ ..] = part {
            let value = parse::literal(value, &|token| substitute(token, &variables)).map_err(|fault| {
                let message = "a variable holds a text, a number or a list of them here: $name = 'value'";
                refused(Fault { message: message.into(), span: fault.span.or(Some(first.span.clone())) })
            })?;
            variables.insert(name.to_ascii_lowercase(), value);
            continue;
        }
        let line = script.get(..first.span.start).unwrap_or_default().matches('\n').count() + 1;
        let place = first.span.start..last.span.end;
        let text = replaced(script, place, part, &variables).map_err(refused)?;
        statements.push(Statement { text, line });
    }
    Ok(statements)
}

/// The tokens of each statement: parted where a line ends outside of braces.
fn split(all: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (index, token) in all.iter().enumerate() {
        match token.kind {
            Kind::OpenTable | Kind::OpenBlock => depth += 1,
            Kind::CloseBrace => depth = depth.saturating_sub(1),
            Kind::End if depth == 0 => {
                parts.extend(all.get(start..index).filter(|part| !part.is_empty()));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.extend(all.get(start..).filter(|part| !part.is_empty()));
    parts
}

/// The statement's text with values in the place of variables; `$_` is the pipe's own.
fn replaced(
    script: &str,
    place: Range<usize>,
    part: &[Token],
    variables: &BTreeMap<String, Given>,
) -> Result<String, Fault> {
    let mut text = String::new();
    let mut at = place.start;
    for token in part {
        if let Some(value) = substitute(token, variables)? {
            text.push_str(script.get(at..token.span.start).unwrap_or_default());
            text.push_str(&write::given(&value));
            at = token.span.end;
        }
    }
    text.push_str(script.get(at..place.end).unwrap_or_default());
    Ok(text)
}

/// What stands for a token that holds variables; `None` when it holds none.
fn substitute(token: &Token, variables: &BTreeMap<String, Given>) -> Result<Option<Given>, Fault> {
    let value = |name: &str| {
        let value = variables.get(&name.to_ascii_lowercase());
        value.cloned().ok_or_else(|| unknown_variable(token.span.clone()))
    };
    match &token.kind {
        Kind::Variable(name) if name == "_" || name.starts_with("_.") => Ok(None),
        Kind::Variable(name) => value(name).map(Some),
        Kind::Quoted(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Variable(_))) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(piece) => text.push_str(piece),
                    Piece::Variable(name) => match value(name)? {
                        Given::Text(value) => text.push_str(&value),
                        Given::Bool(value) => text.push_str(if value { "True" } else { "False" }),
                        Given::List(values) => text.push_str(&values.join(" ")),
                        Given::Table(_) | Given::Null => {}
                    },
                }
            }
            Ok(Some(Given::Text(text)))
        }
        _ => Ok(None),
    }
}

/// Whether somebody who typed this has more to type.
pub(crate) fn breaks_off(text: &str) -> bool {
    if text.trim_end().ends_with('`') {
        return true;
    }
    match tokens(text) {
        Err(fault) => fault.message == QUOTE_OPEN || fault.message == COMMENT_OPEN,
        Ok(tokens) => {
            let count = |kinds: &[Kind]| tokens.iter().filter(|token| kinds.contains(&token.kind)).count();
            let opened = count(&[Kind::Open, Kind::OpenTable, Kind::OpenBlock]);
            let closed = count(&[Kind::Close, Kind::CloseBrace]);
            opened > closed || matches!(tokens.last().map(|token| &token.kind), Some(Kind::Pipe | Kind::Comma))
        }
    }
}

/// Where secrets may be in a text that cannot be read: from each word that looks like the name of one to its line's end.
pub(super) fn rough_secrets(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for word in ["-pin", "$pin", "password"] {
        for (at, _) in lower.match_indices(word) {
            let name = lower.get(at + word.len()..).unwrap_or_default();
            let begin =
                at + word.len() + name.len() - name.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).len();
            let end = text.get(begin..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| begin + length);
            found.push(begin..end);
        }
    }
    found
}

/// The text with stars for the secrets in it. Of a text that cannot be read, and that may have some, only its first word is
/// left.
pub(crate) fn masked(text: &str) -> String {
    let first_word = || text.split_whitespace().next().unwrap_or_default().to_owned();
    let Ok(all) = tokens(text) else {
        return if rough_secrets(text).is_empty() { text.to_owned() } else { first_word() };
    };
    let mut secrets: Vec<Range<usize>> = Vec::new();
    for part in split(&all) {
        let Some(first) = part.first() else { continue };
        match &first.kind {
            Kind::Variable(name) => {
                let lower = name.to_ascii_lowercase();
                if lower.contains("pin") || lower.contains("password") {
                    secrets.extend(part.get(2..).unwrap_or_default().iter().map(|token| token.span.clone()));
                }
            }
            _ => match parse::parse_tokens(part, None) {
                Ok(pipeline) => secrets.extend(pipeline.secrets),
                Err(_) if rough_secrets(text).is_empty() => {}
                Err(_) => return first_word(),
            },
        }
    }
    let mut shown = text.to_owned();
    secrets.sort_by_key(|span| std::cmp::Reverse(span.start));
    for secret in secrets {
        if shown.get(secret.clone()).is_some() {
            shown.replace_range(secret, "****");
        }
    }
    shown
}
