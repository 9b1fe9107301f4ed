//! Audio that is part of the binary, decoded when it is first wanted.

use std::sync::{Arc, OnceLock};

use crate::audio::Audio;
use crate::catalogue::file_name;
use crate::language::Language;

include!(concat!(env!("OUT_DIR"), "/prompts.rs"));

/// The fluent files of a language, by name.
pub(crate) fn catalogue(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::English => EN_CATALOGUE,
        Language::Swedish => SV_CATALOGUE,
    }
}

fn audio(language: Language) -> &'static [(&'static str, &'static [u8])] {
    match language {
        Language::English => EN_AUDIO,
        Language::Swedish => SV_AUDIO,
    }
}

/// The rendered fragments of a language. Its audio is sorted by name, which makes it an index.
pub(crate) struct Shipped {
    audio: &'static [(&'static str, &'static [u8])],
    decoded: Vec<OnceLock<Option<Arc<Audio>>>>,
}

impl Shipped {
    pub(crate) fn new(language: Language) -> Shipped {
        let audio = audio(language);
        Shipped { audio, decoded: audio.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The audio of a fragment or a name; the same `Arc` each time.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<Audio>> {
        let name = file_name(text);
        let index = self.audio.binary_search_by(|(file, _)| (*file).cmp(name.as_str())).ok()?;
        let (file, bytes) = self.audio.get(index)?;
        let decode = || match Audio::from_wav(bytes) {
            Ok(audio) => Some(Arc::new(audio)),
            Err(error) => {
                tracing::error!(file, %error, "shipped prompt is damaged");
                None
            }
        };
        self.decoded.get(index)?.get_or_init(decode).clone()
    }

    /// How many fragments are there.
    pub(crate) fn len(&self) -> usize {
        self.decoded.len()
    }
}
