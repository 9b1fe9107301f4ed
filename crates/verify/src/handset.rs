//! A phone as a tester handles it: each step says what it does or waits for, and fails with the reason.

use crate::hearing::{Search, first_tone, said_something};
use crate::journal::Journal;
use crate::outcome::{Outcome, Stop};
use crate::voice::{Saying, Speaker, Words};
use phone::{Phone, PhoneEvent};
use sip::message_summary::MessageSummary;
use sip::{Headers, Uri};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often what is heard is looked at.
const GLANCE: Duration = Duration::from_millis(40);
/// As many samples as fit between two glances.
const SILENT_SAMPLES: usize = 320;
/// Nothing was sent for so long: the line is silent.
const SILENCE: Duration = Duration::from_millis(200);
const NOT_KNOWN: &str = "The server's prompts are not known: that something was said is checked, not what.";
/// Between the tone and the first word.
const AFTER_THE_TONE: Duration = Duration::from_millis(300);
/// What a signalling step may take that waits for nobody.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Who calls, as the phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallerShown {
    /// The name, else the number.
    pub shown: String,
    pub number: String,
    pub diverted_from: Option<String>,
}

pub(crate) struct Handset {
    phone: Phone,
    /// For the journal: "27000".
    name: String,
    journal: Journal,
    prompt: Duration,
    /// What happened and was not asked for yet.
    events: VecDeque<PhoneEvent>,
    heard: Vec<i16>,
    /// Samples of it that the phone heard; those after them stand for silence in which nothing was sent.
    real: usize,
    /// When something was heard last.
    lately: Instant,
    /// Up to here what was heard is used up.
    at: usize,
}

impl Handset {
    pub fn new(phone: Phone, name: String, journal: Journal, prompt: Duration) -> Handset {
        let (events, heard, lately) = (VecDeque::new(), Vec::new(), Instant::now());
        Handset { phone, name, journal, prompt, events, heard, real: 0, lately, at: 0 }
    }

    // ---- doing ----

    pub fn calls(&mut self, number: &str) {
        self.does(&format!("calls {number}"));
        self.forget_calls();
        self.phone.call(number);
    }

    /// Calls an address, not by way of the PBX.
    pub fn calls_at(&mut self, uri: Uri, headers: Headers) {
        self.does(&format!("calls {uri}"));
        self.forget_calls();
        self.phone.call_at(uri, headers);
    }

    pub fn presses(&mut self, keys: &str) {
        self.does(&format!("presses {keys}"));
        self.listen();
        // What was said before the key is no answer to it.
        self.at = self.real;
        self.phone.press(keys);
    }

    /// As `presses`, without the keys in the record.
    pub fn presses_pin(&mut self, pin: &str) {
        self.does("presses the PIN and #");
        self.listen();
        self.at = self.real;
        self.phone.press(&format!("{pin}#"));
    }

    pub fn speaks(&mut self, words: &Words) -> Outcome {
        self.does(&format!("says \"{}\", digit by digit", words.digits));
        self.phone.play(words.clip.clone());
        let limit = words.clip.duration() + AT_ONCE;
        self.wait(limit, "the end of what is spoken", |event| matches!(event, PhoneEvent::Played).then_some(()))
    }

    /// Says a command, over whatever is being said.
    pub fn says(&mut self, speaker: &Speaker, command: &str) -> Outcome {
        let clip = speaker.speaks(command)?;
        self.does(&format!("says \"{command}\""));
        self.listen();
        // What was said before it is no answer to it.
        self.at = self.real;
        let limit = clip.duration() + AT_ONCE;
        self.phone.play(clip);
        self.wait(limit, "the end of what is spoken", |event| matches!(event, PhoneEvent::Played).then_some(()))
    }

    /// Sends the call that rings to another address: 302.
    pub fn sends_on(&mut self, contact: &str) {
        self.does(&format!("answers 302 with Contact {contact}"));
        self.phone.redirect(contact);
    }

    pub fn refuses_as_busy(&mut self) {
        self.does("answers 486, busy");
        self.phone.reject(486);
    }

    pub fn answers(&mut self) {
        self.does("answers");
        self.phone.answer();
    }

    pub fn hangs_up(&mut self) -> Outcome {
        self.does("hangs up");
        self.phone.hang_up();
        let over = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { .. }).then_some(());
        let ended = self.wait(AT_ONCE, "the end of the call", over);
        self.listen();
        self.at = self.real;
        ended
    }

    // ---- waiting ----

    pub fn is_registered(&mut self) -> Outcome {
        let outcome = self.wait(AT_ONCE, "the registration", |event| match event {
            PhoneEvent::Registered { .. } => Some(Ok(())),
            PhoneEvent::RegistrationFailed { reason } => Some(Err(reason.clone())),
            _ => None,
        })?;
        outcome.map_err(|reason| self.failed(&format!("is not registered at the PBX: {reason}")))
    }

    /// The call is up, within so long.
    pub fn is_answered(&mut self, within: Duration) -> Outcome {
        let outcome = self.wait(within, "an answer to its call", |event| match event {
            PhoneEvent::Answered { .. } => Some(Ok(())),
            PhoneEvent::Failed { status, reason } => Some(Err(format!("{status} {reason}"))),
            _ => None,
        })?;
        outcome.map_err(|reason| self.failed(&format!("is not connected: {reason}")))?;
        self.does("is connected");
        Ok(())
    }

    /// Answered, or sent on: the Contact.
    pub fn is_answered_or_sent_on(&mut self) -> Outcome<Option<String>> {
        let outcome = self.wait(AT_ONCE, "an answer or a redirect", |event| match event {
            PhoneEvent::Answered { .. } => Some(Ok(None)),
            PhoneEvent::Redirected { contact, .. } => Some(Ok(Some(contact.clone()))),
            PhoneEvent::Failed { status, reason } => Some(Err(format!("{status} {reason}"))),
            _ => None,
        })?;
        let answer = outcome.map_err(|reason| self.failed(&format!("is refused: {reason}")))?;
        match &answer {
            Some(contact) => {
                // The refusal that a redirect is to a phone that does not follow.
                self.wait(AT_ONCE, "the end of the redirected call", |event| {
                    matches!(event, PhoneEvent::Failed { .. }).then_some(())
                })?;
                self.does(&format!("is sent on to {contact}"));
            }
            None => self.does("is connected"),
        }
        Ok(answer)
    }

    pub fn is_called(&mut self, within: Duration) -> Outcome<CallerShown> {
        let caller = self.wait(within, "a call", |event| match event {
            PhoneEvent::Incoming { from, number, diverted_from } => {
                Some(CallerShown { shown: from.clone(), number: number.clone(), diverted_from: diverted_from.clone() })
            }
            _ => None,
        })?;
        self.does(&format!("rings; it shows {}", caller.shown));
        Ok(caller)
    }

    /// The lamp goes on or off, within so long. `subscribed`: told within a subscription, or unasked.
    pub fn shows_lamp(&mut self, on: bool, subscribed: bool, within: Duration) -> Outcome<MessageSummary> {
        let way = if subscribed { "by its subscription" } else { "by an unsolicited NOTIFY" };
        let what = format!("its lamp to go {} {way}", if on { "on" } else { "off" });
        let told = |event: &PhoneEvent| matches!(event, PhoneEvent::Lamp { subscribed: by, .. } if *by == subscribed);
        let deadline = Instant::now() + within;
        // In their order: what it was before it came to be so does not count later.
        let summary = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let next = self.wait(left, &what, |event| match event {
                PhoneEvent::Lamp { summary, .. } if told(event) => Some(summary.clone()),
                _ => None,
            });
            match next {
                Ok(summary) if summary.waiting == on => break summary,
                Ok(_) => {}
                Err(_) => {
                    let seconds = within.as_secs();
                    return Err(self.failed(&format!("waited {seconds} s for {what}, which did not come")));
                }
            }
        };
        let counts = summary.voice.unwrap_or_default();
        let state = if on { "on" } else { "off" };
        self.does(&format!("has its lamp {state} {way}: {} new, {} old", counts.new, counts.old));
        Ok(summary)
    }

    // ---- hearing ----

    /// All of it, to its last word.
    pub fn hears(&mut self, saying: &Saying) -> Outcome {
        self.hears_one_of(std::slice::from_ref(saying)).map(|_| ())
    }

    /// As `hears`, before something that is recognised whoever says it: a tone, a message. Where prompts are not known, what
    /// comes next is waited for instead.
    pub fn hears_first(&mut self, saying: &Saying) -> Outcome {
        if saying.template.is_some() {
            return self.hears(saying);
        }
        self.journal.remark(NOT_KNOWN);
        Ok(())
    }

    /// As `hears_first`. That `other` is said in its place is a failure: `why`.
    pub fn hears_and_not(&mut self, saying: &Saying, other: &Saying, why: &str) -> Outcome {
        if saying.template.is_none() {
            return self.hears_first(saying);
        }
        match self.hears_one_of(&[saying.clone(), other.clone()])? {
            0 => Ok(()),
            _ => Err(self.failed(why)),
        }
    }

    /// The first of them that is said.
    pub fn hears_one_of(&mut self, sayings: &[Saying]) -> Outcome<usize> {
        let texts: Vec<String> = sayings.iter().map(|saying| format!("\"{}\"", saying.text)).collect();
        let what = texts.join(" or ");
        let longest = sayings.iter().filter_map(|saying| saying.template.as_ref()).count();
        let from = self.at;
        if longest < sayings.len() {
            self.journal.remark(NOT_KNOWN);
            let end = self.listen_for(&what, |heard, _| said_something(heard, from))?;
            self.at = end.min(self.real);
            self.does(&format!("hears something, for {what}"));
            return Ok(0);
        }
        let mut searches: Vec<Search<'_>> =
            sayings.iter().filter_map(|saying| saying.template.as_ref()).map(|t| Search::new(t, from)).collect();
        let (which, found) = self.listen_for(&what, |heard, real| {
            searches.iter_mut().enumerate().find_map(|(n, search)| Some((n, search.run(heard, real)?)))
        })?;
        self.at = found.end.min(self.real);
        self.does(&format!("hears {} (likeness {:.2})", texts[which], found.likeness));
        Ok(which)
    }

    /// The tone that asks to speak.
    pub fn hears_the_tone(&mut self) -> Outcome {
        let from = self.at;
        let (end, hertz) = self.listen_for("the tone to speak after", |heard, _| first_tone(heard, from))?;
        self.at = end.min(self.real);
        // Its last packets may be on their way, and the recording begins after them.
        std::thread::sleep(AFTER_THE_TONE);
        self.does(&format!("hears a tone of {hertz:.0} Hz"));
        Ok(())
    }

    /// What a caller said before.
    pub fn hears_words(&mut self, words: &Words) -> Outcome {
        let text = format!("the message \"{}\"", words.digits);
        self.hears(&Saying { text, template: Some(words.template.clone()) })
    }

    // ---- within ----

    /// What is left of the calls before is of no interest any more.
    pub fn forget_calls(&mut self) {
        self.take_events(Duration::ZERO);
        self.events.retain(|event| matches!(event, PhoneEvent::Lamp { .. }));
        self.listen();
        self.at = self.real;
    }

    fn listen(&mut self) {
        let new = self.phone.heard_from(self.real);
        if !new.is_empty() {
            // It was only late, or its sender has filled the gap.
            self.heard.truncate(self.real);
            self.heard.extend(new);
            self.real = self.heard.len();
            self.lately = Instant::now();
        } else if self.lately.elapsed() > SILENCE {
            // A far end that says nothing may send nothing.
            self.heard.resize(self.heard.len() + SILENT_SAMPLES, 0);
            self.lately += GLANCE;
        }
    }

    /// Listens until `found` finds something, or the call ends, or there is too long nothing of it.
    fn listen_for<T>(&mut self, what: &str, mut found: impl FnMut(&[i16], usize) -> Option<T>) -> Outcome<T> {
        let (began, start) = (Instant::now(), self.real);
        let (mut deadline, last) = (began + self.prompt, began + self.prompt * 3);
        loop {
            // Looked at before listening: what was said before the end was said.
            self.take_events(GLANCE);
            let over = self.take(|event| matches!(event, PhoneEvent::Ended { .. }).then_some(()));
            self.listen();
            if let Some(found) = found(&self.heard, self.real) {
                return Ok(found);
            }
            if over.is_some() {
                return Err(self.failed(&format!("expected to hear {what}, but the far end hung up")));
            }
            // Somebody who speaks may go on for a while before it comes.
            let tail = self.heard.len().saturating_sub(4_000).max(start).min(self.heard.len());
            if is_loud(&self.heard[tail..]) {
                deadline = deadline.max(Instant::now() + self.prompt / 3).min(last);
            }
            if Instant::now() > deadline {
                let instead = if is_loud(&self.heard[start.min(self.heard.len())..]) {
                    "heard something else"
                } else {
                    "heard nothing"
                };
                return Err(self.failed(&format!("expected to hear {what}, but {instead}")));
            }
        }
    }

    fn wait<T>(&mut self, limit: Duration, what: &str, wanted: impl Fn(&PhoneEvent) -> Option<T>) -> Outcome<T> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = self.take(&wanted) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seconds = limit.as_secs();
                return Err(self.failed(&format!("waited {seconds} s for {what}, which did not come")));
            }
            self.take_events(left);
        }
    }

    /// The first of the events that is wanted, out of those that came.
    fn take<T>(&mut self, wanted: impl Fn(&PhoneEvent) -> Option<T>) -> Option<T> {
        let (at, found) = self.events.iter().enumerate().find_map(|(at, event)| Some((at, wanted(event)?)))?;
        self.events.remove(at);
        Some(found)
    }

    fn take_events(&mut self, limit: Duration) {
        let mut next = self.phone.next(limit);
        while let Some(event) = next {
            self.events.push_back(event);
            next = self.phone.next(Duration::ZERO);
        }
    }

    fn does(&self, what: &str) {
        self.journal.step(format!("{} {what}", self.name));
    }

    fn failed(&self, what: &str) -> Stop {
        Stop::Failed(format!("{} {what}", self.name))
    }
}

/// Whether there is more in it than noise.
fn is_loud(samples: &[i16]) -> bool {
    samples.iter().any(|sample| sample.unsigned_abs() > 400)
}

impl Drop for Handset {
    fn drop(&mut self) {
        self.phone.hang_up();
        self.journal.recording(&self.name, self.phone.heard());
    }
}
