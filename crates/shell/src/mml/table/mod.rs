//! The node's commands: one table, from which lines are read, help is printed and words are completed.
//!
//! A form turns into the JSON of a [`pbx::commands::Command`]: `command` and `verb` choose the variant, each parameter
//! is a field of it. What a value must look like is checked by the command itself, in one place for all doors.

mod diversion;
mod extensions;
mod features;
mod numbers;
mod phones;
mod routes;
mod system;

/// How a parameter's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Text that is never shown again.
    Secret,
    /// Text; `ALL` is the same as leaving it out.
    TextOrAll,
    /// A whole number.
    Number,
    /// Of UDP or TCP, 0 to 65535.
    Port,
    /// A whole number; `ALL` is the same as leaving it out.
    NumberOrAll,
    /// `yes`/`no`, `true`/`false`, `1`/`0`, `on`/`off`.
    YesNo,
    /// Text that may be left out, with the option still given.
    MaybeText,
    /// Trunk individuals: text, with the guide's placeholder pointed out.
    Individuals,
    /// `name0` to `name7`: eight fields of one name, by index.
    Eight,
}

/// One parameter of a form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// As it is written; the first is the one that help shows.
    pub names: &'static [&'static str],
    /// The field of the command.
    pub field: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub help: &'static str,
}

/// One way to write a command: an MML name, or a unix-style name with its switch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub name: &'static str,
    /// `-i`, `-set`; none where the name says it all.
    pub switch: Option<&'static str>,
    pub mml: bool,
    pub command: &'static str,
    pub verb: &'static str,
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
}

/// A word that the guide, or a tired hand, writes for another.
pub(crate) struct Slip {
    pub wrong: &'static str,
    pub right: &'static str,
}

/// Command names.
pub(crate) const COMMAND_SLIPS: &[Slip] = &[Slip { wrong: "ip_route", right: "sip_route" }];

/// Parameter names, in any command that has the right one.
pub(crate) const PARAMETER_SLIPS: &[Slip] =
    &[Slip { wrong: "rm", right: "TRM" }, Slip { wrong: "remotepoint", right: "remoteport" }];

const fn p(names: &'static [&'static str], field: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { names, field, kind, required: false, help }
}

const fn needed(names: &'static [&'static str], field: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { names, field, kind, required: true, help }
}

const fn mml(
    name: &'static str,
    command: &'static str,
    verb: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
) -> Form {
    Form { name, switch: None, mml: true, command, verb, summary, parameters }
}

const fn unix(
    name: &'static str,
    switch: Option<&'static str>,
    command: &'static str,
    verb: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
) -> Form {
    Form { name, switch, mml: false, command, verb, summary, parameters }
}

use Kind::{Eight, Text, TextOrAll};

const DIR: &[&str] = &["d", "dir"];
const NEEDED_DIR: Parameter = needed(DIR, "dir", Text, "the extension's number");
const ONE_DIR: &[Parameter] = &[NEEDED_DIR];
const DIR_OR_ALL: &[Parameter] = &[p(DIR, "dir", TextOrAll, "the extension's number, or all (default)")];

/// The families, in the order in which help lists them.
const FAMILIES: &[&[Form]] = &[
    numbers::FORMS,
    routes::FORMS,
    extensions::FORMS,
    phones::FORMS,
    diversion::FORMS,
    features::FORMS,
    system::FORMS,
];

/// Every way to write a command.
pub(crate) fn all() -> impl Iterator<Item = &'static Form> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The forms of a command, by its name in any case.
pub(crate) fn forms(name: &str) -> impl Iterator<Item = &'static Form> + '_ {
    all().filter(move |form| form.name.eq_ignore_ascii_case(name))
}

/// Whether a line that begins with this word is a new command.
pub(crate) fn is_command(word: &str) -> bool {
    forms(word).next().is_some()
        || COMMAND_SLIPS.iter().any(|slip| slip.wrong.eq_ignore_ascii_case(word))
        || ["help", "exit", "quit", "?", "mxone_certificate"].contains(&word)
}

/// Whether an option of a command is complete without a value: a switch, or one whose value may be left out.
pub(crate) fn stands_alone(command: &str, option: &str) -> bool {
    let bare = option.trim_start_matches('-').to_ascii_lowercase();
    let maybe = |form: &Form| form.parameter(&bare).is_some_and(|(parameter, _)| parameter.kind == Kind::MaybeText);
    bare == "help" || forms(command).any(|form| form.is_switch(option) || maybe(form))
}

impl Form {
    /// Whether an option is the form's switch, in its short or its long form.
    pub(crate) fn is_switch(&self, option: &str) -> bool {
        let bare = |text: &str| text.trim_start_matches('-').to_ascii_lowercase();
        let long = match self.switch {
            Some("-i") => "initiate",
            Some("-c") => "change",
            Some("-e") => "end",
            Some("-p") => "print",
            _ => "",
        };
        option.starts_with('-')
            && self.switch.is_some_and(|switch| bare(switch) == bare(option) || bare(option) == long)
    }

    /// The parameter whose value follows the switch itself.
    pub(crate) fn switch_parameter(&self) -> Option<&'static Parameter> {
        let (parameter, _) = self.parameter(self.switch?.trim_start_matches('-'))?;
        Some(parameter)
    }

    /// The parameter of that name, in any case; for [`Kind::Eight`] with its index.
    pub(crate) fn parameter(&self, name: &str) -> Option<(&'static Parameter, usize)> {
        self.parameters.iter().find_map(|parameter| {
            parameter.names.iter().find_map(|known| match parameter.kind {
                Eight => {
                    let (stem, index) = name.split_at_checked(known.len())?;
                    let index = index.parse::<usize>().ok().filter(|index| *index < 8)?;
                    stem.eq_ignore_ascii_case(known).then_some((parameter, index))
                }
                _ => known.eq_ignore_ascii_case(name).then_some((parameter, 0)),
            })
        })
    }

    /// How the parameter is written in this form: `ROU`, `-route`, `--dest-number`, `-d`.
    pub(crate) fn written(&self, parameter: &Parameter) -> String {
        let name = parameter.names.first().copied().unwrap_or_default();
        match parameter.kind {
            Eight => format!("-{name}0"),
            _ if self.mml => name.into(),
            // The newer commands write long options with two dashes, the older with one.
            _ if name.len() > 1 && self.switch.is_some_and(|switch| switch.len() == 2) => format!("--{name}"),
            _ => format!("-{name}"),
        }
    }
}
