//! Dialogues with a caller: straight-line async functions, a file a menu. They await only Earcon's own requests (play,
//! a key, record, store, transfer), and are polled by the role when something happens to their call: there is no
//! runtime below them. The call owns media, recording and legs; when it ends, the future is dropped where it stands.

mod after_record;
mod auto_attendant;
mod calendar;
mod calendar_visit;
mod call_answering;
mod caller;
mod compose;
mod consult;
mod contact;
mod contact_search;
mod directory_search;
mod fax;
mod find_me;
mod greetings;
mod groups;
mod mail;
mod mail_visit;
mod main_menu;
mod menu;
mod new_pin;
mod note;
mod people;
mod person;
mod personal;
mod personal_options;
mod play_on_phone;
mod player;
mod prompt_recording;
mod reader;
mod rule_menu;
#[cfg(test)]
pub(crate) mod script;
mod set_up;
mod subscriber_logon;
mod time_zones;
mod voice;
mod voice_mail;
#[cfg(test)]
pub(crate) mod walk;

pub(crate) use auto_attendant::{Announcement, Attendant, MenuKey, Messages, Then, auto_attendant};
pub(crate) use call_answering::{Answering, call_answering};
pub(crate) use caller::{
    Ask, Authority, Dialogue, Hits, Match, PinCheck, Played, Recorded, Reply, RequestId, Ring, Rung, Subscriber,
    TransferEnd,
};
pub(crate) use directory_search::Search;
pub(crate) use fax::fax;
pub(crate) use find_me::find_me;
pub(crate) use greetings::record_on_phone;
pub(crate) use groups::{Group, Members, Refusal};
pub(crate) use personal::{Areas, Draft, Personal, Reception, RuleAction, RuleScene};
pub(crate) use play_on_phone::play_on_phone;
pub(crate) use prompt_recording::record_prompt;
pub(crate) use subscriber_logon::{Access, subscriber_logon};
pub(crate) use voice::Spoken;

use std::time::Duration;

/// How long a menu waits for the first key after its prompt.
pub(crate) const FIRST_KEY: Duration = Duration::from_secs(5);
/// How long a number waits for its next key.
pub(crate) const NEXT_KEY: Duration = Duration::from_secs(4);
/// How long a key that may be the first of two waits for the second.
pub(crate) const SECOND_KEY: Duration = Duration::from_millis(1200);

/// Every menu there is, in the order in which docs/menus.md has them.
fn menus() -> Vec<menu::Drawn> {
    vec![
        auto_attendant::MENU.drawn(),
        directory_search::MENU.drawn(),
        directory_search::CHOICE.drawn(),
        auto_attendant::CALL_OR_MESSAGE.drawn(),
        call_answering::MENU.drawn(),
        after_record::MENU.drawn(),
        after_record::SEND.drawn(),
        main_menu::MENU.drawn(),
        voice_mail::MENU.drawn(),
        voice_mail::MORE.drawn(),
        player::MENU.drawn(),
        mail::MENU.drawn(),
        mail::MORE.drawn(),
        calendar::MENU.drawn(),
        calendar::MORE.drawn(),
        calendar_visit::DETAILS.drawn(),
        calendar::CLEAR.drawn(),
        note::MENU.drawn(),
        contact_search::MENU.drawn(),
        contact::MENU.drawn(),
        contact::NUMBERS.drawn(),
        compose::MENU.drawn(),
        person::MENU.drawn(),
        personal_options::MENU.drawn(),
        greetings::MENU.drawn(),
        greetings::ONE.drawn(),
        greetings::KEEP.drawn(),
        set_up::MENU.drawn(),
        find_me::MENU.drawn(),
        play_on_phone::MENU.drawn(),
        prompt_recording::MENU.drawn(),
    ]
}

/// What may be said in each menu to which one can speak, for whoever measures how well it is understood.
pub fn spoken_menus() -> Vec<(&'static str, Vec<String>)> {
    let words = |commands: Vec<voice::Command>| commands.into_iter().map(|command| command.words).collect();
    let mut message = voice_mail::MENU.commands("", |_| true);
    message.extend(player::MENU.commands("", |_| true));
    message.extend(voice_mail::MORE.commands("00", |_| true));
    let mut mail = mail::MENU.commands("", |_| true);
    mail.extend(player::MENU.commands("", |_| true));
    mail.extend(mail::MORE.commands("00", |_| true));
    let mut meeting = calendar::MENU.commands("", |_| true);
    meeting.extend(calendar::MORE.commands("00", |_| true));
    vec![
        (main_menu::MENU.name, words(main_menu::MENU.commands("", |_| true))),
        (voice_mail::MENU.name, words(message)),
        (mail::MENU.name, words(mail)),
        (calendar::MENU.name, words(meeting)),
        (contact::MENU.name, words(contact::MENU.commands("", |_| true))),
        (contact::NUMBERS.name, words(contact::NUMBERS.commands("", |_| true))),
        (person::MENU.name, words(person::MENU.commands("", |_| true))),
        (compose::MENU.name, words(compose::MENU.commands("", |_| true))),
        (auto_attendant::MENU.name, words(auto_attendant::MENU.commands("", |_| true))),
    ]
}

/// docs/menus.md, as the dialogues' own tables have it.
pub fn menus_page() -> String {
    menu::page(&menus())
}
