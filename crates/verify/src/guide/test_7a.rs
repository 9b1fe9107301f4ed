use super::Test;
use super::play_on_phone::{asks_for_it, hears_the_message, it_is_over};
use crate::outcome::Outcome;
use crate::stage::Stage;

pub(super) const TEST: Test = Test {
    number: "7a",
    title: "Play on Phone to an extension",
    text: "Listen to voicemail using OWA's Play-On-Phone feature to a user's extension.",
    scenario: "a user asks by the mailbox's page (REST) to have a message played on the own extension",
    features: "Play on Phone",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let words = stage.words();
    let mut phone = stage.subscriber()?;
    asks_for_it(stage, &mut phone, &stage.target.subscriber.extension, &words)?;
    hears_the_message(stage, &mut phone, &words)?;
    it_is_over(stage)
}
