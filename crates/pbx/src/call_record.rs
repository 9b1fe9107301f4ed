//! Call records: one for each call that ended, for accounting. Written as comma-separated lines.

use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// What is kept of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub started: SystemTime,
    /// From the INVITE to the answer, or to the end.
    pub rang: Duration,
    /// From the answer to the end; `None` if nobody answered.
    pub talked: Option<Duration>,
    pub caller: CallRecordParty,
    pub dialled: String,
    /// Who answered; without an answer, empty.
    pub called: CallRecordParty,
    /// Why it ended, as in events.
    pub cause: String,
    pub call_id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRecordParty {
    pub number: String,
    pub name: String,
    pub route: Option<u32>,
}

/// The first lines of a file.
pub const HEADER: &str = "# Earcon call records\n# One line a call, written when it has ended. Times are UTC.\n\
    # Condition: 7 incoming or tandem, 8 internal, 10 outgoing;\n\
    # not answered: 23 incoming, 25 internal, 28 outgoing, 29 busy, 30 vacant number\n\
    # A field that a spreadsheet would take for a formula begins with an apostrophe.\n#\n\
    Date,Time,Duration,RingTime,Condition,Cause,Caller,CallerName,IncomingRoute,Dialled,Called,CalledName,\
    OutgoingRoute,CallId\n";

impl CallRecord {
    /// The condition code of MX-ONE's call information.
    pub fn condition(&self) -> u32 {
        let (incoming, outgoing) = (self.caller.route.is_some(), self.called.route.is_some());
        match (self.talked.is_some(), self.cause.as_str()) {
            (true, _) if incoming => 7,
            (true, _) if outgoing => 10,
            (true, _) => 8,
            (false, "busy") => 29,
            (false, "vacant-number") => 30,
            (false, _) if incoming => 23,
            (false, _) if outgoing => 28,
            (false, _) => 25,
        }
    }

    /// The record as a line of a CSV file (RFC 4180), with its line end.
    pub fn csv(&self) -> String {
        let (date, time) = date_and_time(self.started);
        let route = |party: &CallRecordParty| party.route.map(|route| route.to_string()).unwrap_or_default();
        let fields = [
            date,
            time,
            duration(self.talked.unwrap_or_default()),
            duration(self.rang),
            self.condition().to_string(),
            self.cause.clone(),
            self.caller.number.clone(),
            self.caller.name.clone(),
            route(&self.caller),
            self.dialled.clone(),
            self.called.number.clone(),
            self.called.name.clone(),
            route(&self.called),
            self.call_id.clone(),
        ];
        let mut line = fields.map(|field| escaped(&field)).join(",");
        line.push('\n');
        line
    }
}

/// `0d00:04:34`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!("{days}d{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// `2026-11-22` and `20:15:03`, UTC.
pub(crate) fn date_and_time(at: SystemTime) -> (String, String) {
    let at = OffsetDateTime::from(at);
    let date = format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day());
    (date, format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
}

/// The UTC day of a time, as call records and their files name it.
pub fn day(at: SystemTime) -> String {
    date_and_time(at).0
}

/// RFC 4180 2.6, and no formula: names come from callers.
fn escaped(field: &str) -> String {
    let clean: String = field.chars().filter(|c| !c.is_control()).collect();
    let clean = if clean.starts_with(['=', '+', '-', '@']) { format!("'{clean}") } else { clean };
    if clean.contains(['"', ',', '\'']) { format!("\"{}\"", clean.replace('"', "\"\"")) } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn record() -> CallRecord {
        let party =
            |number: &str, name: &str, route| CallRecordParty { number: number.into(), name: name.into(), route };
        CallRecord {
            started: UNIX_EPOCH + Duration::from_secs(1_793_000_000),
            rang: Duration::from_secs(5),
            talked: Some(Duration::from_secs(274)),
            caller: party("27001", "Björn Åkesson", None),
            dialled: "43334".into(),
            called: party("43334", "", Some(55)),
            cause: "answered-and-cleared".into(),
            call_id: "a@b".into(),
        }
    }

    #[test]
    fn a_record_is_a_line_with_as_many_fields_as_the_header() {
        assert_eq!(
            record().csv(),
            "2026-10-26,07:33:20,0d00:04:34,0d00:00:05,10,answered-and-cleared,27001,Björn Åkesson,,43334,43334,,55,a@b\n"
        );
        let columns = HEADER.lines().last().unwrap().split(',').count();
        assert_eq!(record().csv().split(',').count(), columns);
        assert_eq!(
            HEADER.lines().position(|line| line.starts_with("Date")),
            Some(6),
            "line 7, as MX-ONE's files have it"
        );
    }

    #[test]
    fn what_callers_write_makes_no_columns_lines_or_formulas() {
        let mut evil = record();
        evil.caller.name = "=HYPERLINK(\"http://x\",\"y\")\r\n2026".into();
        let line = evil.csv();
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(",\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")2026\","), "{line}");
    }

    #[test]
    fn conditions_tell_who_called_whom_and_how_it_ended() {
        let condition = |incoming: Option<u32>, outgoing: Option<u32>, talked: bool, cause: &str| {
            let mut record = record();
            (record.caller.route, record.called.route) = (incoming, outgoing);
            record.talked = talked.then_some(Duration::ZERO);
            record.cause = cause.into();
            record.condition()
        };
        assert_eq!(condition(None, None, true, "answered-and-cleared"), 8);
        assert_eq!(condition(None, Some(55), true, "answered-and-cleared"), 10);
        assert_eq!(condition(Some(55), None, true, "answered-and-cleared"), 7);
        assert_eq!(condition(Some(55), Some(1), true, "lost"), 7);
        assert_eq!(condition(None, None, false, "no-answer"), 25);
        assert_eq!(condition(Some(55), None, false, "cancelled"), 23);
        assert_eq!(condition(None, None, false, "busy"), 29);
        assert_eq!(condition(None, None, false, "vacant-number"), 30);
    }
}
