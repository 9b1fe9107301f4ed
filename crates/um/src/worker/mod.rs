//! The workers: they answer calls, run the dialogues, and see to it that what was recorded becomes a message.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod delivery;
pub(crate) mod drive;
pub(crate) mod identity;
mod line;
pub(crate) mod outcall;
pub(crate) mod people;
pub(crate) mod placing;
mod play_on_phone;
mod prompt_recording;
mod scene;
pub(crate) mod sound;
pub(crate) mod transfer;
