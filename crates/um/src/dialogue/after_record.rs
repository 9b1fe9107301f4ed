//! The menus after a recording (fact sheet 3.1, 4.6): [`MENU`], and after 1 [`SEND`]. Hanging up anywhere sends what was
//! recorded, unless it was cancelled.

use super::FIRST_KEY;
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use media::RecordEnd;
use speech::{Prompt, Sound};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Accept,
    Replay,
    Again,
    GoOn,
    Cancel,
    Repeat,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "After recording",
    about: "A message was recorded, and `#` was pressed, or nothing was said for a while. Hanging up sends it.",
    keys: &[
        Key::new("1", Does::Accept, "accept").to("Sending"),
        Key::new("2", Does::Replay, "listen to it"),
        Key::new("3", Does::Again, "throw it away and record again"),
        Key::new("4", Does::GoOn, "go on recording"),
        Key::new("*", Does::Cancel, "cancel"),
        Key::new("0", Does::Repeat, "repeat"),
    ],
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Marks {
    Send,
    Urgent,
    Private,
    Back,
    Repeat,
}

pub(crate) const SEND: Menu<Marks> = Menu {
    name: "Sending",
    about: "The message is accepted. Hanging up sends it.",
    keys: &[
        Key::new("#", Marks::Send, "send now"),
        Key::new("1", Marks::Urgent, "high importance on or off"),
        Key::new("2", Marks::Private, "private on or off"),
        Key::new("*", Marks::Back, "back").to("After recording"),
        Key::new("0", Marks::Repeat, "repeat"),
    ],
};

/// How messages are recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording {
    pub(super) idle: Duration,
    pub(super) max: Duration,
    /// Wrong inputs before the message goes as it is.
    pub(super) failures: u32,
    /// It is not sent when nothing was said.
    pub(super) needs_sound: bool,
}

/// How a recording went, over all its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) reason: RecordEnd,
    /// What was recorded so far.
    pub(super) so_far: Duration,
    pub(super) loud: Duration,
}

/// What became of the message. Nothing was said of it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finished {
    Sent,
    Cancelled,
}

/// Records one part.
pub(super) async fn record(caller: &Caller, scene: Recording, max: Duration) -> Taken {
    caller.forget_keys();
    let recorded = caller.record(scene.idle, max).await;
    recording_ended(caller, recorded.reason).await;
    Taken { reason: recorded.reason, so_far: recorded.duration, loud: recorded.loud }
}

/// The keys of the recording itself mean nothing after it.
pub(super) async fn recording_ended(caller: &Caller, reason: RecordEnd) {
    if reason == RecordEnd::Key {
        // The # that ended it is reported when it is let go; digits that were pressed meanwhile mean nothing.
        while let Some(key) = caller.key(Duration::from_secs(6)).await {
            if key == '#' {
                break;
            }
        }
    } else {
        caller.forget_keys();
    }
}

pub(super) async fn after_record(caller: &Caller, scene: Recording, mut taken: Taken) -> Finished {
    let mut failures = 0;
    let mut marks = (false, false);
    announce_end(caller, taken).await;
    while failures < scene.failures {
        caller.play(vec![Prompt::AfterRecordMenu.into()]).await;
        let pressed = MENU.read(caller, FIRST_KEY).await;
        match pressed {
            Pressed::Does(_) => failures = 0,
            Pressed::Unknown | Pressed::Nothing => failures += 1,
        }
        match pressed {
            Pressed::Does(Does::Accept) if scene.needs_sound && taken.loud.is_zero() => {
                caller.play(vec![Prompt::NothingHeard.into()]).await;
            }
            Pressed::Does(Does::Accept) => {
                if send_menu(caller, scene.failures, &mut marks).await {
                    return Finished::Sent;
                }
            }
            Pressed::Does(Does::Replay) => {
                match caller.replay().await {
                    Ok(audio) => caller.play(vec![audio.into()]).await,
                    Err(_) => caller.play(vec![Prompt::DamagedMessage.into()]).await,
                };
                // A key that stops the replay is the menu's.
            }
            Pressed::Does(Does::Again) => {
                caller.discard();
                marks = (false, false);
                caller.announce(vec![Prompt::RecordAfterTone.into(), Sound::RecordTone.into()]).await;
                taken = record(caller, scene, scene.max).await;
                announce_end(caller, taken).await;
            }
            Pressed::Does(Does::GoOn) => {
                let left = scene.max.saturating_sub(taken.so_far);
                if left < Duration::from_secs(1) {
                    caller.announce(vec![Prompt::RecordingTooLong.into()]).await;
                    continue;
                }
                caller.announce(vec![Prompt::ContinueAfterTone.into(), Sound::RecordTone.into()]).await;
                let more = record(caller, scene, left).await;
                taken = Taken { reason: more.reason, so_far: taken.so_far + more.so_far, loud: taken.loud + more.loud };
                announce_end(caller, taken).await;
            }
            Pressed::Does(Does::Cancel) => {
                caller.discard();
                return Finished::Cancelled;
            }
            Pressed::Does(Does::Repeat) | Pressed::Nothing => {}
            Pressed::Unknown => {
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
        }
    }
    if scene.needs_sound && taken.loud.is_zero() {
        caller.discard();
        return Finished::Cancelled;
    }
    caller.send();
    Finished::Sent
}

/// Menu 2. True: it is sent.
async fn send_menu(caller: &Caller, most_failures: u32, (urgent, private): &mut (bool, bool)) -> bool {
    let mut failures = 0;
    while failures < most_failures {
        caller.play(vec![Prompt::SendMenu.into()]).await;
        match SEND.read(caller, FIRST_KEY).await {
            Pressed::Does(Marks::Send) => break,
            Pressed::Does(Marks::Urgent) => {
                *urgent = !*urgent;
                caller.set_urgent(*urgent);
                caller.play(vec![if *urgent { Prompt::UrgentOn } else { Prompt::UrgentOff }.into()]).await;
            }
            Pressed::Does(Marks::Private) => {
                *private = !*private;
                caller.set_private(*private);
                caller.play(vec![if *private { Prompt::PrivateOn } else { Prompt::PrivateOff }.into()]).await;
            }
            Pressed::Does(Marks::Back) => return false,
            Pressed::Does(Marks::Repeat) => {}
            Pressed::Unknown => {
                failures += 1;
                caller.forget_keys();
                caller.play(vec![Prompt::InvalidKey.into()]).await;
            }
            Pressed::Nothing => failures += 1,
        }
    }
    caller.send();
    true
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
