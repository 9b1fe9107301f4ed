//! The files: `2026-11-22.jsonl`, a record a line, and `counts.jsonl` with the counts of days whose file is gone.
//!
//! A thread of its own writes and answers. What arrives while it syncs shares its next sync. A line that a crash has cut
//! off is passed over.

use super::{COUNTED_DAYS, CallRecords, KEPT_DAYS, Question, is_day, is_of};
use crate::commands::call_record::{CallRecord, GroupBy, ReportRow, Tally, csv};
use crate::commands::{Answer, CommandError, Reply};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use time::OffsetDateTime;
use time::macros::format_description;

/// Records and questions that may wait; more records are lost, and that is said.
const WAITING: usize = 10_000;
/// Written with one sync at most.
const BATCH: usize = 2_000;
/// All files together: beyond it the oldest days go early.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
const COUNTS: &str = "counts.jsonl";

enum Job {
    Write(Box<CallRecord>),
    Ask(Question, Reply),
}

/// Call records in a folder.
pub struct FileRecords {
    jobs: Option<Sender<Job>>,
    queue: Receiver<Job>,
    thread: Option<JoinHandle<()>>,
    lost: std::sync::Arc<dyn Fn(String) + Send + Sync>,
}

impl FileRecords {
    /// `lost` is told in a sentence of records that could not be written.
    ///
    /// # Errors
    /// The folder cannot be made, or a thread cannot be started.
    pub fn start(folder: &Path, lost: impl Fn(String) + Send + Sync + 'static) -> io::Result<FileRecords> {
        fs::create_dir_all(folder)?;
        let (jobs, inbox) = bounded(WAITING);
        let queue = inbox.clone();
        let lost: std::sync::Arc<dyn Fn(String) + Send + Sync> = std::sync::Arc::new(lost);
        let archive = Archive { folder: folder.to_owned(), today: String::new(), lost: lost.clone() };
        let thread = thread::Builder::new().name("um-records".into()).spawn(move || archive.work(&inbox))?;
        Ok(FileRecords { jobs: Some(jobs), queue, thread: Some(thread), lost })
    }

    /// Tells how many records and questions wait, for as long as it is asked.
    pub fn waiting(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let queue = self.queue.clone();
        move || queue.len()
    }

    fn submit(&mut self, job: Job) -> Result<(), Job> {
        let Some(jobs) = &self.jobs else { return Err(job) };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }
}

impl CallRecords for FileRecords {
    fn write(&mut self, record: CallRecord) {
        if self.submit(Job::Write(Box::new(record))).is_err() {
            (self.lost)("the disk does not keep up with the calls that end".into());
        }
    }

    fn ask(&mut self, question: Question, reply: Reply) {
        if let Err(Job::Ask(_, reply)) = self.submit(Job::Ask(question, reply)) {
            reply(Err(CommandError::Busy));
        }
    }
}

impl Drop for FileRecords {
    /// What was handed over is written first.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was its own report.
            let _ = thread.join();
        }
    }
}

struct Archive {
    folder: PathBuf,
    /// The day for which old files were last looked for.
    today: String,
    lost: std::sync::Arc<dyn Fn(String) + Send + Sync>,
}

/// The counts of a day whose calls are forgotten.
#[derive(Clone, Serialize, Deserialize)]
struct Counts {
    day: String,
    plan: String,
    gateway: String,
    tally: Tally,
}

impl Archive {
    fn work(mut self, inbox: &Receiver<Job>) {
        self.forget_old();
        while let Ok(first) = inbox.recv() {
            let mut days: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            let mut questions = Vec::new();
            let rest = std::iter::from_fn(|| inbox.try_recv().ok()).take(BATCH);
            for job in std::iter::once(first).chain(rest) {
                match job {
                    Job::Write(record) => {
                        let line = days.entry(record.day()).or_default();
                        // A record has string keys and plain values: writing it cannot fail.
                        let _ = serde_json::to_writer(&mut *line, &record);
                        line.push(b'\n');
                    }
                    Job::Ask(question, reply) => questions.push((question, reply)),
                }
            }
            for (day, lines) in days {
                if let Err(error) = self.append(&day, &lines) {
                    (self.lost)(format!("{}: {error}", self.file(&day).display()));
                }
            }
            self.forget_old();
            for (question, reply) in questions {
                reply(self.answer(question).map_err(|error| CommandError::NoRecords { reason: error.to_string() }));
            }
        }
    }

    fn file(&self, day: &str) -> PathBuf {
        self.folder.join(format!("{day}.jsonl"))
    }

    fn append(&self, day: &str, lines: &[u8]) -> io::Result<()> {
        let path = self.file(day);
        let is_new = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                // A crash has cut the last line off.
                file.write_all(b"\n")?;
            }
        }
        file.write_all(lines)?;
        file.sync_data()?;
        if is_new {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }

    // ---- reading ----

    /// The days that have a file, oldest first.
    fn days(&self) -> io::Result<Vec<String>> {
        let mut days = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let day = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).filter(|day| is_day(day));
            days.extend(day.map(str::to_owned));
        }
        days.sort();
        Ok(days)
    }

    /// The records of a day in the order of their calls' ends; of one written again the last.
    fn read(&self, day: &str) -> io::Result<Vec<CallRecord>> {
        let file = match File::open(self.file(day)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut records: Vec<CallRecord> = Vec::new();
        let mut places: BTreeMap<(String, u64), usize> = BTreeMap::new();
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if let Ok(record) = serde_json::from_slice::<CallRecord>(&line) {
                let place = (record.call_identity.clone(), record.started_ms);
                match places.get(&place).and_then(|index| records.get_mut(*index)) {
                    Some(before) => *before = record,
                    None => {
                        places.insert(place, records.len());
                        records.push(record);
                    }
                }
            }
            line.clear();
        }
        Ok(records)
    }

    fn counts(&self, day: &str) -> io::Result<Vec<Counts>> {
        let mut counts: BTreeMap<(String, String), Tally> = BTreeMap::new();
        for record in self.read(day)? {
            counts.entry((record.dial_plan_name.clone(), record.gateway.clone())).or_default().count(&record);
        }
        let of_day = |((plan, gateway), tally)| Counts { day: day.to_owned(), plan, gateway, tally };
        Ok(counts.into_iter().map(of_day).collect())
    }

    /// The counts of days whose file is gone.
    fn kept_counts(&self) -> io::Result<Vec<Counts>> {
        match fs::read_to_string(self.folder.join(COUNTS)) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn answer(&self, question: Question) -> io::Result<Answer> {
        match question {
            Question::Calls { mailbox, most } => {
                let mut found = Vec::new();
                for day in self.days()?.iter().rev() {
                    let records = self.read(day)?.into_iter().rev();
                    found.extend(records.filter(|record| mailbox.as_ref().is_none_or(|name| is_of(record, name))));
                    if found.len() >= most {
                        break;
                    }
                }
                found.truncate(most);
                Ok(Answer::Records(found))
            }
            Question::Csv { day, filter } if is_day(&day) => {
                let mut records = self.read(&day)?;
                records.retain(|record| filter.takes(&record.dial_plan_name, &record.gateway));
                Ok(Answer::Text(csv(&records)))
            }
            Question::Csv { .. } => Ok(Answer::Text(csv(&[]))),
            Question::Report { group_by, filter } => {
                let days = self.days()?;
                let mut all = self.kept_counts()?;
                all.retain(|counts| !days.contains(&counts.day));
                for day in &days {
                    all.extend(self.counts(day)?);
                }
                all.retain(|counts| filter.takes(&counts.plan, &counts.gateway));
                Ok(Answer::Report(report(&all, group_by)))
            }
        }
    }

    // ---- forgetting ----

    /// Once a day: days that are too old, or too much together, leave only their counts.
    fn forget_old(&mut self) {
        let today = day_of(OffsetDateTime::now_utc());
        if self.today == today {
            return;
        }
        self.today = today;
        if let Err(error) = self.try_forget_old() {
            (self.lost)(format!("old call records cannot be removed: {error}"));
        }
    }

    fn try_forget_old(&self) -> io::Result<()> {
        let oldest = oldest_day(KEPT_DAYS);
        let days = self.days()?;
        let mut sizes = Vec::new();
        for day in &days {
            sizes.push(fs::metadata(self.file(day))?.len());
        }
        let mut total: u64 = sizes.iter().sum();
        let mut going = BTreeSet::new();
        for (day, size) in days.iter().zip(sizes) {
            if *day < oldest || total > MOST_BYTES {
                total = total.saturating_sub(size);
                going.insert(day.clone());
            }
        }
        if going.is_empty() {
            return Ok(());
        }
        // First the counts are durable, then the calls are forgotten: a crash in between counts nothing twice, since the
        // counts of a day that has its file are passed over.
        let mut counts = self.kept_counts()?;
        let oldest = oldest_day(COUNTED_DAYS);
        counts.retain(|counts| counts.day >= oldest && !going.contains(&counts.day));
        for day in &going {
            counts.extend(self.counts(day)?);
        }
        let mut text = Vec::new();
        for counts in counts {
            let _ = serde_json::to_writer(&mut text, &counts);
            text.push(b'\n');
        }
        let written = self.folder.join("counts.new");
        let mut file = File::create(&written)?;
        file.write_all(&text)?;
        file.sync_data()?;
        fs::rename(&written, self.folder.join(COUNTS))?;
        File::open(&self.folder)?.sync_all()?;
        going.iter().try_for_each(|day| fs::remove_file(self.file(day)))
    }
}

fn day_of(at: OffsetDateTime) -> String {
    at.format(&format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

fn oldest_day(days: usize) -> String {
    let days = i64::try_from(days).unwrap_or(i64::MAX);
    let past = OffsetDateTime::now_utc().checked_sub(time::Duration::days(days.saturating_sub(1)));
    past.map(day_of).unwrap_or_default()
}

/// Days of the last ninety, months of the last twelve, or the sum of all, oldest first.
fn report(counts: &[Counts], group_by: GroupBy) -> Vec<ReportRow> {
    let mut rows: BTreeMap<String, Tally> = BTreeMap::new();
    for counts in counts {
        let group = match group_by {
            GroupBy::Day => counts.day.clone(),
            GroupBy::Month => counts.day.get(..7).unwrap_or_default().to_owned(),
            GroupBy::Total => "Total".to_owned(),
        };
        rows.entry(group).or_default().add(&counts.tally);
    }
    let most = match group_by {
        GroupBy::Day => KEPT_DAYS,
        GroupBy::Month => 12,
        GroupBy::Total => 1,
    };
    let skipped = rows.len().saturating_sub(most);
    rows.into_iter().skip(skipped).map(|(date, tally)| ReportRow { date, tally }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;
    use crate::commands::call_record::{CallType, OfferResult};
    use std::sync::mpsc;

    const DAY_MS: u64 = 24 * 3600 * 1000;

    fn now_ms() -> u64 {
        u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap() * 1000
    }

    fn record(call: &str, started_ms: u64, call_type: CallType) -> CallRecord {
        CallRecord {
            started_ms,
            call_type,
            call_identity: call.into(),
            dial_plan_name: "MX".into(),
            gateway: "MX-ONE".into(),
            offer_result: OfferResult::Answer,
            callee_mailbox: Some("Anna".into()),
            ..CallRecord::nothing()
        }
    }

    fn ask(records: &mut FileRecords, question: Question) -> Answer {
        let (send, receive) = mpsc::channel();
        records.ask(question, Box::new(move |answer| send.send(answer).unwrap()));
        receive.recv().unwrap().unwrap()
    }

    fn all(records: &mut FileRecords) -> Vec<String> {
        let Answer::Records(found) = ask(records, Question::Calls { mailbox: Some("anna".into()), most: 100 }) else {
            panic!()
        };
        found.into_iter().map(|record| record.call_identity).collect()
    }

    fn start(folder: &Path) -> FileRecords {
        FileRecords::start(folder, |reason| panic!("{reason}")).unwrap()
    }

    #[test]
    fn records_are_there_after_a_restart_the_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = start(folder.path());
        records.write(record("a", now_ms() - DAY_MS, CallType::SubscriberAccess));
        records.write(record("b", now_ms(), CallType::CallAnsweringVoiceMessage));
        drop(records);
        let mut records = start(folder.path());
        assert_eq!(all(&mut records), ["b", "a"]);
        let nobody = ask(&mut records, Question::Calls { mailbox: Some("nobody".into()), most: 100 });
        assert_eq!(nobody, Answer::Records(Vec::new()));
    }

    #[test]
    fn a_record_written_again_takes_the_first_ones_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = start(folder.path());
        let at = now_ms();
        records.write(record("a", at, CallType::CallAnsweringVoiceMessage));
        records.write(record("a", at, CallType::CallAnsweringMissedCall));
        let question = Question::Report { group_by: GroupBy::Total, filter: Filter::default() };
        let Answer::Report(rows) = ask(&mut records, question) else { panic!() };
        assert_eq!((rows[0].tally.total_calls, rows[0].tally.missed_call), (1, 1));
    }

    #[test]
    fn a_line_cut_off_by_a_crash_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = start(folder.path());
        let whole = record("a", now_ms(), CallType::SubscriberAccess);
        records.write(whole.clone());
        drop(records);
        let path = folder.path().join(format!("{}.jsonl", whole.day()));
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"StartedMs\":17").unwrap();
        let mut records = start(folder.path());
        records.write(record("b", now_ms(), CallType::SubscriberAccess));
        assert_eq!(all(&mut records), ["b", "a"]);
    }

    #[test]
    fn after_ninety_days_only_the_counts_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = start(folder.path());
        records.write(record("old", now_ms() - 95 * DAY_MS, CallType::AutoAttendant));
        records.write(record("new", now_ms(), CallType::AutoAttendant));
        drop(records);
        let mut records = start(folder.path());
        assert_eq!(all(&mut records), ["new"]);
        let question = |group_by| Question::Report { group_by, filter: Filter::default() };
        let Answer::Report(rows) = ask(&mut records, question(GroupBy::Total)) else { panic!() };
        assert_eq!(rows[0].tally.automated_attendant, 2);
        drop(records);
        let mut records = start(folder.path());
        let Answer::Report(rows) = ask(&mut records, question(GroupBy::Month)) else { panic!() };
        assert_eq!(rows.iter().map(|row| row.tally.total_calls).sum::<u64>(), 2, "counted once");
    }

    #[test]
    fn a_days_csv_survives_whatever_callers_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = start(folder.path());
        let mut hostile = record("a", now_ms(), CallType::SubscriberAccess);
        hostile.caller_phone_number = "=1+1\",\n\"".into();
        let day = hostile.day();
        records.write(hostile);
        let filter = Filter { dial_plan: Some("mx".into()), gateway: None };
        let Answer::Text(text) = ask(&mut records, Question::Csv { day, filter }) else { panic!() };
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains(r#""'=1+1"",""""#), "{text}");
        let outside = Question::Csv { day: "../../etc".into(), filter: Filter::default() };
        assert!(matches!(ask(&mut records, outside), Answer::Text(text) if text.lines().count() == 1));
    }
}
