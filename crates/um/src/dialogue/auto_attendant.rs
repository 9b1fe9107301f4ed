//! The auto attendant, its first part (fact sheet 5): a welcome, then somebody to be connected to, by extension or by
//! name. The same menu serves callers who leave call answering by `*`, and those without a mailbox in voice access by `#`.
//!
//! | key | |
//! |---|---|
//! | digits | an extension |
//! | # | directory search |
//! | 0 | the operator, where there is one |
//! | * | voice access, where the attendant leads there |

use super::call_answering::{Answering, call_answering};
use super::caller::{Caller, Subscriber, TransferEnd};
use super::directory_search::{Outcome, Search, directory_search};
use super::people::spoken;
use super::subscriber_logon::{Access, subscriber_logon};
use speech::{Person, Phrase, Prompt, Sound, Value};
use std::time::Duration;

/// What the attendant must know.
#[derive(Clone, Debug)]
pub(crate) struct Attendant {
    /// None for callers who were welcomed already.
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
    /// How names are searched for; `None`: not at all.
    pub(crate) search: Option<Search>,
    /// Whether messages may be left, and how long; `None`: not at all.
    pub(crate) messages: Option<Messages>,
    /// Where `*` leads, if anywhere.
    pub(crate) access: Option<Access>,
}

/// How callers are welcomed.
#[derive(Clone, Debug)]
pub(crate) struct Welcome {
    pub(crate) business: Option<String>,
}

/// How messages are recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    pub(crate) idle: Duration,
    pub(crate) max: Duration,
}

/// Whom the caller wants.
enum Wanted {
    User(Subscriber),
    Number(Person, String),
}

/// How a part of the menu ended.
enum Ended {
    /// The call is over, or somebody else's.
    Over,
    /// Back to the menu with a word on why, which counts as a failure.
    Again(Prompt),
    /// Back to the menu; nothing went wrong.
    Back,
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
        if scene.search.is_some() {
            opening.push(Prompt::AttendantSearch.into());
        }
        if scene.operator.is_some() {
            opening.push(Prompt::AttendantOperator.into());
        }
        caller.play(std::mem::take(&mut opening)).await;
        let ended = match caller.key(Duration::from_secs(7)).await {
            None => Ended::Again(Prompt::NoInput),
            Some('*') if scene.access.is_some() => {
                let Some(access) = scene.access else { return };
                return subscriber_logon(caller, access).await;
            }
            Some('#') if scene.search.is_some() => by_name(&caller, &scene).await,
            Some(key) => by_number(&caller, &scene, key).await,
        };
        match ended {
            Ended::Over => return,
            Ended::Back => {}
            Ended::Again(why) => {
                failures += 1;
                caller.forget_keys();
                opening.push(why.into());
            }
        }
    }
    opening.push(Prompt::TooManyFailures.into());
    caller.announce(opening).await;
}

/// An extension, of which `first` is the first key.
async fn by_number(caller: &Caller, scene: &Attendant, first: char) -> Ended {
    let number = match first {
        // 0 alone is the operator; an extension may begin with it.
        '0' => match caller.key(Duration::from_secs(2)).await {
            None | Some('#') => match &scene.operator {
                Some(operator) => {
                    return connect(caller, scene, Wanted::Number(Person::number(operator), operator.clone())).await;
                }
                None => return Ended::Again(Prompt::NoOperator),
            },
            Some(next) => format!("0{}", rest(caller, scene.digits, next).await),
        },
        key => caller.number(scene.digits, Some(key)).await.unwrap_or_default(),
    };
    match allowed(caller, scene, &number).await {
        Ok(wanted) => connect(caller, scene, wanted).await,
        Err(why) => Ended::Again(why),
    }
}

/// A name, spelt on the keypad.
async fn by_name(caller: &Caller, scene: &Attendant) -> Ended {
    let Some(search) = &scene.search else { return Ended::Back };
    let subscriber = match directory_search(caller, search).await {
        Outcome::Person(subscriber) => subscriber,
        Outcome::Extension(number) => {
            return match allowed(caller, scene, &number).await {
                Ok(wanted) => connect(caller, scene, wanted).await,
                Err(why) => Ended::Again(why),
            };
        }
        Outcome::Back => return Ended::Back,
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
                match caller.key(super::FIRST_KEY).await {
                    Some('1') => return connect(caller, scene, Wanted::User(subscriber)).await,
                    Some('2') => return message_for(caller, scene, subscriber, messages).await,
                    Some('*') => return Ended::Back,
                    _ => caller.forget_keys(),
                }
            }
            Ended::Again(Prompt::NoInput)
        }
    }
}

/// Connects, and says what came of it. Who is busy or away takes a message, where the PBX has not seen to that itself.
async fn connect(caller: &Caller, scene: &Attendant, wanted: Wanted) -> Ended {
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
async fn message_for(caller: &Caller, scene: &Attendant, owner: Subscriber, messages: Messages) -> Ended {
    caller.forget_keys();
    caller.answer_for(owner.mailbox.clone());
    let scene = Answering {
        owner,
        idle: messages.idle,
        max: messages.max,
        failures: scene.failures,
        operator: scene.operator.clone(),
        elsewhere: Attendant { welcome: None, ..scene.clone() },
    };
    // Boxed: call answering may lead back to the attendant.
    Box::pin(call_answering(caller.clone(), scene)).await;
    Ended::Over
}

/// The digits behind a first 0.
async fn rest(caller: &Caller, digits: usize, next: char) -> String {
    if digits <= 1 {
        return String::new();
    }
    caller.number(digits - 1, Some(next)).await.unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dial_plan::{DialByName, MatchedName};
    use crate::dialogue::caller::Match;
    use crate::dialogue::script::{Script, subscriber};

    fn scene() -> Attendant {
        Attendant {
            welcome: Some(Welcome { business: None }),
            digits: 5,
            failures: 3,
            operator: None,
            subscribers: true,
            any_extension: true,
            search: None,
            messages: None,
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

    fn searching() -> Attendant {
        let search = Search {
            plan: None,
            primary: DialByName::LastFirst,
            secondary: DialByName::None,
            detail: MatchedName::None,
            digits: 5,
            failures: 3,
        };
        let messages = Messages { idle: Duration::from_secs(5), max: Duration::from_secs(60) };
        Attendant { search: Some(search), messages: Some(messages), ..scene() }
    }

    /// A call in which 25... finds Björn Åkesson.
    fn call_to_search(scene: Attendant) -> Script {
        let found = Match { subscriber: subscriber("27001", "Björn Åkesson"), detail: None };
        Script::start(
            move |script| script.directory = vec![("2537766".into(), found)],
            |caller| auto_attendant(caller, scene),
        )
    }

    #[test]
    fn pound_searches_by_name_and_one_calls() {
        let mut call = call_to_search(searching());
        call.hears("search by name, press pound").presses("#").hears("last name first").presses("25#");
        call.hears("Björn Åkesson To call, press one").presses("1").hears("connecting you to Björn Åkesson").listens();
        assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("27001"));
    }

    #[test]
    fn a_message_can_be_left_without_ringing() {
        let mut call = call_to_search(searching());
        call.presses("#25#").presses("2").hears("Björn Åkesson is not available");
        assert_eq!(call.take_done(), ["answer for 27001"]);
    }

    #[test]
    fn who_is_busy_or_away_takes_a_message_where_the_pbx_has_not_seen_to_it() {
        for (end, word) in [(TransferEnd::Busy, "busy"), (TransferEnd::NoAnswer, "Nobody answers")] {
            let mut call = call_to_search(searching());
            call.presses("27001").listens().transferred(end).hears(word).listens().hears("is not available");
            assert_eq!(call.take_done(), ["answer for 27001"]);
        }
    }

    #[test]
    fn who_may_only_be_called_is_called_without_a_question() {
        let mut call = call_to_search(Attendant { messages: None, ..searching() });
        call.presses("#25#").hears("connecting you");
    }

    #[test]
    fn star_in_the_search_gives_the_menu_back() {
        let mut call = call_to_search(searching());
        call.presses("#*").hears("enter the extension");
    }
}
