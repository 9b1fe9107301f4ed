//! Counts of what happened since the start: each event is counted as it is told, so that none is missed, whoever listens.

use crate::{Event, Metric, Sample};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Values of one label at most; what comes later is counted as `other`. They are words of ours, routes and status codes.
const VALUES: usize = 256;

/// A metric whose counts come from events, and the label that tells them apart.
struct Counter {
    metric: Metric,
    label: Option<&'static str>,
}

const fn plain(name: &'static str, help: &'static str) -> Counter {
    Counter { metric: Metric::counter(name, help), label: None }
}

const fn by(label: &'static str, name: &'static str, help: &'static str) -> Counter {
    Counter { metric: Metric::counter(name, help), label: Some(label) }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $counter:expr;)*) => {
        $($(#[$doc])* static $name: Counter = $counter;)*
        /// Those without a label are there from the start, at zero: a rate needs a beginning.
        static ALL: &[&Counter] = &[$(&$name),*];
    };
}

counters! {
    CALLS_STARTED = plain("earcon_calls_started_total", "Calls that the node took.");
    CALLS_ANSWERED = plain("earcon_calls_answered_total", "Calls that somebody answered.");
    CALLS_ENDED = by("cause", "earcon_calls_ended_total", "Calls that are over, by how they ended.");
    CALLS_DIVERTED = by("reason", "earcon_calls_diverted_total", "Diversions to another number, by reason.");
    CALLS_REDIRECTED = plain("earcon_calls_redirected_total", "Redirects (302) that were followed.");
    EMERGENCY = by("route", "earcon_emergency_calls_total", "Calls to an emergency number, by route tried.");
    ROUTE_UNAVAILABLE = by("route", "earcon_route_unavailable_total", "Times a route had no free individual, or its peer refused.");
    REGISTERED = plain("earcon_registrations_total", "Contacts registered or refreshed.");
    UNREGISTERED = by("reason", "earcon_unregistrations_total", "Contacts that expired or were removed.");
    AUTHENTICATION = plain("earcon_authentication_failures_total", "Requests with wrong credentials that were told of.");
    REFUSED = plain("earcon_sources_refused_total", "Requests refused for their source that were told of.");
    LAMPS = by("to", "earcon_lamp_changes_total", "Lamps that the voice mail system switched.");
    PROVISIONED = plain("earcon_provisioning_files_total", "Files given to phones.");
    UNPROVISIONED = plain("earcon_provisioning_refused_total", "Files that phones or strangers asked for in vain.");
    MALFORMED = by("role", "earcon_sip_malformed_total", "Messages that could not be parsed and were told of.");
    DROPPED = by("role", "earcon_inbox_dropped_total", "Messages dropped because the inbox was full.");
    GREY = by("role", "earcon_targets_grey_listed_total", "Targets that did not answer and were passed over for a time.");
    UM_STARTED = by("kind", "earcon_um_calls_started_total", "Calls that the UM server took, by kind.");
    UM_REFUSED = by("status", "earcon_um_calls_refused_total", "Calls that the UM server refused, by status.");
    UM_ENDED = by("cause", "earcon_um_calls_ended_total", "Calls of the UM server that are over, by how they ended.");
    DELIVERED = by("recovered", "earcon_messages_delivered_total", "Messages durable in a mailbox, and whether a restart had to bring them there.");
    MISSED = plain("earcon_missed_calls_total", "Calls to a mailbox that left no message.");
    DELAYED = plain("earcon_deliveries_delayed_total", "Deliveries that failed and are tried again.");
    READ = by("to", "earcon_message_flags_total", "Read flags that were changed.");
    DELETED = plain("earcon_messages_deleted_total", "Messages that were deleted.");
    LOGGED_ON = by("door", "earcon_logons_total", "Subscribers that logged on, by which door.");
    PIN_REJECTED = by("door", "earcon_pin_failures_total", "Wrong PINs, by which door.");
    LOCKED = plain("earcon_mailboxes_locked_total", "Mailboxes locked for wrong PINs.");
    LAMP_SENT = by("status", "earcon_lamp_notifies_total", "Counts sent to a PBX, by the status of its answer.");
    LAMP_FAILED = plain("earcon_lamp_failures_total", "Counts that no gateway took.");
    ALARMS = by("severity", "earcon_alarms_raised_total", "Alarms raised, by severity (1 to 4).");
    COMMANDS = by("accepted", "earcon_commands_total", "Commands that change the configuration, and whether they were accepted.");
    JOURNAL = by("role", "earcon_journal_dropped_total", "Recorded calls that went from the journal before their time.");
    RECORDS = plain("earcon_call_records_lost_total", "Times call records could not be written.");
    CONNECTIONS = plain("earcon_connections_refused_total", "Connections refused or ended for a cap or a framing error that were told of.");
    CERTIFICATES = plain("earcon_certificate_problems_total", "Certificates found to be expiring or unusable.");
}

/// How often what happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    counts: BTreeMap<&'static str, BTreeMap<Cow<'static, str>, u64>>,
}

impl Tally {
    pub(crate) fn count(&mut self, event: &Event) {
        let Some((counter, value, times)) = counted(event) else { return };
        let values = self.counts.entry(counter.metric.name).or_default();
        if let Some(count) = values.get_mut(&*value) {
            *count = count.saturating_add(times);
            return;
        }
        let value = if values.len() < VALUES { Cow::Owned(value.into_owned()) } else { Cow::Borrowed("other") };
        let count = values.entry(value).or_default();
        *count = count.saturating_add(times);
    }

    /// All counts, in the order of the table.
    pub fn samples(&self) -> Vec<Sample> {
        let none = BTreeMap::new();
        let of = |counter: &'static Counter| {
            let values = self.counts.get(counter.metric.name).unwrap_or(&none);
            match counter.label {
                None => vec![Sample::count(&counter.metric, values.values().copied().sum::<u64>())],
                Some(label) => {
                    let sample = |(value, count): (&Cow<'static, str>, &u64)| {
                        Sample::count(&counter.metric, *count).with(label, value.clone())
                    };
                    values.iter().map(sample).collect()
                }
            }
        };
        ALL.iter().flat_map(|counter| of(counter)).collect()
    }
}

/// The counter, the value of its label, how many times.
type Counted<'a> = (&'static Counter, Cow<'a, str>, u64);

fn once<'a>(counter: &'static Counter) -> Option<Counted<'a>> {
    of(counter, "")
}

fn of<'a>(counter: &'static Counter, value: &'a str) -> Option<Counted<'a>> {
    Some((counter, Cow::Borrowed(value), 1))
}

fn number<'a>(counter: &'static Counter, value: u32) -> Option<Counted<'a>> {
    Some((counter, Cow::Owned(value.to_string()), 1))
}

/// What an event counts for. A variant that is added is thought of here.
fn counted(event: &Event) -> Option<Counted<'_>> {
    let truth = |truth: bool| if truth { "true" } else { "false" };
    match event {
        Event::CallStarted { .. } => once(&CALLS_STARTED),
        Event::CallAnswered { .. } => once(&CALLS_ANSWERED),
        Event::CallEnded { cause, .. } => of(&CALLS_ENDED, cause),
        Event::CallDiverted { reason, .. } => of(&CALLS_DIVERTED, reason),
        Event::CallRedirected { .. } => once(&CALLS_REDIRECTED),
        Event::EmergencyCall { route, .. } => number(&EMERGENCY, *route),
        Event::RouteUnavailable { route, .. } => number(&ROUTE_UNAVAILABLE, *route),
        Event::Registered { .. } => once(&REGISTERED),
        Event::Unregistered { expired, .. } => of(&UNREGISTERED, if *expired { "expired" } else { "removed" }),
        Event::AuthenticationFailed { .. } => once(&AUTHENTICATION),
        Event::SourceRefused { .. } => once(&REFUSED),
        Event::LampChanged { on, .. } => of(&LAMPS, if *on { "on" } else { "off" }),
        Event::ProvisioningFetched { .. } => once(&PROVISIONED),
        Event::ProvisioningRefused { .. } => once(&UNPROVISIONED),
        Event::SipMalformed { by, .. } => of(&MALFORMED, by),
        Event::SipDropped { by, count } => Some((&DROPPED, Cow::Borrowed(by.as_str()), *count)),
        Event::TargetGreyListed { by, .. } => of(&GREY, by),
        Event::UmCallStarted { kind, .. } => of(&UM_STARTED, kind),
        Event::UmCallRefused { status, .. } => number(&UM_REFUSED, (*status).into()),
        Event::UmCallEnded { cause, .. } => of(&UM_ENDED, cause),
        Event::MessageDelivered { recovered, .. } => of(&DELIVERED, truth(*recovered)),
        Event::MissedCall { .. } => once(&MISSED),
        Event::DeliveryDelayed { .. } => once(&DELAYED),
        Event::MessageRead { read, .. } => of(&READ, if *read { "read" } else { "unread" }),
        Event::MessageDeleted { .. } => once(&DELETED),
        Event::LoggedOn { door, .. } => of(&LOGGED_ON, door),
        Event::PinRejected { door, .. } => of(&PIN_REJECTED, door),
        Event::MailboxLocked { .. } => once(&LOCKED),
        Event::LampSent { status, .. } => number(&LAMP_SENT, (*status).into()),
        Event::LampFailed { .. } => once(&LAMP_FAILED),
        Event::AlarmRaised { severity, .. } => number(&ALARMS, *severity),
        Event::CommandRun { accepted, .. } => of(&COMMANDS, truth(*accepted)),
        Event::JournalDropped { by, calls, .. } => Some((&JOURNAL, Cow::Borrowed(by.as_str()), *calls)),
        Event::CallRecordsLost { .. } => once(&RECORDS),
        Event::ConnectionRefused { .. } => once(&CONNECTIONS),
        Event::CertificateProblem { .. } => once(&CERTIFICATES),
        // Told by gauges, or of no interest as a count.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ended(cause: &str) -> Event {
        Event::CallEnded { call: 1, cause: cause.into(), status: None, duration_ms: 1 }
    }

    fn of<'a>(samples: &'a [Sample], name: &str) -> Vec<(&'a str, f64)> {
        let own = samples.iter().filter(|sample| sample.metric.name == name);
        own.map(|sample| (sample.labels.first().map_or("", |(_, value)| value.as_ref()), sample.value)).collect()
    }

    #[test]
    fn events_are_counted_by_how_they_went() {
        let mut tally = Tally::default();
        [ended("busy"), ended("answered-and-cleared"), ended("busy")].iter().for_each(|event| tally.count(event));
        tally.count(&Event::SipDropped { by: "node".into(), count: 7 });
        let samples = tally.samples();
        assert_eq!(of(&samples, "earcon_calls_ended_total"), [("answered-and-cleared", 1.0), ("busy", 2.0)]);
        assert_eq!(of(&samples, "earcon_inbox_dropped_total"), [("node", 7.0)]);
    }

    #[test]
    fn what_never_happened_is_there_at_zero_where_no_label_has_to_be_known() {
        let samples = Tally::default().samples();
        assert_eq!(of(&samples, "earcon_calls_started_total"), [("", 0.0)]);
        assert_eq!(of(&samples, "earcon_calls_ended_total"), []);
    }

    #[test]
    fn a_label_with_endless_values_is_cut_off_and_still_counted() {
        let mut tally = Tally::default();
        (0..VALUES + 50).for_each(|n| tally.count(&ended(&n.to_string())));
        let samples = tally.samples();
        let own = of(&samples, "earcon_calls_ended_total");
        assert_eq!(own.len(), VALUES + 1);
        assert!(own.contains(&("other", 50.0)));
    }

    #[test]
    fn counters_are_named_as_counters_and_none_twice() {
        let names: BTreeSet<&str> = ALL.iter().map(|counter| counter.metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| name.starts_with("earcon_") && name.ends_with("_total")));
    }
}
