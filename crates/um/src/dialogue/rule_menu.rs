//! A call answering rule that holds (fact sheet 3.2): its greeting, and the keys that it offers. Whoever presses none of
//! them, or is not put through, leaves a message.

use super::caller::{Authority, Caller, Ring, TransferEnd};
use super::people::spoken;
use super::personal::{Reception, RuleAction, RuleScene};
use super::{FIRST_KEY, Subscriber};
use crate::storage::{StoreAnswer, StoreRequest};
use speech::{Person, Phrase, Prompt, Value};
use std::time::Duration;

/// How long the store may take to give the rule's own greeting.
const GREETING_WITHIN: Duration = Duration::from_millis(1500);
/// The menu is said so often.
const ROUNDS: u32 = 2;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// The call is over, or somebody else's.
    Over,
    /// The caller leaves a message; the greeting was said.
    Message,
}

/// `reception` has the rule's caller.
pub(super) async fn rule_menu(caller: &Caller, owner: &Subscriber, rule: &RuleScene, reception: &Reception) -> Offered {
    let request = StoreRequest::Recorded(owner.mailbox.clone(), rule.greeting);
    let greeting: Vec<Phrase> = match caller.store_within(request, GREETING_WITHIN).await {
        // It says its keys itself.
        Ok(StoreAnswer::Audio(own)) => vec![own.into()],
        _ => spoken_menu(spoken(caller, owner).await, rule),
    };
    for round in 0..ROUNDS {
        if round > 0 {
            caller.play(vec![Prompt::StillThere.into()]).await;
        }
        match rule.interrupt {
            true => {
                caller.play(greeting.clone()).await;
            }
            false => caller.announce(greeting.clone()).await,
        }
        if rule.keys.is_empty() {
            return Offered::Message;
        }
        let Some(key) = caller.key(FIRST_KEY).await else { continue };
        if key == '#' {
            return Offered::Message;
        }
        let Some((_, action)) = rule.keys.iter().find(|(of, _)| *of == key) else {
            caller.forget_keys();
            caller.play(vec![Prompt::InvalidKey.into()]).await;
            continue;
        };
        match action {
            RuleAction::Message => return Offered::Message,
            RuleAction::Transfer(number) => match transfer(caller, owner, number).await {
                TransferEnd::Done => return Offered::Over,
                TransferEnd::Busy => caller.announce(vec![Prompt::Busy.into()]).await,
                TransferEnd::NoAnswer => caller.announce(vec![Prompt::NoAnswer.into()]).await,
                TransferEnd::Invalid | TransferEnd::Failed => {
                    caller.announce(vec![Prompt::TransferFailed.into()]).await;
                }
            },
            RuleAction::FindMe(numbers) => {
                caller.announce(vec![Prompt::OneMoment.into()]).await;
                for (number, within) in numbers {
                    ring(caller, owner, number, *within, &reception.caller).await;
                }
                caller.announce(vec![Prompt::NoAnswer.into()]).await;
            }
        }
        return Offered::Message;
    }
    Offered::Message
}

/// What the server says where the owner has recorded nothing: who is not there, and what each key is for.
fn spoken_menu(name: Person, rule: &RuleScene) -> Vec<Phrase> {
    if rule.keys.is_empty() {
        return vec![Prompt::Greeting.with("name", name)];
    }
    let mut phrases = vec![Prompt::RuleGreeting.with("name", name)];
    for (key, what) in rule.said.iter().filter_map(|(key, what)| Some((key.to_digit(10)?, what))) {
        phrases.push(Prompt::RuleKey.with("what", Value::Text(what.clone())).with("key", key));
    }
    phrases.push(Prompt::RuleMessage.into());
    phrases
}

/// By the owner's rights: it is his rule that dials.
async fn transfer(caller: &Caller, owner: &Subscriber, number: &str) -> TransferEnd {
    let by = Authority::Owner(owner.mailbox.clone());
    let Ok(dialled) = caller.may_dial(by, number.to_owned()).await else { return TransferEnd::Failed };
    caller.announce(vec![Prompt::Transferring.into()]).await;
    caller.transfer(dialled).await
}

/// Comes back only if he did not take the call.
async fn ring(caller: &Caller, owner: &Subscriber, number: &str, within: Duration, from: &Person) {
    let by = Authority::Owner(owner.mailbox.clone());
    let Ok(dialled) = caller.may_dial(by, number.to_owned()).await else { return };
    let offer = match (&from.name, &from.number) {
        (None, None) => Prompt::FindMeUnknown.into(),
        _ => Prompt::FindMe.with("caller", from.clone()),
    };
    caller.ring(Ring { number: dialled, within, offer: Some(vec![offer]) }).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::call_answering::call_answering;
    use crate::dialogue::call_answering::tests::scene;
    use crate::dialogue::caller::Rung;
    use crate::dialogue::script::Script;
    use crate::rules::Denied;
    use mailbox::GreetingKind;
    use speech::Audio;
    use std::sync::Arc;

    fn rule() -> RuleScene {
        let number = |number: &str| (number.to_owned(), Duration::from_secs(20));
        RuleScene {
            greeting: GreetingKind::Rule(1),
            interrupt: true,
            keys: vec![
                ('1', RuleAction::Transfer("27010".into())),
                ('5', RuleAction::FindMe(vec![number("0701"), number("0702")])),
                ('7', RuleAction::Message),
            ],
            said: vec![('1', "the reception".into()), ('5', "urgent matters".into())],
        }
    }

    fn call_with(rule: RuleScene, setup: impl FnOnce(&mut Script)) -> Script {
        let setup = |script: &mut Script| {
            script.reception.rule = Some(rule);
            script.reception.caller = Person::number("27001");
            setup(script);
        };
        Script::start(setup, |caller| call_answering(caller, scene()))
    }

    fn call() -> Script {
        call_with(rule(), |_| {})
    }

    #[test]
    fn the_keys_are_said_where_nothing_was_recorded() {
        call().hears("Anna Svensson").hears("press one").hears("press five").hears("leave a message");
    }

    #[test]
    fn an_own_greeting_says_them_itself() {
        let mut call = call_with(rule(), |script| {
            script.recorded.insert(GreetingKind::Rule(1), Arc::new(Audio::from_samples(vec![1; 8000])));
        });
        call.hears("[audio]");
        assert!(!call.said().contains("press"));
    }

    #[test]
    fn a_key_transfers_by_the_owners_rights() {
        let mut call = call();
        call.presses("1").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27010"));
        call.transferred(TransferEnd::Done);
        assert!(call.over);
    }

    #[test]
    fn who_may_not_be_dialled_is_not_and_a_message_is_left() {
        let mut call = call_with(rule(), |script| script.denied = Some(Denied::NoRule));
        call.presses("1").hears("did not go through").listens().listens();
        assert!(call.recording().is_some());
    }

    #[test]
    fn find_me_rings_one_number_after_the_other_and_then_takes_a_message() {
        let mut call = call();
        call.presses("5").hears("One moment").listens();
        assert_eq!(call.ringing.as_ref().map(|(_, ring)| ring.number.as_str()), Some("0701"));
        call.rung(Rung::Busy);
        assert_eq!(call.ringing.as_ref().map(|(_, ring)| ring.number.as_str()), Some("0702"));
        call.rung(Rung::Declined).hears("Nobody answers").listens().listens();
        assert!(call.recording().is_some());
    }

    #[test]
    fn pound_and_a_key_for_it_leave_a_message() {
        for key in ["#", "7"] {
            let mut call = call();
            call.presses(key).listens();
            assert!(call.recording().is_some(), "{key}");
        }
    }

    #[test]
    fn who_presses_nothing_is_asked_once_and_leaves_a_message() {
        let mut call = call();
        call.listens()
            .passes(FIRST_KEY)
            .hears("still there")
            .listens()
            .hears("Anna")
            .listens()
            .passes(FIRST_KEY)
            .listens();
        assert!(call.recording().is_some());
    }

    #[test]
    fn a_greeting_that_may_not_be_interrupted_is_heard_out() {
        let mut call = call_with(RuleScene { interrupt: false, ..rule() }, |_| {});
        call.presses("1").hears("Anna").listens().listens();
        assert!(call.transferring.is_some(), "the key counts after the greeting");
    }

    #[test]
    fn a_rule_without_keys_is_a_greeting() {
        let mut call = call_with(RuleScene { keys: Vec::new(), said: Vec::new(), ..rule() }, |_| {});
        call.hears("is not available").listens().listens();
        assert!(call.recording().is_some());
    }
}
