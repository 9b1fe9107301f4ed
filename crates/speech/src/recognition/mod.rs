//! Spoken commands: which of a few phrases somebody has said. [`Recogniser`] is the door; behind it is PocketSphinx in
//! helper processes ([`Helpers`]), since a library that can be made to crash or hang by what a caller says must take
//! nobody's call with it.
//!
//! What is no phrase of the grammar is [`Heard::Unclear`], never the phrase that is nearest: beside the grammar the helper
//! runs a loop of all sounds of the language, and a phrase counts only where it explains the speech about as well
//! ([`judge`](judgement)).

mod grammar;
mod helper;
mod judgement;
mod noise;
mod pool;
mod pronunciation;
mod sphinx;
mod wire;

pub use grammar::Grammar;
pub use helper::{Engine, Recognition, ServeError, serve};
pub use pool::{Answers, Helpers};
pub use sphinx::installed_model;

use std::sync::Arc;

/// What somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Phrase {
        /// Its place in the grammar.
        phrase: usize,
        /// Whether it may be acted on; else it is to be asked for.
        sure: bool,
    },
    /// Nothing of the grammar.
    Unclear,
}

/// Why nothing was recognised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecognitionError {
    /// PocketSphinx or its model is not there.
    #[error("spoken commands need libpocketsphinx3 and pocketsphinx-en-us: {0}")]
    Missing(String),
    /// More speech waits than can be recognised in time.
    #[error("too much speech waits to be recognised")]
    Busy,
    /// The helper process ended, or took too long and was ended.
    #[error("the recogniser failed: {0}")]
    Failed(String),
}

/// Recognises speech off the caller's thread; answers come by the callback given at the start.
pub trait Recogniser: Send {
    /// Whether it is of use to listen at all. May become false at any time, and true again.
    fn is_ready(&self) -> bool;

    /// This grammar will be needed soon: what it takes to know it is done now.
    fn prepare(&mut self, grammar: &Arc<Grammar>);

    /// `samples`: one utterance, linear, [`RATE`](crate::RATE). Answered once, with the same ticket.
    fn submit(&mut self, samples: Arc<Vec<i16>>, grammar: &Arc<Grammar>, ticket: u64);
}
