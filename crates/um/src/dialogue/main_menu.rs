//! The main menu of voice access (fact sheet 4.2): how many messages there are, and the way to everything: [`MENU`]. `*`
//! comes back here from anywhere.

use super::FIRST_KEY;
use super::calendar::calendar;
use super::caller::{Caller, Reply, Subscriber};
use super::compose::compose;
use super::contact::contacts;
use super::mail::mail;
use super::menu::{Key, Menu, Pressed};
use super::person::directory;
use super::personal::{Left, User};
use super::personal_options::personal_options;
use super::set_up::set_up;
use super::voice::{Command, Commands, offer};
use super::voice_mail::voice_mail;
use crate::commands::mailbox::UmMailboxChanges;
use crate::personal_information::{Answer, Question};
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::Message;
use speech::{Phrase, Prompt, Value};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    VoiceMail,
    Mail,
    Calendar,
    Contacts,
    Directory,
    Compose,
    Options,
    OutOfOfficeOff,
    Repeat,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "Main menu",
    about: "Voice access, after the PIN and the number of messages.",
    keys: &[
        Key::new("1", Does::VoiceMail, "voice mail")
            .to("A message")
            .says("voice-word-voice-mail", &["voice mail", "messages"]),
        Key::new("2", Does::Mail, "mail, where it is connected and may be heard")
            .to("A mail")
            .says("voice-word-email", &["email"]),
        Key::new("3", Does::Calendar, "the calendar, where it is connected and may be heard")
            .to("A meeting")
            .says("voice-word-calendar", &["calendar"]),
        Key::new("4", Does::Contacts, "find somebody among one's contacts, where they are connected and may be heard")
            .to("Contact search")
            .says("voice-word-personal-contacts", &["personal contacts", "find by name"]),
        Key::new("4", Does::Directory, "where not: find somebody")
            .to("Somebody found")
            .says("voice-word-directory", &["directory", "find by name", "personal contacts"]),
        Key::new("5", Does::Compose, "send a voice message")
            .to("A message to be")
            .says("voice-word-send-a-message", &["send a message", "compose"]),
        Key::new("6", Does::Options, "personal options")
            .to("Personal options")
            .says("voice-word-personal-options", &["personal options"]),
        Key::new("7", Does::OutOfOfficeOff, "turn the out-of-office greeting off, while it is on"),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Repeat, "repeat; from everywhere in voice access, back to here")
            .says("voice-word-main-menu", &["main menu"]),
    ],
};

pub(super) async fn main_menu(caller: Caller, subscriber: Subscriber) {
    let unreachable = || vec![Prompt::MailboxUnreachable.into(), Prompt::Goodbye.into()];
    let Some(personal) = caller.personal(subscriber.mailbox.clone()).await else {
        return caller.announce(unreachable()).await;
    };
    caller.speak(personal.language, personal.clock);
    let mut user = User { subscriber, personal, pace: Default::default() };
    if user.personal.set_up_due && matches!(set_up(&caller, &user).await, Left::HungUp) {
        return;
    }
    let Some(messages) = messages(&caller, &user).await else { return caller.announce(unreachable()).await };
    let mut opening = greeting(&user, &messages);
    drop(messages);
    opening.extend(overview(&caller, &user).await);
    caller.use_voice(user.personal.prefers_voice && user.personal.voice);
    if user.personal.prefers_voice && !user.personal.voice {
        opening.push(Prompt::VoiceUnavailable.into());
    }
    let mut failures = 0;
    while failures < user.personal.failures {
        caller.listen(&commands(&user));
        opening.extend(if caller.hears() { spoken_choices(&user) } else { choices(&user) });
        caller.play(std::mem::take(&mut opening)).await;
        let pressed = MENU.read(&caller, FIRST_KEY).await;
        let left = match pressed {
            Pressed::Does(Does::VoiceMail) => match self::messages(&caller, &user).await {
                None => return caller.announce(unreachable()).await,
                Some(messages) if messages.is_empty() => {
                    opening.push(Prompt::NoMessages.into());
                    Left::ToMenu
                }
                Some(messages) => voice_mail(&caller, &mut user, messages).await,
            },
            Pressed::Does(Does::Mail) if user.personal.areas.mail => mail(&caller, &mut user).await,
            Pressed::Does(Does::Calendar) if user.personal.areas.calendar => calendar(&caller, &mut user).await,
            // 4 is both.
            Pressed::Does(Does::Contacts | Does::Directory) if user.personal.areas.contacts => {
                contacts(&caller, &user).await
            }
            Pressed::Does(Does::Contacts | Does::Directory) if user.personal.directory.is_some() => {
                directory(&caller, &user).await
            }
            Pressed::Does(Does::Compose) if user.personal.directory.is_some() => {
                compose(&caller, &user, Vec::new()).await
            }
            Pressed::Does(Does::Options) => personal_options(&caller, &mut user).await,
            Pressed::Does(Does::OutOfOfficeOff) if user.personal.out_of_office => {
                let off = UmMailboxChanges { out_of_office_greeting_enabled: Some(false), ..Default::default() };
                if caller.change(user.subscriber.mailbox.clone(), off).await {
                    user.personal.out_of_office = false;
                    opening.push(Prompt::OutOfOfficeOff.into());
                }
                Left::ToMenu
            }
            Pressed::Does(Does::Repeat) => Left::ToMenu,
            missed => {
                failures += 1;
                opening.push(missed.remark(&caller));
                continue;
            }
        };
        match left {
            Left::ToMenu => failures = 0,
            Left::HungUp => return,
        }
    }
    caller.announce(vec![Prompt::ThankYouGoodbye.into()]).await;
}

/// What is told once, after the PIN.
fn greeting(user: &User, messages: &[Message]) -> Vec<Phrase> {
    let count = |messages: usize| u32::try_from(messages).unwrap_or(u32::MAX);
    let new = messages.iter().filter(|message| !message.read).count();
    let saved = messages.len() - new;
    let mut phrases = vec![Prompt::CountNew.with("count", count(new)), Prompt::CountSaved.with("count", count(saved))];
    if let Some(days) = user.personal.pin_days {
        phrases.push(Prompt::PinExpiresSoon.with("count", days));
    }
    if user.personal.out_of_office {
        phrases.push(Prompt::OutOfOfficeIsOn.into());
    }
    phrases
}

/// What mail and calendar have to tell after the logon (fact sheet 4.1); nothing when they are not quick.
async fn overview(caller: &Caller, user: &User) -> Vec<Phrase> {
    let areas = user.personal.areas;
    let (true, Some(now)) = (areas.mail || areas.calendar, caller.now().map(|now| now.wall)) else { return Vec::new() };
    let question = Question::Overview { from: now, until: now.checked_add(AHEAD).unwrap_or(now) };
    let id = caller.ask_source(user.subscriber.mailbox.clone(), question);
    let Some(Reply::Consulted(answer)) = caller.reply_within(id, OVERVIEW_WITHIN).await else { return Vec::new() };
    let Answer::Overview { unread, next } = *answer else { return Vec::new() };
    let mut phrases = Vec::new();
    if areas.mail {
        phrases.push(Prompt::MailCount.with("count", unread));
    }
    if let Some(next) = next.filter(|_| areas.calendar) {
        phrases.push(Prompt::NextMeeting.with("when", user.personal.moment(next, now)));
    }
    phrases
}

/// What may be said. From the contacts' search 00 leads to the directory.
fn commands(user: &User) -> Arc<Commands> {
    let mut commands = MENU.commands("", |does| offered(user, does));
    if user.personal.areas.contacts && user.personal.directory.is_some() {
        let said = Value::Word(DIRECTORY);
        commands.push(Command { words: "directory".into(), keys: "400".into(), said, asked: false, name: false });
    }
    Commands::new(commands)
}

const DIRECTORY: &str = "voice-word-directory";
/// The next meeting is told when it is no further away than this.
const AHEAD: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a caller waits for what is told of mail and calendar.
const OVERVIEW_WITHIN: Duration = Duration::from_secs(2);

fn offered(user: &User, does: Does) -> bool {
    let areas = user.personal.areas;
    match does {
        Does::Mail => areas.mail,
        Does::Calendar => areas.calendar,
        Does::Contacts => areas.contacts,
        Does::Directory => user.personal.directory.is_some() && !areas.contacts,
        Does::Compose => user.personal.directory.is_some(),
        Does::OutOfOfficeOff => user.personal.out_of_office,
        Does::VoiceMail | Does::Options | Does::Repeat => true,
    }
}

fn spoken_choices(user: &User) -> Vec<Phrase> {
    let mut phrases = offer(MENU.words(|does| !matches!(does, Does::Repeat) && offered(user, does)));
    phrases.push(Prompt::VoiceOrKeys.into());
    phrases
}

fn choices(user: &User) -> Vec<Phrase> {
    let areas = user.personal.areas;
    let directory = user.personal.directory.is_some();
    let offered = [
        (areas.mail, Prompt::MainMenuMail),
        (areas.calendar, Prompt::MainMenuCalendar),
        (areas.contacts, Prompt::MainMenuContacts),
        (directory && !areas.contacts, Prompt::MainMenuDirectory),
        (directory, Prompt::MainMenuCompose),
    ];
    let mut phrases = vec![Prompt::MainMenu];
    phrases.extend(offered.into_iter().filter(|(offered, _)| *offered).map(|(_, prompt)| prompt));
    phrases.push(Prompt::MainMenuOptions);
    if user.personal.out_of_office {
        phrases.push(Prompt::MainMenuOutOfOfficeOff);
    }
    phrases.push(Prompt::MainMenuEnd);
    phrases.into_iter().map(Phrase::from).collect()
}

/// The messages, or None: the store cannot be reached.
async fn messages(caller: &Caller, user: &User) -> Option<Vec<Message>> {
    match caller.store(StoreRequest::List(user.subscriber.mailbox.clone())).await {
        Ok(StoreAnswer::Messages(messages)) => Some(messages),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::dialogue::caller::PinCheck;
    use crate::dialogue::personal::{Areas, Personal};
    use crate::dialogue::script::{Script, appointment, contact, letter, message, personal};
    use crate::personal_information::{Answer, Meeting};
    use std::time::Duration;

    fn call(setup: impl FnOnce(&mut Script)) -> Script {
        let setup = |script: &mut Script| {
            script.pins = [PinCheck::Right { expired: false }].into();
            script.messages = vec![message(1, false), message(2, true)];
            setup(script);
        };
        Script::own_phone(setup)
    }

    #[test]
    fn counts_come_first_and_then_the_choices() {
        let mut call = call(|_| {});
        call.hears("You have one new message").hears("one saved message").hears("messages, press one");
        call.hears("press four").hears("press five").hears("press six");
        assert!(!call.said().contains("press seven"), "the out-of-office greeting is off");
        assert!(!call.said().contains("press two"), "no mail is connected");
    }

    #[test]
    fn every_key_leads_where_the_map_says() {
        for (key, words) in [
            ("1", "New message"),
            ("4", "Spell the name"),
            ("5", "Spell the name"),
            ("6", "out-of-office greeting on or off, press one"),
            ("0", "messages, press one"),
            ("*", "messages, press one"),
            ("2", "does nothing"),
            ("3", "does nothing"),
            ("7", "does nothing"),
            ("8", "does nothing"),
            ("9", "does nothing"),
            ("#", "does nothing"),
        ] {
            let mut call = call(|_| {});
            call.presses(key).hears(words);
        }
    }

    #[test]
    fn what_is_connected_and_may_be_heard_is_told_and_offered() {
        let areas = Areas { mail: true, calendar: true, contacts: true };
        let all = |script: &mut Script| {
            script.personal = Some(Personal { areas, ..personal() });
            script.mail = vec![letter("1", "Budget", "Text.")];
            script.at_six_in_the_morning();
            let begins = script.wall() + Duration::from_secs(3600);
            script.meetings = vec![Meeting { begins, ..appointment("1", "Review") }];
            script.contacts = vec![contact("Cecilia Holm", Some("0701234567"))];
        };
        let mut told = call(all);
        told.hears("one new message").hears("one unread mail").hears("next meeting is today at seven AM");
        told.hears("mail, press two").hears("calendar, press three").hears("contacts, press four").hears("press five");
        assert!(!told.said().contains("To find somebody,"), "the directory is behind the contacts");
        for (key, words) in [("2", "Mail from"), ("3", "one meeting today"), ("4", "one of your contacts")] {
            call(all).presses(key).hears(words);
        }
        call(all).presses("400").hears("Spell the name on the keypad, last name first");
        let only = |areas| move |script: &mut Script| script.personal = Some(Personal { areas, ..personal() });
        let mail = call(only(Areas { mail: true, ..Areas::default() }));
        assert!(mail.said().contains("press two") && !mail.said().contains("press three"));
        call(only(Areas { calendar: true, ..Areas::default() })).presses("2").hears("does nothing");
    }

    #[test]
    fn a_source_that_is_slow_or_away_holds_nobody_up() {
        let areas = Areas { mail: true, calendar: true, contacts: true };
        let mut slow = call(|script| {
            script.personal = Some(Personal { areas, ..personal() });
            script.source_silent = true;
        });
        slow.passes(Duration::from_secs(2)).hears("one new message").hears("mail, press two");
        assert!(!slow.said().contains("unread"));
        let mut away = call(|script| {
            script.personal = Some(Personal { areas, ..personal() });
            script.source_says = Some(Answer::Unavailable("away".into()));
        });
        away.hears("one new message").hears("mail, press two");
    }

    #[test]
    fn seven_turns_the_out_of_office_greeting_off_while_it_is_on() {
        let mut call = call(|script| {
            script.personal = Some(Personal { out_of_office: true, ..personal() });
        });
        call.hears("out-of-office greeting").hears("press seven").presses("7");
        assert_eq!(call.take_done(), [r#"set {"OutOfOfficeGreetingEnabled":false}"#]);
        call.hears("usual greeting again");
    }

    #[test]
    fn a_pin_that_expires_soon_is_warned_of() {
        let mut call = call(|script| script.personal = Some(Personal { pin_days: Some(3), ..personal() }));
        call.hears("Your PIN expires in three days");
    }

    #[test]
    fn without_a_directory_nobody_is_found_or_written_to() {
        let mut call = call(|script| script.personal = Some(Personal { directory: None, ..personal() }));
        assert!(!call.said().contains("press four") && !call.said().contains("press five"));
        call.presses("5").hears("does nothing");
    }

    #[test]
    fn three_wrong_keys_or_silence_end_the_call() {
        let mut wrong = call(|_| {});
        wrong.presses("8").presses("8").presses("8").hears("Thank you for calling").listens();
        assert!(wrong.over);
        let mut silent = call(|_| {});
        silent.waits(Duration::from_secs(120));
        assert!(silent.over);
    }
}
