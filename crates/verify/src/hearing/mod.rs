//! What the suite's phones hear, recognised: known audio by correlation, tones, and that somebody speaks at all.

mod speech_activity;
mod template;
mod tone;

pub(crate) use speech_activity::said_something;
pub(crate) use template::{Search, Template};
pub(crate) use tone::first_tone;

/// Samples a second of everything that is heard.
pub(crate) const RATE: usize = 8_000;
