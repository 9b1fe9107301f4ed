//! First-time set-up (fact sheet 4.1): whoever logs on with a PIN that was made up records his name, and a greeting if he
//! wants one. It begins anew with the next call until it was gone through.

use super::FIRST_KEY;
use super::caller::Caller;
use super::greetings::record_greeting;
use super::menu::{Key, Menu, Pressed};
use super::personal::{Left, User, give_up};
use mailbox::GreetingKind;
use speech::Prompt;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Record,
    Standard,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "First-time set-up",
    about: "After the first PIN was changed and the name was recorded: which greeting callers hear.",
    keys: &[
        Key::new("1", Does::Record, "record an own greeting").to("A greeting to keep"),
        Key::new("#", Does::Standard, "the standard greeting, with the recorded name"),
    ],
};

pub(super) async fn set_up(caller: &Caller, user: &User) -> Left {
    caller.announce(vec![Prompt::SetUpWelcome.into()]).await;
    match record_greeting(caller, user, GreetingKind::Name).await {
        Some(said) => caller.play(vec![said.into()]).await,
        None => return give_up(caller).await,
    };
    let mut failures = 0;
    while failures < user.personal.failures {
        caller.play(vec![Prompt::SetUpGreeting.into()]).await;
        match MENU.read(caller, FIRST_KEY).await {
            Pressed::Does(does) => {
                if matches!(does, Does::Record) && record_greeting(caller, user, GreetingKind::Personal).await.is_none()
                {
                    return give_up(caller).await;
                }
                caller.set_up(user.subscriber.mailbox.clone());
                caller.play(vec![Prompt::SetUpDone.into()]).await;
                return Left::ToMenu;
            }
            Pressed::Unknown => {
                failures += 1;
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
            Pressed::Nothing => failures += 1,
        }
    }
    give_up(caller).await
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::PinCheck;
    use crate::dialogue::personal::Personal;
    use crate::dialogue::script::{Script, personal};
    use media::RecordEnd;
    use std::time::Duration;

    fn call() -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: true }].into();
            script.personal = Some(Personal { set_up_due: true, ..personal() });
        };
        let mut script = Script::own_phone(setup);
        script.presses("951357#").presses("951357#").listens();
        script
    }

    #[test]
    fn pin_name_and_greeting_are_seen_to_before_the_main_menu() {
        let mut call = call();
        call.hears("set up").listens().hears("Say your name").listens();
        assert_eq!(call.taping(), Some(Duration::from_secs(10)));
        call.presses("#").hears("To keep it").presses("1").hears("It is kept").listens();
        call.hears("standard greeting").presses("1").hears("Speak after the tone").listens();
        assert_eq!(call.taping(), Some(Duration::from_secs(300)));
        call.presses("#").presses("1").hears("all set").listens().hears("messages, press one");
        assert_eq!(call.take_done(), ["pin 951357", "greeting name", "greeting personal", "set up"]);
    }

    #[test]
    fn the_standard_greeting_may_stay() {
        let mut call = call();
        call.listens().listens().presses("#").presses("1").listens().presses("#").hears("all set");
        assert_eq!(call.take_done(), ["pin 951357", "greeting name", "set up"]);
    }

    #[test]
    fn silence_is_no_name_and_three_times_end_the_call_undone() {
        let mut call = call();
        call.listens();
        for _ in 0..3 {
            call.listens().speaks(Duration::from_secs(5), RecordEnd::Idle).hears("did not hear anything").listens();
        }
        call.hears("leave it here").listens();
        assert!(call.over);
        assert_eq!(call.take_done(), ["pin 951357"], "it is asked for again next time");
    }
}
