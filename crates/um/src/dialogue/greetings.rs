//! Recording of greetings and of the name: [`MENU`] chooses which, [`ONE`] what to do with it, and after recording
//! [`KEEP`].

use super::FIRST_KEY;
use super::after_record::recording_ended;
use super::caller::{Caller, Recorded, Subscriber};
use super::menu::{Key, Menu, Pressed};
use super::personal::{Left, User, give_up};
use crate::commands::mailbox::UmMailboxChanges;
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::GreetingKind;
use media::RecordEnd;
use speech::{Phrase, Prompt, Sound};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Greeting(GreetingKind),
    Repeat,
    Back,
}

pub(crate) const MENU: Menu<Which> = Menu {
    name: "Greetings",
    about: "Personal options, `2`.",
    keys: &[
        Key::new("1", Which::Greeting(GreetingKind::Personal), "the own greeting").to("A greeting"),
        Key::new("2", Which::Greeting(GreetingKind::Oof), "the out-of-office greeting").to("A greeting"),
        Key::new("3", Which::Greeting(GreetingKind::Name), "the name").to("A greeting"),
        Key::new("0", Which::Repeat, "repeat"),
        Key::new("*", Which::Back, "back").to("Personal options"),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Record,
    Listen,
    Choose,
    Remove,
    Repeat,
    Back,
}

pub(crate) const ONE: Menu<Does> = Menu {
    name: "A greeting",
    about: "One of the greetings, or the name.",
    keys: &[
        Key::new("1", Does::Record, "record it").to("A greeting to keep"),
        Key::new("2", Does::Listen, "listen to it"),
        Key::new("3", Does::Choose, "the own greeting only: whether callers hear it or the standard one"),
        Key::new("7", Does::Remove, "remove it"),
        Key::new("0", Does::Repeat, "repeat"),
        Key::new("*", Does::Back, "back").to("Greetings"),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Keep,
    Listen,
    Again,
    Cancel,
}

pub(crate) const KEEP: Menu<Verdict> = Menu {
    name: "A greeting to keep",
    about: "It was recorded. Hanging up throws it away.",
    keys: &[
        Key::new("1", Verdict::Keep, "keep it"),
        Key::new("2", Verdict::Listen, "listen to it"),
        Key::new("3", Verdict::Again, "record it again"),
        Key::new("*", Verdict::Cancel, "throw it away"),
    ],
};

/// The longest name.
const LONGEST_NAME: Duration = Duration::from_secs(10);
/// What lasts less than this is no recording, but a key that was pressed at once.
const SHORTEST: Duration = Duration::from_millis(300);

pub(super) async fn greetings(caller: &Caller, user: &User) -> Left {
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.push(Prompt::GreetingsMenu.into());
        caller.play(std::mem::take(&mut opening)).await;
        match MENU.read(caller, FIRST_KEY).await {
            Pressed::Does(Which::Greeting(kind)) => match one(caller, user, kind).await {
                Left::ToMenu => failures = 0,
                Left::HungUp => return Left::HungUp,
            },
            Pressed::Does(Which::Repeat) => failures = 0,
            Pressed::Does(Which::Back) => return Left::ToMenu,
            missed @ (Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
            }
        }
    }
    give_up(caller).await
}

/// Whoever asked for it by page has answered: he hears the menu of one greeting, and hangs up when he is done.
pub(crate) async fn record_on_phone(caller: Caller, subscriber: Subscriber, kind: GreetingKind) {
    let Some(personal) = caller.personal(subscriber.mailbox.clone()).await else {
        return caller.announce(vec![Prompt::MailboxUnreachable.into(), Prompt::Goodbye.into()]).await;
    };
    caller.speak(personal.language, personal.clock);
    let user = User { subscriber, personal, pace: Default::default() };
    if one(&caller, &user, kind).await == Left::ToMenu {
        caller.announce(vec![Prompt::Goodbye.into()]).await;
    }
}

async fn one(caller: &Caller, user: &User, kind: GreetingKind) -> Left {
    let mailbox = || user.subscriber.mailbox.clone();
    // Whether callers hear it; what it is before the first press is not said, and does not matter.
    let mut own = true;
    let mut opening: Vec<Phrase> = Vec::new();
    let mut failures = 0;
    while failures < user.personal.failures {
        opening.push(Prompt::GreetingMenu.into());
        if kind == GreetingKind::Personal {
            opening.push(Prompt::GreetingChoose.into());
        }
        caller.play(std::mem::take(&mut opening)).await;
        match ONE.read(caller, FIRST_KEY).await {
            Pressed::Does(Does::Record) => match record_greeting(caller, user, kind).await {
                Some(said) => opening.push(said.into()),
                None => return give_up(caller).await,
            },
            Pressed::Does(Does::Listen) => match caller.store(StoreRequest::Recorded(mailbox(), kind)).await {
                Ok(StoreAnswer::Audio(audio)) => {
                    caller.play(vec![audio.into()]).await;
                }
                _ => opening.push(Prompt::GreetingNone.into()),
            },
            Pressed::Does(Does::Choose) if kind == GreetingKind::Personal => {
                own = !own;
                let changes = UmMailboxChanges { personal_greeting_enabled: Some(own), ..Default::default() };
                if caller.change(mailbox(), changes).await {
                    opening.push(if own { Prompt::GreetingOwnOn } else { Prompt::GreetingOwnOff }.into());
                }
            }
            Pressed::Does(Does::Remove) => match caller.store(StoreRequest::RemoveGreeting(mailbox(), kind)).await {
                Ok(_) => opening.push(Prompt::GreetingRemoved.into()),
                Err(_) => opening.push(Prompt::MailboxUnreachable.into()),
            },
            Pressed::Does(Does::Repeat) => failures = 0,
            Pressed::Does(Does::Back) => return Left::ToMenu,
            missed @ (Pressed::Does(Does::Choose) | Pressed::Unknown | Pressed::Nothing) => {
                failures += 1;
                opening.push(missed.remark(caller));
            }
        }
    }
    give_up(caller).await
}

/// Whether nothing was said, or it could not be kept.
pub(super) fn is_nothing(recorded: Recorded) -> bool {
    recorded.loud.is_zero() || recorded.duration < SHORTEST || recorded.reason == RecordEnd::Failed
}

/// Records and keeps one of them. Gives what is to be said of it; None: too many wrong inputs.
pub(super) async fn record_greeting(caller: &Caller, user: &User, kind: GreetingKind) -> Option<Prompt> {
    let (how, longest) = match kind {
        GreetingKind::Name => (Prompt::GreetingSpeakName, LONGEST_NAME),
        GreetingKind::Personal | GreetingKind::Oof | GreetingKind::Rule(_) => {
            (Prompt::GreetingSpeak, user.personal.longest_greeting)
        }
    };
    let mut failures = 0;
    while failures < user.personal.failures {
        caller.announce(vec![how.into(), Sound::RecordTone.into()]).await;
        caller.forget_keys();
        let (recorded, audio) = caller.tape(user.personal.idle, longest).await;
        recording_ended(caller, recorded.reason).await;
        if is_nothing(recorded) {
            failures += 1;
            caller.play(vec![Prompt::NothingHeard.into()]).await;
            continue;
        }
        loop {
            if failures >= user.personal.failures {
                return None;
            }
            caller.play(vec![Prompt::GreetingKeepMenu.into()]).await;
            match KEEP.read(caller, FIRST_KEY).await {
                Pressed::Does(Verdict::Keep) => {
                    let request = StoreRequest::PutGreeting(user.subscriber.mailbox.clone(), kind, audio);
                    return Some(match caller.store(request).await {
                        Ok(_) => Prompt::GreetingKept,
                        Err(_) => Prompt::MailboxUnreachable,
                    });
                }
                Pressed::Does(Verdict::Listen) => {
                    caller.play(vec![audio.clone().into()]).await;
                }
                Pressed::Does(Verdict::Again) => break,
                Pressed::Does(Verdict::Cancel) => return Some(Prompt::MessageCancelled),
                Pressed::Unknown => {
                    failures += 1;
                    caller.forget_keys();
                    caller.play(vec![Prompt::InvalidKey.into()]).await;
                }
                Pressed::Nothing => failures += 1,
            }
        }
    }
    None
}
