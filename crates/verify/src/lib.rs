//! The acceptance suite: the guide's chapter 7 with phones of its own, against any PBX and any UM server that meet in SIP.
//!
//! What it is told of them is a [`Target`]; [`run`] goes through the [`TESTS`] and gives a [`Report`], which is written as
//! HTML, JSON and JUnit. It knows of the system under test what a phone hears and sees and, where there is one, what
//! Earcon's REST interface says. A test is a file in `guide/`.

mod events;
mod guide;
mod handset;
mod hearing;
mod journal;
mod ladder;
mod outcome;
mod report;
mod rest;
mod stage;
mod suite;
mod target;
mod temporary;
mod voice;

pub use guide::{TESTS, Test};
pub use journal::Step;
pub use ladder::{Message, Row};
pub use outcome::{Code, Record};
pub use report::{Report, TestResult};
pub use suite::{Choice, ChoiceError, Progress, SuiteError, run};
pub use target::{Cable, Prompts, Target, TargetError, TlsSettings};
