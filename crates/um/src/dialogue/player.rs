//! Plays one message, with the keys that mean something while it plays (fact sheet 4.3): [`MENU`]. Every other key ends the
//! playing and is the message's menu's.

use super::FIRST_KEY;
use super::caller::Caller;
use super::menu::{Key, Menu, Pressed};
use crate::storage::{StoreAnswer, StoreRequest};
use media::PlayEnd;
use speech::{Audio, Phrase, Prompt};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Back,
    Start,
    Pause,
    Forward,
    End,
    Slower,
    Faster,
}

pub(crate) const MENU: Menu<Does> = Menu {
    name: "While a message plays",
    about: "Other keys stop it, and mean what they mean after it.",
    keys: &[
        Key::new("1", Does::Back, "back 5 s"),
        Key::new("11", Does::Start, "from its start; in the first 2 s the previous message"),
        Key::new("2", Does::Pause, "pause, and on"),
        Key::new("3", Does::Forward, "forward 5 s"),
        Key::new("33", Does::End, "to the end").says("voice-word-end", &["end"]),
        Key::new("4", Does::Slower, "slower, at the same pitch"),
        Key::new("6", Does::Faster, "faster, at the same pitch"),
    ],
};

/// How far 1 and 3 jump.
const JUMP: Duration = Duration::from_secs(5);
/// How long a paused message waits.
const PAUSE: Duration = Duration::from_secs(60);
/// 11 within this much of the beginning means the message before.
const BEGINNING: Duration = Duration::from_secs(2);

/// How playing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// To the end (or skipped there by 33).
    ToTheEnd,
    /// A key that is not the player's.
    Key(char),
    /// 11 at the beginning of the message.
    Previous,
    /// A part of it can't be played.
    Broken,
}

/// How fast messages are heard; kept for the whole call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(usize);

/// In percent.
const PACES: [u32; 6] = [60, 80, 100, 125, 150, 180];

impl Default for Pace {
    fn default() -> Pace {
        Pace(2)
    }
}

impl Pace {
    fn percent(self) -> u32 {
        PACES.get(self.0).copied().unwrap_or(100)
    }

    fn slower(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    fn faster(&mut self) {
        self.0 = (self.0 + 1).min(PACES.len() - 1);
    }
}

/// What is played after its header: one part where it is a message, several where it is a text that is read out.
pub(super) trait Reel: Send {
    /// A part of it, from 0 on; `None`: there is no such part.
    fn part(
        &mut self,
        caller: &Caller,
        place: usize,
    ) -> impl Future<Output = Option<Result<Arc<Audio>, Silent>>> + Send;
}

/// A part that can't be played.
pub(super) struct Silent;

impl Reel for Arc<Audio> {
    async fn part(&mut self, _: &Caller, place: usize) -> Option<Result<Arc<Audio>, Silent>> {
        (place == 0).then(|| Ok(self.clone()))
    }
}

/// Plays `header`, then the message.
pub(super) async fn player(caller: &Caller, header: Vec<Phrase>, reel: &mut impl Reel, pace: &mut Pace) -> Heard {
    let mut pressed = None;
    if !header.is_empty() && caller.play(header).await.reason == PlayEnd::Key {
        pressed = caller.key(FIRST_KEY).await;
    }
    // Which part, and how far into it.
    let (mut place, mut at) = (0, Duration::ZERO);
    loop {
        let key = match pressed.take() {
            Some(key) => key,
            None => {
                let audio = match reel.part(caller, place).await {
                    Some(Ok(audio)) => audio,
                    Some(Err(Silent)) => return Heard::Broken,
                    None => return Heard::ToTheEnd,
                };
                let played = caller.play(vec![rest(caller, &audio, at, *pace).await.into()]).await;
                at = (at + played.played * pace.percent() / 100).min(audio.duration());
                match played.reason {
                    PlayEnd::Key => {}
                    // What was said was no command: it goes on.
                    PlayEnd::Speech => continue,
                    PlayEnd::Finished | PlayEnd::Stopped => {
                        (place, at) = (place + 1, Duration::ZERO);
                        continue;
                    }
                }
                match caller.key(FIRST_KEY).await {
                    Some(key) => key,
                    None => continue,
                }
            }
        };
        match MENU.read_from(caller, key).await {
            Pressed::Does(Does::Back) if place > 0 && at < JUMP => {
                place -= 1;
                let before = match reel.part(caller, place).await {
                    Some(Ok(audio)) => audio.duration(),
                    _ => Duration::ZERO,
                };
                at = (before + at).saturating_sub(JUMP);
            }
            Pressed::Does(Does::Back) => at = at.saturating_sub(JUMP),
            Pressed::Does(Does::Start) if place == 0 && at < BEGINNING => return Heard::Previous,
            Pressed::Does(Does::Start) => (place, at) = (0, Duration::ZERO),
            Pressed::Does(Does::Pause) => {
                caller.play(vec![Prompt::Paused.into()]).await;
                match caller.key(PAUSE).await {
                    Some('2') | None => {}
                    other => pressed = other,
                }
            }
            Pressed::Does(Does::Forward) => match reel.part(caller, place).await {
                Some(Ok(audio)) if at + JUMP >= audio.duration() => (place, at) = (place + 1, Duration::ZERO),
                _ => at += JUMP,
            },
            Pressed::Does(Does::End) => return Heard::ToTheEnd,
            Pressed::Does(Does::Slower) => pace.slower(),
            Pressed::Does(Does::Faster) => pace.faster(),
            Pressed::Unknown | Pressed::Nothing => return Heard::Key(key),
        }
    }
}

/// The rest of a message at a pace. The whole one is shared, not copied.
async fn rest(caller: &Caller, audio: &Arc<Audio>, at: Duration, pace: Pace) -> Arc<Audio> {
    let rest = match at.is_zero() {
        true => audio.clone(),
        false => {
            let skipped = usize::try_from(at.as_millis()).unwrap_or(usize::MAX).saturating_mul(8);
            Arc::new(Audio::from_samples(audio.samples().get(skipped..).unwrap_or_default().to_vec()))
        }
    };
    if pace.percent() == 100 {
        return rest;
    }
    match caller.store(StoreRequest::Stretch(rest.clone(), pace.percent())).await {
        Ok(StoreAnswer::Audio(stretched)) => stretched,
        // Too fast or slow is better than not at all.
        _ => rest,
    }
}
