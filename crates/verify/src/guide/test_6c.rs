use super::Test;
use super::directory_search::ends_in_voice_mail;
use crate::outcome::Outcome;
use crate::stage::Stage;
use speech::Prompt;

pub(super) const TEST: Test = Test {
    number: "6c",
    title: "Directory search: no answer",
    text: "Confirm that the call is routed to the called party's voicemail.",
    scenario: "a caller asks the auto attendant for a user by name and is transferred",
    features: "auto attendant, directory search, call transfer",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    ends_in_voice_mail(stage, |_| (), Prompt::NoAnswer)
}
