//! Running a recorded call again: each entry is put before a role that was built from nothing but the record, and what the role does
//! is set beside what it did.

use crate::entry::{Cause, Known, Output};
use crate::handle::Journal;
use crate::player::Step;
use crate::text::Recorded;
use event::Now;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A timer that is this much overdue when the next entry comes did fire before it, without doing anything that can be seen.
const OVERDUE: Duration = Duration::from_millis(500);
/// Steps for one entry, at most: a role that never comes to rest is a difference, not a hang.
const MOST_WAKES: usize = 1000;

/// A role on the stage: one that was made to run one recorded call.
pub trait Stage {
    /// What the call may read of the role is so from now on.
    fn restore(&mut self, known: &[Known], now: Now);

    /// Puts an entry's cause before the role. [`Cause::Timer`] is the role's time-out.
    fn input(&mut self, cause: &Cause, now: Now);

    /// When the role wants its time-out.
    fn deadline(&self) -> Option<Instant>;
}

/// How a replay went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub steps: usize,
    /// Which steps differed, counted from 1.
    pub differing: Vec<usize>,
}

impl Report {
    pub fn is_equal(&self) -> bool {
        self.differing.is_empty()
    }
}

/// Runs the call. `tell` hears of each step, with its number and the time since the call began, as it is done.
pub fn run(
    stage: &mut dyn Stage,
    journal: &Journal,
    call: &Recorded,
    tell: &mut dyn FnMut(usize, Duration, &Step),
) -> Report {
    let mut report = Report::default();
    let mut count = |report: &mut Report, journal: &Journal| {
        for step in journal.take_steps() {
            report.steps += 1;
            if !step.is_equal() {
                report.differing.push(report.steps);
            }
            tell(report.steps, step.at.saturating_duration_since(call.began.instant), &step);
        }
    };
    for (at, entry) in call.entries.iter().enumerate() {
        if journal.position() > at {
            // Its moment came together with the entry before.
            continue;
        }
        let mut wakes = 0;
        while let Some(due) = stage.deadline().filter(|due| *due + OVERDUE < entry.at.instant)
            && wakes < MOST_WAKES
        {
            wakes += 1;
            let late = due.saturating_duration_since(call.began.instant);
            stage.input(&Cause::Timer, call.began.later(late));
            count(&mut report, journal);
        }
        if !entry.known.is_empty() {
            stage.restore(&entry.known, entry.at);
        }
        stage.input(&entry.cause, entry.at);
        if journal.position() <= at {
            // A timer of the record that did nothing now.
            journal.miss(entry);
        }
        count(&mut report, journal);
    }
    report
}

/// The entries of a call, to be played.
pub fn journal_of(call: &Recorded) -> Journal {
    Journal::playing(Arc::new(call.entries.clone()))
}

/// A step for people: what came in, and what the role did; where that differs from the record, both.
pub fn describe(number: usize, after: Duration, step: &Step) -> String {
    let mut text = format!("{number:>3} {:>9.3} s  {}\n", after.as_secs_f64(), cause_in_words(&step.cause));
    let most = step.then.len().max(step.now.len());
    let differing: Vec<(Option<&Output>, Option<&Output>)> = step.differences().collect();
    for at in 0..most {
        let pair = (step.then.get(at), step.now.get(at));
        let differs = differing.iter().any(|(then, now)| same_place(*then, pair.0) && same_place(*now, pair.1));
        // Writing to a String can't fail.
        let _ = match (differs, pair) {
            (false, (_, Some(now))) => writeln!(text, "                  {}", output_in_words(now)),
            (_, (then, now)) => {
                let then = then.map_or("nothing".into(), output_in_words);
                let now_words = now.map_or("nothing".into(), output_in_words);
                let mut words = writeln!(text, "   DIFFERS  then:  {then}\n             now:  {now_words}");
                if let (Some(then), Some(now)) = pair {
                    words = words.and_then(|()| text.write_str(&lines_that_differ(then, now)));
                }
                words
            }
        };
    }
    if step.entry.is_none() {
        text.push_str("   DIFFERS  nothing happened at this moment then\n");
    }
    if step.beyond > 0 || step.left > 0 {
        let _ = writeln!(
            text,
            "            asked for {} values more than then, and did not ask for {}",
            step.beyond, step.left
        );
    }
    text
}

fn same_place(a: Option<&Output>, b: Option<&Output>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

fn cause_in_words(cause: &Cause) -> String {
    match cause {
        Cause::Message { wire, flow } => format!("{} from {} {}", start_line(wire), flow.transport, flow.remote),
        Cause::TransmitFailed { error, .. } => format!("a message did not go out: {error}"),
        Cause::FlowClosed(flow) => format!("the connection with {} is closed", flow.remote),
        Cause::Resolved { answer, .. } => format!("the DNS answers {answer:?}"),
        Cause::Media(event) => format!("media {event:?}"),
        Cause::Own { kind, value, .. } => format!("{kind} {value}"),
        Cause::Timer => "a timer fires".into(),
    }
}

fn output_in_words(output: &Output) -> String {
    match output {
        Output::Sent { to, wire, .. } => format!("sends {} to {} {}", start_line(wire), to.transport(), to.remote()),
        Output::Did(text) => text.clone(),
    }
}

fn start_line(wire: &[u8]) -> String {
    let line = wire.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    String::from_utf8_lossy(line).trim_end_matches(" SIP/2.0").to_owned()
}

/// Where two messages with the same start line part.
fn lines_that_differ(then: &Output, now: &Output) -> String {
    let (Output::Sent { wire: then, .. }, Output::Sent { wire: now, .. }) = (then, now) else { return String::new() };
    let text = |wire| String::from_utf8_lossy(&crate::mask::comparable(wire)).into_owned();
    let (then, now) = (text(then), text(now));
    let (mut a, mut b) = (then.lines(), now.lines());
    let mut out = String::new();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return out,
            (x, y) if x == y => {}
            (x, y) => {
                let _ = writeln!(out, "                then: {}", x.unwrap_or_default());
                let _ = writeln!(out, "                 now: {}", y.unwrap_or_default());
            }
        }
    }
}
