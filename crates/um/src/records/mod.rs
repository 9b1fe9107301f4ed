//! Where call records are kept: a file a day, appended to when a call ends, for 90 days; of the days that are gone the
//! counts, for a year. The signalling thread hands records and questions over and never waits.

mod archive;

pub use archive::FileRecords;

use crate::commands::Reply;
use crate::commands::call_record::{CallRecord, GroupBy};

/// Days for which single calls are kept.
pub const KEPT_DAYS: usize = 90;
/// Days for which counts are kept.
const COUNTED_DAYS: usize = 400;

/// Whoever keeps the records: files, or a test's stand-in.
pub trait CallRecords {
    /// Durable soon; a record of the same call written again takes the first one's place.
    fn write(&mut self, record: CallRecord);
    /// The reply comes from another thread. It sees every record that was written before.
    fn ask(&mut self, question: Question, reply: Reply);
}

/// What is asked of the records.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Calls from and to a mailbox (by its name), or all; the newest first.
    Calls {
        mailbox: Option<String>,
        most: usize,
    },
    /// The calls of a day (`2026-11-22`) as CSV.
    Csv {
        day: String,
        filter: Filter,
    },
    Report {
        group_by: GroupBy,
        filter: Filter,
    },
}

/// Names in any case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub dial_plan: Option<String>,
    pub gateway: Option<String>,
}

impl Filter {
    fn takes(&self, plan: &str, gateway: &str) -> bool {
        let alike = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        alike(&self.dial_plan, plan) && alike(&self.gateway, gateway)
    }
}

fn is_of(record: &CallRecord, mailbox: &str) -> bool {
    [&record.caller_mailbox, &record.callee_mailbox]
        .into_iter()
        .flatten()
        .any(|name| name.eq_ignore_ascii_case(mailbox))
}

/// `2026-11-22`: a day as it names a file, and nothing else.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
