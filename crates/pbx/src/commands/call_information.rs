use super::{Answer, Command, CommandError, Outcome, check};
use crate::configuration::{Configuration, Edit};
use serde::{Deserialize, Serialize};

/// `callinfo_output_set`, `callinfo_status_set`, `callinfo_output_remove`, `callinfo_output_print`: where call records go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallInformation {
    OutputSet(OutputSet),
    StatusSet {
        output: u32,
        /// `on` or `off`.
        state: bool,
    },
    OutputRemove {
        output: u32,
    },
    Print {},
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSet {
    /// 0 to 9.
    pub output: u32,
    /// `file`, the one type there is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `commaseparated`, the one form there is.
    pub subtype: Option<String>,
    /// The file's name, without a path: it lies in the data folder, under `call_information`.
    pub dbname: Option<String>,
}

impl CallInformation {
    pub(super) fn run(self, configuration: &Configuration) -> Outcome {
        let mut system = configuration.system.clone();
        let assigned = |output: u32| {
            let mend = "set it with callinfo_output_set first";
            let known = configuration.system.outputs.contains_key(&output);
            if known { Ok(()) } else { Err(CommandError::not_assigned("output", output, mend)) }
        };
        match self {
            CallInformation::OutputSet(set) => {
                let number = check::within("output", Some(set.output), 0, 0..=9)?;
                only("type", set.kind, "file")?;
                only("subtype", set.subtype, "commaseparated")?;
                let mut entry = system.outputs.get(&number).cloned().unwrap_or_default();
                match set.dbname {
                    Some(name) => entry.file = file_name(&name)?,
                    None if entry.file.is_empty() => {
                        return Err(CommandError::missing("dbname", "give the file's name, such as calls"));
                    }
                    None => {}
                }
                let taken = system.outputs.iter().find(|(other, known)| **other != number && known.file == entry.file);
                if let Some((other, known)) = taken {
                    let mend = format!("output {other} writes it");
                    return Err(CommandError::already_assigned("dbname", &known.file, &mend));
                }
                system.outputs.insert(number, entry);
            }
            CallInformation::StatusSet { output, state } => {
                assigned(output)?;
                if let Some(entry) = system.outputs.get_mut(&output) {
                    entry.on = state;
                }
            }
            CallInformation::OutputRemove { output } => {
                assigned(output)?;
                if system.outputs.get(&output).is_some_and(|entry| entry.on) {
                    let mend = "it is on: callinfo_status_set -state off first";
                    return Err(CommandError::in_use("output", output, mend));
                }
                system.outputs.remove(&output);
            }
            CallInformation::Print {} => {
                let rows = system.outputs.iter().map(|(number, entry)| {
                    let state = if entry.on { "on" } else { "off" };
                    vec![number.to_string(), "file".into(), "commaseparated".into(), entry.file.clone(), state.into()]
                });
                let columns = ["Output", "Type", "Subtype", "Dbname", "State"];
                return Ok((Vec::new(), Answer::table("", &columns, rows.collect())));
            }
        }
        Ok((vec![Edit::System(Box::new(system))], Answer::done()))
    }
}

fn only(parameter: &str, value: Option<String>, known: &str) -> Result<(), CommandError> {
    match value {
        Some(other) if !other.eq_ignore_ascii_case(known) => {
            Err(CommandError::invalid(parameter, other, format!("give {known}, the one there is")))
        }
        _ => Ok(()),
    }
}

/// A name that stays in its folder.
fn file_name(name: &str) -> Result<String, CommandError> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=40).contains(&name.len()) && !name.starts_with('.') && name.chars().all(good) {
        return Ok(name.to_owned());
    }
    let mend =
        "give a name of letters, digits, - and _ without a path: the file lies in the data folder's call_information";
    Err(CommandError::invalid("dbname", name, mend))
}

pub(super) fn export(configuration: &Configuration) -> Vec<Command> {
    let mut commands = Vec::new();
    for (output, entry) in &configuration.system.outputs {
        commands.push(Command::CallInformation(CallInformation::OutputSet(OutputSet {
            output: *output,
            kind: Some("file".into()),
            subtype: Some("commaseparated".into()),
            dbname: Some(entry.file.clone()),
        })));
        if entry.on {
            commands.push(Command::CallInformation(CallInformation::StatusSet { output: *output, state: true }));
        }
    }
    commands
}
