//! What the guide's tests 7a and 7b have in common: a message is in the mailbox, and its owner has it played on a telephone.

use crate::handset::Handset;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::voice::Words;
use speech::Prompt;
use std::time::Duration;

/// Leaves a message for the subscriber, and asks for it to be played at this number.
pub(super) fn asks_for_it(stage: &Stage<'_>, subscriber: &mut Handset, number: &str, words: &Words) -> Outcome {
    let Some(rest) = stage.rest else {
        return Err(Stop::NotTested("play on phone is asked for by REST, which the suite was not given".into()));
    };
    let inbox = stage.mailbox()?;
    stage.leaves_message_quickly(&mut stage.caller()?, subscriber, words)?;
    let Some(message) = inbox.receives(words)? else {
        return Err(Stop::NotTested("without REST no message can be named".into()));
    };
    // That it refused the caller is past.
    subscriber.forget_calls();
    let mailbox = &stage.target.subscriber.extension;
    rest.play_on_phone(mailbox, &message.id, number).map_err(|error| Stop::Failed(error.to_string()))?;
    stage.journal.step(format!("the message is to be played on {number}"));
    Ok(())
}

/// The telephone rings, is picked up, and plays the message; the keys of playing work, and hanging up ends it.
pub(super) fn hears_the_message(stage: &Stage<'_>, phone: &mut Handset, words: &Words) -> Outcome {
    phone.is_called(Duration::from_secs(10))?;
    phone.answers();
    phone.hears_first(&stage.says([Prompt::PlayOnPhone.into()]))?;
    phone.hears_words(words)?;
    phone.hears(&stage.says([Prompt::EndOfMessage.into(), Prompt::PlayOnPhoneMenu.into()]).beginning())?;
    phone.presses("1");
    phone.hears_words(words)?;
    phone.hangs_up()
}

/// The server has noticed that it was hung up.
pub(super) fn it_is_over(stage: &Stage<'_>) -> Outcome {
    let Some(rest) = stage.rest else { return Ok(()) };
    let mailbox = &stage.target.subscriber.extension;
    for _ in 0..20 {
        let state = rest.phone_call(mailbox).map_err(|error| Stop::Failed(error.to_string()))?;
        if state == "Disconnected" {
            stage.journal.step("the call is over");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    Err(Stop::Failed("the phone was hung up, and the call goes on".into()))
}
