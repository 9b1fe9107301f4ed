//! A voice message of a user to others (fact sheet 4.6): who gets it ([`MENU`]), then it is recorded and sent.

use super::FIRST_KEY;
use super::after_record::{Finished, Recording, after_record, record};
use super::call_answering::is_full;
use super::caller::{Caller, Subscriber};
use super::directory_search::{Outcome, directory_search};
use super::menu::{Key, Menu, Pressed};
use super::people::spoken;
use super::personal::{Draft, Left, User, give_up};
use super::voice::{Commands, offer};
use mailbox::{MailboxId, MessageId};
use speech::{Phrase, Prompt, Sound};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Record,
    Add,
    Remove,
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A message to be",
    about: "At least one recipient was found in the directory.",
    keys: &[
        Key::new("1", Does::Record, "record it").to("After recording").says("voice-word-record", &["record"]),
        Key::new("2", Does::Add, "add a recipient").says("voice-word-add", &["add a recipient"]),
        Key::new("3", Does::Remove, "remove a recipient"),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat", "help"]),
        Key::new("*", Does::Back, "write no message").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

/// More than this many recipients are refused.
const MOST_RECIPIENTS: usize = 50;
/// Keys 1 to 9.
const CHOICES: usize = 9;

/// What is sent on, if something is.
pub(super) type Attached = Option<(MailboxId, MessageId)>;

/// A new message; recipients that are known already need not be searched for.
pub(super) async fn compose(caller: &Caller, user: &User, to: Vec<Subscriber>) -> Left {
    address(caller, user, to, None).await
}

/// A message of somebody else, sent on with a comment.
pub(super) async fn forward(caller: &Caller, user: &User, message: MessageId) -> Left {
    address(caller, user, Vec::new(), Some((user.subscriber.mailbox.clone(), message))).await
}

async fn address(caller: &Caller, user: &User, mut to: Vec<Subscriber>, attached: Attached) -> Left {
    if to.is_empty() {
        match find(caller, user, &mut to).await {
            Found::Added(_) => {}
            Found::Nobody => return Left::ToMenu,
            Found::Failed => return give_up(caller).await,
        }
    }
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.extend(recipients(caller, &to).await);
        caller.listen(&Commands::new(MENU.commands("", |_| true)));
        match caller.hears() {
            true => opening.extend(offer(MENU.words(|does| matches!(does, Does::Record | Does::Add)))),
            false => opening.push(Prompt::ComposeMenu.into()),
        }
        caller.play(std::mem::take(&mut opening)).await;
        match MENU.read(caller, FIRST_KEY).await {
            Pressed::Does(Does::Record) if to.is_empty() => failures += 1,
            Pressed::Does(Does::Record) => return write(caller, user, &to, attached).await,
            Pressed::Does(Does::Add) => match find(caller, user, &mut to).await {
                Found::Added(said) => opening.push(said.into()),
                Found::Nobody => {}
                Found::Failed => return give_up(caller).await,
            },
            Pressed::Does(Does::Remove) => opening.extend(remove(caller, &mut to).await),
            Pressed::Does(Does::Repeat) => failures = 0,
            Pressed::Does(Does::Back) => return Left::ToMenu,
            missed @ (Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
            }
        }
    }
    give_up(caller).await
}

/// Records what is said to them, and sends it.
pub(super) async fn write(caller: &Caller, user: &User, to: &[Subscriber], attached: Attached) -> Left {
    let how = if attached.is_some() { Prompt::ComposeComment } else { Prompt::RecordAfterTone };
    let scene = Recording {
        idle: user.personal.idle,
        max: user.personal.longest_message,
        failures: user.personal.failures,
        needs_sound: attached.is_none(),
    };
    let mut room = Vec::with_capacity(to.len());
    for recipient in to {
        let reception = caller.receive(recipient.mailbox.clone()).await;
        if is_full(caller, recipient, &reception).await {
            let who = Prompt::ComposeRemoved.with("name", spoken(caller, recipient).await);
            caller.play(vec![who, Prompt::MailboxFull.into()]).await;
        } else {
            room.push(recipient.mailbox.clone());
        }
    }
    if room.is_empty() {
        return Left::ToMenu;
    }
    let to = room;
    caller.write(Some(Draft { from: user.subscriber.clone(), to, attached }));
    caller.announce(vec![how.into(), Sound::RecordTone.into()]).await;
    let taken = record(caller, scene, scene.max).await;
    let said = match after_record(caller, scene, taken).await {
        Finished::Sent => Prompt::MessageSent,
        Finished::Cancelled => Prompt::MessageCancelled,
    };
    caller.write(None);
    caller.play(vec![said.into()]).await;
    Left::ToMenu
}

enum Found {
    Added(Prompt),
    Nobody,
    /// Too many wrong inputs.
    Failed,
}

/// Somebody more, by name or extension.
async fn find(caller: &Caller, user: &User, to: &mut Vec<Subscriber>) -> Found {
    let Some(search) = &user.personal.directory else { return Found::Nobody };
    let person = match directory_search(caller, search).await {
        Outcome::Person(person) => Some(person),
        Outcome::Extension(number) => caller.find(number).await,
        Outcome::Back => return Found::Nobody,
        Outcome::Failed => return Found::Failed,
    };
    match person {
        None => Found::Added(Prompt::UnknownExtension),
        Some(person) if to.iter().any(|known| known.mailbox == person.mailbox) => Found::Added(Prompt::ComposeAlready),
        Some(_) if to.len() >= MOST_RECIPIENTS => Found::Added(Prompt::ComposeTooMany),
        Some(person) => {
            to.push(person);
            Found::Added(Prompt::ComposeAdded)
        }
    }
}

/// Who gets it: by name, as long as that is quicker than how many they are.
async fn recipients(caller: &Caller, to: &[Subscriber]) -> Vec<Phrase> {
    match to {
        [] => vec![Prompt::ComposeNobody.into()],
        [_, _, _, _, ..] => {
            vec![Prompt::ComposeToMany.with("count", u32::try_from(to.len()).unwrap_or(u32::MAX))]
        }
        few => {
            let mut phrases = Vec::with_capacity(few.len());
            for recipient in few {
                phrases.push(Prompt::ComposeTo.with("name", spoken(caller, recipient).await));
            }
            phrases
        }
    }
}

/// The newest recipients, each with a key. Gives what is to be said of it.
async fn remove(caller: &Caller, to: &mut Vec<Subscriber>) -> Option<Phrase> {
    let first = to.len().saturating_sub(CHOICES);
    let mut choices: Vec<Phrase> = Vec::new();
    for (key, recipient) in (1_u32..).zip(to.iter().skip(first)) {
        choices.push(Prompt::SearchChoice.with("name", spoken(caller, recipient).await).with("key", key));
    }
    caller.play(choices).await;
    let key = caller.key(FIRST_KEY).await?;
    let place = first + usize::try_from(key.to_digit(10)?.checked_sub(1)?).ok()?;
    if place >= to.len() {
        return Some(Prompt::InvalidKey.into());
    }
    let gone = to.remove(place);
    Some(Prompt::ComposeRemoved.with("name", spoken(caller, &gone).await))
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::{Match, PinCheck};
    use crate::dialogue::script::{Script, message, subscriber};
    use media::RecordEnd;
    use std::time::Duration;

    /// In the main menu, with two colleagues in the directory.
    fn call() -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false)];
            script.subscribers.push(subscriber("27010", "Zoë O'Neil"));
            script.directory = vec![
                ("253".into(), Match { subscriber: subscriber("27001", "Björn Åkesson"), detail: None }),
                ("663".into(), Match { subscriber: subscriber("27010", "Zoë O'Neil"), detail: None }),
            ];
        };
        Script::own_phone(setup)
    }

    /// Björn is chosen, by name.
    fn addressed() -> Script {
        let mut call = call();
        call.presses("5").presses("253#").hears("Your message goes to Björn Åkesson").hears("press one");
        call
    }

    #[test]
    fn found_by_name_recorded_and_sent() {
        let mut call = addressed();
        call.presses("1").hears("Please speak after the tone").listens().presses("#").presses("1").presses("#");
        assert_eq!(call.take_done(), ["write to 27001", "send"]);
        call.hears("has been sent").listens().hears("messages, press one");
    }

    #[test]
    fn found_by_number() {
        let mut call = call();
        call.presses("5").presses("#27010").hears("Your message goes to Zoë");
    }

    #[test]
    fn recipients_are_added_and_removed() {
        let mut call = addressed();
        call.presses("2").presses("663#").hears("Zoë").hears("Björn");
        call.presses("3").hears("Björn Åkesson").presses("1").hears("Zoë");
        call.presses("1").listens();
        assert_eq!(call.take_done(), ["write to 27010"]);
    }

    #[test]
    fn who_has_no_room_is_told_of_before_anything_is_said() {
        let mut call = addressed();
        (call.reception.quota, call.usage) = (Some(1000), 1000);
        call.presses("1").hears("Björn Åkesson is removed").hears("full").listens().hears("messages, press one");
        assert_eq!(call.take_done(), [""; 0]);
    }

    #[test]
    fn nobody_twice() {
        let mut call = addressed();
        call.presses("2").presses("253#").hears("already");
    }

    #[test]
    fn two_get_it() {
        let mut call = addressed();
        call.presses("2").presses("663#").presses("1").listens().presses("#").presses("1#");
        assert_eq!(call.take_done(), ["write to 27001, 27010", "send"]);
    }

    #[test]
    fn importance_and_privacy_are_keys_1_and_2_after_1() {
        let mut call = addressed();
        call.presses("1").listens().presses("#").presses("11").presses("2").presses("#");
        assert_eq!(call.take_done(), ["write to 27001", "urgent", "private", "send"]);
    }

    #[test]
    fn star_after_recording_throws_it_away() {
        let mut call = addressed();
        call.presses("1").listens().presses("#").presses("*").hears("thrown away");
        assert_eq!(call.take_done(), ["write to 27001", "discard"]);
        call.listens().hears("messages, press one");
    }

    #[test]
    fn a_message_in_which_nothing_is_said_is_not_sent() {
        let mut call = addressed();
        call.presses("1").listens().speaks(Duration::from_secs(5), RecordEnd::Idle);
        call.presses("1").hears("did not hear anything").waits(Duration::from_secs(60));
        assert_eq!(call.take_done(), ["write to 27001", "discard"]);
    }

    #[test]
    fn star_goes_back_to_the_main_menu() {
        let mut call = addressed();
        call.presses("*").hears("messages, press one");
        assert_eq!(call.take_done(), [""; 0]);
    }
}
