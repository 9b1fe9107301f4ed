//! Personal options (fact sheet 4.7), by keys only: [`MENU`].

use super::FIRST_KEY;
use super::caller::Caller;
use super::greetings::greetings;
use super::menu::{Key, Menu, Pressed};
use super::new_pin::new_pin;
use super::personal::{Left, User, give_up};
use super::time_zones::time_zone;
use crate::commands::mailbox::{TimeFormat, UmMailboxChanges};
use speech::{Clock, Phrase, Prompt};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    OutOfOffice,
    Greetings,
    Pin,
    Voice,
    TimeZone,
    Clock,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "Personal options",
    about: "By keys only.",
    keys: &[
        Key::new("1", Does::OutOfOffice, "out-of-office greeting on or off"),
        Key::new("2", Does::Greetings, "greetings and name").to("Greetings"),
        Key::new("3", Does::Pin, "a new PIN, twice"),
        Key::new("4", Does::Voice, "begin with voice or keys"),
        Key::new("5", Does::TimeZone, "time zone, by the time that it is where you are"),
        Key::new("6", Does::Clock, "12 or 24 hours"),
        Key::new("0", Does::Repeat, "repeat"),
        Key::new("*", Does::Back, "back").to("Main menu"),
    ],
};

pub(super) async fn personal_options(caller: &Caller, user: &mut User) -> Left {
    caller.deaf();
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.extend([Prompt::OptionsMenu.into(), Prompt::OptionsMenuMore.into()]);
        caller.play(std::mem::take(&mut opening)).await;
        let pressed = MENU.read(caller, FIRST_KEY).await;
        if matches!(pressed, Pressed::Does(_)) {
            failures = 0;
        }
        match pressed {
            Pressed::Does(Does::OutOfOffice) => {
                let on = !user.personal.out_of_office;
                let changes = UmMailboxChanges { out_of_office_greeting_enabled: Some(on), ..Default::default() };
                if changed(caller, user, changes, &mut opening).await {
                    user.personal.out_of_office = on;
                    opening.push(if on { Prompt::OutOfOfficeIsOn } else { Prompt::OutOfOfficeOff }.into());
                }
            }
            Pressed::Does(Does::Greetings) => {
                if greetings(caller, user).await == Left::HungUp {
                    return Left::HungUp;
                }
            }
            Pressed::Does(Does::Pin) => {
                if !new_pin(caller, &user.subscriber, user.personal.failures, None).await {
                    opening.push(Prompt::PinNotChanged.into());
                }
            }
            Pressed::Does(Does::Voice) => {
                let voice = !user.personal.prefers_voice;
                let changes = UmMailboxChanges { voice_commands_preferred: Some(voice), ..Default::default() };
                if changed(caller, user, changes, &mut opening).await {
                    user.personal.prefers_voice = voice;
                    opening.push(if voice { Prompt::VoicePreferred } else { Prompt::KeysPreferred }.into());
                    caller.use_voice(voice && user.personal.voice);
                    if voice && !user.personal.voice {
                        opening.push(Prompt::VoiceUnavailable.into());
                    }
                }
            }
            Pressed::Does(Does::TimeZone) => {
                if time_zone(caller, user).await == Left::HungUp {
                    return Left::HungUp;
                }
            }
            Pressed::Does(Does::Clock) => {
                let (clock, format, said) = match user.personal.clock {
                    Some(Clock::Twelve) => (Clock::TwentyFour, TimeFormat::TwentyFourHours, Prompt::TwentyFourHours),
                    Some(Clock::TwentyFour) | None => (Clock::Twelve, TimeFormat::TwelveHours, Prompt::TwelveHours),
                };
                let changes = UmMailboxChanges { time_format: Some(Some(format)), ..Default::default() };
                if changed(caller, user, changes, &mut opening).await {
                    user.personal.clock = Some(clock);
                    caller.speak(user.personal.language, user.personal.clock);
                    opening.push(said.into());
                }
            }
            Pressed::Does(Does::Repeat) => {}
            Pressed::Does(Does::Back) => return Left::ToMenu,
            missed @ (Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
            }
        }
    }
    give_up(caller).await
}

async fn changed(caller: &Caller, user: &User, changes: UmMailboxChanges, opening: &mut Vec<Phrase>) -> bool {
    let done = caller.change(user.subscriber.mailbox.clone(), changes).await;
    if !done {
        opening.push(Prompt::MailboxUnreachable.into());
    }
    done
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::PinCheck;
    use crate::dialogue::script::Script;
    use mailbox::GreetingKind;
    use speech::Audio;
    use std::sync::Arc;
    use std::time::Duration;

    fn options_with(setup: impl FnOnce(&mut Script)) -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            setup(script);
        };
        let mut script = Script::own_phone(setup);
        script.presses("6").hears("out-of-office greeting on or off, press one");
        script
    }

    fn options() -> Script {
        options_with(|_| {})
    }

    #[test]
    fn every_key_leads_where_the_map_says() {
        for (key, words) in [
            ("1", "Callers hear your out-of-office greeting"),
            ("2", "For your greeting, press one"),
            ("3", "Enter the new PIN"),
            ("4", "by voice"),
            ("5", "where you are"),
            ("6", "twelve hours"),
            ("0", "press one"),
            ("*", "messages, press one"),
            ("7", "does nothing"),
            ("#", "does nothing"),
        ] {
            options().presses(key).hears(words);
        }
    }

    #[test]
    fn switches_go_on_and_off() {
        let mut call = options();
        call.presses("1").presses("1").presses("4").presses("4").presses("6").presses("6");
        assert_eq!(
            call.take_done(),
            [
                r#"set {"OutOfOfficeGreetingEnabled":true}"#,
                r#"set {"OutOfOfficeGreetingEnabled":false}"#,
                r#"set {"VoiceCommandsPreferred":true}"#,
                r#"set {"VoiceCommandsPreferred":false}"#,
                r#"set {"TimeFormat":"TwelveHours"}"#,
                r#"set {"TimeFormat":"TwentyFourHours"}"#,
            ]
        );
    }

    #[test]
    fn a_new_pin_is_entered_twice() {
        let mut call = options();
        call.presses("3").presses("951357#").presses("951357#").hears("new PIN is set");
        assert_eq!(call.take_done(), ["pin 951357"]);
    }

    #[test]
    fn a_greeting_is_recorded_heard_and_kept() {
        let mut call = options();
        call.presses("2").presses("1").hears("To record it, press one").presses("1").hears("Speak after the tone");
        call.listens();
        assert_eq!(call.taping(), Some(Duration::from_secs(300)));
        call.presses("#").hears("To keep it").presses("2").hears("[audio]").listens().presses("1").hears("It is kept");
        assert_eq!(call.take_done(), ["greeting personal"]);
    }

    #[test]
    fn out_of_office_greeting_and_name_have_keys_of_their_own() {
        for (key, kind) in [("2", "greeting oof"), ("3", "greeting name")] {
            let mut call = options();
            call.presses("2").presses(key).presses("1").listens().presses("#").presses("1");
            assert_eq!(call.take_done(), [kind]);
        }
    }

    #[test]
    fn a_greeting_is_listened_to_switched_and_removed() {
        let mut call = options_with(|script| {
            script.recorded.insert(GreetingKind::Personal, Arc::new(Audio::from_samples(vec![1; 8000])));
        });
        call.presses("2").presses("1").presses("2").hears("[audio]").listens();
        call.presses("3")
            .hears("Callers hear the standard greeting")
            .presses("3")
            .hears("Callers hear your own greeting");
        call.presses("7").hears("removed").presses("2").hears("not recorded");
    }

    #[test]
    fn the_time_where_one_is_chooses_the_zone() {
        let mut call = options();
        call.presses("5").hears("It is").presses("*").hears("press one");
        call.presses("5").presses("9999").hears("nowhere");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn hanging_up_at_the_menu_after_a_recording_keeps_nothing() {
        let mut call = options();
        call.presses("2").presses("1").presses("1").listens().presses("#").hears("To keep it");
        assert_eq!(call.take_done(), [""; 0]);
    }
}
