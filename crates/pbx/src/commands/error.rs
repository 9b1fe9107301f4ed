use serde::{Deserialize, Serialize};

/// Why a command was refused. It then changed nothing. Every variant names the parameter and says what to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum CommandError {
    /// A parameter that the command cannot do without was not given.
    #[error("NOT ACCEPTED: {parameter} is missing: {mend}")]
    Missing { parameter: String, mend: String },
    /// A value has not the form that the parameter takes; `mend` says which form that is.
    #[error("NOT ACCEPTED: {parameter}{}: {mend}", shown(value))]
    Invalid { parameter: String, value: String, mend: String },
    /// The value names something that is not there: initiate it first.
    #[error("NOT ACCEPTED: {parameter}{} NOT ASSIGNED: {mend}", shown(value))]
    NotAssigned { parameter: String, value: String, mend: String },
    /// Initiating something that is there already: change it, or end it first.
    #[error("NOT ACCEPTED: {parameter}{} ALREADY ASSIGNED: {mend}", shown(value))]
    AlreadyAssigned { parameter: String, value: String, mend: String },
    /// Something else still refers to it: end that first.
    #[error("NOT ACCEPTED: {parameter}{} IN USE: {mend}", shown(value))]
    InUse { parameter: String, value: String, mend: String },
    /// The change could not be made durable (disk full, folder not writable); the old configuration holds.
    #[error("NOT EXECUTED: the change could not be kept: {reason}")]
    NotKept { reason: String },
}

/// A value as it stands behind its parameter. A password stays out of answers and logs: it is given as nothing.
fn shown(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" {value}") }
}

impl CommandError {
    /// The parameter at fault, for shells that point at its place in the line.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            CommandError::Missing { parameter, .. }
            | CommandError::Invalid { parameter, .. }
            | CommandError::NotAssigned { parameter, .. }
            | CommandError::AlreadyAssigned { parameter, .. }
            | CommandError::InUse { parameter, .. } => Some(parameter),
            CommandError::NotKept { .. } => None,
        }
    }

    pub fn missing(parameter: &str, mend: &str) -> CommandError {
        CommandError::Missing { parameter: parameter.into(), mend: mend.into() }
    }

    pub fn invalid(parameter: &str, value: impl ToString, mend: impl Into<String>) -> CommandError {
        CommandError::Invalid { parameter: parameter.into(), value: value.to_string(), mend: mend.into() }
    }

    pub(crate) fn not_assigned(parameter: &str, value: impl ToString, mend: &str) -> CommandError {
        CommandError::NotAssigned { parameter: parameter.into(), value: value.to_string(), mend: mend.into() }
    }

    pub(crate) fn already_assigned(parameter: &str, value: impl ToString, mend: &str) -> CommandError {
        CommandError::AlreadyAssigned { parameter: parameter.into(), value: value.to_string(), mend: mend.into() }
    }

    pub(crate) fn in_use(parameter: &str, value: impl ToString, mend: impl Into<String>) -> CommandError {
        CommandError::InUse { parameter: parameter.into(), value: value.to_string(), mend: mend.into() }
    }
}
