//! Why a subcommand ends with failure: one sentence for the person who typed it, and the exit code.

use std::fmt;

#[derive(Debug)]
pub struct Failure {
    sentence: String,
    pub code: u8,
}

impl Failure {
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure { sentence: sentence.into(), code: 1 }
    }

    /// Everything was said already.
    pub fn silent() -> Failure {
        Failure::new("")
    }

    /// What an error says, in its own words.
    pub fn from_error(error: impl std::error::Error) -> Failure {
        Failure::new(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
