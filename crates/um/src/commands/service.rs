//! UMService: settings of this server (fact sheet 2.7).

use super::settings::settings;
use super::value::Range;

settings! {
    /// What Set-UMService changes.
    ServiceSettings, ServiceChanges {
        "MaxCallsAllowed" max_calls_allowed: u32 = 100, Range(0, 10_000), "Calls at once; more are refused with 503.";
    }
}
