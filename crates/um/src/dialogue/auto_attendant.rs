//! The auto attendant, its first part (fact sheet 5): a welcome, then an extension to be connected to. The same menu
//! serves callers who leave call answering by `*`.
//!
//! | key | |
//! |---|---|
//! | digits | an extension |
//! | 0 | the operator, where there is one |
//! | * | voice access, where the attendant leads there |

use super::caller::{Caller, TransferEnd};
use super::subscriber_logon::{Access, subscriber_logon};
use speech::{Person, Phrase, Prompt, Sound, Value};
use std::time::Duration;

/// What the attendant must know.
#[derive(Clone, Debug)]
pub(crate) struct Attendant {
    /// None for callers who come from call answering: they were welcomed.
    pub(crate) welcome: Option<Welcome>,
    /// Digits in an extension.
    pub(crate) digits: usize,
    /// Wrong inputs before the call is ended.
    pub(crate) failures: u32,
    pub(crate) operator: Option<String>,
    /// Whether users of the plan may be called.
    pub(crate) subscribers: bool,
    /// Whether any extension of the right length may be called.
    pub(crate) any_extension: bool,
    /// Where `*` leads, if anywhere.
    pub(crate) access: Option<Access>,
}

/// How callers are welcomed.
#[derive(Clone, Debug)]
pub(crate) struct Welcome {
    pub(crate) business: Option<String>,
}

pub(crate) async fn auto_attendant(caller: Caller, scene: Attendant) {
    let mut opening: Vec<Phrase> = match &scene.welcome {
        Some(Welcome { business: Some(business) }) => {
            let business = Value::Text(business.clone());
            vec![Sound::Earcon.into(), Prompt::AttendantWelcomeBusiness.with("business", business)]
        }
        Some(Welcome { business: None }) => vec![Sound::Earcon.into(), Prompt::AttendantWelcome.into()],
        None => Vec::new(),
    };
    let mut failures = 0;
    while failures < scene.failures {
        opening.push(Prompt::AttendantEnterExtension.into());
        if scene.operator.is_some() {
            opening.push(Prompt::AttendantOperator.into());
        }
        caller.play(std::mem::take(&mut opening)).await;
        let Some(first) = caller.key(Duration::from_secs(7)).await else {
            failures += 1;
            opening.push(Prompt::NoInput.into());
            continue;
        };
        let number = match (first, &scene.operator) {
            // 0 alone is the operator; an extension may begin with it.
            ('0', operator) => match (caller.key(Duration::from_secs(2)).await, operator) {
                (None | Some('#'), Some(operator)) => operator.clone(),
                (None | Some('#'), None) => {
                    failures += 1;
                    opening.push(Prompt::NoOperator.into());
                    continue;
                }
                (Some(next), _) => format!("0{}", rest(&caller, scene.digits, next).await),
            },
            ('*', _) => {
                if let Some(access) = scene.access {
                    return subscriber_logon(caller, access).await;
                }
                String::new()
            }
            (key, _) => caller.number(scene.digits, Some(key)).await.unwrap_or_default(),
        };
        let is_operator = scene.operator.as_deref() == Some(number.as_str());
        let person = match allowed(&caller, &scene, &number, is_operator).await {
            Ok(person) => person,
            Err(prompt) => {
                failures += 1;
                caller.forget_keys();
                opening.push(prompt.into());
                continue;
            }
        };
        caller.announce(vec![Prompt::TransferringTo.with("name", person)]).await;
        let apology = match caller.transfer(number).await {
            TransferEnd::Done => return,
            TransferEnd::Busy => Prompt::Busy,
            TransferEnd::NoAnswer => Prompt::NoAnswer,
            TransferEnd::Invalid => Prompt::InvalidExtension,
            TransferEnd::Failed => Prompt::TransferFailed,
        };
        failures += 1;
        caller.forget_keys();
        opening.push(apology.into());
    }
    opening.push(Prompt::TooManyFailures.into());
    caller.announce(opening).await;
}

/// The digits behind a first 0.
async fn rest(caller: &Caller, digits: usize, next: char) -> String {
    if digits <= 1 {
        return String::new();
    }
    caller.number(digits - 1, Some(next)).await.unwrap_or_default()
}

/// Whom the number reaches, or what to say instead.
async fn allowed(caller: &Caller, scene: &Attendant, number: &str, is_operator: bool) -> Result<Person, Prompt> {
    if is_operator {
        return Ok(Person::number(number));
    }
    if number.len() != scene.digits || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Prompt::InvalidExtension);
    }
    match caller.find(number.to_owned()).await {
        Some(subscriber) if scene.subscribers => Ok(Person::new(subscriber.name, subscriber.extension)),
        Some(_) => Err(Prompt::TransferNotAllowed),
        None if scene.any_extension => Ok(Person::number(number)),
        None => Err(Prompt::InvalidExtension),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::Script;

    fn scene() -> Attendant {
        Attendant {
            welcome: Some(Welcome { business: None }),
            digits: 5,
            failures: 3,
            operator: None,
            subscribers: true,
            any_extension: true,
            access: None,
        }
    }

    fn call(scene: Attendant) -> Script {
        Script::start(|_| {}, |caller| auto_attendant(caller, scene))
    }

    #[test]
    fn an_extension_is_transferred_to() {
        let mut call = call(scene());
        call.hears("thank you for calling").presses("27001").hears("connecting you to Björn Åkesson").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
        call.transferred(TransferEnd::Done);
        assert!(call.over);
    }

    #[test]
    fn an_extension_that_is_no_users_is_tried_when_that_is_allowed() {
        let mut any = call(scene());
        any.presses("27010").listens();
        assert!(any.transferring.is_some());
        let mut users = call(Attendant { any_extension: false, ..scene() });
        users.presses("27010").hears("nobody with that extension");
    }

    #[test]
    fn a_number_that_the_pbx_does_not_know_gives_the_menu_back() {
        let mut call = call(scene());
        call.presses("27001").listens().transferred(TransferEnd::Invalid);
        call.hears("nobody with that extension").hears("enter the extension");
    }

    #[test]
    fn busy_and_no_answer_are_told() {
        let mut call = call(scene());
        call.presses("27001").listens().transferred(TransferEnd::Busy).hears("busy");
        call.presses("27001").listens().transferred(TransferEnd::NoAnswer).hears("Nobody answers");
    }

    #[test]
    fn three_bad_inputs_end_politely() {
        let mut call = call(scene());
        call.presses("12#").hears("nobody with that").presses("12#").presses("12#").hears("Goodbye").listens();
        assert!(call.over);
    }

    #[test]
    fn silence_ends_it_too() {
        let mut call = call(scene());
        call.waits(Duration::from_secs(60));
        assert!(call.over);
    }

    #[test]
    fn zero_is_the_operator_unless_an_extension_begins_with_it() {
        let mut operator = call(Attendant { operator: Some("9".into()), ..scene() });
        operator.presses("0").waits(Duration::from_secs(3));
        assert_eq!(operator.transferring.as_ref().map(|(_, to)| to.as_str()), Some("9"));
        let mut extension = call(Attendant { operator: Some("9".into()), ..scene() });
        extension.presses("01234").listens();
        assert_eq!(extension.transferring.as_ref().map(|(_, to)| to.as_str()), Some("01234"));
    }
}
