use super::Test;
use crate::outcome::Outcome;
use crate::stage::Stage;
use speech::Prompt;
use std::time::Duration;

pub(super) const TEST: Test = Test {
    number: "1",
    title: "Pilot number from a phone that is not enabled for UM",
    text: "Dial the pilot number from a phone extension that is NOT enabled for Unified Messaging and logon to a user's \
           mailbox. Confirm hearing the prompt: \"<Earcon>. To access your mailbox, enter your extension...\"",
    scenario: "an extension without a mailbox calls the pilot number",
    features: "subscriber access (Outlook Voice Access) from any phone",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let mut phone = stage.stranger()?;
    phone.calls(&stage.target.numbers.voice_mail);
    phone.is_answered(Duration::from_secs(10))?;
    phone.hears(&stage.says([stage.earcon(), Prompt::Welcome.into(), Prompt::EnterExtension.into()]))?;

    phone.presses(&format!("{}#", stage.target.subscriber.extension));
    phone.hears(&stage.says([Prompt::EnterPin.into()]))?;
    phone.presses_pin(&stage.target.subscriber.pin);
    stage.hears_counts(&mut phone)?;
    phone.hangs_up()
}
