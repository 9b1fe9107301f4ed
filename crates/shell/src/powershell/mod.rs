//! The UM server's shell language: cmdlets in PowerShell's syntax.

mod format;
mod help;
mod lexer;
mod parse;

use std::ops::Range;
use std::sync::mpsc;

use um::commands::{Answer, Command, CommandError, Given};

use crate::fault::{Fault, Statement};
use crate::net::Net;
use crate::session::{Execute, Refusal, Said, TIMEOUT};
use parse::{Argument, Pipeline, Stage};

pub(crate) use help::complete;
pub(crate) use lexer::{breaks_off, statements};

/// Hands a command to the UM server; the reply comes from the server's thread.
pub(crate) type Server = Execute<Command, Answer, CommandError>;

/// Parameters that every cmdlet of Exchange has and that mean nothing here; taken, and said so.
const COMMON: [&str; 8] = [
    "ErrorAction",
    "WarningAction",
    "Verbose",
    "Debug",
    "DomainController",
    "Force",
    "OutVariable",
    "IgnoreDefaultScope",
];

/// An object: names and values.
type Record = Vec<(String, String)>;

/// Reads a statement and has it executed.
pub(crate) fn run(statement: &Statement, net: Option<&Net>, server: &Server) -> Result<Said, Refusal> {
    let Pipeline { mut stages, mut notes, secrets } = parse::parse(&statement.text, net).map_err(Refusal::at)?;
    let result = pipeline(&mut stages, &mut notes, server);
    match result {
        Ok(output) => Ok(Said { output, notes }),
        Err(fault) => Err(Refusal { fault, secrets, notes }),
    }
}

/// Where a statement has secrets; `None` when it cannot be read.
pub(crate) fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    parse::parse(text, None).ok().map(|pipeline| pipeline.secrets)
}

fn pipeline(stages: &mut [Stage], notes: &mut Vec<String>, server: &Server) -> Result<String, Fault> {
    let Some((first, rest)) = stages.split_first_mut() else { return Ok(String::new()) };
    if let Some(output) = help::builtin(first)? {
        return Ok(output);
    }
    // Everything is read before anything is executed, so that a slip in the last cmdlet changes nothing.
    let what_if = prepare(first, notes);
    let command = command(first, None)?;
    let mut piped: Vec<(bool, bool)> = Vec::new();
    for stage in rest.iter_mut() {
        let formats = format::is_format(&stage.name);
        let what_if = !formats && prepare(stage, notes);
        if !formats {
            self::command(stage, Some("x"))?;
        }
        piped.push((formats, what_if));
    }

    if what_if {
        return Ok(would(&command, first, None));
    }
    let mut answer = execute(command, first, server)?;
    let mut output = answer.to_string();
    for (stage, (formats, what_if)) in rest.iter().zip(piped) {
        let records = answer.records();
        if formats {
            output = format::run(stage, &records)?;
            answer = Answer::Done(());
            continue;
        }
        output = String::new();
        for record in &records {
            let Some(identity) = identity(record) else { continue };
            let command = self::command(stage, Some(&identity))?;
            if what_if {
                output.push_str(&would(&command, stage, Some(&identity)));
                continue;
            }
            answer = execute(command, stage, server)
                .map_err(|fault| Fault { message: format!("{identity}: {}", fault.message), ..fault })?;
            output.push_str(&answer.to_string());
        }
    }
    Ok(output)
}

/// What the next cmdlet of a pipeline takes an object by.
fn identity(record: &Record) -> Option<String> {
    let named = |wanted: &str| record.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    named("Name").or_else(|| named("UserID"))
}

/// Takes `-WhatIf` and what means nothing here out of the arguments; whether `-WhatIf` holds.
fn prepare(stage: &mut Stage, notes: &mut Vec<String>) -> bool {
    let mut what_if = false;
    stage.arguments.retain(|argument| {
        if argument.name.eq_ignore_ascii_case("WhatIf") {
            what_if = argument.value != Given::Bool(false);
            return false;
        }
        // Nothing asks in a script.
        if argument.name.eq_ignore_ascii_case("Confirm") {
            return false;
        }
        match COMMON.iter().find(|common| common.eq_ignore_ascii_case(&argument.name)) {
            Some(common) => {
                notes.push(format!("warning: -{common} means nothing here; passed over"));
                false
            }
            None => true,
        }
    });
    what_if
}

fn command(stage: &Stage, piped: Option<&str>) -> Result<Command, Fault> {
    let mut parameters: Vec<(String, Given)> =
        stage.arguments.iter().map(|Argument { name, value, .. }| (name.clone(), value.clone())).collect();
    if let Some(identity) = piped {
        parameters.push(("Identity".into(), Given::Text(identity.into())));
    }
    Command::parse(&stage.name, parameters).map_err(|error| locate(stage, &error))
}

/// The error at the place of the parameter that it names.
fn locate(stage: &Stage, error: &CommandError) -> Fault {
    let message = error.to_string();
    let positional = ["Identity", "Name"];
    let Some(parameter) = error.parameter() else {
        return match error {
            CommandError::UnknownCmdlet { .. } => Fault::new(message, stage.span.clone()),
            CommandError::Positional { .. } => {
                let unnamed = stage.arguments.iter().find(|argument| argument.name.is_empty());
                Fault::new(message, unnamed.map_or(stage.span.clone(), |argument| argument.span.clone()))
            }
            _ => Fault::nowhere(message),
        };
    };
    // Names may be written by any unambiguous beginning.
    let begins = |written: &str| {
        parameter.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written)) && !written.is_empty()
    };
    let given = stage.arguments.iter().rfind(|argument| {
        begins(&argument.name)
            || argument.name.eq_ignore_ascii_case(parameter)
            || argument.name.is_empty() && positional.contains(&parameter)
    });
    let by_name = matches!(
        error,
        CommandError::UnknownParameter { .. } | CommandError::Ambiguous { .. } | CommandError::Repeated { .. }
    );
    match given {
        Some(argument) if by_name => Fault::new(message, argument.name_span.clone()),
        Some(argument) => Fault::new(message, argument.span.clone()),
        None => Fault::new(message, stage.end..stage.end),
    }
}

/// What `-WhatIf` prints.
fn would(command: &Command, stage: &Stage, piped: Option<&str>) -> String {
    if !command.changes() {
        return format!("What if: {} changes nothing.\n", command.cmdlet());
    }
    let named = ["", "Identity", "Name"].iter().find_map(|name| {
        stage.arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case(name)).map(|argument| &argument.value)
    });
    let target = match (piped, named) {
        (Some(piped), _) => format!(" on {piped:?}"),
        (None, Some(Given::Text(text))) => format!(" on {text:?}"),
        _ => String::new(),
    };
    format!("What if: {} would be carried out{target}.\n", command.cmdlet())
}

fn execute(command: Command, stage: &Stage, server: &Server) -> Result<Answer, Fault> {
    let (send, receive) = mpsc::channel();
    server(command, Box::new(move |result| drop(send.send(result))));
    match receive.recv_timeout(TIMEOUT) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(locate(stage, &error)),
        Err(_) => Err(Fault::nowhere("the UM server does not answer")),
    }
}
