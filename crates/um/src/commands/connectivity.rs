//! Test-UMConnectivity: whether SIP gets through (fact sheet 2.8).

use super::table::{self, Cmdlet, Parameter};
use serde::Serialize;

/// What a test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connectivity {
    /// Whom it went to: a gateway's name, the call router, or this server's own service.
    pub target: String,
    /// `OPTIONS`, or `INVITE` for a call.
    pub method: String,
    pub succeeded: bool,
    /// The final status; None when nothing answered.
    pub status: Option<u16>,
    /// Milliseconds until the first answer.
    pub latency_ms: Option<u64>,
    /// Milliseconds until the call was answered.
    pub answered_ms: Option<u64>,
    /// What to look at when it did not succeed.
    pub reason: String,
}

/// Seconds that a call may ring unless -Timeout says otherwise.
pub(crate) const RINGING_S: u32 = 60;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let phone = Parameter::of::<String>("Phone", "Call this number through the gateway, and hang up when it answers.");
    let router = Parameter::of::<bool>("CallRouter", "Ask this server's call router instead of its service.");
    let timeout = Parameter::of::<u32>("Timeout", "Seconds that the call may ring.");
    let parameters = vec![
        table::gateway("Ask this gateway; none: this server itself, over its own sockets."),
        phone.written("digits"),
        router.by_default("False"),
        timeout.written("a number, 5 to 1800").by_default("60"),
    ];
    let summary = "Sends OPTIONS to a gateway or to this server itself, or places a call, and tells how it went.";
    vec![Cmdlet::new("Test-UMConnectivity", summary, parameters)]
}
