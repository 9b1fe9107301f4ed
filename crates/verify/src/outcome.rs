//! What a test came to, in the words of Microsoft's PBX configuration notes (UM Validation Test Matrix): a code for each
//! row, and a record for each row that did not pass.

use serde::Serialize;
use std::fmt;

/// The result of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Code {
    /// Passed.
    P,
    /// Passed conditionally: it works as far as it could be checked; the comments say what was not.
    CP,
    /// Failed.
    F,
    /// Not tested; the comments say why.
    NT,
    /// Not applicable to this system.
    NA,
}

impl Code {
    pub const ALL: [Code; 5] = [Code::P, Code::CP, Code::F, Code::NT, Code::NA];

    /// What the letters stand for.
    pub fn words(self) -> &'static str {
        match self {
            Code::P => "passed",
            Code::CP => "passed conditionally",
            Code::F => "failed",
            Code::NT => "not tested",
            Code::NA => "not applicable",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Code::P => "P",
            Code::CP => "CP",
            Code::F => "F",
            Code::NT => "NT",
            Code::NA => "NA",
        })
    }
}

/// Why a test did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// What was expected at this point did not come. The system under test is at fault.
    #[error("{0}")]
    Failed(String),
    /// A condition of the test is not met by the system or by what the suite was told of it.
    #[error("{0}")]
    NotTested(String),
    /// The system has not got what the test is about.
    #[error("{0}")]
    NotApplicable(String),
}

impl Stop {
    pub(crate) fn code(&self) -> Code {
        match self {
            Stop::Failed(_) => Code::F,
            Stop::NotTested(_) => Code::NT,
            Stop::NotApplicable(_) => Code::NA,
        }
    }
}

/// What a step of a test, or a test, gives.
pub type Outcome<T = ()> = Result<T, Stop>;

/// The record of a row that did not pass: the columns of the test matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    pub failure_point: String,
    pub phone_type: String,
    pub call_scenario: String,
    pub um_features_affected: String,
    pub comments: String,
}
