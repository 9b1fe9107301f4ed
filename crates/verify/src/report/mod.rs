//! What the suite found, and its forms: a page for people, JSON and JUnit for programs.

mod html;
mod json;
mod junit;

use crate::journal::Step;
use crate::ladder::Row;
use crate::outcome::{Code, Record};
use crate::target::Target;
use std::net::IpAddr;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One row of the matrix, with all that was seen and heard.
#[derive(Debug)]
pub struct TestResult {
    pub number: String,
    pub title: String,
    /// The guide's words.
    pub text: String,
    pub code: Code,
    /// Why it failed, or was not tested.
    pub reason: Option<String>,
    /// What could not be checked.
    pub comments: Vec<String>,
    /// Of a row that did not pass.
    pub record: Option<Record>,
    pub began: SystemTime,
    pub duration_ms: u64,
    pub steps: Vec<Step>,
    pub ladder: Vec<Row>,
    /// What each phone heard: linear samples, 8 kHz.
    pub recordings: Vec<(String, Vec<i16>)>,
}

/// The whole matrix.
#[derive(Debug)]
pub struct Report {
    pub target: String,
    pub started: SystemTime,
    pub results: Vec<TestResult>,
    /// Hosts of the ladder that have a name.
    hosts: Vec<(IpAddr, String)>,
}

impl Report {
    pub(crate) fn new(target: &Target, started: SystemTime, results: Vec<TestResult>) -> Report {
        let mut hosts = vec![(target.pbx.address, "PBX".to_owned())];
        if let Some(gateway) = &target.gateway {
            hosts.push((gateway.um.ip(), "UM server".to_owned()));
            hosts.push((gateway.bind, "suite as PBX".to_owned()));
        }
        if let Some(trunk) = &target.trunk {
            hosts.push((trunk.bind, "trunk's far end".to_owned()));
        }
        let users = [&target.subscriber.extension, &target.caller.extension, &target.stranger.extension];
        for (place, extension) in (0..).zip(users) {
            hosts.push((target.bind(place), format!("phone {extension}")));
        }
        hosts.push((target.bind(3), format!("phone {}, 2nd", target.subscriber.extension)));
        Report { target: target.name.clone(), started, results, hosts }
    }

    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.count(Code::F) == 0
    }

    pub fn count(&self, code: Code) -> usize {
        self.results.iter().filter(|result| result.code == code).count()
    }

    /// "8 P, 0 CP, 0 F, 10 NT, 0 NA"
    pub fn summary(&self) -> String {
        let counts: Vec<String> = Code::ALL.iter().map(|code| format!("{} {code}", self.count(*code))).collect();
        counts.join(", ")
    }

    fn duration_ms(&self) -> u64 {
        self.results.iter().map(|result| result.duration_ms).sum()
    }

    fn host(&self, address: IpAddr) -> Option<&str> {
        self.hosts.iter().find(|(known, _)| *known == address).map(|(_, name)| name.as_str())
    }
}

/// RFC 3339, UTC, to the second.
fn timestamp(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ladder::Message;
    use std::time::Duration;

    /// A report with one row of each kind and hostile text in it.
    pub(crate) fn report() -> Report {
        let message = Message {
            at_ms: 1_790_000_000_100,
            call_id: "a@b".into(),
            from: "127.0.222.10:5060".parse().unwrap(),
            to: "127.0.222.4:5060".parse().unwrap(),
            transport: "TCP".into(),
            summary: "INVITE sip:43334@127.0.222.4;transport=tcp".into(),
            cseq: "1 INVITE".into(),
        };
        let result = |number: &str, code: Code| TestResult {
            number: number.into(),
            title: "A <title> & more".into(),
            text: "Confirm hearing: \"<Earcon>\".".into(),
            code,
            reason: (code == Code::F).then(|| "27010 expected to hear \"]]>\", but heard nothing".into()),
            comments: (code == Code::CP).then(|| "No REST.".to_owned()).into_iter().collect(),
            record: (code == Code::F).then(|| Record {
                failure_point: "expected \"]]>\"".into(),
                phone_type: "SIP".into(),
                call_scenario: "<script>alert(1)</script>".into(),
                um_features_affected: "all".into(),
                comments: "none\u{7}".into(),
            }),
            began: SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000),
            duration_ms: 1_234,
            steps: vec![Step { at_ms: 3, text: "27010 calls 43334".into() }],
            ladder: vec![
                Row::Message(message.clone()),
                Row::Note { at_ms: 1_790_000_000_101, text: "call redirected".into() },
            ],
            recordings: vec![("27010".into(), vec![0, 1000, -1000])],
        };
        let results = vec![
            result("1", Code::P),
            result("3", Code::F),
            result("4a", Code::CP),
            result("2", Code::NT),
            result("5", Code::NA),
        ];
        let target = Target::lab([127, 0, 222], "127.0.0.1:8080".parse().unwrap()).unwrap();
        Report::new(&target, SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000), results)
    }

    #[test]
    fn the_summary_counts_each_code() {
        assert_eq!(report().summary(), "1 P, 1 CP, 1 F, 1 NT, 1 NA");
        assert!(!report().passed());
    }
}
