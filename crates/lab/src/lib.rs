//! The guide's setup in one process.
