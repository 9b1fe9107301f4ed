//! A prompt of an attendant or a dial plan is recorded by phone: the server has rung whoever speaks it.

use super::FIRST_KEY;
use super::after_record::recording_ended;
use super::caller::Caller;
use super::greetings::is_nothing;
use super::menu::{Key, Menu, Pressed};
use crate::commands::prompt::Target;
use speech::{Audio, Prompt, Sound};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Listen,
    Use,
    Again,
    Leave,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A prompt",
    about: "The server has rung somebody (`Start-UMPromptRecording`), who has recorded a prompt. Hanging up leaves everything as it was.",
    keys: &[
        Key::new("1", Does::Listen, "listen to it"),
        Key::new("2", Does::Use, "use it from now on"),
        Key::new("3", Does::Again, "record it again"),
        Key::new("*", Does::Leave, "leave everything as it was"),
        Key::other("nothing, three times", "leave everything as it was"),
    ],
};

/// The longest prompt, as Import-UMPrompt takes it.
const LONGEST: Duration = Duration::from_secs(240);
/// Recordings of nothing, and rounds of the menu that lead nowhere.
const ROUNDS: u32 = 3;

/// `idle`: the silence that ends the recording.
pub(crate) async fn record_prompt(caller: Caller, prompt: Target, idle: Duration) {
    let mut empty = 0;
    while empty < ROUNDS {
        caller.announce(vec![Prompt::RecordIt.into(), Sound::RecordTone.into()]).await;
        caller.forget_keys();
        let (recorded, audio) = caller.tape(idle, LONGEST).await;
        recording_ended(&caller, recorded.reason).await;
        if is_nothing(recorded) {
            empty += 1;
            caller.play(vec![Prompt::NothingHeard.into()]).await;
            continue;
        }
        match verdict(&caller, &audio).await {
            Does::Use => {
                let said = match caller.keep_prompt(prompt, audio).await {
                    true => Prompt::RecordingSaved,
                    false => Prompt::RecordingNotSaved,
                };
                return caller.announce(vec![said.into(), Prompt::Goodbye.into()]).await;
            }
            Does::Again => {}
            Does::Listen | Does::Leave => return caller.announce(vec![Prompt::Goodbye.into()]).await,
        }
    }
    caller.announce(vec![Prompt::TooManyFailures.into()]).await;
}

/// What becomes of a recording, once it was listened to as often as he wants.
async fn verdict(caller: &Caller, audio: &Arc<Audio>) -> Does {
    let mut failures = 0;
    while failures < ROUNDS {
        caller.play(vec![Prompt::RecordedMenu.into()]).await;
        match MENU.read(caller, FIRST_KEY).await {
            Pressed::Does(Does::Listen) => {
                caller.play(vec![audio.clone().into()]).await;
            }
            Pressed::Does(decided) => return decided,
            Pressed::Unknown => {
                failures += 1;
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
            Pressed::Nothing => failures += 1,
        }
    }
    Does::Leave
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::dialogue::script::Script;
    use media::RecordEnd;

    pub(in crate::dialogue) fn rung() -> Script {
        let prompt = Target::of_attendant("AA", "open.wav");
        Script::start(|_| {}, |caller| record_prompt(caller, prompt, Duration::from_secs(5)))
    }

    /// It was recorded.
    fn recorded() -> Script {
        let mut call = rung();
        call.hears("speak after the tone").listens();
        assert_eq!(call.taping(), Some(LONGEST));
        call.presses("#").hears("To use it, press two");
        call
    }

    #[test]
    fn two_puts_it_to_use() {
        let mut call = recorded();
        call.presses("1").hears("[audio]").listens().presses("2").hears("It is in use now").listens();
        assert_eq!(call.take_done(), ["prompt open.wav of AA"]);
        assert!(call.over);
    }

    #[test]
    fn star_silence_and_mashed_keys_leave_everything_as_it_was() {
        for keys in ["*", "", "999"] {
            let mut call = recorded();
            call.presses(keys).waits(Duration::from_secs(60));
            assert_eq!(call.take_done(), [""; 0], "{keys}");
            assert!(call.over, "{keys}");
        }
    }

    #[test]
    fn three_records_again() {
        let mut call = recorded();
        call.presses("3").hears("speak after the tone").listens().presses("#2");
        assert_eq!(call.take_done(), ["prompt open.wav of AA"]);
    }

    #[test]
    fn silence_three_times_is_no_prompt() {
        let mut call = rung();
        for _ in 0..3 {
            call.listens().speaks(Duration::from_secs(5), RecordEnd::Idle).hears("did not hear anything").listens();
        }
        call.hears("leave it here").listens();
        assert!(call.over);
    }
}
