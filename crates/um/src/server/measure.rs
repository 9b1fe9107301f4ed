//! What the UM server has to tell of itself for `/metrics`: looked at when somebody asks.

use super::Server;
use event::{Metric, Sample};
use sip::endpoint::Load;

static CALLS: Metric = Metric::gauge("earcon_calls", "Calls in progress.");
static MAILBOXES: Metric = Metric::gauge("earcon_mailboxes", "Mailboxes that are configured.");
static DELIVERIES: Metric = Metric::gauge(
    "earcon_deliveries_pending",
    "Messages on their way from the spool to a mailbox, those being spoken included.",
);
static LAMPS: Metric =
    Metric::gauge("earcon_lamps_pending", "Mailboxes whose counts wait to be sent to a PBX, or are being sent.");
static STORE: Metric =
    Metric::gauge("earcon_store_requests", "Requests to the mailbox store that wait for their answer.");

impl Server {
    pub(super) fn measure(&self) -> Vec<Sample> {
        let mut samples = vec![
            Sample::count(&CALLS, self.calls.len()).with("role", "um"),
            Sample::count(&MAILBOXES, self.configuration.mailboxes.iter().count()),
            Sample::count(&DELIVERIES, self.deliveries.count()),
            Sample::count(&LAMPS, self.lamps.pending()),
            Sample::count(&STORE, self.waiting.len()),
        ];
        // Router, service and workers are one role to whoever watches.
        let load = self.hops.iter().fold(Load::default(), |load, hop| load.and(hop.endpoint.load()));
        samples.extend(net::load_samples(&load, "um"));
        samples
    }
}
