//! What the UM server tells its journal of itself, so that a call can be run again by a server that knows nothing else; and its
//! doors to stores and hashing, with the journal looking on.

use crate::commands::Command;
use crate::commands::call_answering_rule::Rule;
use crate::commands::distribution_group::DistributionGroup;
use crate::commands::key_mapping::{KeyMapping, Then};
use crate::commands::mailbox::Mailbox;
use crate::commands::prompt::Prompt;
use crate::configuration::{Configuration, Object, PIN, ROUTER, SERVICE};
use crate::people::{HashAnswer, HashJob, Hasher, PinRecord, PoolFull};
use crate::replay::{ORDER, recorded_answer, recorded_order, recorded_result, recorded_speech, verdict};
use crate::server::{Own, Server};
use crate::storage::{Greeting, Storage, StoreRequest, Ticket};
use event::Now;
use journal::{Cause, Journal, Key, Wanted};
use net::{Input, SipInput};
use serde::Serialize;
use sip::Chance;
use speech::Audio;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The kind of a gateway's addresses as the DNS gave them, beside those of the configuration.
pub(crate) const RESOLVED: &str = "resolved";
/// The kind of answers of whoever has mail, calendar and contacts.
pub(crate) const PERSONAL: &str = "personal";
/// Among more mailboxes than this, nobody is looked for by telephone number.
const MANY: usize = 2000;

impl Server {
    /// The journal hears what comes in, and what the server knows that the call will need.
    pub(crate) fn begin_step(&self, input: &Input<Own>, now: Now) {
        let journal = &self.journal;
        journal.tick(now);
        match input {
            Input::Sip(input) => {
                journal.begin_sip(input, now);
                if let SipInput::Received { wire, .. } = input
                    && let Some(wanted) = journal.wants(self.version, wire)
                {
                    self.tell(&wanted);
                }
            }
            Input::Own(Own::Media(event)) => journal.begin_media(event, now),
            Input::Own(Own::Store(ticket, result)) => {
                let cause = || Cause::Own { kind: "store".into(), ticket: ticket.0, value: recorded_result(result) };
                journal.begin_own(&[Key::Ticket(ticket.0)], now, cause);
            }
            Input::Own(Own::Hashed(ticket, answer)) => {
                let cause = || Cause::Own { kind: "hash".into(), ticket: *ticket, value: verdict(answer).into() };
                journal.begin_own(&[Key::Ticket(*ticket)], now, cause);
            }
            Input::Own(Own::Recognised(ticket, heard)) => {
                let cause = || Cause::Own { kind: "speech".into(), ticket: *ticket, value: recorded_speech(heard) };
                journal.begin_own(&[Key::Ticket(*ticket)], now, cause);
            }
            Input::Own(Own::Personal(ticket, answer)) => {
                let cause = || Cause::Own { kind: PERSONAL.into(), ticket: ticket.0, value: recorded_answer(answer) };
                journal.begin_own(&[Key::Ticket(ticket.0)], now, cause);
            }
            Input::Own(Own::Command { by, command, .. }) => self.begin_order(by, command, now),
            Input::Own(_) | Input::Timeout => {}
        }
    }

    /// A command that places a call, or ends one that a command has placed, is what the call begins or ends with.
    fn begin_order(&self, by: &str, command: &Command, now: Now) {
        let (identity, number) = match command {
            Command::StartPlayOnPhone { identity, number, .. } => (Some(identity), Some(number)),
            Command::StartPromptRecording { number, .. } => (None, Some(number)),
            Command::StopPlayOnPhone { identity } => (Some(identity), None),
            _ => return,
        };
        let owner = identity.and_then(|identity| self.configuration.find_mailbox(identity)).cloned();
        let call = owner.as_ref().and_then(|owner| self.phone_calls.get(&owner.um.as_ref()?.mailbox));
        let keys: Vec<Key> = match number {
            Some(_) => Vec::new(),
            None => call.map(|call| Key::Call(call.call)).into_iter().collect(),
        };
        if number.is_none() && keys.is_empty() {
            return;
        }
        let cause = || Cause::Own { kind: ORDER.into(), ticket: 0, value: recorded_order(by, command) };
        self.journal.begin_order(&keys, now, cause);
        self.tell_numbers(number.cloned().into_iter().collect());
        self.tell_mailboxes(owner.as_slice());
    }

    /// A number came up that the journal may not know yet: by keys.
    pub(crate) fn tell_numbers(&self, numbers: Vec<String>) {
        if let Some(wanted) = self.journal.wants_numbers(self.version, numbers) {
            self.tell(&wanted);
        }
    }

    /// These users came up.
    pub(crate) fn tell_mailboxes(&self, mailboxes: &[Arc<Mailbox>]) {
        if !self.journal.listens() {
            return;
        }
        for mailbox in mailboxes {
            self.configuration.mailbox_values(mailbox, &mut |kind, key, value| self.journal.known(kind, &key, value));
        }
    }

    /// These groups came up.
    pub(crate) fn tell_groups(&self, groups: &[Arc<DistributionGroup>]) {
        if self.journal.listens() {
            groups.iter().for_each(|group| self.journal.known(DistributionGroup::KIND, &group.key(), json(&**group)));
        }
    }

    fn tell(&self, wanted: &Wanted) {
        self.configuration.relevant(wanted, &mut |kind, key, value| self.journal.known(kind, &key, value));
        if wanted.everything {
            for (name, addresses) in &self.resolved {
                self.journal.known(RESOLVED, name, json(addresses));
            }
        }
    }
}

type Tell<'a> = &'a mut dyn FnMut(&'static str, String, Option<String>);

impl Configuration {
    /// What a call that names these numbers may read, without secrets.
    fn relevant(&self, wanted: &Wanted, tell: Tell<'_>) {
        let mut numbers = wanted.numbers.clone();
        if wanted.everything {
            fn all<'a, T: Object + 'a>(objects: impl Iterator<Item = &'a Arc<T>>, tell: Tell<'_>) {
                objects.for_each(|object| tell(T::KIND, object.name().to_lowercase(), json(&**object)));
            }
            all(self.gateways.iter(), tell);
            all(self.hunt_groups.iter(), tell);
            all(self.policies.iter(), tell);
            all(self.dial_plans.iter(), tell);
            all(self.attendants.iter(), tell);
            tell(SERVICE, SERVICE.into(), json(&self.service));
            tell(ROUTER, ROUTER.into(), json(&self.router));
            // Operators and the like are named by their extensions.
            let mut named = |text: &str| {
                numbers.insert(text.to_owned());
            };
            let keys = self
                .attendants
                .iter()
                .flat_map(|attendant| [&attendant.business_hours_key_mapping, &attendant.after_hours_key_mapping]);
            for key in keys.flat_map(|keys| KeyMapping::all(keys)) {
                match key.then {
                    Then::Extension(number) => named(&number),
                    Then::VoiceMailOf(identity) | Then::User(identity) => {
                        if let Some(mailbox) = self.find_mailbox(&identity) {
                            self.mailbox_values(mailbox, tell);
                        }
                    }
                    Then::Menu | Then::Attendant(_) | Then::Location | Then::Hours => {}
                }
            }
            for prompt in self.prompts.iter() {
                tell(Prompt::KIND, prompt.key(), json(&prompt.silent()));
            }
            for value in self.attendants.iter().filter_map(|attendant| serde_json::to_value(&**attendant).ok()) {
                journal::texts(&value, &mut named);
            }
            for value in self.dial_plans.iter().filter_map(|plan| serde_json::to_value(&**plan).ok()) {
                journal::texts(&value, &mut named);
            }
        }
        let mut told = BTreeSet::new();
        for number in &numbers {
            let by_extension = self.dial_plans.iter().filter_map(|plan| {
                let extension = plan.extension_of(number).or_else(|| plan.extension_of(&format!("+{number}")));
                self.by_extension(&plan.name, number).or_else(|| self.by_extension(&plan.name, &extension?))
            });
            let same = |phone: &String| {
                phone.trim_start_matches('+') == number.trim_start_matches('+')
                    || self.dial_plans.iter().any(|plan| plan.national(phone) == plan.national(number))
            };
            let few = self.mailboxes.iter().nth(MANY).is_none();
            let by_phone = self.mailboxes.iter().filter(|mailbox| few && mailbox.phone.as_ref().is_some_and(same));
            for mailbox in by_extension.chain(by_phone) {
                if told.insert(&mailbox.name) {
                    self.mailbox_values(mailbox, tell);
                }
            }
        }
    }

    fn mailbox_values(&self, mailbox: &Mailbox, tell: Tell<'_>) {
        let key = mailbox.name.to_lowercase();
        tell(Mailbox::KIND, key.clone(), json(mailbox));
        if let Some(pin) = self.pins.get(&key) {
            let pin = PinRecord { hash: String::new(), history: Vec::new(), ..pin.clone() };
            tell(PIN, key, json(&pin));
        }
        for rule in self.rules.iter().filter(|rule| rule.mailbox.eq_ignore_ascii_case(&mailbox.name)) {
            tell(Rule::KIND, rule.key(), json(&**rule));
        }
    }
}

fn json<T: Serialize>(value: &T) -> Option<String> {
    // Plain structs with text keys always have a JSON form.
    serde_json::to_string(value).ok()
}

/// A greeting that is kept in memory, by way of the journal: whether there was one is recorded, what it says is not.
pub(crate) fn kept_greeting(chance: &Chance, kept: Option<&Greeting>) -> Option<Greeting> {
    let bits = kept.map_or(0, |greeting| {
        let bit = |audio: &Option<Arc<Audio>>, place: u32| u64::from(audio.is_some()) << place;
        1 | bit(&greeting.personal, 1) | bit(&greeting.name, 2) | bit(&greeting.oof, 3)
    });
    let then = chance.shared(bits);
    if then == bits {
        return kept.cloned();
    }
    let audio = |bit: u64| (then & bit != 0).then(|| Arc::new(Audio::silence(Duration::from_secs(1))));
    (then != 0).then(|| Greeting { personal: audio(2), name: audio(4), oof: audio(8) })
}

/// A mailbox store whose questions are recorded.
pub(crate) struct WatchedStorage {
    inner: Box<dyn Storage + Send>,
    journal: Journal,
}

impl WatchedStorage {
    pub(crate) fn new(inner: Box<dyn Storage + Send>, journal: Journal) -> WatchedStorage {
        WatchedStorage { inner, journal }
    }
}

impl Storage for WatchedStorage {
    fn submit(&mut self, request: StoreRequest, ticket: Ticket) {
        let of = match &request {
            // A message is named by its first recording.
            StoreRequest::Deliver(parcel) => Some(Key::Recording(parcel.letter.message.0)),
            StoreRequest::Discard(recordings) | StoreRequest::Replay(recordings) => {
                recordings.first().map(|recording| Key::Recording(recording.0))
            }
            _ => None,
        };
        self.journal.did(of, Some(Key::Ticket(ticket.0)), || format!("store {request:?}"));
        self.inner.submit(request, ticket);
    }
}

/// A hasher that is known to have been asked; never what.
pub(crate) struct WatchedHasher {
    inner: Box<dyn Hasher + Send>,
    journal: Journal,
}

impl WatchedHasher {
    pub(crate) fn new(inner: Box<dyn Hasher + Send>, journal: Journal) -> WatchedHasher {
        WatchedHasher { inner, journal }
    }
}

impl Hasher for WatchedHasher {
    fn submit(&mut self, job: HashJob, ticket: u64) -> Result<(), PoolFull> {
        let what = match &job {
            HashJob::Verify { .. } => "has a PIN checked",
            HashJob::Make { .. } => "has a PIN hashed",
        };
        self.journal.did(None, Some(Key::Ticket(ticket)), || what.to_owned());
        let taken = self.inner.submit(job, ticket);
        // Whether there was room is others' doing.
        match sip::Watch::pass(&self.journal, sip::chance::Origin::Shared, taken.is_ok().into()) {
            0 => Err(PoolFull),
            _ => Ok(()),
        }
    }
}

/// As [`HashAnswer`], without the hash.
pub(crate) fn answer_of(verdict: &str) -> HashAnswer {
    match verdict {
        "right" => HashAnswer::Right,
        "made" => HashAnswer::Made(String::new()),
        "used-before" => HashAnswer::UsedBefore,
        _ => HashAnswer::Wrong,
    }
}
