use super::Test;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::temporary;
use speech::{Person, Prompt};

pub(super) const TEST: Test = Test {
    number: "4b",
    title: "Voicemail from an external phone",
    text: "Dial user extension and leave a voicemail from an external phone. Confirm that the correct phone number of the \
           calling party is displayed in the sender field of the voicemail message.",
    scenario: "a caller from outside, by a trunk, calls a UM-enabled extension, which does not answer",
    features: "call answering for external callers; caller number in messages",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let Some(trunk) = &stage.target.trunk else {
        return Err(Stop::NotTested("there is no [trunk] by which a caller from outside could come in".into()));
    };
    let _route = temporary::route(stage)?;
    let inbox = stage.mailbox()?;
    let words = stage.words();
    let mut called = stage.subscriber()?;
    let mut outside = stage.far_end(&trunk.number, trunk.bind, trunk.port, trunk.transport)?;
    stage.leaves_message(&mut outside, &words)?;

    let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
    if let Some(message) = inbox.receives(&words)? {
        let shown = message.from_number.unwrap_or_default();
        if digits(&shown) != digits(&trunk.number) {
            return Err(Stop::Failed(format!("the message's sender is {shown:?}, not {:?}", trunk.number)));
        }
        stage.journal.step(format!("the message's sender is {shown}"));
        return Ok(());
    }
    stage.journal.remark("Without REST the sender was checked as it is spoken, not as the mail displays it.");
    inbox.is_heard_by_phone(&mut called, Prompt::From.with("caller", Person::number(&*trunk.number)), &words)
}
