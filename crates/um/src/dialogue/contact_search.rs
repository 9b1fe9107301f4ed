//! Searching one's own contacts by the keys of their names (fact sheet 4.5): [`MENU`]. From here 00 leads to the directory of all
//! users, and so does everything where there are no contacts.

use super::caller::{Caller, Subscriber};
use super::consult::named;
use super::directory_search::{Choice, ENOUGH, MOST_KEYS, NEXT_LETTER, Outcome, choose, directory_search, rest};
use super::groups::Group;
use super::menu::{Key, Menu};
use super::personal::User;
use super::voice::Commands;
use super::{FIRST_KEY, SECOND_KEY};
use crate::personal_information::{Answer, Contact, Question};
use speech::{Phrase, Prompt};

pub(crate) const MENU: Menu<()> = Menu {
    name: "Contact search",
    about: "Voice access, where contacts are connected: the caller spells a name on the keypad, from any part of it on.",
    keys: &[
        Key::other("2 to 9", "the letters of the name"),
        Key::other("#", "that was the name; so is a pause of 4 s, and 1.5 s once three keys leave one person"),
        Key::other("00 first", "the directory of all users instead").to("Directory search"),
        Key::other("0 first", "repeat"),
        Key::other("*", "back").to("Main menu"),
        Key::other("several people", "are told apart").to("Choice among people"),
        Key::other("one person", "is found").to("A contact"),
    ],
};

/// What came of it.
pub(super) enum Whom {
    Contact(Contact),
    User(Subscriber),
    /// Of the directory.
    Group(Group),
    Back,
    /// Too many wrong inputs; nothing was said yet.
    Failed,
}

/// More contacts than this are not told: the name has to go on.
const MOST_TOLD: usize = 9;

pub(super) async fn contact_search(caller: &Caller, user: &User) -> Whom {
    if !user.personal.areas.contacts {
        return users(caller, user).await;
    }
    // Contacts are spelt; users can be named.
    caller.listen(&Commands::new(Vec::new()));
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.push(Prompt::ContactSpell.into());
        if user.personal.directory.is_some() {
            opening.push(Prompt::ContactDirectory.into());
        }
        caller.play(std::mem::take(&mut opening)).await;
        let (said, found) = match typed(caller, user).await {
            Typed::Name(found) => found,
            Typed::Directory => return users(caller, user).await,
            Typed::Repeat => continue,
            Typed::Back => return Whom::Back,
            Typed::Nothing => (Some(Prompt::NoInput), Vec::new()),
            Typed::Unavailable => {
                caller.play(vec![Prompt::SourceUnavailable.into()]).await;
                return Whom::Back;
            }
        };
        if let Some(said) = said {
            failures += 1;
            caller.forget_keys();
            opening.push(said.into());
            continue;
        }
        let mut people = Vec::with_capacity(found.len());
        if let [only] = found.as_slice() {
            return Whom::Contact(only.clone());
        }
        for contact in &found {
            let name = named(caller, user, contact).await.unwrap_or_default();
            people.push((name.into(), contact.company.clone()));
        }
        match choose(caller, people, Vec::new(), user.personal.failures).await {
            Choice::One(index) => {
                if let Some(contact) = found.get(index) {
                    return Whom::Contact(contact.clone());
                }
            }
            Choice::Back => {}
            Choice::Failed => return Whom::Failed,
        }
    }
    Whom::Failed
}

/// Somebody of the directory of users.
async fn users(caller: &Caller, user: &User) -> Whom {
    let Some(search) = &user.personal.directory else { return Whom::Back };
    for _ in 0..user.personal.failures {
        let person = match directory_search(caller, search).await {
            Outcome::Person(person) => Some(person),
            Outcome::Extension(number) => caller.find(number).await,
            Outcome::Group(group) => return Whom::Group(group),
            Outcome::Back => return Whom::Back,
            Outcome::Failed => return Whom::Failed,
        };
        match person {
            Some(person) => return Whom::User(person),
            None => drop(caller.play(vec![Prompt::UnknownExtension.into()]).await),
        }
    }
    Whom::Failed
}

enum Typed {
    /// Those who are meant, or what is to be said instead.
    Name((Option<Prompt>, Vec<Contact>)),
    Directory,
    Repeat,
    Back,
    Nothing,
    Unavailable,
}

async fn typed(caller: &Caller, user: &User) -> Typed {
    let mut keys = String::new();
    loop {
        // Who has heard how it goes may still look for the first letter.
        let within = if keys.is_empty() { FIRST_KEY } else { NEXT_LETTER };
        match caller.key(within).await {
            Some('*') => return Typed::Back,
            Some('0') if keys.is_empty() => {
                return match caller.peek(SECOND_KEY).await {
                    Some('0') => {
                        caller.key(std::time::Duration::ZERO).await;
                        Typed::Directory
                    }
                    _ => Typed::Repeat,
                };
            }
            Some('#') | None if keys.is_empty() => return Typed::Nothing,
            Some('#') | None => break,
            Some(key) => keys.push(key),
        }
        if keys.len() >= MOST_KEYS {
            break;
        }
        if keys.len() >= ENOUGH {
            match meant(caller, user, &keys).await {
                None => return Typed::Unavailable,
                Some(found) if found.len() == 1 => {
                    keys = rest(caller, keys).await;
                    break;
                }
                Some(_) => {}
            }
        }
    }
    match meant(caller, user, &keys).await {
        None => Typed::Unavailable,
        Some(found) if found.is_empty() => Typed::Name((Some(Prompt::SearchNobody), found)),
        Some(found) if found.len() > MOST_TOLD => Typed::Name((Some(Prompt::SearchTooMany), Vec::new())),
        Some(found) => Typed::Name((None, found)),
    }
}

/// Whose names are spelt so; `None`: the source does not say.
async fn meant(caller: &Caller, user: &User, keys: &str) -> Option<Vec<Contact>> {
    match caller.consult(user, Question::Contacts { keys: keys.to_owned() }).await {
        Answer::Contacts(contacts) => Some(contacts),
        _ => None,
    }
}
