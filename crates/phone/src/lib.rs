//! A SIP phone for the command line, the tests and the acceptance suite.
//!
//! [`Phone::start`] registers one and runs it on threads of its own; [`run`] is the same phone with a plan of what to do,
//! as `earcon phone` has it.

mod config;
mod conversation;
mod event;
mod handle;
mod heard;
mod registration;
mod role;
mod run;

pub use config::{Behaviour, PhoneConfig, Plan};
pub use event::PhoneEvent;
pub use handle::{Phone, StartError};
pub use run::{Options, RunError, run};
