//! The service node: number analysis, registrar, routes, call control, diversion, message waiting, commands.
//!
//! [`Node`] is the role that `net` drives: everything that happens to it comes in as an input with `now`, and what it
//! wants done goes out as actions. It holds no socket, reads no clock and draws no randomness of its own.

mod alarms;
mod authentication;
mod b2bua;
mod call_record;
pub mod commands;
mod configuration;
mod core;
mod diversion;
mod few;
mod journal;
mod message_waiting;
mod node;
pub mod numbers;
mod provisioning;
mod refusals;
mod registrar;
pub mod replay;
mod requests;
mod routes;
mod services;
mod system;
mod terminals;
#[cfg(test)]
mod tests;

pub use call_record::{CallRecord, CallRecordParty, HEADER as CALL_RECORD_HEADER, day};
pub use configuration::LoadError;
pub use node::{CertificateDoor, Node, NodeConfig, Own, StartError};
pub use provisioning::{Fetch, FetchReply, ProvisioningConfig, Served, ServerAddress};
