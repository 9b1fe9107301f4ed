//! Voice access, its entry (fact sheet 4.1): our earcon, then extension and PIN; from the own phone the name and the PIN
//! only, and `*` for "not me".

use super::caller::{Caller, PinCheck, Subscriber};
use super::main_menu::main_menu;
use super::new_pin::new_pin;
use crate::storage::{Greeting, StoreAnswer, StoreRequest};
use speech::{Person, Phrase, Prompt, Sound};
use std::time::Duration;

/// What voice access must know.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Whose phone it is, if it is a user's.
    pub(crate) from: Option<Subscriber>,
    /// Digits in an extension.
    pub(crate) digits: usize,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    /// Wrong PINs before the call is ended.
    pub(crate) logon_failures: u32,
}

pub(crate) async fn subscriber_logon(caller: Caller, scene: Access) {
    let mut wrong = 0;
    let mut known = scene.from.clone().filter(|subscriber| subscriber.access);
    let mut opening: Vec<Phrase> = vec![Sound::Earcon.into()];
    if known.is_none() {
        opening.push(Prompt::Welcome.into());
    }
    loop {
        let own_phone = known.is_some();
        let subscriber = match known.take() {
            Some(subscriber) => subscriber,
            None => match ask_extension(&caller, &scene, std::mem::take(&mut opening)).await {
                Some(subscriber) => subscriber,
                None => return,
            },
        };
        match ask_pin(&caller, &scene, &subscriber, own_phone, std::mem::take(&mut opening), &mut wrong).await {
            Logon::Done { expired } => {
                if expired && !new_pin(&caller, &subscriber, scene.failures).await {
                    return;
                }
                return main_menu(caller, subscriber, scene.failures).await;
            }
            Logon::SomebodyElse => {}
            Logon::Over => return,
        }
    }
}

enum Logon {
    Done { expired: bool },
    SomebodyElse,
    Over,
}

/// None: goodbye was said.
async fn ask_extension(caller: &Caller, scene: &Access, mut opening: Vec<Phrase>) -> Option<Subscriber> {
    for _ in 0..scene.failures {
        let mut phrases = std::mem::take(&mut opening);
        phrases.push(Prompt::EnterExtension.into());
        let played = caller.play(phrases).await;
        let first = caller.key_after(played, Duration::from_secs(7)).await;
        let number = match first {
            Some(key) => caller.number(scene.digits, Some(key)).await,
            None => None,
        };
        match number.as_deref() {
            Some("*") | Some("") => {}
            Some(digits) => match caller.find(digits.to_owned()).await {
                Some(subscriber) if subscriber.access => return Some(subscriber),
                Some(_) => opening.push(Prompt::NotEnabled.into()),
                None => opening.push(Prompt::UnknownExtension.into()),
            },
            None => opening.push(Prompt::NoInput.into()),
        }
    }
    opening.push(Prompt::TooManyFailures.into());
    caller.announce(opening).await;
    None
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
        opening.push(Prompt::Hello.with("name", person(caller, subscriber).await));
    }
    let mut silent = 0;
    while silent < scene.failures {
        let mut phrases = std::mem::take(&mut opening);
        phrases.push(if own_phone { Prompt::EnterPinOrStar } else { Prompt::EnterPin }.into());
        let played = caller.play(phrases).await;
        let first = caller.key_after(played, Duration::from_secs(7)).await;
        let number = match first {
            Some(key) => caller.number(24, Some(key)).await,
            None => None,
        };
        let pin = match number {
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

/// The subscriber as he is spoken of: with his recorded name, when the store has one and is quick.
async fn person(caller: &Caller, subscriber: &Subscriber) -> Person {
    let mut person = Person::new(subscriber.name.clone(), subscriber.extension.clone());
    let request = StoreRequest::Greeting(subscriber.mailbox.clone());
    if let Ok(StoreAnswer::Greeting(Greeting { name, .. })) =
        caller.store_within(request, Duration::from_millis(1000)).await
    {
        person.recorded = name;
    }
    person
}
