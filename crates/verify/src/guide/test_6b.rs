use super::directory_search::{
    asks_for_the_subscriber, calls_the_attendant, hears_whom_it_is_connected_to, leaves_a_message,
};
use super::{Run, Test};
use crate::outcome::Outcome;
use crate::stage::Stage;

pub(super) const TEST: Test = Test {
    number: "6b",
    title: "Directory search: busy",
    text: "Confirm that the call is routed to the called party's voicemail.",
    scenario: "a caller asks the auto attendant for a user by name and is transferred",
    features: "auto attendant, directory search, call transfer",
    run: Run::Steps(run),
};

fn run(stage: &Stage<'_>) -> Outcome {
    let mut called = stage.subscriber()?;
    let mut caller = calls_the_attendant(stage)?;
    asks_for_the_subscriber(stage, &mut caller)?;
    called.is_called(stage.target.ring())?;
    called.refuses_as_busy();
    hears_whom_it_is_connected_to(stage, &mut caller)?;
    leaves_a_message(stage, &mut caller)
}
