//! The UM server's shell language: cmdlets in PowerShell's syntax.

mod complete;
mod help;
mod lexer;
mod objects;
mod parse;
mod prompt_file;
mod reference;
mod script;
mod write;

use std::sync::mpsc;

use um::commands::{Answer, Cmdlet, Command, CommandError, Given, cmdlet};

use crate::fault::{Fault, Statement};
use crate::net::Net;
use crate::session::{Execute, Refusal, Said, TIMEOUT};
use objects::{Flow, Record};
use parse::{Argument, Pipeline, Stage};

pub(crate) use complete::complete;
pub(crate) use reference::reference;
pub(crate) use script::{breaks_off, masked, statements};

/// Hands a command to the UM server; the reply comes from the server's thread.
pub(crate) type Server = Execute<Command, Answer, CommandError>;

/// Parameters that every cmdlet has. `-WhatIf`, `-Confirm` and `-ErrorAction` do what they say.
const COMMON: [&str; 10] = [
    "WhatIf",
    "Confirm",
    "ErrorAction",
    "WarningAction",
    "Verbose",
    "Debug",
    "DomainController",
    "Force",
    "OutVariable",
    "IgnoreDefaultScope",
];

/// One of them, by its whole name or by any beginning that no other has.
fn common(written: &str) -> Option<&'static str> {
    let exact = COMMON.iter().find(|name| name.eq_ignore_ascii_case(written));
    let begins = |name: &&&str| name.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written));
    let mut candidates = COMMON.iter().filter(begins);
    let only = candidates.next().filter(|_| candidates.next().is_none() && !written.is_empty());
    exact.or(only).copied()
}

/// What the common parameters of a cmdlet ask for.
#[derive(Clone, Default)]
struct Wishes {
    what_if: bool,
    /// An error is told, and the script goes on.
    go_on: bool,
    help: bool,
}

/// Reads a statement and has it executed.
pub(crate) fn run(statement: &Statement, net: Option<&Net>, server: &Server) -> Result<Said, Refusal> {
    let Pipeline { mut stages, mut notes, secrets } = match parse::parse(&statement.text, net) {
        Ok(pipeline) => pipeline,
        Err(fault) => {
            return Err(Refusal { fault, secrets: script::rough_secrets(&statement.text), notes: Vec::new() });
        }
    };
    let wishes: Vec<Wishes> = stages.iter_mut().map(|stage| prepare(stage, &mut notes)).collect();
    match pipeline(&mut stages, &wishes, &mut notes, server) {
        Ok(output) => Ok(Said { output, notes }),
        Err(fault) if wishes.iter().any(|wishes| wishes.go_on) => {
            notes.push(format!("error: {}", fault.message));
            Ok(Said { output: String::new(), notes })
        }
        Err(fault) => Err(Refusal { fault, secrets, notes }),
    }
}

/// What a person is asked before this is carried out; `None` when nobody has to be asked.
pub(crate) fn question(text: &str) -> Option<String> {
    let mut pipeline = parse::parse(text, None).ok()?;
    let stage = pipeline.stages.last_mut()?;
    let is = |name: &str, argument: &Argument| common(&argument.name) == Some(name);
    let confirm = stage.arguments.iter().find(|argument| is("Confirm", argument)).map(|argument| &argument.value);
    let what_if = stage.arguments.iter().any(|argument| is("WhatIf", argument) && argument.value != Given::Bool(false));
    let cmdlet = cmdlet(&stage.name)?;
    let asks = match confirm {
        Some(value) => *value != Given::Bool(false),
        None => cmdlet.asks,
    };
    if !asks || what_if {
        return None;
    }
    prepare(stage, &mut Vec::new());
    let piped = pipeline.stages.len() > 1;
    let stage = pipeline.stages.last()?;
    let on = if piped { " on each object of the pipe".into() } else { target(stage, None) };
    Some(format!("{}: carry it out{on}? [Y] Yes  [N] No (default is Y): ", cmdlet.name))
}

fn pipeline(
    stages: &mut [Stage],
    wishes: &[Wishes],
    notes: &mut Vec<String>,
    server: &Server,
) -> Result<String, Fault> {
    let Some((first, rest)) = stages.split_first_mut() else { return Ok(String::new()) };
    if let Some(output) = help::builtin(first, wishes.first().is_some_and(|wishes| wishes.help))? {
        return Ok(output);
    }
    let saved = prompt_file::take(first)?;
    // Everything is read before anything is executed, so that a slip in the last cmdlet changes nothing.
    let command = command(first, None)?;
    warn(first, notes);
    for stage in rest.iter().filter(|stage| objects::how(&stage.name).is_none()) {
        let cmdlet = cmdlet(&stage.name);
        let dummy = cmdlet.into_iter().flat_map(|cmdlet| &cmdlet.parameters).map(|one| (one.name.into(), "x".into()));
        self::command(stage, Some(&dummy.chain([("Name".into(), "x".into())]).collect()))?;
        warn(stage, notes);
    }

    let what_if = |index: usize| wishes.get(index).is_some_and(|wishes| wishes.what_if);
    if what_if(0) {
        return Ok(would(&command, first, None));
    }
    let mut flow = flow(execute(command, first, server)?, saved)?;
    for (index, stage) in rest.iter().enumerate() {
        if let Some(how) = objects::how(&stage.name) {
            flow = objects::run(how, stage, flow)?;
            continue;
        }
        let Flow::Objects(records) = flow else {
            return Err(Fault::new(
                "what comes here is text: there is nothing to carry this out on",
                stage.span.clone(),
            ));
        };
        let (mut made, mut text) = (Vec::new(), String::new());
        for record in &records {
            let command = self::command(stage, Some(record))?;
            if what_if(index + 1) {
                text.push_str(&would(&command, stage, Some(record)));
                continue;
            }
            let name = identity(record).unwrap_or_default();
            let answer = execute(command, stage, server)
                .map_err(|fault| Fault { message: format!("{name}: {}", fault.message), ..fault })?;
            made.extend(answer.records());
        }
        flow = if text.is_empty() { Flow::Objects(made) } else { Flow::Text(text) };
    }
    Ok(match flow {
        Flow::Text(text) => text,
        Flow::Objects(records) => objects::print(&records),
    })
}

/// What an answer puts into the pipe.
fn flow(answer: Answer, saved: Option<prompt_file::Save>) -> Result<Flow, Fault> {
    Ok(match (answer, saved) {
        (Answer::Prompt(prompt), Some(save)) => Flow::Text(save.write(&prompt.wav)?),
        (Answer::Script(commands), _) => Flow::Text(write::script(&commands)),
        (Answer::Text(text), _) => Flow::Text(text),
        (answer, _) => Flow::Objects(answer.records()),
    })
}

/// What the next cmdlet of a pipeline takes an object by.
fn identity(record: &Record) -> Option<String> {
    ["Name", "UserID"]
        .iter()
        .find_map(|wanted| record.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()))
}

/// Takes the common parameters out of the arguments.
fn prepare(stage: &mut Stage, notes: &mut Vec<String>) -> Wishes {
    let mut wishes = Wishes::default();
    if objects::how(&stage.name).is_some() {
        return wishes;
    }
    let known = cmdlet(&stage.name);
    stage.arguments.retain(|argument| {
        if argument.name == "?" {
            wishes.help = true;
            return false;
        }
        let own = known.is_some_and(|cmdlet| !argument.name.is_empty() && cmdlet.parameter(&argument.name).is_ok());
        let Some(common) = common(&argument.name).filter(|_| !own) else { return true };
        let word = match &argument.value {
            Given::Text(text) => text.to_ascii_lowercase(),
            _ => String::new(),
        };
        match common {
            "WhatIf" => wishes.what_if = argument.value != Given::Bool(false),
            // A person was asked before the line was sent; nothing asks in a script.
            "Confirm" => {}
            "ErrorAction" => match word.as_str() {
                "continue" | "silentlycontinue" | "ignore" => wishes.go_on = true,
                // That is what happens anyway.
                "stop" => {}
                _ => notes.push(format!("warning: -ErrorAction {word} means nothing here; passed over")),
            },
            _ => notes.push(format!("warning: -{common} means nothing here; passed over")),
        }
        false
    });
    wishes
}

/// Says which of what was written is kept and has no effect yet.
fn warn(stage: &Stage, notes: &mut Vec<String>) {
    let Some(cmdlet) = cmdlet(&stage.name) else { return };
    let idle = stage.arguments.iter().filter_map(|argument| {
        let parameter = cmdlet.parameter(&argument.name).ok()?;
        (parameter.idle && !parameter.is_default(&argument.value)).then_some(parameter.name)
    });
    let names: Vec<String> = idle.map(|name| format!("-{name}")).collect();
    match names.as_slice() {
        [] => {}
        [one] => notes.push(format!("warning: {one} is kept, and has no effect yet")),
        many => notes.push(format!("warning: {} are kept, and have no effect yet", many.join(", "))),
    }
}

fn command(stage: &Stage, piped: Option<&Record>) -> Result<Command, Fault> {
    let mut parameters: Vec<(String, Given)> =
        stage.arguments.iter().map(|Argument { name, value, .. }| (name.clone(), value.clone())).collect();
    if let (Some(record), Some(cmdlet)) = (piped, cmdlet(&stage.name)) {
        let given = |name: &str| {
            let is_it = |argument: &Argument| cmdlet.parameter(&argument.name).is_ok_and(|found| found.name == name);
            stage.arguments.iter().any(is_it)
        };
        let from_pipe = from_pipe(cmdlet, record);
        parameters
            .extend(from_pipe.into_iter().filter(|(name, _)| !given(name)).map(|(name, value)| (name.into(), value)));
    }
    Command::parse(&stage.name, parameters).map_err(|error| locate(stage, &error))
}

/// What a cmdlet takes from an object of the pipe: who it is, and what else it needs and the object has.
fn from_pipe(cmdlet: &Cmdlet, record: &Record) -> Vec<(&'static str, Given)> {
    let named = |name: &str| record.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
    let has_identity = cmdlet.exact("Identity").is_some();
    let taken = cmdlet.parameters.iter().filter_map(|parameter| {
        let value = match parameter.name {
            "Identity" => identity(record),
            // A rule's own mailbox, else the mailbox that the object is.
            "Mailbox" => named("Mailbox").or_else(|| identity(record)).filter(|_| parameter.required || !has_identity),
            name if parameter.required || !has_identity => named(name),
            _ => None,
        };
        Some((parameter.name, Given::Text(value.filter(|value| !value.is_empty())?)))
    });
    taken.collect()
}

/// The error at the place of the parameter that it names.
fn locate(stage: &Stage, error: &CommandError) -> Fault {
    let message = error.to_string();
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
    let known = cmdlet(&stage.name);
    let means = |written: &str| {
        let resolved = known.and_then(|cmdlet| cmdlet.parameter(written).ok()).map(|found| found.name);
        resolved.is_some_and(|name| name.eq_ignore_ascii_case(parameter)) || written.eq_ignore_ascii_case(parameter)
    };
    let given = stage.arguments.iter().rfind(|argument| means(&argument.name));
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

/// ` on "MX-ONE"`: the object that is meant, where one is named.
fn target(stage: &Stage, piped: Option<&Record>) -> String {
    let named = ["", "Identity", "Name"].iter().find_map(|name| {
        stage.arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case(name)).map(|argument| &argument.value)
    });
    match (piped.and_then(identity), named) {
        (Some(piped), _) => format!(" on {piped:?}"),
        (None, Some(Given::Text(text))) => format!(" on {text:?}"),
        _ => String::new(),
    }
}

/// What `-WhatIf` prints.
fn would(command: &Command, stage: &Stage, piped: Option<&Record>) -> String {
    if !command.changes() {
        return format!("What if: {} changes nothing.\n", command.cmdlet());
    }
    format!("What if: {} would be carried out{}.\n", command.cmdlet(), target(stage, piped))
}

fn execute(command: Command, stage: &Stage, server: &Server) -> Result<Answer, Fault> {
    // A test call rings for as long as it was told to.
    let patience = match &command {
        Command::TestConnectivity { timeout, .. } => {
            TIMEOUT.saturating_mul(2).saturating_add(std::time::Duration::from_secs(u64::from(timeout.unwrap_or(0))))
        }
        _ => TIMEOUT,
    };
    let (send, receive) = mpsc::channel();
    server(command, Box::new(move |result| drop(send.send(result))));
    match receive.recv_timeout(patience) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(locate(stage, &error)),
        Err(_) => Err(Fault::nowhere("the UM server does not answer")),
    }
}
