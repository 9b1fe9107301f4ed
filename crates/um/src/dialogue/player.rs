//! Plays one message, with the keys that mean something while it plays (fact sheet 4.3).
//!
//! | key | while playing |
//! |---|---|
//! | 1 | back 5 s |
//! | 11 | the previous message, or this one from its start |
//! | 2 | pause, and on |
//! | 3 | forward 5 s |
//! | 33 | to the end |
//!
//! Every other key ends the playing and is the menu's.

use super::caller::Caller;
use super::{FIRST_KEY, SECOND_KEY};
use media::PlayEnd;
use speech::{Audio, Phrase, Prompt};
use std::sync::Arc;
use std::time::Duration;

/// How far 1 and 3 jump.
const JUMP: Duration = Duration::from_secs(5);
/// How long a paused message waits.
const PAUSE: Duration = Duration::from_secs(60);

/// How playing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// To the end (or skipped there by 33).
    ToTheEnd,
    /// A key that is not the player's.
    Key(char),
    /// 11 at the beginning of the message.
    Previous,
}

/// Plays `header`, then the message.
pub(super) async fn player(caller: &Caller, header: Vec<Phrase>, audio: &Arc<Audio>) -> Heard {
    let played = caller.play(header).await;
    let mut pressed = if played.reason == PlayEnd::Key { caller.key(FIRST_KEY).await } else { None };
    let mut at = Duration::ZERO;
    loop {
        let key = match pressed.take() {
            Some(key) => key,
            None => {
                let played = caller.play(vec![from(audio, at).into()]).await;
                at = (at + played.played).min(audio.duration());
                if played.reason != PlayEnd::Key {
                    return Heard::ToTheEnd;
                }
                match caller.key(FIRST_KEY).await {
                    Some(key) => key,
                    None => continue,
                }
            }
        };
        match key {
            '1' => match caller.key(SECOND_KEY).await {
                Some('1') if at < Duration::from_secs(2) => return Heard::Previous,
                Some('1') => at = Duration::ZERO,
                other => {
                    at = at.saturating_sub(JUMP);
                    pressed = other;
                }
            },
            '2' => {
                caller.play(vec![Prompt::Paused.into()]).await;
                match caller.key(PAUSE).await {
                    Some('2') | None => {}
                    other => pressed = other,
                }
            }
            '3' => match caller.key(SECOND_KEY).await {
                Some('3') => return Heard::ToTheEnd,
                other => {
                    at += JUMP;
                    pressed = other;
                    if at >= audio.duration() && pressed.is_none() {
                        return Heard::ToTheEnd;
                    }
                }
            },
            // Slower and faster are not there yet: the message goes on.
            '4' | '6' => {}
            other => return Heard::Key(other),
        }
    }
}

/// The rest of a message. The whole one is shared, not copied.
fn from(audio: &Arc<Audio>, at: Duration) -> Arc<Audio> {
    if at.is_zero() {
        return audio.clone();
    }
    let skipped = usize::try_from(at.as_millis()).unwrap_or(usize::MAX).saturating_mul(8);
    Arc::new(Audio::from_samples(audio.samples().get(skipped..).unwrap_or_default().to_vec()))
}
