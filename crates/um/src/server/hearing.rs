//! What callers say: from the media engine to the recogniser, and what it understood to the dialogue. Both ways go by the one
//! door, and are in the journal; the sound is not.

use super::Server;
use crate::commands::dial_plan::DialPlan;
use crate::dialogue::{Spoken, Subscriber};
use event::Now;
use journal::Key;
use media::{MediaCommand, SessionId, Utterance};
use speech::Language;
use speech::recognition::{Grammar, Heard, RecognitionError};
use std::sync::Arc;

/// People whose names may be said; where there are more, callers spell.
const MOST_NAMES: usize = 300;

/// An utterance that is being recognised.
pub(crate) struct Hearing {
    call: u64,
    /// What was asked; an answer to another question is none.
    grammar: Arc<Grammar>,
}

impl Server {
    /// Whether callers who speak this language, and whose plan allows it, may be asked to speak.
    pub(crate) fn voice(&self, language: Language, plan: &DialPlan) -> bool {
        let ready = self.recogniser.as_ref().is_some_and(|recogniser| recogniser.is_ready());
        // It depends on what is installed.
        let ready = self.random.shared(ready.into()) != 0;
        ready && language == Language::English && plan.automatic_speech_recognition_enabled
    }

    /// From now on this is listened for.
    pub(crate) fn listen(&mut self, number: u64, grammar: Option<Arc<Grammar>>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let session = call.session;
        if let (Some(grammar), Some(recogniser)) = (&grammar, &mut self.recogniser) {
            recogniser.prepare(grammar);
        }
        let listen = grammar.is_some();
        // What is being said while the question changes is said to the new one.
        if call.grammar.is_some() != listen {
            self.media.command(MediaCommand::Listen { session, listen });
        }
        call.grammar = grammar;
    }

    pub(crate) fn speech_began(&mut self, session: SessionId, now: Now) {
        let Some(number) = self.by_session.get(&session).copied() else { return };
        if let Some(dialogue) = self.calls.get_mut(&number).and_then(|call| call.dialogue.as_mut()) {
            dialogue.speaking(now);
            self.drive(number, now);
        }
    }

    pub(crate) fn spoken(&mut self, session: SessionId, speech: &Utterance) {
        let Some(number) = self.by_session.get(&session).copied() else { return };
        let Some(grammar) = self.calls.get(&number).and_then(|call| call.grammar.clone()) else { return };
        let ticket = self.next_number();
        self.journal.did(None, Some(Key::Ticket(ticket)), || "has speech recognised".to_owned());
        self.hearing.insert(ticket, Hearing { call: number, grammar: grammar.clone() });
        if let Some(recogniser) = &mut self.recogniser {
            recogniser.submit(speech.samples().clone(), &grammar, ticket);
        }
    }

    pub(super) fn recognised(&mut self, ticket: u64, heard: Result<Heard, RecognitionError>, now: Now) {
        let Some(hearing) = self.hearing.remove(&ticket) else { return };
        let Some(call) = self.calls.get_mut(&hearing.call) else { return };
        if call.grammar.as_ref() != Some(&hearing.grammar) {
            return;
        }
        if let Some(dialogue) = &mut call.dialogue {
            dialogue.said(heard.map_or(Spoken::Failed, Spoken::Heard));
            self.drive(hearing.call, now);
        }
    }

    /// Who may be named by voice, of a plan and an address list or of all: nobody where they are too many.
    pub(crate) fn people(&self, plan: Option<&str>, list: Option<&str>) -> Vec<Subscriber> {
        let configuration = &self.configuration;
        let found = configuration.mailboxes.iter().filter(|mailbox| {
            let of = configuration.plan_of(mailbox).filter(|_| !mailbox.hidden);
            let in_plan = of.is_some_and(|of| plan.is_none_or(|plan| plan.eq_ignore_ascii_case(&of.name)));
            let listed = |list: &str| mailbox.address_lists.iter().any(|own| own.eq_ignore_ascii_case(list));
            in_plan && list.is_none_or(listed)
        });
        let found: Vec<_> = found.take(MOST_NAMES + 1).cloned().collect();
        // How many there are is others' doing; those that there are the journal hears of.
        if self.random.shared((found.len() > MOST_NAMES).into()) != 0 {
            return Vec::new();
        }
        self.tell_mailboxes(&found);
        found.iter().filter_map(|mailbox| self.subscriber(mailbox)).collect()
    }
}
