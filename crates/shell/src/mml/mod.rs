//! The node's shell language: MML lines and unix-style lines, as the guide writes both.

mod help;
pub(crate) mod lexer;
mod parse;
pub(crate) mod table;

use std::sync::mpsc;

use pbx::commands::{Answer, Command, CommandError};

use crate::fault::{Fault, Statement};
use crate::net::Net;
use crate::session::{Execute, Refusal, Said, TIMEOUT};

pub(crate) use help::{complete, help};

/// Hands a command to the node; the reply comes from the node's thread.
pub(crate) type Node = Execute<Command, Answer, CommandError>;

/// Splits a script into statements.
pub(crate) fn statements(script: &str) -> Vec<Statement> {
    lexer::statements(script, table::is_command)
}

/// Reads a statement and has it executed.
pub(crate) fn run(statement: &Statement, net: Option<&Net>, node: &Node) -> Result<Said, Refusal> {
    let text = &statement.text;
    let mut words = text.trim_end_matches(';').split_whitespace();
    if let Some("help" | "?") = words.next() {
        return help(words.next()).map(Said::text).map_err(|message| Refusal::at(Fault::new(message, 0..text.len())));
    }
    if let [name, "-help" | "--help"] = text.split_whitespace().collect::<Vec<_>>().as_slice() {
        return help(Some(name)).map(Said::text).map_err(|message| Refusal::at(Fault::new(message, 0..name.len())));
    }
    let parsed = parse::parse(text, net).map_err(|refused| Refusal {
        fault: refused.fault,
        secrets: refused.secrets,
        notes: Vec::new(),
    })?;
    let refuse = |fault| Refusal { fault, secrets: parsed.secrets.clone(), notes: parsed.notes.clone() };
    // The table and the commands belong together; a test holds them to it.
    let command: Command = serde_json::from_value(parsed.json.clone())
        .map_err(|error| refuse(Fault::nowhere(format!("NOT ACCEPTED: {}: {error}", parsed.form.name))))?;

    let (send, receive) = mpsc::channel();
    node(command, Box::new(move |result| drop(send.send(result))));
    match receive.recv_timeout(TIMEOUT) {
        Ok(Ok(answer)) => Ok(Said { output: answer.to_string(), notes: parsed.notes.clone() }),
        Ok(Err(error)) => {
            let message = error.to_string();
            Err(refuse(parsed.fault(message, error.parameter())))
        }
        Err(_) => Err(refuse(Fault::nowhere("NOT EXECUTED: the node does not answer"))),
    }
}
