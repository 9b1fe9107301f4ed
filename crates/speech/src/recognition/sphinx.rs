//! PocketSphinx as Debian has it (libpocketsphinx3), loaded when it is first wanted: Earcon is built and runs without it.
//! All `unsafe` of this crate is here. Only the helper process comes here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};

/// Where Debian's pocketsphinx-en-us puts its model.
const MODEL: &str = "/usr/share/pocketsphinx/model/en-us";
/// The libraries by the names of their interfaces; the second needs the first.
const BASE: &CStr = c"libsphinxbase.so.3";
const LIBRARY: &CStr = c"libpocketsphinx.so.3";
/// Where shared libraries are looked for, for [`installed_model`].
const LIBRARY_FOLDERS: [&str; 5] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

/// Ways to say a word that are asked for.
const MOST_WAYS: usize = 4;

type Decoder = *mut c_void;

/// Where the English model is, if it and the library are installed. A look at the disk: what is wrong with them the helper
/// finds out.
pub fn installed_model() -> Option<PathBuf> {
    let library = LIBRARY.to_str().unwrap_or_default();
    let there = LIBRARY_FOLDERS.iter().any(|folder| Path::new(folder).join(library).exists());
    Some(PathBuf::from(MODEL)).filter(|model| there && model.join("en-us/mdef").is_file())
}

/// The functions that are used, by their C names. Signatures follow pocketsphinx.h and cmd_ln.h of 5prealpha.
struct Calls {
    cmd_ln_init: unsafe extern "C" fn(*mut c_void, *const c_void, c_int, ...) -> *mut c_void,
    ps_args: unsafe extern "C" fn() -> *const c_void,
    ps_init: unsafe extern "C" fn(*mut c_void) -> Decoder,
    ps_set_jsgf_string: unsafe extern "C" fn(Decoder, *const c_char, *const c_char) -> c_int,
    ps_set_search: unsafe extern "C" fn(Decoder, *const c_char) -> c_int,
    ps_unset_search: unsafe extern "C" fn(Decoder, *const c_char) -> c_int,
    ps_lookup_word: unsafe extern "C" fn(Decoder, *const c_char) -> *mut c_char,
    ps_add_word: unsafe extern "C" fn(Decoder, *const c_char, *const c_char, c_int) -> c_int,
    ps_start_stream: unsafe extern "C" fn(Decoder) -> c_int,
    ps_start_utt: unsafe extern "C" fn(Decoder) -> c_int,
    ps_process_raw: unsafe extern "C" fn(Decoder, *const i16, usize, c_int, c_int) -> c_int,
    ps_end_utt: unsafe extern "C" fn(Decoder) -> c_int,
    ps_get_hyp: unsafe extern "C" fn(Decoder, *mut i32) -> *const c_char,
    ps_get_n_frames: unsafe extern "C" fn(Decoder) -> c_int,
}

/// Opens a library; never closed again.
fn open(name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: the name ends with a zero. What the library does when it is loaded is the distribution's business.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if handle.is_null() { Err(format!("{} cannot be loaded", name.to_string_lossy())) } else { Ok(handle) }
}

/// A function of it. `F` must be its type.
unsafe fn function<F: Copy>(library: *mut c_void, name: &CStr) -> Result<F, String> {
    // SAFETY: the handle is open, the name ends with a zero.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    if symbol.is_null() || size_of::<F>() != size_of::<*mut c_void>() {
        return Err(format!("{} has no {}", LIBRARY.to_string_lossy(), name.to_string_lossy()));
    }
    // SAFETY: not null, of a pointer's size, and of that type by the caller's word.
    Ok(unsafe { std::mem::transmute_copy(&symbol) })
}

impl Calls {
    fn load() -> Result<Calls, String> {
        let base = open(BASE)?;
        let sphinx = open(LIBRARY)?;
        // SAFETY: each field has the type that the headers give to the function of its name.
        unsafe {
            Ok(Calls {
                cmd_ln_init: function(base, c"cmd_ln_init")?,
                ps_args: function(sphinx, c"ps_args")?,
                ps_init: function(sphinx, c"ps_init")?,
                ps_set_jsgf_string: function(sphinx, c"ps_set_jsgf_string")?,
                ps_set_search: function(sphinx, c"ps_set_search")?,
                ps_unset_search: function(sphinx, c"ps_unset_search")?,
                ps_lookup_word: function(sphinx, c"ps_lookup_word")?,
                ps_add_word: function(sphinx, c"ps_add_word")?,
                ps_start_stream: function(sphinx, c"ps_start_stream")?,
                ps_start_utt: function(sphinx, c"ps_start_utt")?,
                ps_process_raw: function(sphinx, c"ps_process_raw")?,
                ps_end_utt: function(sphinx, c"ps_end_utt")?,
                ps_get_hyp: function(sphinx, c"ps_get_hyp")?,
                ps_get_n_frames: function(sphinx, c"ps_get_n_frames")?,
            })
        }
    }
}

/// What one search made of an utterance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Decoded {
    /// The words, as they are called in the dictionary; `None`: nothing fits.
    pub(super) words: Option<String>,
    /// Of the best path, in the decoder's logarithms.
    pub(super) score: i32,
    /// Frames (10 ms) of speech.
    pub(super) frames: u32,
}

/// A decoder with the English model. It lives as long as its process, and stays on its thread.
pub(super) struct Sphinx {
    calls: Calls,
    decoder: Decoder,
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

impl Sphinx {
    /// Loads library and model: 0.2 s.
    pub(super) fn load() -> Result<Sphinx, String> {
        let model = installed_model().ok_or("they are not installed")?;
        let calls = Calls::load()?;
        let path = |name: &str| c_string(&model.join(name).to_string_lossy());
        let (acoustic, dictionary) = (path("en-us"), path("cmudict-en-us.dict"));
        // SAFETY: a list of names and values that all end with a zero and live across the call, which copies them; null
        // ends the list, and the first null asks for a new configuration.
        let configuration = unsafe {
            (calls.cmd_ln_init)(
                std::ptr::null_mut(),
                (calls.ps_args)(),
                1,
                c"-hmm".as_ptr(),
                acoustic.as_ptr(),
                c"-dict".as_ptr(),
                dictionary.as_ptr(),
                // What the search itself found, not what a second look at its lattice makes of it.
                // Wider than it is by default: few words cost little, and what is cut off too early is lost.
                c"-beam".as_ptr(),
                c"1e-80".as_ptr(),
                c"-pbeam".as_ptr(),
                c"1e-80".as_ptr(),
                c"-wbeam".as_ptr(),
                c"1e-60".as_ptr(),
                c"-bestpath".as_ptr(),
                c"no".as_ptr(),
                c"-logfn".as_ptr(),
                c"/dev/null".as_ptr(),
                std::ptr::null::<c_char>(),
            )
        };
        if configuration.is_null() {
            return Err("it takes other settings".into());
        }
        // SAFETY: the configuration is one, just made.
        let decoder = unsafe { (calls.ps_init)(configuration) };
        if decoder.is_null() {
            return Err(format!("the model in {} cannot be read", model.display()));
        }
        Ok(Sphinx { calls, decoder })
    }

    /// How many sounds a word has; `None`: the dictionary lacks it.
    pub(super) fn sounds_of(&self, word: &str) -> Option<usize> {
        Some(self.sounds(word)?.split_whitespace().count())
    }

    /// All ways to say a word that the dictionary has.
    pub(super) fn ways_to_say(&self, word: &str) -> Vec<String> {
        let others = (2..=MOST_WAYS).map(|way| format!("{word}({way})"));
        std::iter::once(word.to_owned()).chain(others).map_while(|word| self.sounds(&word)).collect()
    }

    /// A word's ARPAbet phonemes, with spaces between.
    fn sounds(&self, word: &str) -> Option<String> {
        let word = c_string(word);
        // SAFETY: decoder and word are whole; what is given ends with a zero and is ours to free, by the C library that
        // made it.
        unsafe {
            let sounds = (self.calls.ps_lookup_word)(self.decoder, word.as_ptr());
            let text = (!sounds.is_null()).then(|| CStr::from_ptr(sounds).to_string_lossy().trim().to_owned());
            libc::free(sounds.cast());
            text
        }
    }

    /// Adds a word with its ARPAbet phonemes. False: they are none.
    pub(super) fn add(&mut self, word: &str, sounds: &str) -> bool {
        let (word, sounds) = (c_string(word), c_string(sounds));
        // SAFETY: decoder and both texts are whole; the texts are copied. The last argument: no search is made anew for it,
        // since those that are there know nothing of the word.
        unsafe { (self.calls.ps_add_word)(self.decoder, word.as_ptr(), sounds.as_ptr(), 0) >= 0 }
    }

    /// Adds a search by this name. False: the grammar is none.
    pub(super) fn learn(&mut self, search: &str, jsgf: &str) -> bool {
        let (search, jsgf) = (c_string(search), c_string(jsgf));
        // SAFETY: as in `add`.
        unsafe { (self.calls.ps_set_jsgf_string)(self.decoder, search.as_ptr(), jsgf.as_ptr()) == 0 }
    }

    pub(super) fn forget(&mut self, search: &str) {
        let search = c_string(search);
        // SAFETY: as in `add`. A search that is not there is an error, not a fault.
        unsafe { (self.calls.ps_unset_search)(self.decoder, search.as_ptr()) };
    }

    /// Runs one search over a whole utterance at 16 kHz. `None`: there is no such search.
    pub(super) fn decode(&mut self, search: &str, samples: &[i16]) -> Option<Decoded> {
        let search = c_string(search);
        let calls = &self.calls;
        // SAFETY: the decoder is whole, and these are called in the order that the header asks for; the samples live
        // across the call that reads that many of them.
        unsafe {
            if (calls.ps_set_search)(self.decoder, search.as_ptr()) != 0 {
                return None;
            }
            // What is known of a line is of this one: without a new stream the noise of the last utterance would count.
            if (calls.ps_start_stream)(self.decoder) != 0 || (calls.ps_start_utt)(self.decoder) != 0 {
                return None;
            }
            // All at once, so that the levels of the whole utterance are known when it is searched.
            (calls.ps_process_raw)(self.decoder, samples.as_ptr(), samples.len(), 0, 1);
            (calls.ps_end_utt)(self.decoder);
            let mut score = 0;
            let words = (calls.ps_get_hyp)(self.decoder, &raw mut score);
            // The text is the decoder's, good until it is asked again: copied now.
            let words = (!words.is_null()).then(|| CStr::from_ptr(words).to_string_lossy().into_owned());
            let frames = u32::try_from((calls.ps_get_n_frames)(self.decoder)).unwrap_or(0);
            Some(Decoded { words: words.filter(|words| !words.is_empty()), score, frames })
        }
    }
}
