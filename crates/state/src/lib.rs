//! How the node and the UM server keep their configuration and lasting state.
//!
//! [`Store`] keeps JSON values by kind and key in one SQLite file, or in PostgreSQL together with other servers. Reading is
//! from memory; writing is grouped: all that is committed while one sync runs shares the next. A role never waits for it:
//! it hands in its changes and is told by a callback once they are durable. [`KeyFile`] seals the secrets among the values.

mod key_file;
mod reader;
mod store;
mod writer;

pub use database::{OpenError, Server, UrlError};
pub use key_file::{KeyFile, KeyFileError, UnsealError, random_hex};
pub use store::{Change, CommitError, Done, Listener, Store};

#[cfg(test)]
mod shared;
