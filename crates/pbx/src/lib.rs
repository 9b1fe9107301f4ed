//! The service node: number analysis, registrar, routes, call control, diversion, message waiting, commands.
//!
//! [`Node`] is the role that `net` drives: everything that happens to it comes in as an input with `now`, and what it
//! wants done goes out as actions. It holds no socket, reads no clock and draws no randomness of its own.

mod authentication;
pub mod commands;
mod configuration;
mod numbers;
mod registrar;
mod routes;
