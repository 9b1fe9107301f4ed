//! Prompts and text to speech: the catalogue, shipped audio, back ends.
//!
//! What the phone dialogues say stands in fluent files (`prompts/<language>/*.ftl`), with plurals and word order the
//! language's own. Their fixed parts, numbers, days and the lab's names are rendered once (`cargo xtask prompts`) and are part of
//! the binary. A sentence with values in it is put together from those: [`Speech::say`] never waits. What is not
//! shipped, other people's names above all, is spoken by a text to speech program where one is installed, off the
//! caller's thread ([`Speech::say_when_ready`]); without one, people are spoken by extension.

mod audio;
mod catalogue;
mod child;
mod english;
mod language;
mod phrase;
mod prompt;
pub mod recognition;
mod resample;
mod shipped;
mod sounds;
mod speaker;
mod swedish;
mod synthesis;
mod transcription;

pub use audio::{Audio, RATE, WavError};
pub use catalogue::Fragment;
pub use child::{Espeak, Flite, installed};
pub use language::Language;
pub use phrase::{Person, Phrase, Sound, Value};
pub use prompt::Prompt;
pub use speaker::{Choice, Clock, OpenError, Options, Speech};
pub use synthesis::{SynthesisError, Voice};
pub use transcription::{HttpTranscriber, Transcriber, Transcript, TranscriptionError, UrlError};
