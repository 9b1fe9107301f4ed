use super::Test;
use super::servers::{answered, several, shares};
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use crate::target::Redundancy;
use speech::Prompt;
use std::process::Command;
use std::time::{Duration, Instant};

pub(super) const TEST: Test = Test {
    number: "11",
    title: "Failover",
    text: "Disconnect the Ethernet cable of Exchange 2013 UM 1 to simulate a failure. Dial several times to the voice \
           mail number from an SIP extension. Check that the calls are answered in the Exchange 2013 UM 2.",
    scenario: "several calls to the pilot number while the first UM server is unreachable",
    features: "failover",
    run,
};

const CALLS: usize = 4;
/// The guide: 4 s for the server that is silent. What a redirect to it may cost beyond that is another 4 s.
const FIRST: Duration = Duration::from_secs(10);
/// Later calls go straight past it.
const LATER: Duration = Duration::from_secs(2);

fn run(stage: &Stage<'_>) -> Outcome {
    let redundancy = several(stage)?;
    let mut phone = stage.subscriber()?;
    let pulled = Pulled::pull(redundancy)?;
    stage.journal.step(format!("the cable of {} is pulled", redundancy.servers[0]));
    let mut waited = 0;
    for call in 1..=CALLS {
        let began = Instant::now();
        phone.calls(&stage.target.numbers.voice_mail);
        phone.is_answered(FIRST)?;
        let took = began.elapsed();
        stage.journal.step(format!("call {call} is answered after {:.2} s", took.as_secs_f64()));
        // The first that comes to the dead server finds out; it need not be the first of all.
        waited += usize::from(took > LATER);
        if waited > 1 {
            return Err(Stop::Failed(format!(
                "call {call} was answered after {:.1} s: it should have gone straight past the server that is dead",
                took.as_secs_f64()
            )));
        }
        phone.hears(&stage.says([Prompt::EnterPinOrStar.into()]).beginning())?;
        phone.hangs_up()?;
    }
    let answered = answered(stage, &redundancy.servers);
    drop(pulled);
    stage.journal.step(format!("answered by {}", shares(&answered)));
    let by_the_dead = answered.get(&redundancy.servers[0]).copied().unwrap_or_default();
    let by_others: usize = answered.values().sum::<usize>().saturating_sub(by_the_dead);
    match (by_the_dead, by_others) {
        (0, others) if others >= CALLS => Ok(()),
        (0, others) => Err(Stop::Failed(format!("of {CALLS} calls {others} were seen at the other servers"))),
        _ => Err(Stop::Failed("a server whose cable is pulled has answered: it was another's cable".into())),
    }
}

/// The first server's cable, until it is dropped.
struct Pulled<'a>(&'a Redundancy);

impl<'a> Pulled<'a> {
    fn pull(redundancy: &'a Redundancy) -> Outcome<Pulled<'a>> {
        let possible = redundancy.cable.is_some() || (redundancy.unplug.is_some() && redundancy.plug.is_some());
        if !possible {
            return Err(Stop::NotTested("[redundancy] has no unplug and plug: nobody pulls the cable".into()));
        }
        set(redundancy, false)?;
        Ok(Pulled(redundancy))
    }
}

impl Drop for Pulled<'_> {
    fn drop(&mut self) {
        // The test has its result; that a server stays away is for whoever wrote the command to see.
        if let Err(stop) = set(self.0, true) {
            eprintln!("{stop}");
        }
    }
}

fn set(redundancy: &Redundancy, plugged: bool) -> Outcome {
    if let Some(cable) = &redundancy.cable {
        cable.set(plugged);
        return Ok(());
    }
    let line = if plugged { &redundancy.plug } else { &redundancy.unplug };
    let line = line.as_deref().unwrap_or("true");
    match Command::new("sh").arg("-c").arg(line).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Stop::NotTested(format!("{line:?} ended with {status}"))),
        Err(error) => Err(Stop::NotTested(format!("{line:?} can't be run: {error}"))),
    }
}
