//! baresip logs on by keys, and goes on by voice: a voice that the recogniser was not tuned on (docs/voice.md).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::thread::sleep;
use std::time::Duration;
use tests_crash::Call;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

/// Not among the voices of the thresholds (bench/src/bin/voice_accuracy.rs).
const VOICE: &str = "rms";
/// What is not understood is said again, as people do: so often in all, since the third time
/// in a row it would go on by keys.
const TIMES: usize = 2;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Says the phrases one after the other, and all again, until what is asked for has happened.
fn says(phone: &mut Baresip, phrases: &[&str], happened: impl Fn() -> bool) {
    for _ in 0..TIMES {
        for phrase in phrases {
            phone.speak(&audio::spoken_by(VOICE, phrase));
            // The answer, and the question after it.
            if (0..70).any(|_| {
                sleep(Duration::from_millis(100));
                happened()
            }) {
                return;
            }
        }
    }
    panic!("{phrases:?} had no effect; baresip printed:\n{}", phone.process.output());
}

#[test]
fn a_message_is_heard_and_deleted_by_voice_and_a_key_leads_back_to_keys() {
    let lab = Lab::start(194, LabOptions::default());
    for wanted in 1..=2 {
        let mut call = Call::divert(&lab.node(), &lab.um(), "27000").unwrap();
        call.wait_for_the_tone(seconds(20), Duration::from_millis(300));
        call.speak(&audio::g711(&audio::tone(620.0, 4), "al"), || true);
        call.hang_up();
        lab.wait_for_messages("27000", wanted, seconds(10));
    }
    let preferred = lab.shell("umsh", "Set-UMMailbox 27000 -VoiceCommandsPreferred $true");
    assert!(preferred.status.success(), "{preferred:?}");
    let read = || lab.messages("27000").iter().filter(|message| message["read"] == true).count();

    let mut phone = Baresip::start("27000", &lab.node(), 194, false, None);
    phone.dial(&lab, "43334");
    phone.established();
    sleep(seconds(4));
    phone.press("730146#");
    sleep(seconds(10));

    // What is no command does nothing, however often it is said.
    phone.speak(&audio::spoken_by(VOICE, "the weather is nice today"));
    sleep(seconds(8));
    assert_eq!((read(), lab.messages("27000").len()), (0, 2));

    says(&mut phone, &["voice mail"], || read() == 1);
    // What destroys is asked for.
    says(&mut phone, &["delete", "yes"], || lab.messages("27000").len() == 1);

    // A key: from now on it goes by keys. 1 is the messages.
    phone.press("*");
    sleep(seconds(1));
    phone.press("1");
    let heard = (0..300).any(|_| {
        sleep(Duration::from_millis(100));
        read() == 1
    });
    assert!(heard, "the second message by keys; baresip printed:\n{}", phone.process.output());
    phone.hang_up();
}
