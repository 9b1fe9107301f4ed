//! `Get-Help`, `Get-Command`, `-?`: from the table of cmdlets.

use std::fmt::Write as _;

use um::commands::{Cmdlet, Given, Parameter, cmdlet, cmdlets};

use super::objects::like;
use super::parse::Stage;
use crate::fault::Fault;

/// What the shell itself answers: `help`, `Get-Help NAME`, `NAME -?`, `Get-Command PATTERN`.
pub(super) fn builtin(stage: &Stage, asked: bool) -> Result<Option<String>, Fault> {
    if asked && let Some(cmdlet) = cmdlet(&stage.name) {
        return Ok(Some(one(cmdlet)));
    }
    let pattern = match stage.name.to_ascii_lowercase().as_str() {
        "help" | "get-help" | "?" | "man" => false,
        "get-command" | "gcm" => true,
        _ => return Ok(None),
    };
    let named =
        |argument: &&super::parse::Argument| argument.name.is_empty() || argument.name.eq_ignore_ascii_case("Name");
    let topic = stage.arguments.iter().find(named);
    let name = match topic.map(|argument| (&argument.value, argument.span.clone())) {
        None => return Ok(Some(all("*"))),
        Some((Given::Text(name), span)) => (name, span),
        Some((_, span)) => return Err(Fault::new("write the name of a cmdlet", span)),
    };
    match (cmdlet(name.0), pattern || name.0.contains('*')) {
        (_, true) => Ok(Some(all(name.0))),
        (Some(cmdlet), false) => Ok(Some(one(cmdlet))),
        (None, false) => Err(Fault::new(format!("{} is not a command here; Get-Command lists them", name.0), name.1)),
    }
}

fn all(pattern: &str) -> String {
    let mut text = String::from("Cmdlets (help NAME tells more; exit leaves):\n\n");
    for cmdlet in cmdlets().iter().filter(|cmdlet| like(cmdlet.name, pattern)) {
        let _ = writeln!(text, "  {:<28} {}", cmdlet.name, cmdlet.summary);
    }
    text.push_str(
        "\nA Get can be piped into a Set, Enable, Disable or Remove, into Where-Object, Select-Object, Sort-Object,\n\
         Format-List and Format-Table. -WhatIf only checks; -Confirm:$false does not ask. export prints everything as a script.\n",
    );
    text
}

pub(super) fn one(cmdlet: &Cmdlet) -> String {
    let mut text = format!("{}\n  {}\n", cmdlet.name, cmdlet.summary);
    if !cmdlet.note.is_empty() {
        let _ = writeln!(text, "  {}", cmdlet.note);
    }
    if !cmdlet.aliases.is_empty() {
        let _ = writeln!(text, "  Known as {}, too.", cmdlet.aliases.join(", "));
    }
    if cmdlet.asks {
        text.push_str("  A person is asked first, unless -Confirm:$false is written.\n");
    }
    for parameter in &cmdlet.parameters {
        let _ = write!(text, "\n  -{}  {}{}", parameter.name, parameter.syntax, remark(parameter));
        let _ = write!(text, "\n      {}", parameter.help);
        if parameter.idle {
            text.push_str(" Kept; no effect yet.");
        }
    }
    if !cmdlet.parameters.is_empty() {
        text.push('\n');
    }
    text
}

/// Whether it is needed, or what holds without it. Set-… leaves alone what is not named.
fn remark(parameter: &Parameter) -> String {
    match (parameter.required, parameter.default.as_str()) {
        (true, _) => " (needed)".into(),
        (false, "" | "{}") => String::new(),
        (false, default) => format!(" (default {default})"),
    }
}
