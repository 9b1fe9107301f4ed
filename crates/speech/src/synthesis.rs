//! Text to speech off the caller's thread: a few threads, a bounded queue, a cache keyed by text.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::audio::Audio;

/// Texts that wait at most; a text past that is not spoken this time.
const QUEUE: usize = 256;
/// Texts kept, and samples kept (16 MB): names of a large site.
const KEPT_TEXTS: usize = 2_000;
const KEPT_SAMPLES: usize = 8_000_000;

/// A text to speech back end.
pub trait Voice: Send + Sync {
    /// Program and voice, for logs and for the start-up summary.
    fn name(&self) -> &str;

    /// Speaks a text. May take seconds; called on speech's own threads only.
    ///
    /// # Errors
    /// [`SynthesisError`]; the text is then left out or replaced (a person by extension).
    fn speak(&self, text: &str) -> Result<Audio, SynthesisError>;
}

/// Why a text was not spoken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SynthesisError {
    /// The program could not be started.
    #[error("text to speech did not start: {0}")]
    Start(String),
    /// It ran longer than it may; it was killed.
    #[error("text to speech took too long")]
    TooLong,
    /// It ended without a sound that can be read.
    #[error("text to speech gave no sound: {0}")]
    NoSound(String),
}

/// Called when the texts that it waited for are spoken, or have failed.
type Waiter = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    spoken: BTreeMap<String, Arc<Audio>>,
    /// Oldest first; what goes when the cache is full.
    order: VecDeque<String>,
    samples: usize,
    queue: VecDeque<String>,
    /// Texts queued or being spoken, with who waits for them.
    pending: BTreeMap<String, Vec<Arc<Job>>>,
    closed: bool,
}

/// Somebody who waits for one or more texts.
struct Job {
    left: Mutex<(usize, Option<Waiter>)>,
}

impl Job {
    /// One text less to wait for; the waiter when it was the last.
    fn settle(&self) -> Option<Waiter> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.0 = left.0.saturating_sub(1);
        if left.0 == 0 { left.1.take() } else { None }
    }
}

struct Shared {
    voice: Arc<dyn Voice>,
    state: Mutex<State>,
    work: Condvar,
}

impl Shared {
    /// A panic in a back end must not silence all others, so a poisoned lock is taken as it is.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Synthesizer {
    shared: Arc<Shared>,
}

impl Synthesizer {
    /// Starts `threads` threads that speak with `voice`.
    pub(crate) fn start(voice: Arc<dyn Voice>, threads: usize) -> std::io::Result<Synthesizer> {
        let shared = Arc::new(Shared { voice, state: Mutex::new(State::default()), work: Condvar::new() });
        for number in 1..=threads.max(1) {
            let shared = shared.clone();
            thread::Builder::new().name(format!("speech-{number}")).spawn(move || run(&shared))?;
        }
        Ok(Synthesizer { shared })
    }

    pub(crate) fn voice(&self) -> &dyn Voice {
        &*self.shared.voice
    }

    /// The audio of a text, if it has been spoken before.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<Audio>> {
        self.shared.state().spoken.get(text).cloned()
    }

    /// Has `texts` spoken, then calls `done` once, on a thread of speech's; at once and here if nothing is left to do.
    pub(crate) fn request(&self, texts: Vec<String>, done: Waiter) {
        let job = Arc::new(Job { left: Mutex::new((1, Some(done))) });
        {
            let mut state = self.shared.state();
            for text in texts {
                if state.spoken.contains_key(&text) {
                    continue;
                }
                let queued = state.pending.contains_key(&text);
                if !queued {
                    if state.queue.len() >= QUEUE {
                        tracing::warn!("text to speech is behind; a text is left out");
                        continue;
                    }
                    state.queue.push_back(text.clone());
                    self.shared.work.notify_one();
                }
                job.left.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
                state.pending.entry(text).or_default().push(job.clone());
            }
        }
        // The one that the count started with: without it a fast thread could finish before all were queued.
        if let Some(done) = job.settle() {
            done();
        }
    }
}

impl Drop for Synthesizer {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.work.notify_all();
    }
}

fn run(shared: &Shared) {
    loop {
        let text = {
            let mut state = shared.state();
            loop {
                if state.closed {
                    return;
                }
                if let Some(text) = state.queue.pop_front() {
                    break text;
                }
                state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let spoken = shared.voice.speak(&text);
        let jobs = {
            let mut state = shared.state();
            match spoken {
                Ok(audio) => state.keep(text.clone(), Arc::new(audio)),
                Err(error) => tracing::warn!(%error, voice = shared.voice.name(), "text to speech"),
            }
            state.pending.remove(&text).unwrap_or_default()
        };
        for done in jobs.iter().filter_map(|job| job.settle()) {
            done();
        }
    }
}

impl State {
    fn keep(&mut self, text: String, audio: Arc<Audio>) {
        self.samples += audio.samples().len();
        self.spoken.insert(text.clone(), audio);
        self.order.push_back(text);
        while self.order.len() > KEPT_TEXTS || self.samples > KEPT_SAMPLES && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(gone) = self.spoken.remove(&oldest) {
                self.samples = self.samples.saturating_sub(gone.samples().len());
            }
        }
    }
}
