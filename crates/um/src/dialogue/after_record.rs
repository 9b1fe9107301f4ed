//! The menus after a recording (fact sheet 3.1).
//!
//! | key | menu 1 | menu 2 (after 1) |
//! |---|---|---|
//! | 1 | accept, and hear options | high importance on or off |
//! | 2 | replay | private on or off |
//! | 3 | discard and record again | |
//! | 4 | continue recording | |
//! | # | | send now |
//! | * | cancel | back to menu 1 |
//! | 0 | repeat | repeat |
//!
//! Hanging up anywhere sends what was recorded, unless it was cancelled.

use super::FIRST_KEY;
use super::call_answering::{Answering, Taken, record};
use super::caller::Caller;
use media::RecordEnd;
use speech::{Prompt, Sound};
use std::time::Duration;

pub(super) async fn after_record(caller: Caller, scene: Answering, mut taken: Taken) {
    let mut failures = 0;
    announce_end(&caller, taken).await;
    while failures < scene.failures {
        caller.play(vec![Prompt::AfterRecordMenu.into()]).await;
        match caller.key(FIRST_KEY).await {
            Some('1') => {
                failures = 0;
                if send_menu(&caller, scene.failures).await {
                    return;
                }
            }
            Some('2') => {
                failures = 0;
                match caller.replay().await {
                    Ok(audio) => caller.play(vec![audio.into()]).await,
                    Err(_) => caller.play(vec![Prompt::DamagedMessage.into()]).await,
                };
                // A key that stops the replay is the menu's.
            }
            Some('3') => {
                failures = 0;
                caller.discard();
                caller.announce(vec![Prompt::RecordAfterTone.into(), Sound::RecordTone.into()]).await;
                taken = record(&caller, &scene, scene.max).await;
                announce_end(&caller, taken).await;
            }
            Some('4') => {
                failures = 0;
                let left = scene.max.saturating_sub(taken.so_far);
                if left < Duration::from_secs(1) {
                    caller.announce(vec![Prompt::RecordingTooLong.into()]).await;
                    continue;
                }
                caller.announce(vec![Prompt::ContinueAfterTone.into(), Sound::RecordTone.into()]).await;
                let more = record(&caller, &scene, left).await;
                taken = Taken { reason: more.reason, so_far: taken.so_far + more.so_far, loud: taken.loud + more.loud };
                announce_end(&caller, taken).await;
            }
            Some('*') => {
                caller.discard();
                caller.announce(vec![Prompt::MessageCancelled.into(), Prompt::Goodbye.into()]).await;
                return;
            }
            Some('0') => {}
            Some(_) => {
                failures += 1;
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
            None => failures += 1,
        }
    }
    send(&caller).await;
}

/// Menu 2. True: sent, and goodbye was said.
async fn send_menu(caller: &Caller, most_failures: u32) -> bool {
    let (mut urgent, mut private) = (false, false);
    let mut failures = 0;
    while failures < most_failures {
        caller.play(vec![Prompt::SendMenu.into()]).await;
        match caller.key(FIRST_KEY).await {
            Some('#') => break,
            Some('1') => {
                urgent = !urgent;
                caller.set_urgent(urgent);
                caller.play(vec![if urgent { Prompt::UrgentOn } else { Prompt::UrgentOff }.into()]).await;
            }
            Some('2') => {
                private = !private;
                caller.set_private(private);
                caller.play(vec![if private { Prompt::PrivateOn } else { Prompt::PrivateOff }.into()]).await;
            }
            Some('*') => return false,
            Some('0') => {}
            Some(_) => {
                failures += 1;
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
            None => failures += 1,
        }
    }
    send(caller).await;
    true
}

async fn send(caller: &Caller) {
    caller.send();
    caller.announce(vec![Prompt::MessageSent.into(), Prompt::Goodbye.into()]).await;
}

/// Why recording stopped, when it was not the caller who stopped it.
async fn announce_end(caller: &Caller, taken: Taken) {
    match taken.reason {
        RecordEnd::Max => caller.announce(vec![Prompt::RecordingTooLong.into()]).await,
        RecordEnd::Idle if taken.loud.is_zero() => {
            caller.play(vec![Prompt::NothingHeard.into()]).await;
        }
        _ => {}
    }
}
