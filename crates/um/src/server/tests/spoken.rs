//! Spoken commands on the whole server: what the media engine hears, what the recogniser makes of it, and what is done. That
//! each of these calls runs again alike is the rig's to see.

use super::rig::*;
use crate::Own;
use event::Event;
use media::{MediaCommand, MediaEvent, Utterance};
use net::Input;
use speech::recognition::{Grammar, Heard, Recogniser, RecognitionError};
use std::sync::{Arc, Mutex};

/// A ticket, and what may have been said.
type Asked = (u64, Arc<Grammar>);

/// A recogniser that is told what it has heard.
#[derive(Clone, Default)]
struct Ears {
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recogniser for Ears {
    fn is_ready(&self) -> bool {
        true
    }

    fn prepare(&mut self, _: &Arc<Grammar>) {}

    fn submit(&mut self, samples: Arc<Vec<i16>>, grammar: &Arc<Grammar>, ticket: u64) {
        assert_eq!(samples.len(), 8000);
        self.asked.lock().unwrap().push((ticket, grammar.clone()));
    }
}

impl Ears {
    /// The caller says something; the ticket by which it is to be answered, and among what it may be.
    fn hear(&self, rig: &mut Rig, call: &TestCall) -> Asked {
        rig.listen(call.session);
        rig.media_event(MediaEvent::SpeechBegan { session: call.session });
        let speech = Utterance::new(vec![0; 8000]);
        rig.media_event(MediaEvent::Spoken { session: call.session, speech });
        self.asked.lock().unwrap().pop().expect("the recogniser is asked")
    }

    /// He says a phrase that begins so, or what is none.
    fn says(&self, rig: &mut Rig, call: &TestCall, words: &str) {
        let (ticket, grammar) = self.hear(rig, call);
        let said = |place: &usize| grammar.phrase(*place).is_some_and(|phrase| phrase.starts_with(words));
        let phrase = (0..grammar.len()).find(said);
        assert!(phrase.is_some() || words.contains(' ') && !words.contains("mail"), "{words} of {grammar:?}");
        let heard = phrase.map_or(Heard::Unclear, |phrase| Heard::Phrase { phrase, sure: true });
        rig.input(Input::Own(Own::Recognised(ticket, Ok(heard))));
    }
}

/// Björn begins by voice, and has entered his PIN.
fn logged_on(rig: &mut Rig) -> TestCall {
    rig.done("Set-UMMailbox", &[("Identity", "Björn"), ("VoiceCommandsPreferred", "$true")]);
    let call = rig.call("43334", "");
    rig.press(&call, "730258#");
    call
}

/// What was asked of the media engine: listen, or no more.
fn listens(rig: &Rig) -> Vec<bool> {
    let all = rig.media.take().into_iter();
    all.filter_map(|command| match command {
        MediaCommand::Listen { listen, .. } => Some(listen),
        _ => None,
    })
    .collect()
}

#[test]
fn a_message_is_deleted_by_voice_once_that_was_said_to_be_right() {
    let (mut rig, ears) = (Rig::lab(), Ears::default());
    rig.server.understand_by(Box::new(ears.clone()));
    let call = logged_on(&mut rig);
    let asked = rig.listen(call.session);
    assert!(asked.iter().any(|command| matches!(command, MediaCommand::Listen { listen: true, .. })));
    ears.says(&mut rig, &call, "voice mail");
    ears.says(&mut rig, &call, "delete");
    let deleted = |rig: &Rig| rig.take_events().iter().any(|event| matches!(event, Event::MessageDeleted { .. }));
    assert!(!deleted(&rig));
    ears.says(&mut rig, &call, "yes");
    assert!(deleted(&rig));
    rig.hang_up(&call);
}

#[test]
fn what_is_no_command_does_nothing() {
    let (mut rig, ears) = (Rig::lab(), Ears::default());
    rig.server.understand_by(Box::new(ears.clone()));
    let call = logged_on(&mut rig);
    ears.says(&mut rig, &call, "the weather is nice");
    ears.says(&mut rig, &call, "voice mail");
    rig.hang_up(&call);
}

#[test]
fn a_recogniser_that_fails_ends_the_listening_and_not_the_call() {
    let (mut rig, ears) = (Rig::lab(), Ears::default());
    rig.server.understand_by(Box::new(ears.clone()));
    let call = logged_on(&mut rig);
    let (ticket, _) = ears.hear(&mut rig, &call);
    rig.media.take();
    rig.input(Input::Own(Own::Recognised(ticket, Err(RecognitionError::Failed("it died".into())))));
    assert_eq!(listens(&rig), [false]);
    rig.press(&call, "1");
    rig.hang_up(&call);
}

#[test]
fn an_answer_to_what_is_not_asked_any_more_is_none() {
    let (mut rig, ears) = (Rig::lab(), Ears::default());
    rig.server.understand_by(Box::new(ears.clone()));
    let call = logged_on(&mut rig);
    let (ticket, _) = ears.hear(&mut rig, &call);
    rig.press(&call, "6");
    rig.media.take();
    rig.input(Input::Own(Own::Recognised(ticket, Ok(Heard::Phrase { phrase: 0, sure: true }))));
    assert!(rig.media.take().is_empty(), "he went on by keys meanwhile");
    rig.hang_up(&call);
    // Nor is one that nobody waits for.
    rig.input(Input::Own(Own::Recognised(ticket, Ok(Heard::Unclear))));
}

#[test]
fn nobody_is_listened_to_without_a_recogniser_or_where_it_is_not_allowed() {
    let mut rig = Rig::lab();
    let call = logged_on(&mut rig);
    assert_eq!(listens(&rig), [false; 0]);
    rig.hang_up(&call);
    for (cmdlet, identity, parameter) in [
        ("Set-UMDialPlan", "MX", "AutomaticSpeechRecognitionEnabled"),
        ("Set-UMMailboxPolicy", "MX Default Policy", "AllowAutomaticSpeechRecognition"),
        ("Set-UMMailbox", "Björn", "AutomaticSpeechRecognitionEnabled"),
    ] {
        let mut rig = Rig::lab();
        rig.server.understand_by(Box::new(Ears::default()));
        rig.done(cmdlet, &[("Identity", identity), (parameter, "$false")]);
        let call = logged_on(&mut rig);
        assert_eq!(listens(&rig), [false; 0], "{parameter}");
        rig.hang_up(&call);
    }
}

#[test]
fn an_attendant_that_may_be_spoken_to_connects_with_whom_is_named() {
    let (mut rig, ears) = (Rig::lab(), Ears::default());
    rig.server.understand_by(Box::new(ears.clone()));
    rig.done("Set-UMAutoAttendant", &[("Identity", "AA"), ("SpeechEnabled", "$true")]);
    let call = rig.call("43333", "");
    ears.says(&mut rig, &call, "anna");
    rig.take_sent();
    ears.says(&mut rig, &call, "yes");
    rig.listen(call.session);
    let refer = rig.take_requests().into_iter().find(|request| request.method == sip::Method::Refer);
    assert!(refer.is_some());
    rig.hang_up(&call);
}
