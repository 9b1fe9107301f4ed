use super::Test;
use super::directory_search::calls_the_attendant;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use speech::Prompt;

pub(super) const TEST: Test = Test {
    number: "6d",
    title: "Directory search: invalid extension",
    text: "Confirm that the number is reported as invalid.",
    scenario: "a caller asks the auto attendant for an extension that the PBX does not have",
    features: "auto attendant, call transfer",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let Some(invalid) = &stage.target.numbers.invalid else {
        return Err(Stop::NotApplicable("numbers.invalid names no extension that does not exist".into()));
    };
    let mut caller = calls_the_attendant(stage)?;
    caller.presses(invalid);
    caller.hears(&stage.says([Prompt::InvalidExtension.into(), Prompt::AttendantEnterExtension.into()]))?;
    caller.hangs_up()
}
