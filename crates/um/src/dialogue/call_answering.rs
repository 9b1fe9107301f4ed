//! Call answering (fact sheet 3.1): greeting, tone, recording; `#` opens the menu after it, hanging up delivers.
//!
//! | while the greeting plays | |
//! |---|---|
//! | any key | go on to the tone |
//! | 0 | the operator, where there is one |
//! | * | leave call answering, to reach somebody else |

use super::after_record::after_record;
use super::auto_attendant::{Attendant, auto_attendant};
use super::caller::{Caller, Subscriber, TransferEnd};
use crate::storage::{StoreAnswer, StoreRequest};
use media::RecordEnd;
use speech::{Person, Phrase, Prompt, Sound};
use std::time::Duration;

/// How long the mailbox store may take to give the greeting before the caller hears the standard one.
const GREETING_WITHIN: Duration = Duration::from_millis(1500);

/// What call answering must know.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) owner: Subscriber,
    pub(crate) idle: Duration,
    pub(crate) max: Duration,
    pub(crate) failures: u32,
    pub(crate) operator: Option<String>,
    /// Who can be reached by `*`.
    pub(crate) elsewhere: Attendant,
}

pub(crate) async fn call_answering(caller: Caller, scene: Answering) {
    let greeting = greeting(&caller, &scene).await;
    loop {
        let played = caller.play(greeting.clone()).await;
        let key = match played.reason {
            media::PlayEnd::Key => caller.key_after(played, Duration::ZERO).await,
            _ => None,
        };
        match (key, &scene.operator) {
            (Some('0'), Some(operator)) => {
                caller.announce(vec![Prompt::Transferring.into()]).await;
                if caller.transfer(operator.clone()).await == TransferEnd::Done {
                    return;
                }
                caller.announce(vec![Prompt::TransferFailed.into()]).await;
            }
            (Some('*'), _) => return auto_attendant(caller, scene.elsewhere).await,
            _ => break,
        }
    }
    caller.announce(vec![Sound::RecordTone.into()]).await;
    let recorded = record(&caller, &scene, scene.max).await;
    after_record(caller, scene, recorded).await;
}

/// The owner's own greeting, or the system's with the recorded or spoken name, or the system's as it is when the store
/// is silent.
async fn greeting(caller: &Caller, scene: &Answering) -> Vec<Phrase> {
    let request = StoreRequest::Greeting(scene.owner.mailbox.clone());
    let greeting = match caller.store_within(request, GREETING_WITHIN).await {
        Ok(StoreAnswer::Greeting(greeting)) => greeting,
        _ => crate::storage::Greeting::default(),
    };
    match greeting.personal {
        Some(personal) => vec![personal.into()],
        None => {
            let mut person = Person::new(scene.owner.name.clone(), scene.owner.extension.clone());
            person.recorded = greeting.name;
            vec![Prompt::Greeting.with("name", person)]
        }
    }
}

/// How a recording went, over all its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) reason: RecordEnd,
    /// What was recorded so far.
    pub(super) so_far: Duration,
    pub(super) loud: Duration,
}

/// Records one part.
pub(super) async fn record(caller: &Caller, scene: &Answering, max: Duration) -> Taken {
    caller.forget_keys();
    let recorded = caller.record(scene.idle, max).await;
    if recorded.reason == RecordEnd::Key {
        // The # that ended it is reported when it is let go; digits that were pressed meanwhile mean nothing.
        while let Some(key) = caller.key(Duration::from_secs(6)).await {
            if key == '#' {
                break;
            }
        }
    } else {
        caller.forget_keys();
    }
    Taken { reason: recorded.reason, so_far: recorded.duration, loud: recorded.loud }
}
