//! What may be said: phrases, and the forms of them that PocketSphinx reads.

use serde::{Deserialize, Serialize};

/// Phrases in a grammar; more are left out.
const MOST_PHRASES: usize = 400;
/// Words in a phrase.
const MOST_WORDS: usize = 8;

/// The phrases that a caller may say now. Which one was said is told by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grammar {
    phrases: Vec<Spoken>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Spoken {
    /// In small letters.
    words: Vec<String>,
    /// Whether they are read out in other languages, too.
    name: bool,
}

impl Grammar {
    /// English, written as one reads it; what cannot be spoken in a phrase is left out of it.
    pub fn new<T: AsRef<str>>(phrases: impl IntoIterator<Item = T>) -> Grammar {
        Grammar::with_names(phrases.into_iter().map(|phrase| (phrase, false)))
    }

    /// The same, some of which are names: people say them in any language.
    pub fn with_names<T: AsRef<str>>(phrases: impl IntoIterator<Item = (T, bool)>) -> Grammar {
        let phrases = phrases.into_iter().take(MOST_PHRASES);
        Grammar { phrases: phrases.map(|(phrase, name)| Spoken { words: words(phrase.as_ref()), name }).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.phrases.iter().all(|phrase| phrase.words.is_empty())
    }

    pub fn len(&self) -> usize {
        self.phrases.len()
    }

    /// The words of a phrase, with a space between.
    pub fn phrase(&self, place: usize) -> Option<String> {
        self.phrases.get(place).map(|phrase| phrase.words.join(" "))
    }

    pub(super) fn is_name(&self, place: usize) -> bool {
        self.phrases.get(place).is_some_and(|phrase| phrase.name)
    }

    /// Each word, and whether it is of a name.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, bool)> {
        self.phrases.iter().flat_map(|phrase| phrase.words.iter().map(|word| (word.as_str(), phrase.name)))
    }

    /// As a JSpeech grammar, with what a word, of a name or not, is called in the recogniser's dictionary.
    pub(super) fn jsgf(&self, token: impl Fn(&str, bool) -> Option<String>) -> Vec<(usize, String)> {
        let spoken = self.phrases.iter().enumerate().filter(|(_, phrase)| !phrase.words.is_empty());
        let spoken = spoken.filter_map(|(place, phrase)| {
            let tokens: Option<Vec<String>> = phrase.words.iter().map(|word| token(word, phrase.name)).collect();
            Some((place, tokens?.join(" ")))
        });
        spoken.collect()
    }
}

fn words(phrase: &str) -> Vec<String> {
    let lower = phrase.to_lowercase();
    let letters = |word: &str| word.chars().filter(|c| c.is_alphabetic() || *c == '\'').take(40).collect::<String>();
    let words = lower.split(|c: char| c.is_whitespace() || c == '-' || c == '/').map(letters);
    words.filter(|word| word.chars().any(char::is_alphabetic)).take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_words_in_small_letters() {
        let grammar = Grammar::new(["Voice mail", "Björn Åkesson", "Jean-Luc O'Brien", "24/7;", "a|b <c>"]);
        let phrases: Vec<_> = (0..5).map(|place| grammar.phrase(place).unwrap()).collect();
        assert_eq!(phrases, ["voice mail", "björn åkesson", "jean luc o'brien", "", "ab c"]);
        assert!(!grammar.is_empty() && Grammar::new(["1", "2"]).is_empty());
    }

    #[test]
    fn phrases_with_a_word_that_has_no_sounds_are_left_out_and_places_stay() {
        let grammar = Grammar::new(["next", "xx next", "delete"]);
        let lines = grammar.jsgf(|word, _| (word != "xx").then(|| word.to_owned()));
        assert_eq!(lines, [(0, "next".to_owned()), (2, "delete".to_owned())]);
    }

    #[test]
    fn a_grammar_has_an_end() {
        assert_eq!(Grammar::new(vec!["word"; 10_000]).len(), MOST_PHRASES);
        assert_eq!(Grammar::new(["a ".repeat(100)]).phrase(0).unwrap().split(' ').count(), MOST_WORDS);
    }
}
