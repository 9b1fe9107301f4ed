//! Play on phone (fact sheet 3.7): the server has rung somebody, who hears a message of his mailbox and has the playback keys.

use super::FIRST_KEY;
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use super::player::{Heard, Pace, player};
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::{MailboxId, MessageId};
use speech::{Phrase, Prompt};

#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Again,
    Goodbye,
}

pub(super) const MENU: Menu<Does> = Menu {
    name: "Play on phone",
    about: "After the message that the server has rung for. While it plays, the keys of playing work.",
    keys: &[
        Key::new("1", Does::Again, "hear it again"),
        Key::new("*", Does::Goodbye, "hang up"),
        Key::other("nothing, three times", "hang up"),
    ],
};

/// Rounds of the menu that lead nowhere before the call is ended.
const ROUNDS: u32 = 3;

pub(crate) async fn play_on_phone(caller: Caller, mailbox: MailboxId, message: MessageId) {
    let mut audio = match caller.store(StoreRequest::Audio(mailbox.clone(), message)).await {
        Ok(StoreAnswer::Audio(audio)) => audio,
        Ok(_) | Err(_) => {
            caller.announce(vec![Prompt::DamagedMessage.into(), Prompt::Goodbye.into()]).await;
            return;
        }
    };
    let mut opening: Vec<Phrase> = vec![Prompt::PlayOnPhone.into()];
    let mut play = true;
    let mut pace = Pace::default();
    let mut failures = 0;
    while failures < ROUNDS {
        let mut pressed = None;
        if std::mem::take(&mut play) {
            match player(&caller, std::mem::take(&mut opening), &mut audio, &mut pace).await {
                Heard::ToTheEnd => {
                    // A store that is down leaves it new, which loses nothing.
                    let _ = caller.store(StoreRequest::SetRead(mailbox.clone(), message, true)).await;
                }
                // It is one part, and that is there.
                Heard::Broken => {}
                Heard::Key(key) => pressed = Some(key),
                Heard::Previous => {
                    play = true;
                    continue;
                }
            }
        }
        let pressed = match pressed {
            Some(key) => MENU.read_from(&caller, key).await,
            None => {
                opening.extend([Prompt::EndOfMessage.into(), Prompt::PlayOnPhoneMenu.into()]);
                caller.play(std::mem::take(&mut opening)).await;
                MENU.read(&caller, FIRST_KEY).await
            }
        };
        match pressed {
            Pressed::Does(Does::Again) => play = true,
            Pressed::Does(Does::Goodbye) => break,
            Pressed::Unknown => {
                failures += 1;
                caller.forget_keys();
                opening.push(Prompt::InvalidKey.into());
            }
            Pressed::Nothing => failures += 1,
        }
    }
    caller.announce(vec![Prompt::Goodbye.into()]).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::script::{Script, anna};
    use std::time::Duration;

    fn answered() -> Script {
        Script::start(|_| {}, |caller| play_on_phone(caller, anna().mailbox, MessageId(7)))
    }

    #[test]
    fn whoever_answers_hears_the_message_which_is_read_then() {
        let mut call = answered();
        call.hears("a message from your mailbox").listens().hears("[audio]");
        assert_eq!(call.take_done(), [""; 0]);
        call.listens().hears("To hear it again, press one");
        assert_eq!(call.take_done(), ["read 7"]);
    }

    #[test]
    fn the_playback_keys_work_and_one_plays_it_again() {
        let mut call = answered();
        call.listens().presses("2").hears("To go on, press two").presses("2").hears("[audio]").listens();
        call.hears("again, press one").presses("1").hears("[audio]");
        call.presses("33").hears("again, press one");
    }

    #[test]
    fn star_and_silence_end_it() {
        let mut star = answered();
        star.listens().listens().presses("*").hears("Goodbye").listens();
        assert!(star.over);
        let mut silent = answered();
        silent.waits(Duration::from_secs(120));
        assert!(silent.over);
    }

    #[test]
    fn mashed_keys_end_it_too() {
        let mut call = answered();
        for _ in 0..20 {
            if !call.over {
                call.presses("99").waits(Duration::from_secs(1));
            }
        }
        call.waits(Duration::from_secs(120));
        assert!(call.over);
    }
}
