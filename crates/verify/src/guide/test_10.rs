use super::Test;
use super::servers::{answered, several, shares};
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use std::time::Duration;

pub(super) const TEST: Test = Test {
    number: "10",
    title: "Load balancing",
    text: "Dial several times to the voice mail number from an SIP extension. Analyze the SIP packets in order to verify \
           that the load balancing is working properly.",
    scenario: "several calls to the pilot number of several UM servers",
    features: "load balancing",
    run,
};

/// Calls that are made at least, and at most: with equal shares, the chance that one of two servers gets none of 16 is
/// 1 in 32,768.
const LEAST: usize = 6;
const MOST: usize = 16;

fn run(stage: &Stage<'_>) -> Outcome {
    let servers = &several(stage)?.servers;
    let mut phone = stage.caller()?;
    for call in 1..=MOST {
        phone.calls(&stage.target.numbers.voice_mail);
        phone.is_answered(Duration::from_secs(10))?;
        phone.hangs_up()?;
        let answered = answered(stage, servers);
        if call >= LEAST && answered.values().all(|calls| *calls > 0) {
            stage.journal.step(format!("of {call} calls, answered by {}", shares(&answered)));
            return Ok(());
        }
    }
    let shares = shares(&answered(stage, servers));
    Err(Stop::Failed(format!("of {MOST} calls not every server got one; answered by {shares}")))
}
