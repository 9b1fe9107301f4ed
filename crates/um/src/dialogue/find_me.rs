//! Somebody is rung for a caller (find-me): he hears who it is and takes the call or not (fact sheet 3.2).

use super::FIRST_KEY;
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use speech::{Phrase, Prompt};

#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Take,
    Decline,
    Repeat,
}

pub(super) const MENU: Menu<Does> = Menu {
    name: "Find me",
    about: "Whoever is rung for a caller has answered, and heard who calls.",
    keys: &[
        Key::new("1", Does::Take, "take the call: both are connected"),
        Key::new("2", Does::Decline, "decline it; the caller goes on where he was"),
        Key::new("0", Does::Repeat, "repeat"),
        Key::other("nothing, three times", "as if declined: it may be a machine that answered"),
    ],
};

/// Rounds of the menu: a machine that answered says nothing that counts.
const ROUNDS: u32 = 3;

pub(crate) async fn find_me(caller: Caller, offer: Vec<Phrase>) {
    for _ in 0..ROUNDS {
        let mut phrases = offer.clone();
        phrases.push(Prompt::FindMeMenu.into());
        caller.play(phrases).await;
        match MENU.read(&caller, FIRST_KEY).await {
            Pressed::Does(Does::Take) => match caller.take().await {},
            Pressed::Does(Does::Decline) => return,
            Pressed::Does(Does::Repeat) | Pressed::Unknown | Pressed::Nothing => caller.forget_keys(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::Script;
    use speech::Person;
    use std::time::Duration;

    fn rung() -> Script {
        let offer = vec![Prompt::FindMe.with("caller", Person::number("27001"))];
        Script::start(|_| {}, |caller| find_me(caller, offer))
    }

    #[test]
    fn one_takes_the_call() {
        let mut call = rung();
        call.hears("a call for you from").hears("To take it, press one").presses("1");
        assert_eq!(call.take_done(), ["take"]);
        assert!(!call.over, "who is connected is not hung up on");
    }

    #[test]
    fn two_declines_and_so_does_silence() {
        let mut declined = rung();
        declined.presses("2");
        assert!(declined.over);
        let mut machine = rung();
        machine.waits(Duration::from_secs(60));
        assert!(machine.over);
        assert_eq!(machine.take_done(), [""; 0]);
    }

    #[test]
    fn mashed_keys_are_asked_again() {
        let mut call = rung();
        call.presses("9").hears("a call for you").presses("1");
        assert_eq!(call.take_done(), ["take"]);
    }
}
