//! The unified messaging server.
pub mod commands;
