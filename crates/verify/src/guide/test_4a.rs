use super::Test;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use speech::Prompt;

pub(super) const TEST: Test = Test {
    number: "4a",
    title: "Voicemail from an internal extension",
    text: "Dial user extension and leave a voicemail from an internal extension. Confirm that the Active Directory name \
           of the calling party is displayed in the sender field of the voicemail message.",
    scenario: "a UM-enabled extension calls another one, which does not answer",
    features: "call answering; caller name in messages",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let inbox = stage.mailbox()?;
    let words = stage.words();
    let mut called = stage.subscriber()?;
    let mut caller = stage.caller()?;
    caller.calls(&stage.target.subscriber.extension);
    called.is_called(stage.target.ring())?;
    caller.is_answered(stage.target.ring())?;
    caller.hears_first(&stage.greeting())?;
    caller.hears_the_tone()?;
    caller.speaks(&words)?;
    caller.hangs_up()?;

    let sender = &stage.target.caller;
    if let Some(message) = inbox.receives(&words)? {
        let shown = message.from_name.unwrap_or_default();
        if shown != sender.name {
            return Err(Stop::Failed(format!("the message's sender is {shown:?}, not {:?}", sender.name)));
        }
        stage.journal.step(format!("the message's sender is {shown}"));
        return Ok(());
    }
    stage.journal.remark("Without REST the sender was checked as it is spoken, not as the mail displays it.");
    let from = Prompt::From.with("caller", stage.name(&sender.name, &sender.extension));
    inbox.is_heard_by_phone(&mut called, from, &words)
}
