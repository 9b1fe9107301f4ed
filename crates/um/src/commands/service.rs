//! UMService: settings of this server (fact sheet 2.7).

use super::settings::settings;
use super::value::Range;
use super::{Answer, Outcome};
use crate::configuration::Configuration;

settings! {
    /// What Set-UMService changes.
    ServiceSettings, ServiceChanges {
        "MaxCallsAllowed" max_calls_allowed: u32 = 100, Range(0, 10_000), "Calls at once; more are refused with 503.";
    }
}

pub(super) fn set(configuration: &mut Configuration, changes: ServiceChanges) -> Outcome {
    let mut service = configuration.service.clone();
    service.apply(changes)?;
    let mut stored = Vec::new();
    configuration.put_service(service, &mut stored);
    Ok((Answer::Done(()), stored))
}
