//! Voice mail preview (fact sheet 3.5): the text of a message, made after it was delivered, where a transcriber is connected.

use super::real::Work;
use mailbox::{MailboxId, MessageId, Preview};
use speech::{Language, Transcriber};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Longer messages get no text.
pub(super) const LONGEST_MS: u64 = 75_000;
/// Messages that may wait for their text; more go without, so that a busy hour does not become a busy night.
const MOST_WAITING: usize = 16;
/// What is less certain than this, in percent, is not shown at all.
const LEAST_CONFIDENCE: u8 = 25;

/// Whoever makes texts, one at a time: it takes a core for as long as the message lasts.
pub(super) struct Previews {
    transcriber: Arc<dyn Transcriber>,
    turn: Semaphore,
    waiting: AtomicUsize,
}

impl Previews {
    pub(super) fn new(transcriber: Arc<dyn Transcriber>) -> Previews {
        Previews { transcriber, turn: Semaphore::new(1), waiting: AtomicUsize::new(0) }
    }
}

impl Work {
    /// Has the text of a message made, and keeps it with all its copies.
    pub(super) fn preview(
        self: &Arc<Work>,
        samples: Vec<i16>,
        language: Language,
        copies: Vec<(MailboxId, MessageId)>,
    ) {
        let Some(previews) = self.previews.clone() else { return };
        if previews.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            previews.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let work = self.clone();
        self.runtime.spawn(async move {
            // The semaphore is never closed.
            let turn = previews.turn.acquire().await;
            let transcriber = previews.transcriber.clone();
            let made =
                tokio::task::spawn_blocking(move || transcriber.transcribe(&sixteen_khz(&samples), language)).await;
            drop(turn);
            previews.waiting.fetch_sub(1, Ordering::Relaxed);
            let transcript = match made {
                Ok(Ok(transcript)) => transcript,
                Ok(Err(error)) => return tracing::warn!(%error, "a message has no preview"),
                Err(error) => return tracing::error!(%error, "the transcriber panicked"),
            };
            if transcript.confidence < LEAST_CONFIDENCE || transcript.text.is_empty() {
                return;
            }
            for (mailbox, message) in copies {
                let preview = Preview { text: transcript.text.clone(), confidence: transcript.confidence };
                // Deleted for good meanwhile, or the store is down: the message is there without its text.
                let _ = work.mailboxes.set_preview(&mailbox, message, preview).await;
            }
        });
    }
}

/// A WAV file as recognisers take it: 16 kHz, linear.
fn sixteen_khz(samples: &[i16]) -> Vec<u8> {
    let mut doubled = Vec::with_capacity(samples.len() * 2);
    for (at, sample) in samples.iter().enumerate() {
        let next = samples.get(at + 1).unwrap_or(sample);
        doubled.extend([*sample, sample.midpoint(*next)]);
    }
    let mut file = media::wav::write_linear(&doubled);
    // Rate, and bytes a second, of the format chunk.
    for (place, value) in [(24, 16_000_u32), (28, 32_000)] {
        if let Some(field) = file.get_mut(place..place + 4) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    }
    file
}
