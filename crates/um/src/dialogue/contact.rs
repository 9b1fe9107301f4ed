//! Personal contacts by phone (fact sheet 4.5): one is found, then called at one of his numbers or sent a message: [`MENU`] and
//! [`NUMBERS`].

use super::FIRST_KEY;
use super::caller::{Authority, Caller, Subscriber};
use super::compose::{Recipient, compose, of_group};
use super::consult::{call_one_of, named};
use super::contact_search::{Whom, contact_search};
use super::menu::{Key, Menu, Pressed};
use super::person;
use super::personal::{Left, User, give_up};
use super::voice::{Commands, offer};
use crate::personal_information::Contact;
use speech::{Person, Phrase, Prompt, Value};

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
    name: "A contact",
    about: "Voice access, after one of the caller's own contacts was found.",
    keys: &[
        Key::new("1", Does::Details, "hear numbers and company").says("voice-word-details", &["details"]),
        Key::new("2", Does::Call, "call").to("Which number").says("voice-word-call", &["call"]),
        Key::new("3", Does::Write, "send a voice message, where the contact has a mailbox here")
            .to("A message to be")
            .says("voice-word-send-a-message", &["send a message"]),
        Key::new("4", Does::Another, "find somebody else")
            .to("Contact search")
            .says("voice-word-find-another", &["find somebody else"]),
        Key::new("0", Does::Repeat, "repeat").says("voice-word-repeat", &["repeat"]),
        Key::new("*", Does::Back, "back").to("Main menu").says("voice-word-main-menu", &["main menu"]),
    ],
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Mobile,
    Office,
    Home,
    Back,
}

pub(crate) const NUMBERS: Menu<Number> = Menu {
    name: "Which number",
    about: "A contact is to be called. Only the numbers that the contact has are offered.",
    keys: &[
        Key::new("1", Number::Mobile, "the mobile").says("voice-word-mobile", &["mobile"]),
        Key::new("2", Number::Office, "the office").says("voice-word-office", &["office"]),
        Key::new("3", Number::Home, "home").says("voice-word-home", &["home"]),
        Key::new("*", Number::Back, "back").to("A contact").says("voice-word-main-menu", &["main menu"]),
    ],
};

pub(super) async fn contacts(caller: &Caller, user: &User) -> Left {
    loop {
        let left = match contact_search(caller, user).await {
            Whom::Contact(contact) => found(caller, user, &contact).await,
            Whom::User(person) => person::found(caller, user, person).await,
            Whom::Group(group) => match of_group(caller, user, group).await {
                // There is nothing else to do with one.
                Ok(group) => Some(compose(caller, user, vec![group]).await),
                Err(why) => {
                    caller.play(vec![why]).await;
                    None
                }
            },
            Whom::Back => return Left::ToMenu,
            Whom::Failed => return give_up(caller).await,
        };
        if let Some(left) = left {
            return left;
        }
    }
}

/// None: somebody else is to be found.
async fn found(caller: &Caller, user: &User, contact: &Contact) -> Option<Left> {
    let name = named(caller, user, contact).await.unwrap_or_default();
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        caller.listen(&Commands::new(MENU.commands("", |_| true)));
        opening.push(Value::Person(name.clone()).into());
        match caller.hears() {
            true => opening.extend(offer(MENU.words(|does| !matches!(does, Does::Repeat | Does::Back)))),
            false => opening.push(Prompt::ContactMenu.into()),
        }
        caller.play(std::mem::take(&mut opening)).await;
        let pressed = MENU.read(caller, FIRST_KEY).await;
        if matches!(pressed, Pressed::Does(_)) {
            failures = 0;
        }
        match pressed {
            Pressed::Does(Does::Details) => opening.extend(details(caller, user, contact).await),
            Pressed::Does(Does::Call) => match call(caller, user, contact, &name).await {
                Some(Ok(left)) => return Some(left),
                Some(Err(why)) => opening.push(why.into()),
                None => {}
            },
            Pressed::Does(Does::Write) => match mailbox_of(caller, user, contact).await {
                Some(person) => return Some(compose(caller, user, vec![Recipient::Person(person)]).await),
                None => opening.push(Prompt::ContactNoMailbox.into()),
            },
            Pressed::Does(Does::Another) => return None,
            Pressed::Does(Does::Repeat) => {}
            Pressed::Does(Does::Back) => return Some(Left::ToMenu),
            missed @ (Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
            }
        }
    }
    Some(give_up(caller).await)
}

/// Numbers and company.
async fn details(caller: &Caller, user: &User, contact: &Contact) -> Vec<Phrase> {
    let numbers = [
        (Prompt::ContactMobile, &contact.mobile),
        (Prompt::ContactOffice, &contact.office),
        (Prompt::ContactHome, &contact.home),
    ];
    let numbers = numbers.into_iter().filter_map(|(prompt, number)| Some((prompt, number.clone()?)));
    let mut phrases: Vec<Phrase> =
        numbers.map(|(prompt, number)| prompt.with("digits", Value::Digits(number))).collect();
    if let Some(company) = &contact.company
        && let Some(company) = caller.line(company, user.personal.language).await
    {
        phrases.push(Prompt::ContactCompany.with("company", company));
    }
    if phrases.is_empty() {
        phrases.push(Prompt::ContactNoDetails.into());
    }
    phrases
}

/// Calls one of the numbers; what is to be said when that fails. None: not now.
async fn call(caller: &Caller, user: &User, contact: &Contact, name: &Person) -> Option<Result<Left, Prompt>> {
    let number = |which: Number| match which {
        Number::Mobile => contact.mobile.as_ref(),
        Number::Office => contact.office.as_ref(),
        Number::Home => contact.home.as_ref(),
        Number::Back => None,
    };
    if contact.numbers().next().is_none() {
        return Some(Err(Prompt::PlayerNoCall));
    }
    let has = |which: Number| which == Number::Back || number(which).is_some();
    caller.listen(&Commands::new(NUMBERS.commands("", has)));
    let offered = match caller.hears() {
        true => offer(NUMBERS.words(|which| which != Number::Back && has(which))),
        false => {
            let lines = [
                (Number::Mobile, Prompt::ContactCallMobile),
                (Number::Office, Prompt::ContactCallOffice),
                (Number::Home, Prompt::ContactCallHome),
            ];
            lines.into_iter().filter(|(which, _)| has(*which)).map(|(_, prompt)| prompt.into()).collect()
        }
    };
    caller.play(offered).await;
    match NUMBERS.read(caller, FIRST_KEY).await {
        Pressed::Does(Number::Back) | Pressed::Nothing => None,
        Pressed::Does(which) => match number(which) {
            Some(number) => Some(call_one_of(caller, user, name.clone(), [number]).await),
            None => Some(Err(Prompt::PlayerNoCall)),
        },
        Pressed::Unknown => Some(Err(Prompt::InvalidKey)),
    }
}

/// The contact's own mailbox here, known by one of his numbers.
pub(super) async fn mailbox_of(caller: &Caller, user: &User, contact: &Contact) -> Option<Subscriber> {
    for number in contact.numbers() {
        if let Some(found) = caller.find(number.clone()).await {
            return Some(found);
        }
        let by = Authority::Owner(user.subscriber.mailbox.clone());
        if let Ok(dialled) = caller.may_dial(by, number.clone()).await
            && let Some(found) = caller.find(dialled).await
        {
            return Some(found);
        }
    }
    None
}
