//! Something that a user says to be sent with mail or a meeting: recorded, heard again, sent: [`MENU`].

use super::FIRST_KEY;
use super::after_record::recording_ended;
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use super::personal::User;
use speech::{Audio, Prompt, Sound};
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Send,
    Listen,
    Again,
    Cancel,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "A spoken answer",
    about: "What is to go with mail or a meeting was recorded, and `#` was pressed. Hanging up throws it away.",
    keys: &[
        Key::new("1", Does::Send, "send it"),
        Key::new("2", Does::Listen, "listen to it"),
        Key::new("3", Does::Again, "record it again"),
        Key::new("*", Does::Cancel, "send nothing"),
    ],
};

/// What came of it.
pub(super) enum Note {
    Spoken(Arc<Audio>),
    Nothing,
    /// Too many wrong inputs.
    Failed,
}

pub(super) async fn note(caller: &Caller, user: &User, how: Prompt) -> Note {
    let mut failures = 0;
    'again: while failures < user.personal.failures {
        caller.announce(vec![how.into(), Sound::RecordTone.into()]).await;
        caller.forget_keys();
        let (recorded, audio) = caller.tape(user.personal.idle, user.personal.longest_message).await;
        recording_ended(caller, recorded.reason).await;
        if recorded.loud.is_zero() {
            failures += 1;
            caller.play(vec![Prompt::NothingHeard.into()]).await;
            continue;
        }
        while failures < user.personal.failures {
            caller.play(vec![Prompt::NoteMenu.into()]).await;
            match MENU.read(caller, FIRST_KEY).await {
                Pressed::Does(Does::Send) => return Note::Spoken(audio),
                Pressed::Does(Does::Listen) => drop(caller.play(vec![audio.clone().into()]).await),
                Pressed::Does(Does::Again) => continue 'again,
                Pressed::Does(Does::Cancel) => return Note::Nothing,
                missed => {
                    failures += 1;
                    caller.play(vec![missed.remark(caller)]).await;
                }
            }
        }
    }
    Note::Failed
}
