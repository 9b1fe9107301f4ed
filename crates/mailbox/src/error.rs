use crate::WavError;

/// The store could not read or write: disk full, input/output error. What was asked has not happened; try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox store is not available: {0}")]
pub struct Unavailable(pub(crate) String);

impl From<database::Error> for Unavailable {
    fn from(error: database::Error) -> Unavailable {
        Unavailable(error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()))
    }
}

/// That a store's certificate is not believed stands far down in its error.
fn certificate_fault(error: &object_store::Error) -> Option<String> {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let fault = causes
        .map(ToString::to_string)
        .find_map(|cause| Some(cause.split_once("invalid peer certificate: ")?.1.to_owned()));
    fault.map(|fault| {
        format!(
            "the certificate of the store of recordings is not believed ({fault}): name the CA that signed it, ca=FILE in \
             the URL, and the store by a name of its certificate"
        )
    })
}

impl From<object_store::Error> for Unavailable {
    fn from(error: object_store::Error) -> Unavailable {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        Unavailable(match error {
            NotFound { path, .. } => format!("the recording {path} is gone"),
            PermissionDenied { path, .. } | Unauthenticated { path, .. } => {
                format!("the store of recordings refuses access to {path}: mend its keys, or their rights")
            }
            error => certificate_fault(&error).unwrap_or_else(|| error.to_string()),
        })
    }
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The mailbox does not exist (any more). Trying again is of no use.
    #[error("there is no such mailbox")]
    NoMailbox,
    /// See [`Unavailable`]. The recording stays in the spool, and is delivered later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a mailbox, or something about it, can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The mailbox does not exist (any more).
    #[error("there is no such mailbox")]
    NoMailbox,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a message can't be given or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The mailbox has no such message, or there is no such mailbox.
    #[error("the mailbox has no such message")]
    NoMessage,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a greeting was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetingError {
    /// The mailbox does not exist (any more).
    #[error("there is no such mailbox")]
    NoMailbox,
    /// The file is no WAV that Earcon reads.
    #[error(transparent)]
    Wav(#[from] WavError),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why changes can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangesError {
    /// The first changes asked for are no longer kept: look at the whole mailbox, then follow from `last`.
    #[error("changes so old are no longer kept; read everything anew and follow from {last}")]
    Forgotten { last: u64 },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
