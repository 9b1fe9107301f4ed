//! The two command shells: MML and unix-style lines for the node, PowerShell's syntax for the UM server.
//!
//! A line becomes one of the typed commands of `pbx` or `um`, by a table from which help and completion come too; what
//! a value must look like is checked by the command, in one place for all doors. What is wrong with a line is said with
//! its place, and nothing is changed by it.
//!
//! [`Shell`] reads and executes; [`Shell::run_script`] is how the lab configures itself. [`serve`] puts a shell on a Unix
//! socket in the process's data folder, [`client`] is the other end: one command, a script, or a person.

pub mod client;
mod fault;
mod history;
mod mml;
mod net;
mod powershell;
mod protocol;
mod script;
mod server;
mod session;

pub use fault::{Fault, Located, Place, Statement};
pub use net::Net;
pub use server::{ServeError, Server, serve, socket_path};
pub use session::{Language, Said, ScriptError, Shell, Transcript};
