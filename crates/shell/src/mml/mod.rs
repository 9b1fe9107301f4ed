//! The node's shell language: MML lines and unix-style lines, as the guide writes both.

mod backup;
mod certificate;
mod help;
pub(crate) mod lexer;
mod parse;
mod reference;
pub(crate) mod table;
mod write;

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;

use pbx::commands::{Answer, Command, CommandError, Config};

use crate::fault::{Fault, Statement};
use crate::net::Net;
use crate::session::{Execute, Refusal, Said, TIMEOUT};

pub(crate) use help::{complete, help};
pub(crate) use reference::reference;

/// Hands a command to the node; the reply comes from the node's thread.
pub(crate) type Node = Execute<Command, Answer, CommandError>;

/// Splits a script into statements.
pub(crate) fn statements(script: &str) -> Vec<Statement> {
    lexer::statements(script, table::is_command, table::stands_alone)
}

/// Whether a person who typed this has more to type.
pub(crate) fn breaks_off(text: &str) -> bool {
    lexer::breaks_off(text, table::stands_alone)
}

/// Hands commands to the node that only change its configuration; none after the first that is refused is executed.
pub(crate) type Scripts = Execute<Vec<Command>, Vec<Result<Answer, CommandError>>, CommandError>;

/// What a statement was read as.
pub(crate) enum Read {
    /// Help: nothing to execute.
    Said(Said),
    Command(Command, Origin),
    /// What the shell executes itself: keeping the configuration, bringing it back.
    Kept(Origin),
}

/// Where a command comes from, to say what became of it.
pub(crate) struct Origin {
    parsed: parse::Parsed,
}

/// Reads a statement.
pub(crate) fn read(statement: &Statement, net: Option<&Net>) -> Result<Read, Refusal> {
    let text = &statement.text;
    if let ["config", "export"] = text.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().as_slice() {
        return read(&Statement { text: "export".into(), line: statement.line }, net);
    }
    let mut words = text.trim_end_matches(';').split_whitespace();
    if let Some("help" | "?") = words.next() {
        return help(words.next())
            .map(|text| Read::Said(Said::text(text)))
            .map_err(|message| Refusal::at(Fault::new(message, 0..text.len())));
    }
    if let [name, "-help" | "--help"] = text.split_whitespace().collect::<Vec<_>>().as_slice() {
        return help(Some(name))
            .map(|text| Read::Said(Said::text(text)))
            .map_err(|message| Refusal::at(Fault::new(message, 0..name.len())));
    }
    if goes_on(statement).is_some() {
        return Ok(Read::Said(Said::text("EXECUTED\n".into())));
    }
    if let Some(fault) = certificate::in_prose(text) {
        return Err(Refusal::at(fault));
    }
    let mut parsed = parse::parse(text, net).map_err(|refused| Refusal {
        fault: refused.fault,
        secrets: refused.secrets,
        notes: Vec::new(),
    })?;
    if parsed.form.command.is_empty() {
        return Ok(Read::Kept(Origin { parsed }));
    }
    let json = std::mem::take(&mut parsed.json);
    let origin = Origin { parsed };
    // The table and the commands belong together; a test holds them to it.
    match serde_json::from_value(json) {
        Ok(command) => Ok(Read::Command(command, origin)),
        Err(error) => {
            let message = format!("NOT ACCEPTED: {}: {error}", origin.parsed.form.name);
            Err(origin.refusal(Fault::nowhere(message)))
        }
    }
}

impl Origin {
    fn refusal(self, fault: Fault) -> Refusal {
        Refusal { fault, secrets: self.parsed.secrets, notes: self.parsed.notes }
    }

    /// What to print of the command's answer.
    pub(crate) fn conclude(self, result: Result<Answer, CommandError>) -> Result<Said, Refusal> {
        match result {
            Ok(answer) => Ok(Said { output: printed(&answer), notes: self.parsed.notes }),
            Err(error) => {
                let fault = self.parsed.fault(error.to_string(), error.parameter());
                Err(self.refusal(fault))
            }
        }
    }

    pub(crate) fn unanswered(self) -> Refusal {
        self.refusal(Fault::nowhere("NOT EXECUTED: the node does not answer"))
    }
}

/// Reads a statement and has it executed.
///
/// `data` is the node's data folder, where backups are kept.
pub(crate) fn run(statement: &Statement, net: Option<&Net>, data: Option<&Path>, node: &Node) -> Result<Said, Refusal> {
    let (command, origin) = match read(statement, net)? {
        Read::Said(said) => return Ok(said),
        Read::Command(command, origin) => (command, origin),
        Read::Kept(origin) => {
            let kept = match data {
                Some(data) => kept(&origin.parsed, data, node),
                None => Err("NOT EXECUTED: this shell has no data folder".into()),
            };
            return match kept {
                Ok(output) => Ok(Said { output, notes: origin.parsed.notes }),
                Err(message) => {
                    let fault = origin.parsed.fault(message, Some("file"));
                    Err(origin.refusal(fault))
                }
            };
        }
    };
    match ask(node, command) {
        Ok(result) => origin.conclude(result),
        Err(_) => Err(origin.unanswered()),
    }
}

/// What the node answers to a command, or that it does not answer.
fn ask(node: &Node, command: Command) -> Result<Result<Answer, CommandError>, &'static str> {
    let (send, receive) = mpsc::channel();
    node(command, Box::new(move |result| drop(send.send(result))));
    receive.recv_timeout(TIMEOUT).map_err(|_| "NOT EXECUTED: the node does not answer")
}

/// The commands that the shell executes itself, with the node's help: keeping the configuration, bringing it back.
fn kept(parsed: &parse::Parsed, data: &Path, node: &Node) -> Result<String, String> {
    let ask = |command| -> Result<Answer, String> { ask(node, command)?.map_err(|error| error.to_string()) };
    let name = parsed.json.get("file").and_then(serde_json::Value::as_str).unwrap_or_default();
    match parsed.form.verb {
        "backup" => backup::write(data, name, &printed(&ask(Command::Config(Config::Export {}))?)),
        "restore" => Ok(ask(backup::read(data, name)?)?.to_string()),
        "list" => Ok(backup::list(data)),
        "certificate" => {
            let password = parsed.json.get("password").and_then(serde_json::Value::as_str).unwrap_or_default();
            Ok(printed(&ask(certificate::read(data, name, password)?)?))
        }
        _ => Err("NOT ACCEPTED: say exit_if_error on, or exit_if_error off".into()),
    }
}

/// Whether a statement says that scripts go on after an error (`exit_if_error off`), or that they stop there.
pub(crate) fn goes_on(statement: &Statement) -> Option<bool> {
    let text = statement.text.trim_end_matches(';').to_ascii_lowercase();
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["exit_if_error", "off"] => Some(true),
        ["exit_if_error", "on"] => Some(false),
        _ => None,
    }
}

fn printed(answer: &Answer) -> String {
    let Answer::Script { notes, commands } = answer else { return answer.to_string() };
    let notes = notes.iter().map(|note| format!("# {note}\n"));
    let lines = commands.iter().map(|command| match write::line(command) {
        Some(line) => format!("{line}\n"),
        // A test holds the table to the commands; if it ever fails here, what is missing must be seen.
        None => format!("# not exported: {command:?}\n"),
    });
    notes.chain(lines).collect()
}

/// Where a statement has secrets; `None` when it cannot be taken apart.
pub(crate) fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    lexer::lex(text).ok()?;
    Some(match parse::parse(text, None) {
        Ok(parsed) => parsed.secrets,
        Err(refused) => refused.secrets,
    })
}

#[cfg(test)]
mod tests {
    use super::table::{Form, Kind};
    use super::*;

    /// A line with every parameter of a form.
    fn full(form: &Form) -> String {
        let value = |kind| match kind {
            Kind::Number | Kind::Port | Kind::NumberOrAll => "1",
            Kind::YesNo => "yes",
            Kind::Individuals => "1-1&&1-30",
            _ => "27000",
        };
        let given = form.parameters.iter().map(|parameter| (form.written(parameter), value(parameter.kind)));
        if form.mml {
            let pairs: Vec<String> = given.map(|(name, value)| format!("{name}={value}")).collect();
            return format!("{}:{};", form.name, pairs.join(","));
        }
        let words: Vec<String> = given.map(|(name, value)| format!("{name} {value}")).collect();
        format!("{} {} {}", form.name, form.switch.unwrap_or_default(), words.join(" "))
    }

    #[test]
    fn every_line_of_the_table_is_a_command_of_the_node() {
        for form in table::all().filter(|form| !form.command.is_empty()) {
            let line = full(form);
            let parsed = parse::parse(&line, None).map_err(|refused| refused.fault).unwrap();
            let command: Result<Command, _> = serde_json::from_value(parsed.json.clone());
            assert!(command.is_ok(), "{line}: {:?} of {}", command.err(), parsed.json);
        }
    }

    #[test]
    fn every_field_of_the_commands_has_a_parameter() {
        // A command made from all parameters, written back as JSON, has no field that was left at its default.
        for form in table::all().filter(|form| matches!(form.verb, "initiate" | "change" | "set")) {
            let parsed = parse::parse(&full(form), None).map_err(|refused| refused.fault).unwrap();
            let command: Command = serde_json::from_value(parsed.json).unwrap();
            for (field, value) in serde_json::to_value(&command).unwrap().as_object().unwrap() {
                assert!(!value.is_null(), "{} {}: nothing sets {field}", form.name, form.verb);
            }
        }
    }

    #[test]
    fn every_command_is_written_as_a_line_that_reads_as_the_command() {
        let read = |line: &str| -> Command {
            let parsed = parse::parse(line, None).map_err(|refused| refused.fault).unwrap();
            serde_json::from_value(parsed.json).unwrap()
        };
        for form in table::all().filter(|form| !form.command.is_empty()) {
            let command = read(&full(form));
            let line = write::line(&command).unwrap_or_else(|| panic!("{} can't be written", form.name));
            assert_eq!(read(&line), command, "{line}");
        }
    }

    #[test]
    fn help_tells_every_command_and_parameter() {
        let all = help(None).unwrap();
        for form in table::all() {
            assert!(all.contains(form.name), "{}", form.name);
            let one = help(Some(form.name)).unwrap();
            assert!(form.parameters.iter().all(|parameter| one.contains(&form.written(parameter))), "{one}");
        }
    }
}
