//! What goes over a shell's socket: JSON, one object a line.
//!
//! The server greets with [`Greeting`]. The client sends a [`Request`]; for each of its statements the server sends a
//! [`Response`] as it is executed, and a `Response` with `done` when it is through with the request. Statements after
//! one that was refused are not executed, unless the session goes on.

use serde::{Deserialize, Serialize};

use crate::fault::Statement;
use crate::session::Language;

/// Longest line in either direction, in bytes.
pub(crate) const MAX_LINE: usize = 4 * 1024 * 1024;

/// Longest script of one request, in bytes: with all of it escaped, and a place for each statement, it fits into a line.
pub(crate) const MAX_REQUEST: usize = 512 * 1024;

/// The server's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub language: Language,
    pub version: String,
}

/// What the client wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// A script to execute.
    Script(String),
    /// A part of one that is too long for a line, with its statements' places in it.
    Statements(Vec<Statement>),
    /// The session's scripts go on after what is refused.
    GoOn,
}

/// What came of a statement, or of the whole request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Response {
    /// Executed: what it printed.
    Said(String),
    /// Refused: why, and where.
    Refused(String),
    /// The request is through; whether all of it was executed.
    Done(bool),
}
