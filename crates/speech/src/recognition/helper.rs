//! The helper process: loads PocketSphinx, and answers questions on its standard input one after the other. What goes wrong
//! in the library goes wrong here, where nobody's call is.

use super::judgement::judge;
use super::noise::without_noise;
use super::pronunciation::pronounce;
use super::sphinx::Sphinx;
use super::wire::{self, Answer, Question};
use super::{Grammar, Heard};
use crate::audio::RATE;
use crate::resample;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// What the model was trained with.
const MODEL_RATE: u32 = 16_000;
/// Grammars that are kept ready; when there are more, all begin anew.
const MOST_GRAMMARS: usize = 64;
/// Words that were added to the dictionary; when there are more, the process ends and another takes its place.
const MOST_WORDS: usize = 20_000;
/// The search for anything that could be said.
const LOOP: &str = "sounds";
/// All sounds of the model.
const SOUNDS: &str =
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH";

/// PocketSphinx in this process.
pub struct Engine {
    sphinx: Sphinx,
    /// Searches by grammar: the name, and which phrase is which words of the dictionary.
    known: BTreeMap<Grammar, Known>,
    /// What words are called in the dictionary that it did not have, or not as names; `None`: they have no sounds.
    added: BTreeMap<(String, bool), Option<String>>,
    last: u64,
}

/// A grammar that is ready to be searched for.
struct Known {
    search: String,
    /// By their words in the dictionary.
    phrases: BTreeMap<String, Spoken>,
}

#[derive(Clone, Copy)]
struct Spoken {
    /// Its place in the grammar.
    phrase: usize,
    /// How many it has.
    sounds: usize,
}

/// What was heard, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognition {
    pub heard: Heard,
    /// The phrase that was nearest.
    pub nearest: Option<usize>,
    /// How much better the phrase explains a frame than any sounds do; below 0 worse.
    pub score: f64,
    /// What it took.
    pub took: Duration,
}

impl Engine {
    /// # Errors
    /// What is missing, in words.
    pub fn load() -> Result<Engine, String> {
        let mut sphinx = Sphinx::load()?;
        let name = |sound: &str| format!("earcon_sound_{}", sound.to_lowercase());
        let added = SOUNDS.split(' ').all(|sound| sphinx.add(&name(sound), sound));
        let any: Vec<String> = SOUNDS.split(' ').map(name).collect();
        let jsgf = format!("#JSGF V1.0;\ngrammar sounds;\npublic <any> = ( {} )+;\n", any.join(" | "));
        if !added || !sphinx.learn(LOOP, &jsgf) {
            return Err("the model has other sounds".into());
        }
        Ok(Engine { sphinx, known: BTreeMap::new(), added: BTreeMap::new(), last: 0 })
    }

    /// Gets to know a grammar. False: nothing of it can be recognised.
    pub fn prepare(&mut self, grammar: &Grammar) -> bool {
        if self.known.contains_key(grammar) {
            return true;
        }
        if self.known.len() >= MOST_GRAMMARS {
            for known in std::mem::take(&mut self.known).into_values() {
                self.sphinx.forget(&known.search);
            }
        }
        self.add_words(grammar);
        let token = |word: &str, name: bool| match self.added.get(&(word.to_owned(), name)) {
            Some(token) => token.clone(),
            None => Some(word.to_owned()),
        };
        let lines = grammar.jsgf(token);
        if lines.is_empty() {
            return false;
        }
        self.last += 1;
        let search = format!("grammar{}", self.last);
        let any: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
        let jsgf = format!("#JSGF V1.0;\ngrammar {search};\npublic <any> = {};\n", any.join(" | "));
        let learnt = self.sphinx.learn(&search, &jsgf);
        if learnt {
            // Of two phrases that are the same the first is meant.
            let mut phrases = BTreeMap::new();
            for (place, line) in lines {
                let sounds = line.split(' ').filter_map(|word| self.sphinx.sounds_of(word)).sum();
                phrases.entry(line).or_insert(Spoken { phrase: place, sounds });
            }
            self.known.insert(grammar.clone(), Known { search, phrases });
        }
        learnt
    }

    /// Gives sounds to the words that the dictionary lacks, and more of them to those of names. They go by names of our
    /// own: a JSpeech grammar has no letters beyond ASCII.
    fn add_words(&mut self, grammar: &Grammar) {
        let mut words: BTreeSet<(String, bool)> = BTreeSet::new();
        for (word, name) in grammar.words() {
            let known = !name && word.is_ascii() && self.sphinx.sounds_of(word).is_some();
            let word = (word.to_owned(), name);
            if !known && !self.added.contains_key(&word) {
                words.insert(word);
            }
        }
        if words.is_empty() {
            return;
        }
        let texts: BTreeSet<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        let sounds = pronounce(&texts.into_iter().collect::<Vec<_>>());
        for (word, name) in &words {
            let token = format!("earcon_word_{}", self.added.len());
            // As the dictionary has it first: that is how most callers who speak English say it.
            let mut all = if word.is_ascii() { self.sphinx.ways_to_say(word) } else { Vec::new() };
            for way in sounds.get(word.as_str()).into_iter().flatten() {
                if !all.contains(way) {
                    all.push(way.clone());
                }
            }
            let mut ways = 0;
            for way in &all {
                // The dictionary numbers the ways to say a word, from the second one on.
                let variant = if ways == 0 { token.clone() } else { format!("{token}({})", ways + 1) };
                ways += usize::from(self.sphinx.add(&variant, way));
            }
            self.added.insert((word.clone(), *name), (ways > 0).then_some(token));
        }
    }

    /// What was said, of a grammar. `samples` at [`RATE`].
    pub fn recognise(&mut self, grammar: &Grammar, samples: &[i16]) -> Recognition {
        let begun = Instant::now();
        let unclear =
            |begun: Instant| Recognition { heard: Heard::Unclear, nearest: None, score: 0.0, took: begun.elapsed() };
        if !self.prepare(grammar) {
            return unclear(begun);
        }
        let Some(Known { search, phrases }) = self.known.get(grammar) else { return unclear(begun) };
        let samples = resample::to_rate(without_noise(samples), RATE, MODEL_RATE);
        let Some(found) = self.sphinx.decode(search, &samples) else { return unclear(begun) };
        let nearest = found.words.as_ref().and_then(|words| phrases.get(words).copied());
        let Some(Spoken { phrase, sounds: expected }) = nearest else { return unclear(begun) };
        let Some(sounds) = self.sphinx.decode(LOOP, &samples) else { return unclear(begun) };
        let heard = match judge(&found, grammar.is_name(phrase), expected, &sounds) {
            Some(sure) => Heard::Phrase { phrase, sure },
            None => Heard::Unclear,
        };
        let score = f64::from(found.score.saturating_sub(sounds.score)) / f64::from(found.frames.max(1));
        Recognition { heard, nearest: Some(phrase), score, took: begun.elapsed() }
    }
}

/// Why a helper ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Whoever asked is gone, or wrote something else.
    #[error("the server is gone: {0}")]
    Pipe(#[from] io::Error),
    /// So many names were learnt that a new process is better off.
    #[error("so many words were learnt that it is time to begin anew")]
    Full,
}

/// What the helper process does: it answers until its input ends. Says first whether it can.
///
/// # Errors
/// [`ServeError`]
pub fn serve(mut questions: impl Read, mut answers: impl Write) -> Result<(), ServeError> {
    let mut engine = match Engine::load() {
        Ok(engine) => engine,
        Err(why) => return Ok(wire::write(&mut answers, &Answer::Missing(why), &[])?),
    };
    wire::write(&mut answers, &Answer::Ready, &[])?;
    while engine.added.len() < MOST_WORDS {
        let question: Question = wire::read(&mut questions)?;
        let answer = match question.samples {
            0 => {
                engine.prepare(&question.grammar);
                Answer::Prepared
            }
            count => {
                let samples = wire::read_samples(&mut questions, count)?;
                Answer::heard(engine.recognise(&question.grammar, &samples).heard)
            }
        };
        wire::write(&mut answers, &answer, &[])?;
    }
    Err(ServeError::Full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audio, Flite, Voice};

    /// Each phrase is said by flite, and what is none.
    #[test]
    fn what_is_said_is_recognised_and_nothing_else() {
        let (Some(flite), Ok(mut engine)) = (Flite::find(), Engine::load()) else {
            return eprintln!("flite, pocketsphinx or its model is not installed");
        };
        let phrases = ["voice mail", "Anna Svensson", "personal options"];
        let grammar = Grammar::new(phrases);
        let silence = Audio::silence(Duration::from_millis(200));
        let said = |text: &str| Audio::join([&silence, &flite.speak(text).unwrap(), &silence]);
        for (phrase, text) in phrases.iter().enumerate() {
            let recognition = engine.recognise(&grammar, said(text).samples());
            let right = matches!(recognition.heard, Heard::Phrase { phrase: heard, .. } if heard == phrase);
            assert!(right, "{text}: {recognition:?}");
        }
        let other = engine.recognise(&grammar, said("what time does the last train leave").samples());
        assert!(!matches!(other.heard, Heard::Phrase { sure: true, .. }), "{other:?}");
        assert_eq!(engine.recognise(&grammar, &[]).heard, Heard::Unclear);
        assert_eq!(engine.recognise(&grammar, &[0; 16_000]).heard, Heard::Unclear);
        assert_eq!(engine.recognise(&Grammar::new(["1", "?"]), said("next").samples()).heard, Heard::Unclear);
    }
}
