//! Why a command was not carried out: which parameter, and what to mend. Nothing was changed then.

/// A command that changed nothing. Printed as one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such cmdlet; `near` lists those that begin alike.
    #[error("{cmdlet} is not a command here; there are {near}")]
    UnknownCmdlet { cmdlet: String, near: String },
    /// The cmdlet has no such parameter.
    #[error("-{parameter} is not a parameter of {cmdlet}; it has {known}")]
    UnknownParameter { cmdlet: String, parameter: String, known: String },
    /// A beginning that several parameters share; write more of the name.
    #[error("-{parameter} may be {candidates}: write more of the name")]
    Ambiguous { parameter: String, candidates: String },
    /// The same parameter twice on one line.
    #[error("-{parameter} is given twice: write it once")]
    Repeated { parameter: String },
    /// A value without a parameter name where none can stand.
    #[error("{cmdlet} takes no value without a parameter name before it")]
    Positional { cmdlet: String },
    /// A parameter that the cmdlet cannot do without.
    #[error("-{parameter} is missing: {cmdlet} needs it")]
    Missing { cmdlet: String, parameter: String },
    /// The value of a parameter cannot be taken; `mend` says what can.
    #[error("-{parameter}: {mend}")]
    Bad { parameter: String, mend: String },
    /// No object of that name.
    #[error("there is no {kind} {identity:?}; write the name of one that exists")]
    NotFound { parameter: String, kind: String, identity: String },
    /// An object of that name is there already.
    #[error("a {kind} {name:?} exists already; use Set-{kind}, or another name")]
    Exists { parameter: String, kind: String, name: String },
    /// The parameters do not make a command of it, in a way that the table does not know.
    #[error("the parameters of {cmdlet} do not fit together: {reason}")]
    Unreadable { cmdlet: String, reason: String },
    /// Something still needs the object.
    #[error("{kind} {identity:?} is used by {user}: remove that first")]
    InUse { parameter: String, kind: String, identity: String, user: String },
    /// One at a time for each user.
    #[error("a message of {mailbox:?} is being played by phone already: stop that first")]
    PlayingAlready { mailbox: String },
    /// No phone can be rung now.
    #[error("no phone can be rung: {reason}")]
    NoCall { reason: String },
    /// Call records cannot be read from disk now.
    #[error("the call records cannot be read: {reason}")]
    NoRecords { reason: String },
    /// Too many PINs are being hashed, or too many records written, at this moment; try again in a second.
    #[error("too much is being done at this moment: try again in a second")]
    Busy,
    /// The change could not be written to disk; it holds until the next start only.
    #[error("the change could not be stored: {reason}")]
    NotStored { reason: String },
}

impl CommandError {
    pub(crate) fn bad(parameter: &str, mend: impl Into<String>) -> CommandError {
        CommandError::Bad { parameter: parameter.into(), mend: mend.into() }
    }

    /// The parameter that has to be mended, without its dash.
    pub fn parameter(&self) -> Option<&str> {
        use CommandError::*;
        match self {
            UnknownParameter { parameter, .. }
            | Ambiguous { parameter, .. }
            | Repeated { parameter }
            | Missing { parameter, .. }
            | Bad { parameter, .. }
            | NotFound { parameter, .. }
            | Exists { parameter, .. }
            | InUse { parameter, .. } => Some(parameter),
            UnknownCmdlet { .. }
            | Positional { .. }
            | Unreadable { .. }
            | NoRecords { .. }
            | PlayingAlready { .. }
            | NoCall { .. }
            | Busy
            | NotStored { .. } => None,
        }
    }
}
