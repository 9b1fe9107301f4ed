//! Audio that is part of the binary, decoded when it is first wanted.

use std::sync::{Arc, OnceLock};

use crate::audio::Audio;
use crate::catalogue::file_name;

include!(concat!(env!("OUT_DIR"), "/prompts.rs"));

/// The rendered fragments. `AUDIO` is sorted by name, which makes it an index.
pub(crate) struct Shipped {
    decoded: Vec<OnceLock<Option<Arc<Audio>>>>,
}

impl Shipped {
    pub(crate) fn new() -> Shipped {
        Shipped { decoded: AUDIO.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The audio of a fragment or a name; the same `Arc` each time.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<Audio>> {
        let name = file_name(text);
        let index = AUDIO.binary_search_by(|(file, _)| (*file).cmp(name.as_str())).ok()?;
        let (file, bytes) = AUDIO.get(index)?;
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
