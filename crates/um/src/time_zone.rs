//! Time zones with daylight saving, by name. The database of zones is built into the binary (`jiff`): what is said at which hour
//! depends on no machine, and a recorded call runs again alike elsewhere.

use crate::commands::value::{Check, Length};
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use std::time::SystemTime;
use time::{OffsetDateTime, UtcOffset};

/// A time zone; UTC by default.
#[derive(Clone, Debug)]
pub(crate) struct TimeZone(jiff::tz::TimeZone);

impl Default for TimeZone {
    fn default() -> TimeZone {
        TimeZone(jiff::tz::TimeZone::UTC)
    }
}

impl TimeZone {
    /// By its name in the tz database (`Europe/Stockholm`, any case) or by the name that Windows has for it
    /// (`W. Europe Standard Time`).
    pub(crate) fn named(name: &str) -> Option<TimeZone> {
        let windows = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
        TimeZoneDatabase::bundled().get(windows.map_or(name, |(_, zone)| zone)).ok().map(TimeZone)
    }

    /// The zone of this name, else UTC: names are checked when they are set.
    pub(crate) fn of(name: Option<&str>) -> TimeZone {
        name.and_then(TimeZone::named).unwrap_or_default()
    }

    /// The zone of this name, else that of the server.
    pub(crate) fn of_either(name: Option<&str>, server: Option<&str>) -> TimeZone {
        TimeZone::of(name.or(server))
    }

    /// What clocks in this zone show.
    pub(crate) fn local(&self, at: SystemTime) -> OffsetDateTime {
        let utc = OffsetDateTime::from(at);
        let offset = Timestamp::from_second(utc.unix_timestamp()).map(|at| self.0.to_offset(at).seconds());
        let offset = offset.ok().and_then(|seconds| UtcOffset::from_whole_seconds(seconds).ok());
        offset.and_then(|offset| utc.checked_to_offset(offset)).unwrap_or(utc)
    }

    /// When the day begins on which it is now, or another one so many days later. Days have 23 to 25 hours.
    pub(crate) fn day(&self, now: SystemTime, later: u32) -> Option<SystemTime> {
        let now = Timestamp::from_second(OffsetDateTime::from(now).unix_timestamp()).ok()?.to_zoned(self.0.clone());
        let begins = now.start_of_day().ok()?.checked_add(jiff::Span::new().try_days(later).ok()?).ok()?;
        let seconds = u64::try_from(begins.start_of_day().ok()?.timestamp().as_second()).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
    }
}

/// The zone of this machine's clocks by its name: what `TZ` says, else `/etc/localtime`. `None`: UTC, or one without a name.
pub fn of_this_machine() -> Option<String> {
    let zone = jiff::tz::TimeZone::try_system().ok()?;
    let name = zone.iana_name()?;
    TimeZone::named(name).map(|_| name.to_owned())
}

/// A name that [`TimeZone::named`] knows.
pub(crate) struct ZoneName;

impl Check<String> for ZoneName {
    fn check(&self, value: &String) -> Result<(), String> {
        Length(64).check(value)?;
        TimeZone::named(value).map(|_| ()).ok_or_else(|| format!("no time zone is called {value:?}: write {MEND}"))
    }

    fn range(&self) -> String {
        MEND.into()
    }
}

impl Check<Option<String>> for ZoneName {
    fn check(&self, value: &Option<String>) -> Result<(), String> {
        value.as_ref().map_or(Ok(()), |value| self.check(value))
    }

    fn range(&self) -> String {
        MEND.into()
    }
}

const MEND: &str = "a name such as Europe/Stockholm or W. Europe Standard Time";

/// What Windows calls the zones that most people live in (Unicode CLDR, windowsZones).
const WINDOWS: &[(&str, &str)] = &[
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shown(zone: &str, unix: u64) -> String {
        let local = TimeZone::named(zone).unwrap().local(SystemTime::UNIX_EPOCH + Duration::from_secs(unix));
        format!("{:02}:{:02}", local.hour(), local.minute())
    }

    #[test]
    fn every_name_of_windows_leads_to_a_zone() {
        for (windows, _) in WINDOWS {
            assert!(TimeZone::named(windows).is_some(), "{windows}");
        }
    }

    #[test]
    fn names_are_taken_in_any_case_and_others_refused() {
        assert!(ZoneName.check(&"europe/stockholm".to_owned()).is_ok());
        assert!(ZoneName.check(&"Europe/Atlantis".to_owned()).is_err());
        assert!(ZoneName.check(&"../etc/passwd".to_owned()).is_err());
    }

    #[test]
    fn a_day_begins_at_midnight_also_when_clocks_are_put_forward() {
        let zone = TimeZone::named("Europe/Stockholm").unwrap();
        // 2026-03-28 12:00 UTC; the night after is an hour shorter.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_774_699_200);
        let shown = |later| zone.local(zone.day(now, later).unwrap());
        for (later, day) in [(0, 28), (1, 29), (2, 30)] {
            assert_eq!((shown(later).day(), shown(later).hour(), shown(later).minute()), (day, 0, 0));
        }
        let length = |later| zone.day(now, later + 1).unwrap().duration_since(zone.day(now, later).unwrap()).unwrap();
        assert_eq!((length(0).as_secs() / 3600, length(1).as_secs() / 3600), (24, 23));
    }

    #[test]
    fn clocks_are_put_forward_in_march_and_back_in_october() {
        // 2026-03-29 01:00 UTC and 2026-10-25 01:00 UTC, a second before and then.
        assert_eq!(shown("Europe/Stockholm", 1_774_745_999), "01:59");
        assert_eq!(shown("Europe/Stockholm", 1_774_746_000), "03:00");
        assert_eq!(shown("W. Europe Standard Time", 1_792_889_999), "02:59");
        assert_eq!(shown("W. Europe Standard Time", 1_792_890_000), "02:00");
    }

    #[test]
    fn without_a_zone_of_its_own_the_servers_holds() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(12 * 3600);
        let hour = |name, server| TimeZone::of_either(name, server).local(noon).hour();
        assert_eq!(hour(None, None), 12);
        assert_eq!(hour(None, Some("Asia/Tokyo")), 21);
        assert_eq!(hour(Some("Europe/Stockholm"), Some("Asia/Tokyo")), 13);
    }
}
