//! Goes through the tests, one after the other: they share the subscriber's phone and mailbox.

use crate::events::Events;
use crate::guide::{TESTS, Test};
use crate::ladder::Ladder;
use crate::outcome::{Code, Outcome, Record};
use crate::report::{Report, TestResult};
use crate::rest::Rest;
use crate::stage::Stage;
use crate::target::Target;
use crate::voice::Voice;
use std::time::{Duration, SystemTime};

/// How long messages that end a call are waited for, so that they stand in its ladder.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// Why a choice of tests is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No test has this number; --list shows all.
    #[error("there is no test {0}: earcon verify --list shows all")]
    Unknown(String),
}

/// Which tests to run.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// By number; none: all.
    only: Vec<String>,
}

impl Choice {
    /// `1,3,4a`. A number without its letter means all of its letters: `4` is `4a` and `4b`.
    pub fn parse(text: &str) -> Result<Choice, ChoiceError> {
        let mut only = Vec::new();
        for wanted in
            text.split(',').map(|number| number.trim().to_ascii_lowercase()).filter(|number| !number.is_empty())
        {
            let named: Vec<&Test> = TESTS.iter().filter(|test| test.number == wanted).collect();
            let with_letter = |test: &&Test| test.number.trim_end_matches(char::is_alphabetic) == wanted;
            let found = if named.is_empty() { TESTS.iter().filter(with_letter).collect() } else { named };
            if found.is_empty() {
                return Err(ChoiceError::Unknown(wanted));
            }
            only.extend(found.iter().map(|test| test.number.to_owned()));
        }
        Ok(Choice { only })
    }

    fn has(&self, test: &Test) -> bool {
        self.only.is_empty() || self.only.iter().any(|number| number == test.number)
    }
}

/// Told as it goes.
#[derive(Debug)]
pub enum Progress<'a> {
    Begins(&'a str, &'a str),
    Ended(&'a TestResult),
}

/// Why the suite could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The shipped prompts are damaged.
    #[error("the prompts can't be read: {0}")]
    Prompts(#[from] speech::OpenError),
    /// REST is not where the target says, or refuses the token.
    #[error("{0}")]
    Rest(String),
}

/// Runs the tests that are chosen.
pub fn run(target: &Target, choice: &Choice, mut tell: impl FnMut(Progress<'_>)) -> Result<Report, SuiteError> {
    let voice = Voice::new(target.prompts)?;
    let ladder = Ladder::default();
    let rest = target.rest.clone().map(Rest::new);
    let _events = match &rest {
        Some(rest) => Some(Events::follow(rest, ladder.clone()).map_err(|error| SuiteError::Rest(error.to_string()))?),
        None => None,
    };
    let started = SystemTime::now();
    let mut results = Vec::new();
    for test in TESTS.iter().filter(|test| choice.has(test)) {
        tell(Progress::Begins(test.number, test.title));
        let result = run_one(test, target, &voice, rest.as_ref(), &ladder);
        tell(Progress::Ended(&result));
        results.push(result);
    }
    Ok(Report::new(target, started, results))
}

fn run_one(test: &Test, target: &Target, voice: &Voice, rest: Option<&Rest>, ladder: &Ladder) -> TestResult {
    ladder.take();
    let stage = Stage::new(target, voice, rest, ladder);
    let outcome = (test.run)(&stage);
    std::thread::sleep(LAST_WORDS);
    let duration_ms = stage.journal.milliseconds();
    let entries = stage.journal.take();
    let (code, comments) = judge(&outcome, entries.remarks);
    let record = matches!(code, Code::F | Code::CP).then(|| Record {
        failure_point: match &outcome {
            Err(stop) => stop.to_string(),
            Ok(()) => "none; see the comments".to_owned(),
        },
        phone_type: format!("SIP phone (Earcon {}) over {}", env!("CARGO_PKG_VERSION"), target.pbx.transport.sip()),
        call_scenario: test.scenario.to_owned(),
        um_features_affected: test.features.to_owned(),
        comments: match (&outcome, entries.steps.last()) {
            (Err(_), Some(step)) => {
                let last = format!("The last step before it, after {:.1} s: {}", step.at_ms as f64 / 1000.0, step.text);
                [comments.clone(), vec![last]].concat().join(" ")
            }
            _ => comments.join(" "),
        },
    });
    TestResult {
        number: test.number.to_owned(),
        title: test.title.to_owned(),
        text: test.text.to_owned(),
        code,
        reason: outcome.err().map(|stop| stop.to_string()),
        comments,
        record,
        began: stage.journal.wall,
        duration_ms,
        steps: entries.steps,
        ladder: ladder.take(),
        recordings: entries.recordings,
    }
}

/// A test that ran to its end passed; what it could not check makes that conditional.
fn judge(outcome: &Outcome, remarks: Vec<String>) -> (Code, Vec<String>) {
    match outcome {
        Ok(()) if remarks.is_empty() => (Code::P, remarks),
        Ok(()) => (Code::CP, remarks),
        Err(stop) => (stop.code(), remarks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stop;

    fn chosen(text: &str) -> Vec<&'static str> {
        let choice = Choice::parse(text).unwrap();
        TESTS.iter().filter(|test| choice.has(test)).map(|test| test.number).collect()
    }

    #[test]
    fn tests_are_chosen_by_number_and_letters() {
        assert_eq!(chosen("1,3,4a"), ["1", "3", "4a"]);
        assert_eq!(chosen(" 4, 302"), ["4a", "4b", "302"]);
        assert_eq!(chosen("").len(), TESTS.len());
        assert_eq!(Choice::parse("12").unwrap_err(), ChoiceError::Unknown("12".into()));
    }

    #[test]
    fn what_could_not_be_checked_makes_a_pass_conditional() {
        assert_eq!(judge(&Ok(()), Vec::new()).0, Code::P);
        assert_eq!(judge(&Ok(()), vec!["no REST".into()]).0, Code::CP);
        assert_eq!(judge(&Err(Stop::Failed("busy".into())), Vec::new()).0, Code::F);
        assert_eq!(judge(&Err(Stop::NotTested("no trunk".into())), vec!["x".into()]).0, Code::NT);
    }
}
