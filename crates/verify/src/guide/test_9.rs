use super::Test;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use sip::message_summary::MessageSummary;

pub(super) const TEST: Test = Test {
    number: "9",
    title: "Message waiting indication",
    text: "Ensure that a UM-enabled user's mailbox does not have any new voice mails. Dial the user's extension and leave \
           a voicemail. Confirm that the MWI lamp on the phone lights up. Mark the voice mail email as read in OWA. \
           Confirm that the MWI lamp on the phone turns off.",
    scenario: "a UM-enabled extension is called and does not answer; it has a phone that subscribes to its lamp and one \
               that does not",
    features: "message waiting indication",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let inbox = stage.mailbox()?;
    inbox.has_nothing_new()?;
    let within = stage.target.lamp();
    let mut phone = stage.subscriber()?;
    let mut watcher = stage.watcher()?;
    watcher.shows_lamp(false, true, within)?;

    let words = stage.words();
    stage.leaves_message_quickly(&mut stage.caller()?, &mut phone, &words)?;
    let summary = phone.shows_lamp(true, false, within)?;
    watcher.shows_lamp(true, true, within)?;
    message_key(stage, &summary);

    match (inbox.receives(&words)?, stage.rest) {
        (Some(message), Some(rest)) => {
            let read = rest.mark_read(&stage.target.subscriber.extension, &message.id);
            read.map_err(|error| Stop::Failed(error.to_string()))?;
            stage.journal.step("the message is marked as read in the mailbox");
        }
        _ => {
            stage.journal.remark("Without REST the message was read by phone, not in the mailbox.");
            inbox.is_deleted_by_phone(&mut phone, &words)?;
        }
    }
    phone.shows_lamp(false, false, within)?;
    watcher.shows_lamp(false, true, within)?;
    Ok(())
}

/// The number that the phone's message key will dial: the PBX says it with the lamp (`-mwinumber`).
fn message_key(stage: &Stage<'_>, summary: &MessageSummary) {
    let pilot = &stage.target.numbers.voice_mail;
    match summary.account.as_ref().map(|account| account.number().unwrap_or_default()) {
        None => stage.journal.remark("The NOTIFY names no Message-Account: the message key has nothing to dial."),
        Some(number) if number == *pilot => {}
        Some(number) => stage.journal.remark(format!(
            "The NOTIFY names {number} as Message-Account, not {pilot}: the message key dials a wrong number."
        )),
    }
}
