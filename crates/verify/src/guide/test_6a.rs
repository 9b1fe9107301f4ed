use super::Test;
use super::directory_search::{asks_for_the_subscriber, calls_the_attendant, hears_whom_it_is_connected_to};
use crate::outcome::Outcome;
use crate::stage::Stage;

pub(super) const TEST: Test = Test {
    number: "6a",
    title: "Directory search: the called party answers",
    text: "Confirm that the correct called party answers the phone.",
    scenario: "a caller asks the auto attendant for a user by name and is transferred",
    features: "auto attendant, directory search, call transfer",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let words = stage.words();
    let mut called = stage.subscriber()?;
    let mut caller = calls_the_attendant(stage)?;
    asks_for_the_subscriber(stage, &mut caller)?;
    called.is_called(stage.target.ring())?;
    called.answers();
    hears_whom_it_is_connected_to(stage, &mut caller)?;
    called.speaks(&words)?;
    caller.hears_words(&words)?;
    caller.hangs_up()
}
