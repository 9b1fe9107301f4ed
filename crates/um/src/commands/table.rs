//! The table of cmdlets: what each takes, in what form, and what is said about it. Parsing, help, completion, export and
//! the reference page are all made from it; that it fits [`Command`] is tested.

use super::error::CommandError;
use super::value::{Given, Value};
use super::{
    Command, active_calls, auto_attendant, call_answering_rule, call_record, connectivity, dial_plan,
    distribution_group, hunt_group, ip_gateway, mailbox, mailbox_policy, pin, play_on_phone, prompt, service,
};
use serde_json::{Map, Value as Json};
use std::sync::OnceLock;

/// One parameter of a cmdlet.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Parameter {
    /// As it is written after the dash.
    pub name: &'static str,
    /// What may be written, and its range.
    pub syntax: String,
    /// The value when it is not given; empty when there is none.
    pub default: String,
    pub required: bool,
    pub help: &'static str,
    /// It is kept, checked and printed, and has no effect yet.
    pub idle: bool,
    /// Its value is never shown again.
    pub secret: bool,
    /// The noun of the objects that it names (`UMDialPlan`), for completion.
    pub names: Option<&'static str>,
    /// The words that may be written; none where anything else may be.
    pub choices: &'static [&'static str],
    /// `$null` is a value of it, and not the same as leaving it out.
    nullable: bool,
    #[serde(skip)]
    read: Read,
}

/// What was written, as the JSON that [`Command`] is read from.
type Read = fn(&Given) -> Result<Json, String>;

fn read<T: Value>(given: &Given) -> Result<Json, String> {
    let value = T::read(given)?;
    // These types have string keys and no failing serialiser.
    Ok(serde_json::to_value(value).unwrap_or_default())
}

impl Parameter {
    /// A parameter of its own, which may be left out.
    pub(super) fn of<T: Value>(name: &'static str, help: &'static str) -> Parameter {
        Parameter {
            name,
            syntax: T::syntax(),
            default: String::new(),
            required: false,
            help,
            idle: false,
            secret: false,
            names: None,
            choices: T::choices(),
            nullable: false,
            read: read::<T>,
        }
    }

    /// A setting of an object (see `settings!`).
    pub(super) fn setting<T: Value>(name: &'static str, help: &'static str, default: &T, range: &str) -> Parameter {
        let syntax = if range.is_empty() { T::syntax() } else { format!("{}, {range}", T::syntax()) };
        Parameter { default: default.show(), nullable: true, ..Parameter::of::<T>(name, help).written(&syntax) }
    }

    pub(super) fn needed(self) -> Parameter {
        Parameter { required: true, ..self }
    }

    pub(super) fn written(self, syntax: &str) -> Parameter {
        Parameter { syntax: syntax.into(), ..self }
    }

    pub(super) fn by_default(self, default: &str) -> Parameter {
        Parameter { default: default.into(), ..self }
    }

    pub(super) fn naming(self, noun: &'static str) -> Parameter {
        Parameter { names: Some(noun), ..self }
    }

    pub(super) fn idle(self) -> Parameter {
        Parameter { idle: true, ..self }
    }

    pub(super) fn secret(self) -> Parameter {
        Parameter { secret: true, ..self }
    }

    pub(super) fn attendant(self) -> Parameter {
        self.naming("UMAutoAttendant")
    }

    pub(super) fn plans(self) -> Parameter {
        self.naming("UMDialPlan")
    }

    /// Whether what was written is what holds anyway.
    pub fn is_default(&self, given: &Given) -> bool {
        let shown = match given {
            Given::Bool(value) => value.show(),
            Given::Text(text) => text.clone(),
            Given::List(items) => items.to_vec().show(),
            Given::Null => String::new(),
            Given::Table(_) => return false,
        };
        shown.trim_start_matches('$').eq_ignore_ascii_case(&self.default)
    }
}

/// A cmdlet.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Cmdlet {
    pub name: &'static str,
    pub summary: &'static str,
    pub parameters: Vec<Parameter>,
    /// Other names that it is known by.
    pub aliases: &'static [&'static str],
    /// What there is to say about all of it.
    pub note: &'static str,
    /// What it does is not simply undone: a person is asked first.
    pub asks: bool,
}

impl Cmdlet {
    pub(super) fn new(name: &'static str, summary: &'static str, parameters: Vec<Parameter>) -> Cmdlet {
        Cmdlet { name, summary, parameters, aliases: &[], note: "", asks: false }
    }

    /// With the settings of its object.
    pub(super) fn and(mut self, settings: Vec<Parameter>) -> Cmdlet {
        self.parameters.extend(settings);
        self
    }

    /// One of the settings must be given.
    pub(super) fn needs(mut self, name: &str) -> Cmdlet {
        for parameter in &mut self.parameters {
            parameter.required |= parameter.name == name;
        }
        self
    }

    pub(super) fn alias(self, aliases: &'static [&'static str]) -> Cmdlet {
        Cmdlet { aliases, ..self }
    }

    pub(super) fn note(self, note: &'static str) -> Cmdlet {
        Cmdlet { note, ..self }
    }

    pub(super) fn asks(self) -> Cmdlet {
        Cmdlet { asks: true, ..self }
    }

    /// The parameter that a value without a name belongs to.
    pub fn first(&self) -> Option<&Parameter> {
        ["Identity", "Name", "Mailbox"].iter().find_map(|name| self.exact(name))
    }

    /// By the whole name, in any case.
    pub fn exact(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// By name in any case, or by any unambiguous beginning of it, as PowerShell has it. An empty name is that of a value
    /// without one.
    ///
    /// # Errors
    /// No such parameter, or several that begin so.
    pub fn parameter(&self, written: &str) -> Result<&Parameter, CommandError> {
        if written.is_empty() {
            return self.first().ok_or_else(|| CommandError::Positional { cmdlet: self.name.into() });
        }
        if let Some(exact) = self.exact(written) {
            return Ok(exact);
        }
        let begins = |name: &str| name.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written));
        let mut candidates = self.parameters.iter().filter(|parameter| begins(parameter.name));
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(only),
            (Some(one), Some(other)) => Err(CommandError::Ambiguous {
                parameter: written.into(),
                candidates: format!("{}, {}", one.name, other.name),
            }),
            (None, _) => Err(self.unknown(written)),
        }
    }

    fn unknown(&self, written: &str) -> CommandError {
        CommandError::UnknownParameter {
            cmdlet: self.name.into(),
            parameter: written.into(),
            known: self.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", "),
        }
    }
}

/// All cmdlets, in the order in which help lists them.
pub fn cmdlets() -> &'static [Cmdlet] {
    static TABLE: OnceLock<Vec<Cmdlet>> = OnceLock::new();
    TABLE.get_or_init(|| {
        [
            dial_plan::cmdlets(),
            ip_gateway::cmdlets(),
            hunt_group::cmdlets(),
            mailbox_policy::cmdlets(),
            auto_attendant::cmdlets(),
            mailbox::cmdlets(),
            pin::cmdlets(),
            distribution_group::cmdlets(),
            call_answering_rule::cmdlets(),
            prompt::cmdlets(),
            service::cmdlets(),
            active_calls::cmdlets(),
            call_record::cmdlets(),
            connectivity::cmdlets(),
            play_on_phone::cmdlets(),
        ]
        .concat()
    })
}

/// A cmdlet by its name or an alias, in any case.
pub fn cmdlet(name: &str) -> Option<&'static Cmdlet> {
    let alike = |other: &str| other.eq_ignore_ascii_case(name);
    cmdlets().iter().find(|cmdlet| alike(cmdlet.name) || cmdlet.aliases.iter().any(|alias| alike(alias)))
}

/// From a cmdlet's name and parameters, as written, to a command.
pub(super) fn parse(name: &str, given: Vec<(String, Given)>) -> Result<Command, CommandError> {
    let Some(cmdlet) = cmdlet(name) else {
        return Err(CommandError::UnknownCmdlet { cmdlet: name.into(), near: near(name) });
    };
    let mut fields = Map::new();
    fields.insert("Cmdlet".into(), cmdlet.name.into());
    for (written, value) in given {
        let parameter = cmdlet.parameter(&written)?;
        if fields.contains_key(parameter.name) {
            return Err(CommandError::Repeated { parameter: parameter.name.into() });
        }
        let value = (parameter.read)(&value).map_err(|mend| CommandError::bad(parameter.name, mend))?;
        fields.insert(parameter.name.into(), value);
    }
    let missing = cmdlet.parameters.iter().find(|parameter| parameter.required && !fields.contains_key(parameter.name));
    if let Some(missing) = missing {
        return Err(CommandError::Missing { cmdlet: cmdlet.name.into(), parameter: missing.name.into() });
    }
    Command::from_fields(Json::Object(fields))
        .map_err(|error| CommandError::Unreadable { cmdlet: cmdlet.name.into(), reason: error.to_string() })
}

/// The other way: a command's parameters with their values, in the table's order, those left out that say nothing.
pub(super) fn fields(command: &Command) -> Vec<(&'static Parameter, Json)> {
    let Some(cmdlet) = cmdlet(command.cmdlet()) else { return Vec::new() };
    let Ok(Json::Object(mut fields)) = serde_json::to_value(command) else { return Vec::new() };
    cmdlet
        .parameters
        .iter()
        .filter_map(|parameter| Some((parameter, fields.remove(parameter.name)?)))
        .filter(|(parameter, value)| parameter.nullable || !value.is_null())
        .collect()
}

/// Refuses JSON with a field that its cmdlet does not have: a misspelt one must not be passed over.
pub(super) fn check_fields(json: &Json) -> Result<(), CommandError> {
    let Some(fields) = json.as_object() else { return Ok(()) };
    let Some(cmdlet) = fields.get("Cmdlet").and_then(Json::as_str).and_then(cmdlet) else { return Ok(()) };
    let known = |name: &str| name == "Cmdlet" || cmdlet.parameters.iter().any(|parameter| parameter.name == name);
    match fields.keys().find(|name| !known(name)) {
        Some(unknown) => Err(cmdlet.unknown(unknown)),
        None => Ok(()),
    }
}

/// The cmdlets of the same verb or noun; all of them when there is none.
fn near(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let (verb, noun) = lower.split_once('-').unwrap_or((&lower, ""));
    let alike = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split_once('-').is_some_and(|(v, n)| (!noun.is_empty() && n == noun) || v == verb)
    };
    let names = |keep: &dyn Fn(&str) -> bool| -> Vec<&str> {
        cmdlets().iter().map(|cmdlet| cmdlet.name).filter(|name| keep(name)).collect()
    };
    let mut found = names(&alike);
    if found.is_empty() {
        found = names(&|_| true);
    }
    found.join(", ")
}

// ---- parameters that many cmdlets have ----

pub(super) fn name() -> Parameter {
    Parameter::of::<String>("Name", "What it is called.").written("a text of at most 64 characters").needed()
}

pub(super) fn identity(noun: &'static str) -> Vec<Parameter> {
    vec![Parameter::of::<String>("Identity", "Which one.").written("the name of an object").naming(noun).needed()]
}

pub(super) fn identity_or_all(noun: &'static str) -> Vec<Parameter> {
    let which = Parameter::of::<String>("Identity", "Which one; none: all.");
    vec![which.written("the name of an object").naming(noun)]
}

pub(super) fn dial_plan(help: &'static str) -> Parameter {
    Parameter::of::<String>("UMDialPlan", help).written("the name of a dial plan").naming("UMDialPlan")
}

pub(super) fn gateway(help: &'static str) -> Parameter {
    Parameter::of::<String>("UMIPGateway", help).written("the name of a gateway").naming("UMIPGateway")
}

/// A mailbox, whatever it is known by.
pub(super) fn who(name: &'static str, help: &'static str) -> Parameter {
    Parameter::of::<String>(name, help).written("a mailbox's name, alias, mail address or extension").naming("Mailbox")
}
