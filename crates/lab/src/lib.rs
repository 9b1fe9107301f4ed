//! The guide's setup in one process.

pub mod event_socket;
pub mod folder;
