//! From words to a pipeline of cmdlets with named values.

use std::iter::Peekable;
use std::ops::Range;

use um::commands::{Given, cmdlet};

use super::lexer::{self, Kind, Piece, Token, unknown_variable};
use crate::fault::Fault;
use crate::net::Net;

/// One cmdlet of a pipeline as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub name: String,
    pub span: Range<usize>,
    /// Also of a block: `{ $_.Name -eq 'x' }` is the value `Name` without a name, then `-eq x`.
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

type Tokens<'t> = Peekable<std::slice::Iter<'t, Token>>;

/// Reads one statement.
pub(crate) fn parse(text: &str, net: Option<&Net>) -> Result<Pipeline, Fault> {
    parse_tokens(&lexer::tokens(text)?, net)
}

pub(crate) fn parse_tokens(tokens: &[Token], net: Option<&Net>) -> Result<Pipeline, Fault> {
    let mut pipeline = Pipeline { stages: Vec::new(), notes: Vec::new(), secrets: Vec::new() };
    for part in tokens.split(|token| token.kind == Kind::Pipe) {
        let after = pipeline.stages.last().map_or(0, |stage: &Stage| stage.end);
        let mut part = part.iter().peekable();
        while part.next_if(|token| token.kind == Kind::End).is_some() {}
        let Some(first) = part.next() else {
            return Err(Fault::new("there is no cmdlet on one side of the pipe", after..after + 1));
        };
        let Kind::Word(name) = &first.kind else {
            return Err(Fault::new("a cmdlet's name must stand first, such as Get-UMMailbox", first.span.clone()));
        };
        let mut stage =
            Stage { name: name.clone(), span: first.span.clone(), arguments: Vec::new(), end: first.span.end };
        let mut block = None;
        while let Some(token) = part.next() {
            let argument = match &token.kind {
                Kind::End => continue,
                Kind::OpenBlock if block.is_none() => {
                    block = Some(token.span.clone());
                    continue;
                }
                Kind::CloseBrace if block.take().is_some() => continue,
                _ => argument(token, &mut part, block.is_some())?,
            };
            stage.end = argument.span.end;
            stage.arguments.push(argument);
        }
        if let Some(open) = block {
            return Err(Fault::new("the brace is not closed", open));
        }
        pipeline.secrets.extend(secrets(&stage));
        let mut notes = std::mem::take(&mut pipeline.notes);
        for argument in &mut stage.arguments {
            if !pipeline.secrets.contains(&argument.span) {
                mapped(&mut argument.value, net, &mut notes);
            }
        }
        pipeline.notes = notes;
        pipeline.stages.push(stage);
    }
    Ok(pipeline)
}

/// A value alone, as a variable holds it. `substitute` gives what stands for a token with variables in it.
pub(super) fn literal(
    tokens: &[Token],
    substitute: &dyn Fn(&Token) -> Result<Option<Given>, Fault>,
) -> Result<Given, Fault> {
    if let [token] = tokens
        && let Some(value) = substitute(token)?
    {
        return Ok(value);
    }
    let mut rest = tokens.iter().peekable();
    let (given, span) = value(rest.next(), &mut rest)?;
    match rest.next() {
        Some(more) => Err(Fault::new("a value was expected", more.span.clone())),
        None if matches!(tokens, [Token { kind: Kind::Word(word), .. }] if word.parse::<i64>().is_err()) => {
            // PowerShell would carry it out as a command.
            Err(Fault::new("a text stands in quotes", span))
        }
        None => Ok(given),
    }
}

fn argument(token: &Token, part: &mut Tokens<'_>, in_block: bool) -> Result<Argument, Fault> {
    let (name, value) = match &token.kind {
        Kind::Parameter { name, attached } => {
            let joins = in_block && (name.eq_ignore_ascii_case("and") || name.eq_ignore_ascii_case("or"));
            let given = match part.peek() {
                _ if joins => None,
                Some(next) if starts_value(next) => Some(value(part.next(), part)?),
                Some(next) if *attached => return Err(Fault::new(format!("-{name}: has no value"), next.span.clone())),
                None if *attached => return Err(Fault::new(format!("-{name}: has no value"), token.span.clone())),
                _ => None,
            };
            (name.clone(), given)
        }
        Kind::Comma | Kind::Close | Kind::CloseBrace | Kind::Equals => {
            let message = "a comma, bracket or equals sign stands where a parameter is expected";
            return Err(Fault::new(message, token.span.clone()));
        }
        Kind::Variable(name) if in_block && name.starts_with("_.") => {
            let property = name.trim_start_matches("_.").to_owned();
            (String::new(), Some((Given::Text(property), token.span.clone())))
        }
        Kind::OpenBlock => {
            return Err(Fault::new(
                "blocks in braces are known in Where-Object only: write the value",
                token.span.clone(),
            ));
        }
        _ => (String::new(), Some(value(Some(token), part)?)),
    };
    let (value, span) = value.unwrap_or((Given::Bool(true), token.span.clone()));
    Ok(Argument { name, value, name_span: token.span.clone(), span })
}

/// The values of a stage that are secrets. In a cmdlet that takes some, values whose parameter is not certain are taken for
/// such: a misspelt name must not bring a PIN into a history.
fn secrets(stage: &Stage) -> Vec<Range<usize>> {
    let known = cmdlet(&stage.name);
    let looks_so = |name: &str| {
        let name = name.to_ascii_lowercase();
        !name.is_empty() && ["pin", "password", "newpin"].iter().any(|secret| secret.starts_with(&name))
    };
    let is_secret = |index: usize, argument: &Argument| match known {
        None => looks_so(&argument.name),
        Some(cmdlet) if cmdlet.parameters.iter().any(|parameter| parameter.secret) => {
            let first = stage.arguments.iter().position(|argument| argument.name.is_empty());
            match cmdlet.parameter(&argument.name) {
                Ok(_) if argument.name.is_empty() => first != Some(index),
                Ok(parameter) => parameter.secret,
                Err(_) => super::common(&argument.name).is_none() && argument.value != Given::Bool(true),
            }
        }
        Some(_) => false,
    };
    let secrets = stage.arguments.iter().enumerate().filter(|(index, argument)| is_secret(*index, argument));
    secrets.map(|(_, argument)| argument.span.clone()).collect()
}

fn starts_value(token: &Token) -> bool {
    use Kind::*;
    matches!(token.kind, Word(_) | Quoted(_) | Bool(_) | Null | Open | OpenTable | Variable(_))
}

/// A value, or values with commas between, from its first token on.
fn value(first: Option<&Token>, rest: &mut Tokens<'_>) -> Result<(Given, Range<usize>), Fault> {
    let Some(first) = first else { return Err(Fault::nowhere("a value is missing")) };
    let mut span = first.span.clone();
    let mut items = Vec::new();
    let mut list = false;
    match first.kind {
        Kind::OpenTable => return table(first, rest),
        Kind::Open => {
            list = true;
            loop {
                let Some(token) = rest.next() else {
                    return Err(Fault::new("the parenthesis is not closed", first.span.clone()));
                };
                span.end = token.span.end;
                match &token.kind {
                    Kind::Close => break,
                    Kind::Comma | Kind::End => {}
                    _ => {
                        items.push(item(token)?);
                        let parted =
                            rest.peek().is_none_or(|next| matches!(next.kind, Kind::Comma | Kind::Close | Kind::End));
                        if !parted {
                            let message = "commands and expressions in parentheses are not known here: write the value";
                            return Err(Fault::new(message, first.span.start..token.span.end));
                        }
                    }
                }
            }
        }
        _ => items.push(item(first)?),
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
    Ok((Given::List(items.into_iter().flat_map(texts).collect()), span))
}

fn texts(item: Given) -> Vec<String> {
    match item {
        Given::Text(text) => vec![text],
        Given::Bool(value) => vec![if value { "$true" } else { "$false" }.into()],
        Given::List(texts) => texts,
        Given::Table(_) | Given::Null => Vec::new(),
    }
}

/// `@{Add='a','b'; Remove='c'}`.
fn table(open: &Token, rest: &mut Tokens<'_>) -> Result<(Given, Range<usize>), Fault> {
    let mut entries = Vec::new();
    loop {
        let Some(token) = rest.next() else { return Err(Fault::new("the brace is not closed", open.span.clone())) };
        let name = match &token.kind {
            Kind::CloseBrace => return Ok((Given::Table(entries), open.span.start..token.span.end)),
            Kind::End => continue,
            Kind::Word(name) => name.clone(),
            Kind::Quoted(_) => texts(item(token)?).concat(),
            _ => return Err(Fault::new("a name is expected here: @{Add='a'; Remove='b'}", token.span.clone())),
        };
        if rest.next_if(|next| next.kind == Kind::Equals).is_none() {
            return Err(Fault::new(format!("{name} has no value: write {name}='a'"), token.span.clone()));
        }
        let (given, _) = value(rest.next(), rest)?;
        entries.push((name, texts(given)));
    }
}

fn item(token: &Token) -> Result<Given, Fault> {
    match &token.kind {
        Kind::Word(text) => Ok(Given::Text(text.clone())),
        Kind::Quoted(pieces) => {
            let texts = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => Ok(text.as_str()),
                Piece::Variable(_) => Err(unknown_variable(token.span.clone())),
            });
            Ok(Given::Text(texts.collect::<Result<String, Fault>>()?))
        }
        Kind::Bool(value) => Ok(Given::Bool(*value)),
        Kind::Null => Ok(Given::Null),
        Kind::Variable(_) => Err(unknown_variable(token.span.clone())),
        Kind::Parameter { name, .. } => {
            Err(Fault::new(format!("-{name} stands where a value is expected"), token.span.clone()))
        }
        _ => Err(Fault::new("a value is expected here", token.span.clone())),
    }
}

/// The guide's addresses as those of another net.
fn mapped(value: &mut Given, net: Option<&Net>, notes: &mut Vec<String>) {
    let Some(net) = net else { return };
    let mut read = |text: &mut String| {
        if let Some((read, said)) = net.read(text) {
            *text = read;
            for note in said {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    };
    match value {
        Given::Text(text) => read(text),
        Given::List(texts) => texts.iter_mut().for_each(read),
        Given::Table(entries) => entries.iter_mut().flat_map(|(_, texts)| texts).for_each(read),
        Given::Bool(_) | Given::Null => {}
    }
}
