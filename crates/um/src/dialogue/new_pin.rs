//! Choosing a new PIN, when the old one has expired or its owner wants another: twice the same, and by the policy's rules.

use super::caller::{Caller, Subscriber};
use crate::people::PinProblem;
use speech::{Phrase, Prompt};
use std::time::Duration;

/// False: no PIN was chosen. Nothing was said of that yet.
pub(super) async fn new_pin(caller: &Caller, subscriber: &Subscriber, failures: u32, why: Option<Prompt>) -> bool {
    let mut opening: Vec<Phrase> = why.map(Phrase::from).into_iter().collect();
    for _ in 0..failures.max(1) {
        opening.push(Prompt::NewPin.into());
        let Some(first) = ask(caller, std::mem::take(&mut opening)).await else { continue };
        let again = ask(caller, vec![Prompt::ConfirmPin.into()]).await;
        if !caller.same(&first, again.as_deref()).await {
            opening.push(Prompt::PinDiffers.into());
            continue;
        }
        match caller.change_pin(subscriber.mailbox.clone(), first).await {
            Ok(()) => {
                caller.announce(vec![Prompt::PinChanged.into()]).await;
                return true;
            }
            Err(PinProblem::TooShort(digits)) => opening.push(Prompt::PinTooShort.with("count", digits)),
            Err(PinProblem::UsedBefore) => opening.push(Prompt::PinUsedBefore.into()),
            Err(PinProblem::Busy) => opening.push(Prompt::TryAgain.into()),
            Err(PinProblem::TooSimple | PinProblem::LikeExtension | PinProblem::TooLong | PinProblem::NotDigits) => {
                opening.push(Prompt::PinTooSimple.into());
            }
        }
    }
    false
}

async fn ask(caller: &Caller, phrases: Vec<Phrase>) -> Option<String> {
    caller.play(phrases).await;
    caller.pin(Duration::from_secs(7)).await.filter(|pin| !pin.is_empty() && pin != "*")
}
