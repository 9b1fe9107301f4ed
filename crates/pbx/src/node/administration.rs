//! What only the running node knows, for its administrators: status, licences in use, alarms.

use super::Node;
use crate::alarms::AlarmKind;
use crate::commands::{Alarm, Answer, CommandError, ExtensionStatus, Lamp, Status, licences_used};
use crate::core::CallRecords;
use crate::system::Licence;
use event::{Event, Now};
use state::CommitError;
use std::time::{Duration, UNIX_EPOCH};

/// With less than this part of the disk free there is an alarm.
const LEAST_FREE: u64 = 10;
/// What alarms of the store and the disk are about.
const STORE: &str = "configuration store";
const DISK: &str = "data folder";
/// What the alarm of an expiring certificate is about.
const CERTIFICATE: &str = "TLS certificate";

impl Node {
    /// Where call records go: called with the output's file name and the record; it must hand over and return.
    pub fn call_records_to(&mut self, records: CallRecords) {
        self.core.records = Some(records);
    }

    pub(super) fn status(&self, status: &Status, now: Now) -> Answer {
        match status {
            Status::Calls {} => Answer::Calls { calls: self.calls.status(now) },
            Status::Routes {} => self.route_status(now),
            Status::System {} => self.system(now),
            Status::Licenses {} => self.licenses(),
            Status::Trace { dir } => {
                let columns = ["Call", "State", "Party", "Number", "Route", "RTP", "NodeRTP", "Codec", "Media"];
                Answer::table("", &columns, self.calls.trace(dir))
            }
            Status::Extensions {} => {
                let core = &self.core;
                let extensions = core.configuration.extensions.iter().map(|(number, entry)| {
                    let contacts = core.registrar.contacts(number, now.instant);
                    ExtensionStatus {
                        number: number.clone(),
                        name: entry.full_name(),
                        contacts: contacts.iter().map(|binding| binding.status(now.instant)).collect(),
                        lamp: {
                            let lamp = self.waiting.lamp(number);
                            Lamp { on: lamp.on || core.manual_waiting.is_lit(number), ..lamp }
                        },
                        calls: self.calls.of_extension(number),
                    }
                });
                Answer::Extensions { extensions: extensions.collect() }
            }
        }
    }

    /// A row a route: state, individuals taken of all, registrations held.
    fn route_status(&self, now: Now) -> Answer {
        let routes = self
            .core
            .configuration
            .routes
            .iter()
            .filter_map(|(number, route)| Some((*number, route, route.sip.as_ref()?)));
        let rows = routes.map(|(number, route, sip)| {
            let down = self.core.health.is_down(number, now.instant);
            let state = match sip.transport() {
                sip::Transport::Tls if !self.core.speaks_tls => "no TLS port",
                _ if down => "down",
                _ => "up",
            };
            let lines = self.registrations.of_route(number, now.instant).map(|(line, left)| match left {
                Some(seconds) => format!("{line} {seconds} s"),
                None => format!("{line} not registered"),
            });
            let lines: Vec<String> = lines.collect();
            vec![
                number.to_string(),
                sip.profile().name.to_owned(),
                state.to_owned(),
                self.calls.on_route(number).to_string(),
                route.individuals().to_string(),
                if lines.is_empty() { "-".into() } else { lines.join(", ") },
            ]
        });
        let columns = ["Route", "Profile", "State", "Taken", "Individuals", "Registered"];
        Answer::table("", &columns, rows.collect())
    }

    fn system(&self, now: Now) -> Answer {
        let core = &self.core;
        let registered = |dir: &&String| !core.registrar.contacts(dir, now.instant).is_empty();
        let mut listening: Vec<String> = core.addresses.iter().map(ToString::to_string).collect();
        listening.dedup();
        let started = self.started.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let running = now.instant.saturating_duration_since(self.started.instant);
        let rows = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("domain", core.vault.realm().to_owned()),
            ("listening on", listening.join(", ")),
            ("started", written(started.as_secs())),
            ("running", crate::call_record::duration(running)),
            ("extensions", core.configuration.extensions.len().to_string()),
            ("registered", core.configuration.extensions.keys().filter(registered).count().to_string()),
            ("routes", core.configuration.routes.len().to_string()),
            ("calls", self.calls.count().to_string()),
            ("alarms", core.alarms.active().count().to_string()),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        Answer::table("", &["System", "Value"], rows.to_vec())
    }

    fn licenses(&self) -> Answer {
        let configuration = &self.core.configuration;
        let rows = Licence::ALL.map(|licence| {
            let (used, peak) = match licence {
                Licence::SipTrunkChannels => self.calls.channels(),
                other => {
                    let used = licences_used(configuration, other);
                    (used, used)
                }
            };
            let limit = configuration.system.limits.get(&licence);
            let limit = limit.map_or_else(|| "unlimited".to_owned(), ToString::to_string);
            vec![licence.name().to_owned(), used.to_string(), peak.to_string(), limit]
        });
        Answer::table("", &["License", "Used", "Peak", "Limit"], rows.to_vec())
    }

    pub(super) fn alarm(&mut self, command: &Alarm, now: Now) -> Result<Answer, CommandError> {
        let passed = self.core.alarms.pass(now);
        if !passed.is_empty() {
            self.core.keep_quietly(passed);
        }
        match command {
            Alarm::Print { severity, all } => {
                let least = severity.unwrap_or(1);
                if !(1..=4).contains(&least) {
                    return Err(CommandError::invalid("severity", least, "give a number from 1 to 4"));
                }
                let shown = self.core.alarms.all().filter(|(_, alarm)| {
                    alarm.kind.severity() >= least && (all.unwrap_or_default() || alarm.cleared.is_none())
                });
                let rows = shown.map(|(number, alarm)| {
                    vec![
                        number.to_string(),
                        alarm.kind.severity().to_string(),
                        alarm.subject.clone(),
                        written(alarm.raised),
                        alarm.count.to_string(),
                        alarm.cleared.map_or_else(|| "-".into(), written),
                        alarm.text.clone(),
                    ]
                });
                let columns = ["Alarm", "Severity", "Of", "Raised", "Count", "Cleared", "Text"];
                Ok(Answer::table("", &columns, rows.collect()))
            }
            Alarm::End { number } => {
                let subject = self.core.alarms.active().find(|(known, _)| known == number);
                let subject = subject.map(|(_, alarm)| alarm.subject.clone()).unwrap_or_default();
                let Some(changes) = self.core.alarms.clear_number(now, *number) else {
                    return Err(CommandError::not_assigned("number", number, "alarm -p shows which there are"));
                };
                self.core.emit(now, Event::AlarmCleared { subject });
                self.core.keep_quietly(changes);
                Ok(Answer::done())
            }
        }
    }

    /// A commit succeeded or failed.
    pub(super) fn store_is(&mut self, result: &Result<(), CommitError>, now: Now) {
        match result {
            Ok(()) => self.core.clear(now, AlarmKind::StoreFailed, STORE),
            Err(error) => self.core.raise(now, AlarmKind::StoreFailed, STORE, &error.to_string()),
        }
    }

    pub(super) fn certificate_is(&mut self, subject: &str, warning: Option<String>, now: Now) {
        match warning {
            None => self.core.clear(now, AlarmKind::Certificate, CERTIFICATE),
            Some(warning) => {
                self.core.raise(now, AlarmKind::Certificate, CERTIFICATE, &format!("{subject}: {warning}"));
            }
        }
    }

    pub(super) fn disk(&mut self, free: u64, total: u64, now: Now) {
        if free >= total / LEAST_FREE {
            return self.core.clear(now, AlarmKind::DiskSpace, DISK);
        }
        let text = format!("{} MiB of {} MiB are free", free / (1 << 20), total / (1 << 20));
        self.core.raise(now, AlarmKind::DiskSpace, DISK, &text);
    }
}

/// Seconds since 1970 as UTC.
fn written(seconds: u64) -> String {
    let (date, time) =
        crate::call_record::date_and_time(UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH));
    format!("{date} {time}")
}
