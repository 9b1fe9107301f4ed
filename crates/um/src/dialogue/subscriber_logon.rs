//! Voice access, its entry (fact sheet 4.1): our earcon, then extension and PIN; from the own phone the name and the PIN
//! only, and `*` for "not me". Who has no mailbox may reach somebody by `#`.

use super::auto_attendant::{Announcement, Attendant, auto_attendant};
use super::caller::{Caller, PinCheck, Subscriber};
use super::main_menu::main_menu;
use super::new_pin::new_pin;
use super::people::spoken;
use speech::{Audio, Phrase, Prompt, Sound};
use std::sync::Arc;
use std::time::Duration;

/// What voice access must know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// Whose phone it is, if it is a user's.
    pub(crate) from: Option<Subscriber>,
    /// Digits in an extension.
    pub(crate) digits: usize,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    /// Wrong PINs before the call is ended.
    pub(crate) logon_failures: u32,
    /// The plan's own welcome; `None`: the server's.
    pub(crate) welcome: Option<Arc<Audio>>,
    /// The plan's announcement, after the welcome.
    pub(crate) announcement: Option<Announcement>,
    /// Who can be reached by `#`.
    pub(crate) elsewhere: Option<Box<Attendant>>,
}

pub(crate) async fn subscriber_logon(caller: Caller, scene: Access) {
    let mut wrong = 0;
    let mut known = scene.from.clone().filter(|subscriber| subscriber.access);
    let mut opening: Vec<Phrase> = vec![Sound::Earcon.into()];
    if known.is_none() {
        match &scene.welcome {
            Some(own) => opening = vec![own.clone().into()],
            None => opening.push(Prompt::Welcome.into()),
        }
        Announcement::after(scene.announcement.as_ref(), &caller, &mut opening).await;
    }
    loop {
        let own_phone = known.is_some();
        let subscriber = match known.take() {
            Some(subscriber) => subscriber,
            None => match ask_extension(&caller, &scene, std::mem::take(&mut opening)).await {
                Asked::Subscriber(subscriber) => subscriber,
                // Boxed: the attendant may lead back here.
                Asked::Elsewhere(elsewhere) => return Box::pin(auto_attendant(caller, elsewhere)).await,
                Asked::Over => return,
            },
        };
        // Whose mailbox it is, is known: the PIN is asked for in his language.
        caller.speak_to(Some(subscriber.mailbox.clone()));
        match ask_pin(&caller, &scene, &subscriber, own_phone, std::mem::take(&mut opening), &mut wrong).await {
            Logon::Done { expired } => {
                if expired && !new_pin(&caller, &subscriber, scene.failures, Some(Prompt::PinExpired)).await {
                    return caller.announce(vec![Prompt::TooManyFailures.into()]).await;
                }
                return main_menu(caller, subscriber).await;
            }
            Logon::SomebodyElse => caller.speak_to(None),
            Logon::Over => return,
        }
    }
}

enum Logon {
    Done { expired: bool },
    SomebodyElse,
    Over,
}

enum Asked {
    Subscriber(Subscriber),
    Elsewhere(Attendant),
    /// Goodbye was said.
    Over,
}

async fn ask_extension(caller: &Caller, scene: &Access, mut opening: Vec<Phrase>) -> Asked {
    for _ in 0..scene.failures {
        let mut phrases = std::mem::take(&mut opening);
        phrases.push(Prompt::EnterExtension.into());
        if scene.elsewhere.is_some() {
            phrases.push(Prompt::ContactSomebody.into());
        }
        caller.play(phrases).await;
        let first = caller.key(Duration::from_secs(7)).await;
        let number = match first {
            Some(key) => caller.number(scene.digits, Some(key)).await,
            None => None,
        };
        match number.as_deref() {
            Some("") => {
                if let Some(elsewhere) = &scene.elsewhere {
                    return Asked::Elsewhere(Attendant::clone(elsewhere));
                }
            }
            Some("*") => {}
            Some(digits) => match caller.find(digits.to_owned()).await {
                Some(subscriber) if subscriber.access => return Asked::Subscriber(subscriber),
                Some(_) => opening.push(Prompt::NotEnabled.into()),
                None => opening.push(Prompt::UnknownExtension.into()),
            },
            None => opening.push(Prompt::NoInput.into()),
        }
    }
    opening.push(Prompt::TooManyFailures.into());
    caller.announce(opening).await;
    Asked::Over
}

async fn ask_pin(
    caller: &Caller,
    scene: &Access,
    subscriber: &Subscriber,
    own_phone: bool,
    mut opening: Vec<Phrase>,
    wrong: &mut u32,
) -> Logon {
    if own_phone {
        opening.push(Prompt::Hello.with("name", spoken(caller, subscriber).await));
    }
    let mut silent = 0;
    while silent < scene.failures {
        let mut phrases = std::mem::take(&mut opening);
        phrases.push(if own_phone { Prompt::EnterPinOrStar } else { Prompt::EnterPin }.into());
        caller.play(phrases).await;
        let pin = match caller.pin(Duration::from_secs(7)).await {
            Some(star) if star == "*" => return Logon::SomebodyElse,
            Some(pin) if !pin.is_empty() => pin,
            _ => {
                silent += 1;
                opening.push(Prompt::NoInput.into());
                continue;
            }
        };
        match caller.check_pin(subscriber.mailbox.clone(), pin).await {
            PinCheck::Right { expired } => return Logon::Done { expired },
            PinCheck::Wrong => {
                *wrong += 1;
                caller.forget_keys();
                if *wrong >= scene.logon_failures {
                    caller.announce(vec![Prompt::WrongPin.into(), Prompt::TooManyTries.into()]).await;
                    return Logon::Over;
                }
                opening.push(Prompt::WrongPin.into());
            }
            PinCheck::Locked => {
                caller.announce(vec![Prompt::Locked.into(), Prompt::Goodbye.into()]).await;
                return Logon::Over;
            }
            PinCheck::Busy => {
                silent += 1;
                opening.push(Prompt::TryAgain.into());
            }
        }
    }
    caller.announce(vec![Prompt::TooManyFailures.into()]).await;
    Logon::Over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::{Script, anna, message};

    fn access(from: Option<Subscriber>) -> Access {
        Access { from, digits: 5, failures: 3, logon_failures: 3, elsewhere: None, ..Access::default() }
    }

    fn call(from: Option<Subscriber>, pins: &[PinCheck]) -> Script {
        let pins = pins.to_vec();
        let setup = move |script: &mut Script| {
            script.pins = pins.into();
            script.messages = vec![message(1, false)];
        };
        Script::start(setup, |caller| subscriber_logon(caller, access(from)))
    }

    const RIGHT: PinCheck = PinCheck::Right { expired: false };

    #[test]
    fn from_the_own_phone_the_name_is_said_and_only_the_pin_asked_for() {
        let mut call = call(Some(anna()), &[RIGHT]);
        call.hears("[audio]").hears("Hello, Anna Svensson").hears("your PIN");
        assert!(!call.said().contains("extension"));
        call.presses("730146#").hears("You have one new message");
    }

    #[test]
    fn from_another_phone_the_extension_is_asked_for_first() {
        let mut call = call(None, &[RIGHT]);
        call.hears("Welcome").hears("enter your extension").presses("27000#").hears("enter your PIN");
        call.presses("730146#").hears("You have one new message");
    }

    #[test]
    fn the_whole_logon_may_be_typed_ahead() {
        let mut call = call(None, &[RIGHT]);
        call.presses("27000#730146#").hears("You have one new message");
    }

    #[test]
    fn star_says_not_me() {
        let mut call = call(Some(anna()), &[RIGHT]);
        call.presses("*").hears("enter your extension").presses("27001#").hears("enter your PIN");
        assert!(!call.said().contains("press star"), "{}", call.said());
    }

    #[test]
    fn three_wrong_pins_end_the_call() {
        let mut call = call(Some(anna()), &[]);
        call.presses("1#").hears("not the right PIN").presses("2#").hears("not the right PIN").presses("3#");
        call.hears("call again later").listens();
        assert!(call.over);
    }

    #[test]
    fn wrong_pins_count_on_through_not_me() {
        let mut call = call(Some(anna()), &[]);
        call.presses("1#").presses("2#").presses("*").presses("27000#").presses("3#").hears("call again later");
    }

    #[test]
    fn a_locked_mailbox_says_so_and_ends_the_call() {
        let mut call = call(Some(anna()), &[PinCheck::Locked]);
        call.presses("730146#").hears("locked").listens();
        assert!(call.over);
    }

    #[test]
    fn an_unknown_extension_is_asked_for_again_three_times() {
        let mut call = call(None, &[]);
        call.presses("99999").hears("no mailbox with that extension").presses("99999").presses("99999");
        call.hears("leave it here").listens();
        assert!(call.over);
    }

    #[test]
    fn an_expired_pin_is_changed_before_anything_else() {
        let mut call = call(Some(anna()), &[PinCheck::Right { expired: true }]);
        call.presses("730146#").hears("choose a new PIN").presses("951357#").hears("once more").presses("951357#");
        assert_eq!(call.take_done(), ["pin 951357"]);
        call.hears("new PIN is set").listens().hears("You have one new message");
    }

    #[test]
    fn two_different_new_pins_are_not_taken() {
        let mut call = call(Some(anna()), &[PinCheck::Right { expired: true }]);
        call.presses("730146#").presses("951357#").presses("951358#").hears("not the same");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn the_plans_own_welcome_and_announcement_take_the_place_of_the_servers() {
        let audio = || Arc::new(Audio::silence(Duration::from_secs(1)));
        for uninterruptible in [false, true] {
            let announcement = Some(Announcement { audio: audio(), uninterruptible });
            let access = Access { welcome: Some(audio()), announcement, ..access(None) };
            let mut call = Script::start(|_| {}, |caller| subscriber_logon(caller, access));
            assert!(!call.said().contains("Earcon"), "{}", call.said());
            if uninterruptible {
                call.listens().presses("2").hears("[audio]");
                assert!(!call.said().contains("extension"), "it is heard out");
            } else {
                call.hears("enter your extension").presses("27000#").hears("enter your PIN");
            }
        }
    }

    #[test]
    fn from_the_own_phone_there_is_neither() {
        let audio = Arc::new(Audio::silence(Duration::from_secs(1)));
        let announcement = Some(Announcement { audio, uninterruptible: true });
        let mut call =
            Script::start(|_| {}, |caller| subscriber_logon(caller, Access { announcement, ..access(Some(anna())) }));
        call.hears("Hello, Anna Svensson");
    }

    #[test]
    fn the_pin_is_asked_for_in_the_users_language_and_what_others_hear_is_the_plans() {
        let mut call = call(Some(anna()), &[RIGHT]);
        assert_eq!(call.take_spoken_to(), [Some("27000".to_owned())]);
        call.presses("*");
        assert_eq!(call.take_spoken_to(), [None]);
        call.presses("27001#");
        assert_eq!(call.take_spoken_to(), [Some("27001".to_owned())]);
    }

    #[test]
    fn nobody_at_the_phone_is_no_endless_call() {
        let mut call = call(None, &[]);
        call.waits(Duration::from_secs(120));
        assert!(call.over);
    }

    #[test]
    fn who_has_no_mailbox_reaches_somebody_by_pound() {
        let elsewhere = Attendant { digits: 5, failures: 3, subscribers: true, ..Attendant::default() };
        let access = Access { elsewhere: Some(Box::new(elsewhere)), ..access(None) };
        let mut call = Script::start(|_| {}, |caller| subscriber_logon(caller, access));
        call.hears("To reach somebody").presses("#").hears("enter the extension of the person").presses("27001");
        call.hears("connecting you to Björn Åkesson");
    }
}
