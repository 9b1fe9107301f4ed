use super::Test;
use super::play_on_phone::{asks_for_it, hears_the_message, it_is_over};
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::temporary;

pub(super) const TEST: Test = Test {
    number: "7b",
    title: "Play on Phone to an external number",
    text: "Listen to voicemail using OWA's Play-On-Phone feature to an external number.",
    scenario: "a user asks by the mailbox's page (REST) to have a message played on a telephone outside",
    features: "Play on Phone; dialling rules",
    run,
};

fn run(stage: &Stage<'_>) -> Outcome {
    let Some(trunk) = &stage.target.trunk else {
        return Err(Stop::NotTested("there is no [trunk] by which a telephone outside could be reached".into()));
    };
    let Some((_made, number)) = temporary::outside(stage)? else {
        return Err(Stop::NotTested("the suite may not give commands: no dialling rule leads outside".into()));
    };
    let words = stage.words();
    let mut subscriber = stage.subscriber()?;
    let mut outside = stage.far_end(&trunk.number, trunk.bind, trunk.port, trunk.transport)?;
    asks_for_it(stage, &mut subscriber, &number, &words)?;
    hears_the_message(stage, &mut outside, &words)?;
    it_is_over(stage)
}
