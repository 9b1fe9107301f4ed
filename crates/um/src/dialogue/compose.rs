//! A voice message of a user to others (fact sheet 4.6): who gets it ([`MENU`]), then it is recorded and sent.

use super::FIRST_KEY;
use super::after_record::{Finished, Recording, after_record, record};
use super::call_answering::is_full;
use super::caller::{Caller, Subscriber};
use super::directory_search::{Outcome, directory_search};
use super::groups::{Group, Refusal};
use super::menu::{Key, Menu, Pressed};
use super::people::spoken;
use super::personal::{Draft, Left, User, give_up};
use super::voice::{Commands, offer};
use mailbox::{MailboxId, MessageId};
use speech::{Person, Phrase, Prompt, Sound};
use std::collections::BTreeSet;

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
    about: "At least one recipient, somebody or a group, was found in the directory.",
    keys: &[
        Key::new("1", Does::Record, "record it").to("After recording").says("voice-word-record", &["record"]),
        Key::new("2", Does::Add, "add a recipient").says("voice-word-add", &["add a recipient"]),
        Key::new("3", Does::Remove, "remove a recipient"),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "write no message").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    Person(Subscriber),
    /// And how many people are in it.
    Group(Group, usize),
}

/// More than this many recipients are refused.
const MOST_RECIPIENTS: usize = 50;
/// And more than this many people, those in groups counted.
const MOST_PEOPLE: usize = 2000;
/// Keys 1 to 9.
const CHOICES: usize = 9;

/// What is sent on, if something is.
pub(super) type Attached = Option<(MailboxId, MessageId)>;

/// A new message; recipients that are known already need not be searched for.
pub(super) async fn compose(caller: &Caller, user: &User, to: Vec<Recipient>) -> Left {
    address(caller, user, to, None).await
}

/// A message of somebody else, sent on with a comment.
pub(super) async fn forward(caller: &Caller, user: &User, message: MessageId) -> Left {
    address(caller, user, Vec::new(), Some((user.subscriber.mailbox.clone(), message))).await
}

async fn address(caller: &Caller, user: &User, mut to: Vec<Recipient>, attached: Attached) -> Left {
    let mut opening: Vec<Phrase> = Vec::new();
    if to.is_empty() {
        match find(caller, user, &mut to).await {
            // Why it can't be the one who was found; whoever was added is named with the menu.
            Found::Added(said) if to.is_empty() => opening = said,
            Found::Added(_) => {}
            Found::Nobody => return Left::ToMenu,
            Found::Failed => return give_up(caller).await,
        }
    }
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
            Pressed::Does(Does::Record) => {
                let people = everybody(caller, user, &to).await;
                return write(caller, user, &people, attached).await;
            }
            Pressed::Does(Does::Add) => match find(caller, user, &mut to).await {
                Found::Added(said) => opening.extend(said),
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

/// Everybody whom it is for, each once: those of groups as the groups are now.
async fn everybody(caller: &Caller, user: &User, to: &[Recipient]) -> Vec<Subscriber> {
    let mut people: Vec<Subscriber> = Vec::new();
    let mut known = BTreeSet::new();
    for recipient in to {
        let members = match recipient {
            Recipient::Person(person) => vec![person.clone()],
            Recipient::Group(group, _) => {
                caller.members(group, user.subscriber.mailbox.clone()).await.unwrap_or_default()
            }
        };
        people.extend(members.into_iter().filter(|person| known.insert(person.mailbox.clone())));
    }
    people
}

enum Found {
    /// What is to be said of it.
    Added(Vec<Phrase>),
    Nobody,
    /// Too many wrong inputs.
    Failed,
}

/// Somebody more, by name or extension, or a group by its name.
async fn find(caller: &Caller, user: &User, to: &mut Vec<Recipient>) -> Found {
    let Some(search) = &user.personal.directory else { return Found::Nobody };
    let recipient = match directory_search(caller, search).await {
        Outcome::Person(person) => Recipient::Person(person),
        Outcome::Extension(number) => match caller.find(number).await {
            Some(person) => Recipient::Person(person),
            None => return Found::Added(vec![Prompt::UnknownExtension.into()]),
        },
        Outcome::Group(group) => match of_group(caller, user, group).await {
            Ok(recipient) => recipient,
            Err(why) => return Found::Added(vec![why]),
        },
        Outcome::Back => return Found::Nobody,
        Outcome::Failed => return Found::Failed,
    };
    let said = if to.iter().any(|known| known.is(&recipient)) {
        Prompt::ComposeAlready
    } else if to.len() >= MOST_RECIPIENTS || people(to) + recipient.people() > MOST_PEOPLE {
        Prompt::ComposeTooMany
    } else {
        to.push(recipient);
        Prompt::ComposeAdded
    };
    Found::Added(vec![said.into()])
}

/// A group as a recipient, or why it can't be one.
pub(super) async fn of_group(caller: &Caller, user: &User, group: Group) -> Result<Recipient, Phrase> {
    match caller.members(&group, user.subscriber.mailbox.clone()).await {
        Ok(members) => Ok(Recipient::Group(group, members.len())),
        Err(Refusal::Empty) => Err(Prompt::ComposeGroupEmpty.with("name", group.spoken())),
        Err(Refusal::NotAllowed) => Err(Prompt::ComposeNotAllowed.with("name", group.spoken())),
    }
}

impl Recipient {
    fn is(&self, other: &Recipient) -> bool {
        match (self, other) {
            (Recipient::Person(one), Recipient::Person(other)) => one.mailbox == other.mailbox,
            (Recipient::Group(one, _), Recipient::Group(other, _)) => one.name == other.name,
            _ => false,
        }
    }

    fn people(&self) -> usize {
        match self {
            Recipient::Person(_) => 1,
            Recipient::Group(_, people) => *people,
        }
    }

    async fn spoken(&self, caller: &Caller) -> Person {
        match self {
            Recipient::Person(person) => spoken(caller, person).await,
            Recipient::Group(group, _) => group.spoken(),
        }
    }
}

/// So many people: who is in two groups counts twice.
fn people(to: &[Recipient]) -> usize {
    to.iter().map(Recipient::people).sum()
}

/// Who gets it: by name, as long as that is quicker than how many they are.
async fn recipients(caller: &Caller, to: &[Recipient]) -> Vec<Phrase> {
    match to {
        [] => vec![Prompt::ComposeNobody.into()],
        [_, _, _, _, ..] => {
            vec![Prompt::ComposeToMany.with("count", u32::try_from(people(to)).unwrap_or(u32::MAX))]
        }
        few => {
            let mut phrases = Vec::with_capacity(few.len());
            for recipient in few {
                phrases.push(Prompt::ComposeTo.with("name", recipient.spoken(caller).await));
            }
            phrases
        }
    }
}

/// The newest recipients, each with a key. Gives what is to be said of it.
async fn remove(caller: &Caller, to: &mut Vec<Recipient>) -> Option<Phrase> {
    let first = to.len().saturating_sub(CHOICES);
    let mut choices: Vec<Phrase> = Vec::new();
    for (key, recipient) in (1_u32..).zip(to.iter().skip(first)) {
        choices.push(Prompt::SearchChoice.with("name", recipient.spoken(caller).await).with("key", key));
    }
    caller.play(choices).await;
    let key = caller.key(FIRST_KEY).await?;
    let place = first + usize::try_from(key.to_digit(10)?.checked_sub(1)?).ok()?;
    if place >= to.len() {
        return Some(Prompt::InvalidKey.into());
    }
    let gone = to.remove(place);
    Some(Prompt::ComposeRemoved.with("name", gone.spoken(caller).await))
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::{Match, PinCheck};
    use crate::dialogue::groups::{Group, Members, Refusal};
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

    /// The group "Sales" is in the directory, too.
    fn with_a_group(members: Members) -> Script {
        let mut call = call();
        let sales = Group { name: "sales".into(), shown: "Sales".into() };
        call.groups = vec![("72537".into(), sales, members)];
        call
    }

    fn colleagues() -> Members {
        Ok(vec![subscriber("27001", "Björn Åkesson"), subscriber("27002", "Cecilia Ek")])
    }

    #[test]
    fn a_group_is_found_by_its_name_and_each_member_gets_it_once() {
        let mut call = with_a_group(colleagues());
        call.presses("5").presses("72537#").hears("Your message goes to Sales");
        call.presses("2").presses("253#").hears("Your message goes to Björn");
        call.presses("1").listens().presses("#").presses("1#");
        assert_eq!(call.take_done(), ["write to 27001, 27002", "send"]);
    }

    #[test]
    fn a_group_is_added_once_and_removed_as_anybody() {
        let mut call = with_a_group(colleagues());
        call.presses("5").presses("253#").presses("2").presses("72537#").hears("Sales");
        call.presses("2").presses("72537#").hears("already");
        call.presses("3").hears("For Sales").presses("2").hears("Sales is removed");
        call.presses("1").listens();
        assert_eq!(call.take_done(), ["write to 27001"]);
    }

    #[test]
    fn a_group_without_anybody_and_one_that_is_closed_to_him_are_refused() {
        let mut call = with_a_group(Err(Refusal::Empty));
        call.presses("5").presses("72537#").hears("There is nobody in Sales").hears("goes to nobody yet");
        let mut call = with_a_group(Err(Refusal::NotAllowed));
        call.presses("5").presses("72537#").hears("You may not send messages to Sales").hears("goes to nobody yet");
        call.presses("2").presses("253#").hears("Björn");
    }

    #[test]
    fn a_group_that_was_found_in_the_directory_is_written_to() {
        let mut call = with_a_group(colleagues());
        call.presses("4").presses("72537#").hears("Your message goes to Sales");
        let mut call = with_a_group(Err(Refusal::Empty));
        call.presses("4").presses("72537#").hears("There is nobody in Sales");
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
