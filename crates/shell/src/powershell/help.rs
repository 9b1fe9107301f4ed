//! Help and completion from the table of cmdlets.

use std::fmt::Write as _;

use um::commands::{Cmdlet, Given, cmdlets};

use super::parse::Stage;
use crate::fault::Fault;

/// What the shell itself answers: `help`, `Get-Help NAME`, `Get-Command`.
pub(super) fn builtin(stage: &Stage) -> Result<Option<String>, Fault> {
    match stage.name.to_ascii_lowercase().as_str() {
        "help" | "get-help" | "?" | "man" => {}
        "get-command" => return Ok(Some(all())),
        _ => return Ok(None),
    }
    let topic =
        stage.arguments.iter().find(|argument| argument.name.is_empty() || argument.name.eq_ignore_ascii_case("Name"));
    match topic.map(|argument| (&argument.value, argument.span.clone())) {
        None => Ok(Some(all())),
        Some((Given::Text(name), span)) => match cmdlets().iter().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name))
        {
            Some(cmdlet) => Ok(Some(one(cmdlet))),
            None => Err(Fault::new(format!("{name} is not a command here; Get-Command lists them"), span)),
        },
        Some((_, span)) => Err(Fault::new("write the name of a cmdlet", span)),
    }
}

fn all() -> String {
    let mut text = String::from("Cmdlets (help NAME tells more; exit leaves):\n\n");
    for cmdlet in cmdlets() {
        let _ = writeln!(text, "  {:<26} {}", cmdlet.name, cmdlet.summary);
    }
    text.push_str("\nA Get can be piped into a Set, a Remove, Format-List or Format-Table. -WhatIf only checks.\n");
    text
}

fn one(cmdlet: &Cmdlet) -> String {
    let mut text = format!("{}\n  {}\n", cmdlet.name, cmdlet.summary);
    for parameter in &cmdlet.parameters {
        let _ = write!(text, "\n  -{}  {}", parameter.name, parameter.syntax);
        match (parameter.required, parameter.default.as_str()) {
            (true, _) => text.push_str(" (needed)"),
            (false, "") => {}
            (false, default) => {
                let _ = write!(text, " (default {default})");
            }
        }
        let _ = write!(text, "\n      {}", parameter.help);
    }
    text.push('\n');
    text
}

/// What can stand where the cursor is: what is to be replaced (bytes of `line`), and by what, with a help text each.
pub(crate) fn complete(line: &str, cursor: usize) -> (usize, Vec<(String, String)>) {
    let before = line.get(..cursor).unwrap_or(line);
    let stage_start = before.rfind(['|', ';']).map_or(0, |at| at + 1);
    let stage = before.get(stage_start..).unwrap_or_default();
    let start = before.rfind([' ', '\t', '|', ';', '\n']).map_or(0, |at| at + 1);
    let word = before.get(start..).unwrap_or_default();
    let begins = |text: &str, word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let name = stage.split_whitespace().next().unwrap_or_default();
    let naming = stage.split_whitespace().count() <= 1 && !stage.ends_with(char::is_whitespace) || name.is_empty();
    if naming {
        let mut found: Vec<(String, String)> = cmdlets()
            .iter()
            .filter(|cmdlet| begins(cmdlet.name, word))
            .map(|cmdlet| (format!("{} ", cmdlet.name), cmdlet.summary.to_string()))
            .collect();
        if stage_start > 0 {
            let formats = [
                ("Format-List ", "Prints properties, one a line."),
                ("Format-Table ", "Prints properties as a table."),
            ];
            found.extend(formats.into_iter().filter(|(text, _)| begins(text, word)).map(|(t, h)| (t.into(), h.into())));
        }
        return (start, found);
    }
    let Some(cmdlet) = cmdlets().iter().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name)) else {
        return (start, Vec::new());
    };
    let given = |parameter: &str| {
        stage.split_whitespace().any(|written| written.trim_start_matches('-').eq_ignore_ascii_case(parameter))
    };
    if word.is_empty() || word.starts_with('-') {
        let stem = word.trim_start_matches('-');
        let found = cmdlet
            .parameters
            .iter()
            .filter(|parameter| begins(parameter.name, stem) && !given(parameter.name))
            .map(|parameter| (format!("-{} ", parameter.name), format!("{} ({})", parameter.help, parameter.syntax)))
            .collect();
        return (start, found);
    }
    (start, Vec::new())
}
