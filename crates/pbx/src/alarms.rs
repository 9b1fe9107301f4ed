//! Alarms: what is wrong until it is mended, kept over a restart. They clear themselves when it is, or by command.

use event::Now;
use serde::{Deserialize, Serialize};
use state::{Change, Store};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::configuration::{LoadError, change, load_kind};

const ALARM: &str = "alarm";
/// Alarms that are remembered, cleared ones among them; beyond it the oldest are forgotten, the cleared ones first.
const REMEMBERED: usize = 200;
/// What is not told anew for so long has passed.
const PASSES_AFTER: Duration = Duration::from_secs(15 * 60);

/// What kinds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlarmKind {
    /// A route's peer does not answer OPTIONS. Cleared when it does.
    RouteDown,
    /// One of several servers behind a route does not answer OPTIONS; others take its calls. Cleared when it does.
    ServerDown,
    /// All of a route's trunk individuals were taken. Passes by itself.
    RouteCongested,
    /// A licence's limit kept a call or command from going on. Passes by itself.
    LicenceLimit,
    /// A change could not be made durable. Cleared by the next one that can.
    StoreFailed,
    /// Somebody asked in vain for so many phones' files that he seems to guess. Passes by itself.
    PhoneGuessing,
    /// Somebody called an emergency number. Stays until somebody has taken note of it.
    EmergencyCall,
    /// Less than a tenth of the data folder's disk is free. Cleared when more is.
    DiskSpace,
    /// The certificate of TLS expires within 30 days, or has expired. Cleared by a new one.
    Certificate,
}

impl AlarmKind {
    /// 1 (to be known) to 4 (calls or data are being lost).
    pub fn severity(self) -> u32 {
        match self {
            AlarmKind::RouteCongested | AlarmKind::LicenceLimit | AlarmKind::ServerDown => 2,
            AlarmKind::PhoneGuessing => 3,
            AlarmKind::RouteDown | AlarmKind::DiskSpace | AlarmKind::EmergencyCall | AlarmKind::Certificate => 3,
            AlarmKind::StoreFailed => 4,
        }
    }

    fn passes(self) -> bool {
        matches!(self, AlarmKind::RouteCongested | AlarmKind::LicenceLimit | AlarmKind::PhoneGuessing)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    pub kind: AlarmKind,
    /// What it is about: `route 55`.
    pub subject: String,
    pub text: String,
    /// Seconds since 1970.
    pub raised: u64,
    /// When it was last told.
    pub last: u64,
    pub count: u64,
    pub cleared: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Alarms {
    by_number: BTreeMap<u64, Alarm>,
    next: u64,
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Alarms {
    pub fn load(store: &Store) -> Result<Alarms, LoadError> {
        let mut alarms = Alarms::default();
        for (key, alarm) in load_kind::<Alarm>(store, ALARM)? {
            let number = key.parse().map_err(|_| LoadError {
                kind: ALARM.into(),
                key: key.clone(),
                reason: "its key is no number".into(),
            })?;
            alarms.by_number.insert(number, alarm);
            alarms.next = alarms.next.max(number);
        }
        Ok(alarms)
    }

    pub fn all(&self) -> impl Iterator<Item = (u64, &Alarm)> {
        self.by_number.iter().map(|(number, alarm)| (*number, alarm))
    }

    pub fn active(&self) -> impl Iterator<Item = (u64, &Alarm)> {
        self.all().filter(|(_, alarm)| alarm.cleared.is_none())
    }

    /// Raises an alarm, or counts one that is there. What the store must keep of it.
    pub fn raise(&mut self, now: Now, kind: AlarmKind, subject: &str, text: &str) -> Vec<Change> {
        let at = seconds(now.wall);
        let known = self
            .by_number
            .iter_mut()
            .find(|(_, alarm)| alarm.cleared.is_none() && alarm.kind == kind && alarm.subject == subject);
        if let Some((_, alarm)) = known {
            // Only its count and time change: worth no write to the disk.
            alarm.count = alarm.count.saturating_add(1);
            alarm.last = at;
            return Vec::new();
        }
        self.next = self.next.saturating_add(1);
        let (subject, text) = (subject.to_owned(), text.to_owned());
        let alarm = Alarm { kind, subject, text, raised: at, last: at, count: 1, cleared: None };
        let mut changes = vec![change(ALARM, self.next.to_string(), Some(&alarm))];
        self.by_number.insert(self.next, alarm);
        while self.by_number.len() > REMEMBERED {
            let oldest = self.by_number.iter().min_by_key(|(number, alarm)| (alarm.cleared.is_none(), **number));
            let Some(number) = oldest.map(|(number, _)| *number) else { break };
            self.by_number.remove(&number);
            changes.push(change::<Alarm>(ALARM, number.to_string(), None));
        }
        changes
    }

    /// What was wrong with `subject` is mended.
    pub fn clear(&mut self, now: Now, kind: AlarmKind, subject: &str) -> Vec<Change> {
        self.clear_all(now, |_, alarm| alarm.kind == kind && alarm.subject == subject)
    }

    /// Somebody has taken note of it. `None`: there is no such alarm.
    pub fn clear_number(&mut self, now: Now, number: u64) -> Option<Vec<Change>> {
        let changes = self.clear_all(now, |known, _| known == number);
        (!changes.is_empty()).then_some(changes)
    }

    /// What has not been told for a while and passes by itself.
    pub fn pass(&mut self, now: Now) -> Vec<Change> {
        let before = seconds(now.wall).saturating_sub(PASSES_AFTER.as_secs());
        self.clear_all(now, |_, alarm| alarm.kind.passes() && alarm.last <= before)
    }

    fn clear_all(&mut self, now: Now, which: impl Fn(u64, &Alarm) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        for (number, alarm) in &mut self.by_number {
            if alarm.cleared.is_none() && which(*number, alarm) {
                alarm.cleared = Some(seconds(now.wall));
                changes.push(change(ALARM, number.to_string(), Some(&*alarm)));
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn at(seconds: u64) -> Now {
        Now { instant: Instant::now(), wall: UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds) }
    }

    fn active(alarms: &Alarms) -> Vec<(u64, &str, u64)> {
        alarms.active().map(|(number, alarm)| (number, alarm.subject.as_str(), alarm.count)).collect()
    }

    #[test]
    fn the_same_again_is_counted_and_what_is_mended_is_cleared() {
        let mut alarms = Alarms::default();
        assert_eq!(alarms.raise(at(0), AlarmKind::RouteDown, "route 55", "no answer").len(), 1);
        assert!(alarms.raise(at(30), AlarmKind::RouteDown, "route 55", "no answer").is_empty());
        alarms.raise(at(40), AlarmKind::RouteDown, "route 70", "no answer");
        assert_eq!(active(&alarms), [(1, "route 55", 2), (2, "route 70", 1)]);
        alarms.clear(at(50), AlarmKind::RouteDown, "route 55");
        assert_eq!(active(&alarms), [(2, "route 70", 1)]);
        assert_eq!(alarms.all().count(), 2, "a cleared one stays in the log");
    }

    #[test]
    fn congestion_passes_and_a_dead_route_does_not() {
        let mut alarms = Alarms::default();
        alarms.raise(at(0), AlarmKind::RouteCongested, "route 55", "all taken");
        alarms.raise(at(0), AlarmKind::RouteDown, "route 55", "no answer");
        assert!(alarms.pass(at(899)).is_empty());
        assert_eq!(alarms.pass(at(900)).len(), 1);
        assert_eq!(active(&alarms), [(2, "route 55", 1)]);
    }

    #[test]
    fn alarms_are_kept_over_a_restart_and_the_log_is_bounded() {
        let store = Store::memory();
        let mut alarms = Alarms::default();
        for n in 0..300 {
            store.commit_now(alarms.raise(at(n), AlarmKind::RouteDown, &format!("route {n}"), "no answer")).unwrap();
        }
        let again = Alarms::load(&store).unwrap();
        assert_eq!(again.all().count(), REMEMBERED);
        assert_eq!(again.all().next().unwrap().0, 101);
        assert_eq!(again.by_number, alarms.by_number);
    }
}
