use super::Test;
use crate::outcome::Outcome;
use crate::stage::Stage;
use speech::Prompt;
use std::time::Duration;

pub(super) const TEST: Test = Test {
    number: "8",
    title: "Voicemail button",
    text: "Configure a button on the phone of a UM-enabled user to forward the user to the pilot number. Press the \
           voicemail button. Confirm that you are sent to the prompt: \"<Earcon>. <User>. Please enter your pin and press \
           the pound key.\"",
    scenario: "a UM-enabled extension calls the pilot number by a key",
    features: "speed dial of voice mail; recognising the subscriber by the extension",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let user = &stage.target.subscriber;
    let mut phone = stage.subscriber()?;
    // The key is `sip line1 vmail: 43334`: it dials.
    phone.calls(&stage.target.numbers.voice_mail);
    phone.is_answered(Duration::from_secs(10))?;
    let hello = Prompt::Hello.with("name", stage.name(&user.name, &user.extension));
    phone.hears(&stage.says([stage.earcon(), hello, Prompt::EnterPinOrStar.into()]))?;
    phone.presses_pin(&user.pin);
    stage.hears_counts(&mut phone)?;
    phone.hangs_up()
}
