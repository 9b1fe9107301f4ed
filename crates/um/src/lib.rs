//! The unified messaging server.
pub mod commands;
pub mod configuration;
pub mod people;
