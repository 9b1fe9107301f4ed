//! How the attendant reaches people: by number, by name, or by a message.

use super::{Attendant, Ended, Messages};
use crate::dialogue::FIRST_KEY;
use crate::dialogue::call_answering::{Answering, call_answering};
use crate::dialogue::caller::{Authority, Caller, Subscriber, TransferEnd};
use crate::dialogue::directory_search::{Outcome, directory_search};
use crate::dialogue::menu::{Key, Menu, Pressed};
use crate::dialogue::people::spoken;
use speech::{Person, Prompt};

/// Whom the caller wants.
pub(super) enum Wanted {
    User(Subscriber),
    Number(Person, String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    Call,
    Message,
    Back,
}

pub(crate) const CALL_OR_MESSAGE: Menu<Choice> = Menu {
    name: "Call or message",
    about: "Somebody was found by name, and both are allowed.",
    keys: &[
        Key::new("1", Choice::Call, "call"),
        Key::new("2", Choice::Message, "leave a message without ringing"),
        Key::new("*", Choice::Back, "back").to("Auto attendant"),
    ],
};

/// An extension that the caller dialled.
pub(super) async fn extension(caller: &Caller, scene: &Attendant, number: &str) -> Ended {
    match allowed(caller, scene, number).await {
        Ok(Wanted::User(colleague)) if !colleague.reachable => operator_instead(caller, scene).await,
        Ok(wanted) => connect(caller, scene, wanted).await,
        Err(why) => Ended::Again(why),
    }
}

/// Whoever must not be put through gets the operator, where there is one (fact sheet 3.1).
async fn operator_instead(caller: &Caller, scene: &Attendant) -> Ended {
    match &scene.operator {
        Some(operator) => {
            caller.announce(vec![Prompt::TransferNotAllowed.into()]).await;
            number(caller, scene, operator).await
        }
        None => Ended::Again(Prompt::TransferNotAllowed),
    }
}

/// A number that an administrator chose. Outside the plan the dialling rules decide all the same.
pub(super) async fn number(caller: &Caller, scene: &Attendant, number: &str) -> Ended {
    if let Some(subscriber) = caller.find(number.to_owned()).await {
        return connect(caller, scene, Wanted::User(subscriber)).await;
    }
    let dialled = match number.len() <= scene.digits {
        true => Ok(number.to_owned()),
        false => caller.may_dial(Authority::Caller, number.to_owned()).await,
    };
    match dialled {
        Ok(dialled) => connect(caller, scene, Wanted::Number(Person::number(number), dialled)).await,
        Err(_) => Ended::Again(Prompt::NumberNotAllowed),
    }
}

/// A name, spelt on the keypad.
pub(super) async fn by_name(caller: &Caller, scene: &Attendant) -> Ended {
    let Some(search) = &scene.search else { return Ended::Back };
    let subscriber = match directory_search(caller, search).await {
        Outcome::Person(subscriber) => subscriber,
        Outcome::Extension(number) => return extension(caller, scene, &number).await,
        // Callers find no groups.
        Outcome::Back | Outcome::Group(_) => return Ended::Back,
        Outcome::Failed => {
            caller.announce(vec![Prompt::TooManyFailures.into()]).await;
            return Ended::Over;
        }
    };
    match (scene.subscribers, scene.messages) {
        (false, None) => Ended::Again(Prompt::TransferNotAllowed),
        (true, None) => connect(caller, scene, Wanted::User(subscriber)).await,
        (false, Some(messages)) => message_for(caller, scene, subscriber, messages).await,
        (true, Some(messages)) => {
            let name = spoken(caller, &subscriber).await;
            for _ in 0..scene.failures {
                caller.play(vec![Prompt::SearchCallOrMessage.with("name", name.clone())]).await;
                match CALL_OR_MESSAGE.read(caller, FIRST_KEY).await {
                    Pressed::Does(Choice::Call) => return connect(caller, scene, Wanted::User(subscriber)).await,
                    Pressed::Does(Choice::Message) => return message_for(caller, scene, subscriber, messages).await,
                    Pressed::Does(Choice::Back) => return Ended::Back,
                    Pressed::Unknown | Pressed::Nothing => caller.forget_keys(),
                }
            }
            Ended::Again(Prompt::NoInput)
        }
    }
}

/// Connects, and says what came of it. Who is busy or away takes a message, where the PBX has not seen to that itself.
pub(super) async fn connect(caller: &Caller, scene: &Attendant, wanted: Wanted) -> Ended {
    let (name, number) = match &wanted {
        Wanted::User(subscriber) => (spoken(caller, subscriber).await, subscriber.extension.clone()),
        Wanted::Number(person, number) => (person.clone(), number.clone()),
    };
    caller.announce(vec![Prompt::TransferringTo.with("name", name)]).await;
    let apology = match caller.transfer(number).await {
        TransferEnd::Done => return Ended::Over,
        TransferEnd::Busy => Prompt::Busy,
        TransferEnd::NoAnswer => Prompt::NoAnswer,
        TransferEnd::Invalid => Prompt::InvalidExtension,
        TransferEnd::Failed => Prompt::TransferFailed,
    };
    match (wanted, apology, scene.messages) {
        (Wanted::User(subscriber), Prompt::Busy | Prompt::NoAnswer, Some(messages)) => {
            caller.announce(vec![apology.into()]).await;
            message_for(caller, scene, subscriber, messages).await
        }
        _ => Ended::Again(apology),
    }
}

/// The caller leaves a message for somebody as if he had called him.
pub(super) async fn message_for(caller: &Caller, scene: &Attendant, owner: Subscriber, messages: Messages) -> Ended {
    caller.forget_keys();
    caller.answer_for(owner.mailbox.clone());
    let scene = Answering {
        owner,
        idle: messages.idle,
        max: messages.max,
        failures: scene.failures,
        operator: scene.operator.clone(),
        elsewhere: Attendant { greeting: Vec::new(), announcement: None, ..scene.clone() },
    };
    // Boxed: call answering may lead back to the attendant.
    Box::pin(call_answering(caller.clone(), scene)).await;
    Ended::Over
}

/// Whom the number reaches, or what to say instead.
async fn allowed(caller: &Caller, scene: &Attendant, number: &str) -> Result<Wanted, Prompt> {
    let person = || Wanted::Number(Person::number(number), number.to_owned());
    if scene.operator.as_deref() == Some(number) {
        return Ok(person());
    }
    if number.len() != scene.digits || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Prompt::InvalidExtension);
    }
    match caller.find(number.to_owned()).await {
        Some(subscriber) if scene.subscribers => Ok(Wanted::User(subscriber)),
        Some(_) => Err(Prompt::TransferNotAllowed),
        None if scene.any_extension => Ok(person()),
        None => Err(Prompt::InvalidExtension),
    }
}
