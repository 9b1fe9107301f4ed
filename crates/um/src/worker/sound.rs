//! What is said, as clips that the media engine shares between calls.

use crate::commands::prompt::Prompt;
use crate::configuration::Object as _;
use media::Clip;
use rtp::Tone;
use speech::{Audio, Clock, Language, Phrase, Speech, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

/// Speech, and the clips made of it. The same audio is the same clip for as long as somebody keeps the audio: prompts for
/// good, a greeting while it is cached, a message while it is heard.
pub(crate) struct Sounds {
    speech: Speech,
    /// By the address of the audio; only asked for a key, never gone through where the order could show.
    clips: HashMap<usize, (Weak<Audio>, Arc<Clip>)>,
    /// Entries of audio that is gone are removed when the map has grown to this.
    sweep_at: usize,
    ringback: Arc<Clip>,
    /// By their keys; each with the prompt that it was made of, which may have been replaced since.
    prompts: BTreeMap<String, (Arc<Prompt>, Arc<Audio>)>,
}

const LEAST_SWEEP: usize = 512;
const MOST_PROMPTS: usize = 600;

impl Sounds {
    pub(crate) fn new(speech: Speech) -> Sounds {
        // A second of tone and four of silence, as it rings in Europe (ETSI TR 101 041-2).
        let mut ringback = Tone::new(&[425.0], -18.0).samples(8_000);
        ringback.resize(40_000, 0);
        let ringback = Arc::new(Clip::from_samples(ringback));
        Sounds { speech, clips: HashMap::new(), sweep_at: LEAST_SWEEP, ringback, prompts: BTreeMap::new() }
    }

    pub(crate) fn clips(&mut self, phrases: &[Phrase], language: Language, clock: Option<Clock>) -> Vec<Arc<Clip>> {
        let audio = self.speech.in_language(language).with_clock(clock).say(phrases);
        audio.iter().filter(|audio| !audio.is_empty()).map(|audio| self.clip(audio)).collect()
    }

    fn clip(&mut self, audio: &Arc<Audio>) -> Arc<Clip> {
        let key = Arc::as_ptr(audio) as usize;
        // The address of audio that is gone may be another's now: the weak pointer tells.
        if let Some((weak, clip)) = self.clips.get(&key)
            && weak.upgrade().is_some_and(|kept| Arc::ptr_eq(&kept, audio))
        {
            return clip.clone();
        }
        let clip = Arc::new(Clip::from_samples(audio.samples().to_vec()));
        if self.clips.len() >= self.sweep_at {
            self.clips.retain(|_, (weak, _)| weak.strong_count() > 0);
            self.sweep_at = (self.clips.len() * 2).max(LEAST_SWEEP);
        }
        self.clips.insert(key, (Arc::downgrade(audio), clip.clone()));
        clip
    }

    /// What is heard while somebody else's phone rings, to be repeated.
    pub(crate) fn ringback(&self) -> Arc<Clip> {
        self.ringback.clone()
    }

    /// A prompt that somebody brought, as sound; the same `Arc` for as long as it is the same prompt.
    pub(crate) fn prompt(&mut self, prompt: &Arc<Prompt>) -> Option<Arc<Audio>> {
        let key = prompt.key();
        if let Some((of, audio)) = self.prompts.get(&key)
            && Arc::ptr_eq(of, prompt)
        {
            return Some(audio.clone());
        }
        let audio = Arc::new(prompt.audio()?);
        // There are as many as commands allow; those that were removed go when there are that many.
        if self.prompts.len() >= MOST_PROMPTS {
            self.prompts.clear();
        }
        self.prompts.insert(key, (prompt.clone(), audio.clone()));
        Some(audio)
    }

    /// Has a text spoken before the first call that needs it.
    pub(crate) fn prepare_text(&self, text: &str, language: Language) {
        let _ = self.speech.in_language(language).say(&[Value::Text(text.to_owned()).into()]);
    }

    /// Has a name spoken before the first call that needs it.
    pub(crate) fn prepare(&self, name: &str, language: Language) {
        self.speech.in_language(language).prepare(name);
    }
}
