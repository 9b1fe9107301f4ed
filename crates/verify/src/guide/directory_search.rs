//! What the guide's tests 6a to 6d have in common: the auto attendant is asked for the subscriber by name.

use crate::handset::Handset;
use crate::outcome::{Outcome, Stop};
use crate::stage::Stage;
use speech::Prompt;
use std::time::Duration;

/// Most keys of the name that are pressed.
const MOST_KEYS: usize = 10;

/// Calls the auto attendant and hears its welcome.
pub(super) fn calls_the_attendant(stage: &Stage<'_>) -> Outcome<Handset> {
    let Some(attendant) = &stage.target.numbers.auto_attendant else {
        return Err(Stop::NotApplicable("the system has no auto attendant".into()));
    };
    let mut caller = stage.stranger()?;
    caller.calls(attendant);
    caller.is_answered(Duration::from_secs(10))?;
    caller.hears(&stage.says([Prompt::AttendantEnterExtension.into(), Prompt::AttendantSearch.into()]))?;
    Ok(caller)
}

/// Spells the subscriber's name, last name first, and chooses to call.
pub(super) fn asks_for_the_subscriber(stage: &Stage<'_>, caller: &mut Handset) -> Outcome {
    let user = &stage.target.subscriber;
    caller.presses("#");
    caller.hears(&stage.says([Prompt::SearchLastFirst.into()]).beginning())?;
    caller.presses(&format!("{}#", spelt(&user.name)));
    let name = stage.name(&user.name, &user.extension);
    caller.hears(&stage.says([Prompt::SearchCallOrMessage.with("name", name)]).beginning())?;
    caller.presses("1");
    Ok(())
}

/// What the caller heard while the subscriber's phone began to ring.
pub(super) fn hears_whom_it_is_connected_to(stage: &Stage<'_>, caller: &mut Handset) -> Outcome {
    let user = &stage.target.subscriber;
    caller.hears_first(&stage.says([Prompt::TransferringTo.with("name", stage.name(&user.name, &user.extension))]))
}

/// The subscriber, who is asked for by name, does so with the call (`refuses`, or nothing): the PBX leads it to voice mail, which
/// takes a message. `apology`: what the attendant says when the PBX does not, and it has to offer a message itself.
pub(super) fn ends_in_voice_mail(stage: &Stage<'_>, refuses: fn(&mut Handset), apology: Prompt) -> Outcome {
    let mut called = stage.subscriber()?;
    let mut caller = calls_the_attendant(stage)?;
    asks_for_the_subscriber(stage, &mut caller)?;
    called.is_called(stage.target.ring())?;
    refuses(&mut called);
    hears_whom_it_is_connected_to(stage, &mut caller)?;
    let inbox = stage.mailbox()?;
    let words = stage.words();
    let not_routed = "hears the attendant's apology: the PBX did not route the call to voice mail";
    caller.hears_and_not(&stage.greeting(), &stage.says([apology.into()]), not_routed)?;
    caller.hears_the_tone()?;
    caller.speaks(&words)?;
    caller.hangs_up()?;
    if inbox.receives(&words)?.is_none() {
        stage.journal.remark("Without REST that the mailbox took the message was not checked.");
    }
    Ok(())
}

/// The first keys of a name, last name first (ITU-T E.161). What is no letter of the keypad is typed as the letter below
/// its mark by people; the suite's users have such letters at the end, if at all.
fn spelt(name: &str) -> String {
    let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
    let letters = format!("{last}{first}").to_lowercase();
    letters.chars().map_while(key).take(MOST_KEYS).collect()
}

fn key(letter: char) -> Option<char> {
    const KEYS: [(&str, char); 8] = [
        ("abc", '2'),
        ("def", '3'),
        ("ghi", '4'),
        ("jkl", '5'),
        ("mno", '6'),
        ("pqrs", '7'),
        ("tuv", '8'),
        ("wxyz", '9'),
    ];
    KEYS.iter().find(|(letters, _)| letters.contains(letter)).map(|(_, key)| *key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelt_last_name_first() {
        assert_eq!(spelt("Anna Svensson"), "7836776626");
        assert_eq!(spelt("Jan Bergö"), "2374");
    }
}
