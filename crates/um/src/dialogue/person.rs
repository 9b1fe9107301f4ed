//! The directory in voice access (fact sheet 4.5): somebody is searched for, then called or written to: [`MENU`].

use super::FIRST_KEY;
use super::caller::{Caller, Subscriber};
use super::compose::{Recipient, compose, of_group};
use super::consult::connect;
use super::directory_search::{Outcome, directory_search};
use super::menu::{Key, Menu, Pressed};
use super::people::spoken;
use super::personal::{Left, User, give_up};
use super::voice::{Commands, offer};
use speech::{Phrase, Prompt, Value};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Details,
    Call,
    Write,
    Another,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "Somebody found",
    about: "Voice access, after somebody was found in the directory by name or extension.",
    keys: &[
        Key::new("1", Does::Details, "hear the extension").says("voice-word-details", &["details"]),
        Key::new("2", Does::Call, "call").says("voice-word-call", &["call"]),
        Key::new("3", Does::Write, "send a voice message")
            .to("A message to be")
            .says("voice-word-send-a-message", &["send a message"]),
        Key::new("4", Does::Another, "find somebody else").says("voice-word-find-another", &["find somebody else"]),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "back").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

pub(super) async fn directory(caller: &Caller, user: &User) -> Left {
    let Some(search) = &user.personal.directory else { return Left::ToMenu };
    let mut wrong = 0;
    while wrong < user.personal.failures {
        let person = match directory_search(caller, search).await {
            Outcome::Person(person) => Some(person),
            Outcome::Extension(number) => caller.find(number).await,
            Outcome::Group(group) => match of_group(caller, user, group).await {
                // There is nothing else to do with one.
                Ok(group) => return compose(caller, user, vec![group]).await,
                Err(why) => {
                    wrong += 1;
                    caller.play(vec![why]).await;
                    continue;
                }
            },
            Outcome::Back => return Left::ToMenu,
            Outcome::Failed => return give_up(caller).await,
        };
        let Some(person) = person else {
            wrong += 1;
            caller.play(vec![Prompt::UnknownExtension.into()]).await;
            continue;
        };
        match found(caller, user, person).await {
            Some(left) => return left,
            None => wrong = 0,
        }
    }
    give_up(caller).await
}

/// None: somebody else is to be found.
pub(super) async fn found(caller: &Caller, user: &User, person: Subscriber) -> Option<Left> {
    let name = spoken(caller, &person).await;
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        caller.listen(&Commands::new(MENU.commands("", |_| true)));
        opening.push(Value::Person(name.clone()).into());
        match caller.hears() {
            true => opening.extend(offer(MENU.words(|does| !matches!(does, Does::Repeat | Does::Back)))),
            false => opening.push(Prompt::PersonMenu.into()),
        }
        caller.play(std::mem::take(&mut opening)).await;
        match MENU.read(caller, FIRST_KEY).await {
            Pressed::Does(Does::Details) => {
                failures = 0;
                opening.push(Prompt::Extension.with("digits", Value::Digits(person.extension.clone())));
            }
            Pressed::Does(Does::Call) => match call(caller, &person).await {
                Ok(left) => return Some(left),
                Err(why) => opening.push(why.into()),
            },
            Pressed::Does(Does::Write) => return Some(compose(caller, user, vec![Recipient::Person(person)]).await),
            Pressed::Does(Does::Another) => return None,
            Pressed::Does(Does::Repeat) => failures = 0,
            Pressed::Does(Does::Back) => return Some(Left::ToMenu),
            Pressed::Unknown => {
                failures += 1;
                caller.forget_keys();
                opening.push(Prompt::InvalidKey.into());
            }
            Pressed::Nothing => {
                failures += 1;
                opening.push(Prompt::StillThere.into());
            }
        }
    }
    Some(give_up(caller).await)
}

/// Connects with a colleague; what is to be said when that fails.
pub(super) async fn call(caller: &Caller, person: &Subscriber) -> Result<Left, Prompt> {
    let name = spoken(caller, person).await;
    connect(caller, name, person.extension.clone()).await
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::{PinCheck, TransferEnd};
    use crate::dialogue::script::{Script, message};

    /// Björn was found by his extension.
    fn found() -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false)];
        };
        let mut script = Script::own_phone(setup);
        script.presses("4").presses("#27001").hears("Björn Åkesson");
        script
    }

    #[test]
    fn every_key_leads_where_the_map_says() {
        for (key, words) in [
            ("1", "extension two seven zero zero one"),
            ("3", "Your message goes to Björn"),
            ("4", "Spell the name"),
            ("0", "Björn"),
            ("*", "messages, press one"),
            ("9", "does nothing"),
        ] {
            found().presses(key).hears(words);
        }
    }

    #[test]
    fn two_calls_and_a_busy_line_leads_back() {
        let mut call = found();
        call.presses("2").hears("connecting you to Björn").listens();
        call.transferred(TransferEnd::Busy).hears("busy").hears("Björn").presses("2").listens();
        call.transferred(TransferEnd::Done);
        assert!(call.over);
    }
}
