//! What the tests with foreign phones share: a lab of their own, and a handle on each foreign program.
//!
//! Every test takes a loopback net of its own (`127.0.N.x`), so that labs run side by side. A program that a test
//! starts is ended by its own process id when the test ends, also when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a harness: a failure here is the test's failure

pub mod audio;
pub mod baresip;
pub mod browser;
pub mod capture;
pub mod dns;
pub mod halves;
pub mod http;
pub mod kamailio;
pub mod lab;
pub mod linphone;
pub mod namespace;
pub mod pair;
pub mod pool;
pub mod process;
pub mod sipp;

pub use lab::{Lab, LabOptions};
