//! What the node has to tell of itself for `/metrics`: looked at when somebody asks, never kept up to date.

use super::Node;
use event::{Metric, Now, Sample};

static CALLS: Metric = Metric::gauge("earcon_calls", "Calls in progress.");
static EXTENSIONS: Metric = Metric::gauge("earcon_extensions", "Extensions that are configured.");
static REGISTERED: Metric =
    Metric::gauge("earcon_extensions_registered", "Extensions with a phone that is registered.");
static CONTACTS: Metric = Metric::gauge("earcon_registered_contacts", "Contacts that are registered.");
static TAKEN: Metric = Metric::gauge("earcon_route_individuals_in_use", "Trunk individuals of a route that are taken.");
static INDIVIDUALS: Metric = Metric::gauge("earcon_route_individuals", "Trunk individuals of a route.");
static UP: Metric = Metric::gauge("earcon_route_up", "1 while a route's peer is thought to be there.");
static LAMPS: Metric = Metric::gauge("earcon_lamps_on", "Extensions whose message waiting lamp is on.");
static ALARMS: Metric = Metric::gauge("earcon_alarms", "Alarms that are raised and not cleared, by severity (1 to 4).");

impl Node {
    pub(super) fn measure(&self, now: Now) -> Vec<Sample> {
        let core = &self.core;
        let (registered, contacts) = core.registrar.count(now.instant);
        let mut samples = vec![
            Sample::count(&CALLS, self.calls.count()).with("role", "node"),
            Sample::count(&EXTENSIONS, core.configuration.extensions.len()),
            Sample::count(&REGISTERED, registered),
            Sample::count(&CONTACTS, contacts),
            Sample::count(&LAMPS, self.waiting.lit(&core.manual_waiting)),
        ];
        samples.extend(net::load_samples(&core.endpoint.load(), "node"));
        for (number, route) in core.configuration.routes.iter().filter(|(_, route)| route.sip.is_some()) {
            let up = u64::from(!core.health.is_down(*number, now.instant));
            let values =
                [(&TAKEN, self.calls.on_route(*number) as u64), (&INDIVIDUALS, route.individuals() as u64), (&UP, up)];
            samples
                .extend(values.map(|(metric, value)| Sample::count(metric, value).with("route", number.to_string())));
        }
        for severity in 1..=4_u32 {
            let active = core.alarms.active().filter(|(_, alarm)| alarm.kind.severity() == severity).count();
            samples.push(Sample::count(&ALARMS, active).with("severity", severity.to_string()));
        }
        samples
    }
}
