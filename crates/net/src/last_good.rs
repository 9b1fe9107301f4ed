//! The last good answers of the DNS: what bridges a resolver that fails (RFC 8767).

use sip::target::{Answer, Query};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How old an answer may be that stands for one that does not come.
const KEEP_FOR: Duration = Duration::from_secs(24 * 3600);
/// RFC 8767 5, the failure recheck timer: so long after a failure nobody waits for the resolver.
const FAILING_FOR: Duration = Duration::from_secs(30);
/// How often it is asked meanwhile.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How many names are remembered; beyond it the oldest answer is forgotten.
const CAPACITY: usize = 500;

/// What is remembered of a question.
#[derive(Clone, Debug)]
struct Kept {
    answer: Answer,
    at: Instant,
    failed_at: Option<Instant>,
}

/// An answer of some time ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bridge {
    pub answer: Answer,
    pub age: Duration,
    /// The resolver failed just now: the answer is used at once.
    pub failing: bool,
    /// It is time to ask it again all the same.
    pub due: bool,
}

/// Answers by question.
#[derive(Debug, Default)]
pub(crate) struct LastGood {
    kept: BTreeMap<String, Kept>,
}

fn key(question: &Query) -> String {
    match question {
        Query::Srv(name) => format!("SRV {}", name.to_ascii_lowercase()),
        Query::Addresses(name) => format!("A {}", name.to_ascii_lowercase()),
    }
}

impl LastGood {
    /// The DNS has answered.
    pub fn answered(&mut self, question: &Query, answer: &Answer, now: Instant) {
        let key = key(question);
        if self.kept.len() >= CAPACITY && !self.kept.contains_key(&key) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.at).map(|(key, _)| key.clone());
            oldest.map(|oldest| self.kept.remove(&oldest));
        }
        self.kept.insert(key, Kept { answer: answer.clone(), at: now, failed_at: None });
    }

    /// It said that there is no such name, which is an answer, too.
    pub fn refuted(&mut self, question: &Query) {
        self.kept.remove(&key(question));
    }

    /// No server answered, or it could not say.
    pub fn failed(&mut self, question: &Query, now: Instant) {
        if let Some(kept) = self.kept.get_mut(&key(question)) {
            kept.failed_at = Some(now);
        }
    }

    pub fn find(&mut self, question: &Query, now: Instant) -> Option<Bridge> {
        let key = key(question);
        let kept = self.kept.get(&key)?;
        let age = now.saturating_duration_since(kept.at);
        if age > KEEP_FOR {
            self.kept.remove(&key);
            return None;
        }
        let since = kept.failed_at.map(|at| now.saturating_duration_since(at));
        Some(Bridge {
            answer: kept.answer.clone(),
            age,
            failing: since.is_some_and(|since| since < FAILING_FOR),
            due: since.is_none_or(|since| since >= ASK_AGAIN),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn question(name: &str) -> Query {
        Query::Addresses(name.into())
    }

    fn answer(last: u8) -> Answer {
        Answer::Addresses(vec![IpAddr::from(Ipv4Addr::new(127, 0, 0, last))])
    }

    #[test]
    fn an_answer_stands_in_for_a_day_and_at_once_while_the_resolver_fails() {
        let (mut memory, now) = (LastGood::default(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(memory.find(&question("um"), now), None);
        memory.answered(&question("UM"), &answer(4), now);
        let found = memory.find(&question("um"), later(60)).unwrap();
        assert_eq!((found.answer, found.failing, found.due), (answer(4), false, true));
        memory.failed(&question("um"), later(60));
        let found = memory.find(&question("um"), later(62)).unwrap();
        assert_eq!((found.age, found.failing, found.due), (Duration::from_secs(62), true, false));
        assert!(memory.find(&question("um"), later(65)).unwrap().due);
        assert!(!memory.find(&question("um"), later(90)).unwrap().failing);
        assert_eq!(memory.find(&question("um"), later(24 * 3600 + 1)), None);
    }

    #[test]
    fn a_name_that_is_no_more_is_not_bridged() {
        let (mut memory, now) = (LastGood::default(), Instant::now());
        memory.answered(&question("um"), &answer(4), now);
        memory.refuted(&question("um"));
        assert_eq!(memory.find(&question("um"), now), None);
    }

    #[test]
    fn what_is_remembered_is_capped_and_the_oldest_goes_first() {
        let (mut memory, now) = (LastGood::default(), Instant::now());
        for n in 0..=CAPACITY {
            memory.answered(&question(&n.to_string()), &answer(4), now + Duration::from_millis(n as u64));
        }
        assert_eq!(memory.kept.len(), CAPACITY);
        assert_eq!(memory.find(&question("0"), now), None);
    }
}
