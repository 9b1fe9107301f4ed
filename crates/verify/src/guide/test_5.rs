use super::Test;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use speech::Prompt;
use std::time::Duration;

pub(super) const TEST: Test = Test {
    number: "5",
    title: "Auto attendant",
    text: "Dial Auto Attendant (AA). Dial the extension for the AA and confirm that the AA answers the call.",
    scenario: "an extension calls the auto attendant",
    features: "auto attendant",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let Some(attendant) = &stage.target.numbers.auto_attendant else {
        return Err(Stop::NotApplicable("the system has no auto attendant".into()));
    };
    let mut phone = stage.stranger()?;
    phone.calls(attendant);
    phone.is_answered(Duration::from_secs(10))?;
    phone.hears(&stage.says([stage.earcon(), Prompt::AttendantWelcome.into()]))?;
    phone.hears(&stage.says([Prompt::AttendantEnterExtension.into()]))?;
    phone.hangs_up()
}
