//! Call answering (fact sheet 3.1): greeting, tone, recording; `#` opens the menu after it, hanging up delivers.
//! While the greeting plays: [`MENU`].

use super::after_record::{Finished, Recording, after_record, record};
use super::auto_attendant::{Attendant, auto_attendant};
use super::caller::{Caller, Subscriber, TransferEnd};
use super::menu::{Key, Menu, Pressed};
use super::personal::Reception;
use super::rule_menu::{Offered, rule_menu};
use crate::storage::{StoreAnswer, StoreRequest};
use speech::{Person, Phrase, Prompt, Sound};
use std::time::Duration;

/// How long the mailbox store may take to give the greeting before the caller hears the standard one.
const GREETING_WITHIN: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Operator,
    Elsewhere,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "Call answering",
    about: "While the greeting of somebody who does not answer plays. After the tone, `#` ends the recording.",
    keys: &[
        Key::new("0", Does::Operator, "the operator, where there is one"),
        Key::new("*", Does::Elsewhere, "reach somebody else, and from there by `*` the own mailbox"),
        Key::other("any other", "go on to the tone").to("After recording"),
    ],
};

/// What call answering must know.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) owner: Subscriber,
    pub(crate) idle: Duration,
    pub(crate) max: Duration,
    pub(crate) failures: u32,
    pub(crate) operator: Option<String>,
    /// Who can be reached by `*`.
    pub(crate) elsewhere: Attendant,
}

pub(crate) async fn call_answering(caller: Caller, scene: Answering) {
    let reception = caller.receive_caller(scene.owner.mailbox.clone()).await;
    if let Some(why) = refused(&caller, &scene, &reception).await {
        return caller.announce(vec![why.into(), Prompt::Goodbye.into()]).await;
    }
    let greeting = match &reception.rule {
        Some(rule) => match rule_menu(&caller, &scene.owner, rule, &reception).await {
            Offered::Over => return,
            // Its greeting was said.
            Offered::Message => Vec::new(),
        },
        None => greeting(&caller, &scene).await,
    };
    loop {
        if greeting.is_empty() {
            break;
        }
        let played = caller.play(greeting.clone()).await;
        let pressed = match played.reason {
            media::PlayEnd::Key => MENU.read(&caller, Duration::ZERO).await,
            _ => Pressed::Nothing,
        };
        match (pressed, &scene.operator) {
            (Pressed::Does(Does::Operator), Some(operator)) => {
                caller.announce(vec![Prompt::Transferring.into()]).await;
                if caller.transfer(operator.clone()).await == TransferEnd::Done {
                    return;
                }
                caller.announce(vec![Prompt::TransferFailed.into()]).await;
            }
            (Pressed::Does(Does::Elsewhere), _) => return auto_attendant(caller, scene.elsewhere).await,
            _ => break,
        }
    }
    caller.announce(vec![Sound::RecordTone.into()]).await;
    let recording = Recording { idle: scene.idle, max: scene.max, failures: scene.failures, needs_sound: false };
    let taken = record(&caller, recording, scene.max).await;
    let said = match after_record(&caller, recording, taken).await {
        Finished::Sent => Prompt::MessageSent,
        Finished::Cancelled => Prompt::MessageCancelled,
    };
    caller.announce(vec![said.into(), Prompt::Goodbye.into()]).await;
}

/// Why no message can be left, which the caller is told before he has spoken. A mailbox just below its quota takes one
/// message more.
async fn refused(caller: &Caller, scene: &Answering, reception: &Reception) -> Option<Prompt> {
    if reception.refused {
        return Some(Prompt::CannotLeaveMessage);
    }
    is_full(caller, &scene.owner, reception).await.then_some(Prompt::MailboxFull)
}

/// Whether a mailbox has no room for a message. A store that does not answer takes the message later.
pub(super) async fn is_full(caller: &Caller, owner: &Subscriber, reception: &Reception) -> bool {
    let Some(quota) = reception.quota else { return false };
    let request = StoreRequest::Usage(owner.mailbox.clone());
    matches!(caller.store_within(request, GREETING_WITHIN).await, Ok(StoreAnswer::Usage(bytes)) if bytes >= quota)
}

/// The owner's own greeting, or the system's with the recorded or spoken name, or the system's as it is when the store
/// is silent.
async fn greeting(caller: &Caller, scene: &Answering) -> Vec<Phrase> {
    let request = StoreRequest::Greeting(scene.owner.mailbox.clone());
    let greeting = match caller.store_within(request, GREETING_WITHIN).await {
        Ok(StoreAnswer::Greeting(greeting)) => greeting,
        _ => crate::storage::Greeting::default(),
    };
    match greeting.personal {
        Some(personal) => vec![personal.into()],
        None => {
            let mut person = Person::new(scene.owner.name.clone(), scene.owner.extension.clone());
            person.recorded = greeting.name;
            vec![Prompt::Greeting.with("name", person)]
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::dialogue::script::{Script, anna};
    use media::RecordEnd;
    use speech::Audio;
    use std::sync::Arc;

    pub(in crate::dialogue) fn scene() -> Answering {
        Answering {
            owner: anna(),
            idle: Duration::from_secs(5),
            max: Duration::from_secs(1200),
            failures: 3,
            operator: None,
            elsewhere: Attendant { digits: 5, failures: 3, subscribers: true, ..Attendant::default() },
        }
    }

    fn call() -> Script {
        Script::start(|_| {}, |caller| call_answering(caller, scene()))
    }

    /// A call whose message was ended by #.
    fn recorded() -> Script {
        let mut call = call();
        call.listens().listens().presses("#");
        call
    }

    #[test]
    fn the_systems_greeting_has_the_name_and_recording_starts_after_the_tone() {
        let mut call = call();
        call.hears("Anna Svensson is not available").listens();
        assert_eq!(call.recording(), None, "the tone is not part of the message");
        call.listens();
        assert_eq!(call.recording(), Some(Duration::from_secs(1200)));
    }

    #[test]
    fn an_own_greeting_is_played_instead() {
        let own = |script: &mut Script| script.greeting = Some(Arc::new(Audio::from_samples(vec![1; 8000])));
        let mut call = Script::start(own, |caller| call_answering(caller, scene()));
        call.hears("[audio]");
        assert!(!call.said().contains("Anna"));
    }

    #[test]
    fn a_silent_store_gives_the_standard_greeting_after_a_moment() {
        let silent = |script: &mut Script| script.store_silent = true;
        let mut call = Script::start(silent, |caller| call_answering(caller, scene()));
        assert_eq!(call.said(), "");
        call.waits(GREETING_WITHIN);
        assert!(call.recording().is_some(), "greeting and tone ran through, and the caller can speak");
    }

    #[test]
    fn a_full_mailbox_says_so_before_anybody_has_spoken() {
        let full = |script: &mut Script| (script.reception.quota, script.usage) = (Some(1000), 1000);
        let mut call = Script::start(full, |caller| call_answering(caller, scene()));
        call.hears("mailbox is full").listens();
        assert!(call.over && call.recording().is_none());
    }

    #[test]
    fn a_mailbox_just_below_its_quota_takes_one_message_more() {
        let nearly = |script: &mut Script| (script.reception.quota, script.usage) = (Some(1000), 999);
        let mut call = Script::start(nearly, |caller| call_answering(caller, scene()));
        call.hears("Anna Svensson is not available");
    }

    #[test]
    fn callers_without_a_number_may_be_refused() {
        let refused = |script: &mut Script| script.reception.refused = true;
        let mut call = Script::start(refused, |caller| call_answering(caller, scene()));
        call.hears("no message can be left here").listens();
        assert!(call.over);
    }

    #[test]
    fn a_key_goes_on_to_the_tone() {
        let mut call = call();
        call.presses("5").listens();
        assert!(call.recording().is_some());
    }

    #[test]
    fn star_leaves_call_answering_for_somebody_else() {
        let mut call = call();
        call.presses("*").hears("enter the extension").presses("27001").hears("connecting you to Björn").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
        call.transferred(TransferEnd::Done);
        assert!(call.over);
    }

    #[test]
    fn zero_reaches_the_operator_where_there_is_one() {
        let operator = Answering { operator: Some("9".into()), ..scene() };
        let mut call = Script::start(|_| {}, |caller| call_answering(caller, operator));
        call.presses("0").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("9"));
    }

    #[test]
    fn pound_opens_the_menu_and_one_then_pound_sends() {
        let mut call = recorded();
        call.hears("To keep your message").presses("1").hears("To send your message now").presses("#");
        assert_eq!(call.take_done(), ["send"]);
        call.hears("has been sent").listens();
        assert!(call.over);
    }

    #[test]
    fn marks_are_switched_on_and_off() {
        let mut call = recorded();
        call.presses("1").presses("1").hears("marked as urgent").presses("1").presses("2").presses("#");
        assert_eq!(call.take_done(), ["urgent", "not urgent", "private", "send"]);
    }

    #[test]
    fn star_in_the_second_menu_goes_back_to_the_first() {
        let mut call = recorded();
        call.presses("1").presses("*").hears("To keep your message");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn replay_plays_what_was_recorded_and_the_menu_again() {
        let mut call = recorded();
        call.presses("2").hears("[audio]").listens().hears("To keep your message");
    }

    #[test]
    fn three_throws_away_and_records_again() {
        let mut call = recorded();
        call.presses("3");
        assert_eq!(call.take_done(), ["discard"]);
        call.hears("Please speak after the tone").listens();
        assert_eq!(call.recording(), Some(Duration::from_secs(1200)));
    }

    #[test]
    fn four_goes_on_with_what_is_left_of_the_longest_recording() {
        let mut call = recorded();
        call.presses("4").hears("Go on after the tone").listens();
        assert_eq!(call.recording(), Some(Duration::from_secs(1197)), "3 s were recorded");
    }

    #[test]
    fn a_full_recording_cannot_go_on() {
        let mut call = call();
        call.listens().listens().speaks(Duration::from_secs(1200), RecordEnd::Max);
        call.hears("as long as a message can be").listens().presses("4");
        call.hears("as long as a message can be").listens();
        assert_eq!(call.recording(), None);
    }

    #[test]
    fn star_cancels() {
        let mut call = recorded();
        call.presses("*").hears("thrown away");
        assert_eq!(call.take_done(), ["discard"]);
        call.listens();
        assert!(call.over);
    }

    #[test]
    fn silence_after_the_recording_ends_in_the_message_being_sent() {
        let mut call = call();
        call.listens().listens().speaks(Duration::from_secs(8), RecordEnd::Key);
        call.waits(Duration::from_secs(120));
        assert_eq!(call.take_done(), ["send"]);
        assert!(call.over);
    }

    #[test]
    fn a_caller_who_said_nothing_is_told_so() {
        let mut call = call();
        call.listens().listens().speaks(Duration::from_secs(5), RecordEnd::Idle);
        call.hears("did not hear anything");
    }

    #[test]
    fn wrong_keys_are_named_and_three_of_them_send() {
        let mut call = recorded();
        call.presses("9").hears("does nothing").listens().presses("9").listens().presses("9").listens();
        assert_eq!(call.take_done(), ["send"]);
    }
}
