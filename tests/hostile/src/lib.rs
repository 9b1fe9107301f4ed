//! What the tests that attack share: a lab under attack, a client that sends any bytes from any address, and somebody
//! innocent who makes a call meanwhile. None of it shares code with Earcon.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a harness: a failure here is the test's failure

pub mod client;
pub mod phone;
mod target;

pub use client::{Answer, Client, request};
pub use target::Target;
