//! From words to a pipeline of cmdlets with named values.

use std::ops::Range;

use um::commands::Given;

use super::lexer::{self, Kind, Token};
use crate::fault::Fault;
use crate::net::Net;

/// One cmdlet of a pipeline as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub name: String,
    pub span: Range<usize>,
    pub arguments: Vec<Argument>,
    /// Where something missing would stand.
    pub end: usize,
}

/// A value, with the name before it or without.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    /// Empty for a value without a name.
    pub name: String,
    pub value: Given,
    /// Of the name, or of the value where there is no name.
    pub name_span: Range<usize>,
    /// Of the value, or of the name where there is no value (a switch).
    pub span: Range<usize>,
}

/// A pipeline, and what was read otherwise than it was written.
pub(crate) struct Pipeline {
    pub stages: Vec<Stage>,
    pub notes: Vec<String>,
    /// Parts of the statement that must not be shown again.
    pub secrets: Vec<Range<usize>>,
}

/// Parameters whose values are secrets, by any beginning of their names.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.is_empty() && ["pin", "password", "newpin"].iter().any(|secret| secret.starts_with(&name))
}

/// Reads one statement.
pub(crate) fn parse(text: &str, net: Option<&Net>) -> Result<Pipeline, Fault> {
    let tokens = lexer::tokens(text)?;
    let mut pipeline = Pipeline { stages: Vec::new(), notes: Vec::new(), secrets: Vec::new() };
    for part in tokens.split(|token| token.kind == Kind::Pipe) {
        let after = pipeline.stages.last().map_or(0, |stage| stage.end);
        let mut part = part.iter().filter(|token| token.kind != Kind::End).peekable();
        let Some(first) = part.next() else {
            return Err(Fault::new("there is no cmdlet on one side of the pipe", after..after + 1));
        };
        let Kind::Word(name) = &first.kind else {
            return Err(Fault::new("a cmdlet's name must stand first, such as Get-UMMailbox", first.span.clone()));
        };
        let mut stage =
            Stage { name: name.clone(), span: first.span.clone(), arguments: Vec::new(), end: first.span.end };
        while let Some(token) = part.next() {
            let (name, name_span, value) = match &token.kind {
                Kind::Parameter { name, attached } => {
                    let value = match part.peek() {
                        Some(next) if starts_value(next) => Some(value(part.next(), &mut part)?),
                        Some(next) if *attached => {
                            return Err(Fault::new(format!("-{name}: has no value"), next.span.clone()));
                        }
                        None if *attached => {
                            return Err(Fault::new(format!("-{name}: has no value"), token.span.clone()));
                        }
                        _ => None,
                    };
                    (name.clone(), token.span.clone(), value)
                }
                Kind::Comma | Kind::Close => {
                    return Err(Fault::new(
                        "a comma or parenthesis stands where a parameter is expected",
                        token.span.clone(),
                    ));
                }
                _ => (String::new(), token.span.clone(), Some(value(Some(token), &mut part)?)),
            };
            let (value, span) = value.unwrap_or((Given::Bool(true), name_span.clone()));
            stage.end = span.end;
            if is_secret(&name) {
                pipeline.secrets.push(span.clone());
            }
            let value = if is_secret(&name) { value } else { mapped(value, net, &mut pipeline.notes) };
            stage.arguments.push(Argument { name, value, name_span, span });
        }
        pipeline.stages.push(stage);
    }
    Ok(pipeline)
}

fn starts_value(token: &Token) -> bool {
    matches!(token.kind, Kind::Word(_) | Kind::Quoted(_) | Kind::Bool(_) | Kind::Null | Kind::Open)
}

/// A value, or values with commas between, from its first token on.
fn value<'t, I>(first: Option<&'t Token>, rest: &mut std::iter::Peekable<I>) -> Result<(Given, Range<usize>), Fault>
where
    I: Iterator<Item = &'t Token>,
{
    let Some(first) = first else { return Err(Fault::nowhere("a value is missing")) };
    let mut span = first.span.clone();
    let mut items = Vec::new();
    let mut list = false;
    if first.kind == Kind::Open {
        list = true;
        loop {
            let Some(token) = rest.next() else {
                return Err(Fault::new("the parenthesis is not closed", first.span.clone()));
            };
            span.end = token.span.end;
            match &token.kind {
                Kind::Close => break,
                Kind::Comma => {}
                _ => {
                    items.push(item(token)?);
                    let separated = rest.peek().is_none_or(|next| matches!(next.kind, Kind::Comma | Kind::Close));
                    if !separated {
                        let message = "commands and expressions in parentheses are not known here: write the value";
                        return Err(Fault::new(message, first.span.start..token.span.end));
                    }
                }
            }
        }
    } else {
        items.push(item(first)?);
    }
    while rest.peek().is_some_and(|next| next.kind == Kind::Comma) {
        list = true;
        let comma = rest.next();
        let Some(token) = rest.next_if(|next| starts_value(next) && next.kind != Kind::Open) else {
            let place = comma.map_or(span.clone(), |comma| comma.span.clone());
            return Err(Fault::new("a value is missing behind the comma", place));
        };
        span.end = token.span.end;
        items.push(item(token)?);
    }
    if !list && let [only] = items.as_slice() {
        return Ok((only.clone(), span));
    }
    let texts = items
        .into_iter()
        .map(|item| match item {
            Given::Text(text) => text,
            Given::Bool(value) => if value { "$true" } else { "$false" }.into(),
            Given::List(_) | Given::Table(_) | Given::Null => String::new(),
        })
        .collect();
    Ok((Given::List(texts), span))
}

fn item(token: &Token) -> Result<Given, Fault> {
    match &token.kind {
        Kind::Word(text) | Kind::Quoted(text) => Ok(Given::Text(text.clone())),
        Kind::Bool(value) => Ok(Given::Bool(*value)),
        Kind::Null => Ok(Given::Null),
        Kind::Parameter { name, .. } => {
            Err(Fault::new(format!("-{name} stands where a value is expected"), token.span.clone()))
        }
        _ => Err(Fault::new("a value is expected here", token.span.clone())),
    }
}

fn mapped(value: Given, net: Option<&Net>, notes: &mut Vec<String>) -> Given {
    let Some(net) = net else { return value };
    let mut read = |text: String| match net.read(&text) {
        Some((read, said)) => {
            for note in said {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            read
        }
        None => text,
    };
    match value {
        Given::Text(text) => Given::Text(read(text)),
        Given::List(texts) => Given::List(texts.into_iter().map(read).collect()),
        other => other,
    }
}
