//! Texts that are read out: in parts of a few sentences, each spoken while the one before it is heard, so that a long mail begins as
//! soon as a short one. The [player](super::player) moves in them as in a message.

use super::caller::{Caller, RequestId};
use super::player::{Reel, Silent};
use speech::{Audio, Language};
use std::sync::Arc;

/// Characters of a part: half a minute of speech at most.
const PART: usize = 300;
/// Of the first part, which is waited for.
const FIRST: usize = 120;

/// A text in a language.
pub(super) struct Text {
    parts: Vec<Part>,
    language: Language,
}

struct Part {
    text: String,
    being_spoken: Option<RequestId>,
    audio: Option<Arc<Audio>>,
}

impl Text {
    pub(super) fn new(text: &str, language: Language) -> Text {
        let part = |text| Part { text, being_spoken: None, audio: None };
        Text { parts: parts_of(text).into_iter().map(part).collect(), language }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Has the first part spoken, while something else is said.
    pub(super) fn begin(&mut self, caller: &Caller) {
        self.request(caller, 0);
    }

    fn request(&mut self, caller: &Caller, place: usize) {
        if let Some(part) = self.parts.get_mut(place)
            && part.audio.is_none()
            && part.being_spoken.is_none()
        {
            part.being_spoken = Some(caller.begin_to_speak(&part.text, self.language));
        }
    }
}

impl Reel for Text {
    async fn part(&mut self, caller: &Caller, place: usize) -> Option<Result<Arc<Audio>, Silent>> {
        self.request(caller, place);
        let part = self.parts.get_mut(place)?;
        if let Some(id) = part.being_spoken.take() {
            part.audio = caller.spoken(id).await;
        }
        let audio = part.audio.clone();
        self.request(caller, place + 1);
        // What is heard, and its neighbours: a long text is not kept whole as sound.
        for (other, part) in self.parts.iter_mut().enumerate() {
            if other.abs_diff(place) > 1 {
                part.audio = None;
            }
        }
        Some(audio.ok_or(Silent))
    }
}

/// A text in parts, which end where a sentence does, else at a space, else anywhere.
fn parts_of(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let mut parts = Vec::new();
    let mut part = String::new();
    for word in words.into_iter().flat_map(|word| chunks(word, PART)) {
        let longest = if parts.is_empty() { FIRST } else { PART };
        let length = part.chars().count();
        let sentence_ends = part.ends_with(['.', '!', '?', ':']);
        if length > 0 && (length + word.chars().count() >= longest || sentence_ends && length > longest / 2) {
            parts.push(std::mem::take(&mut part));
        }
        if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(word);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// A word that is longer than any part, such as a link, in pieces.
fn chunks(word: &str, longest: usize) -> Vec<&str> {
    let mut rest = word;
    let mut chunks = Vec::new();
    while let Some((at, _)) = rest.char_indices().nth(longest) {
        let (chunk, after) = rest.split_at(at);
        chunks.push(chunk);
        rest = after;
    }
    chunks.push(rest);
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parted_between_sentences_and_nothing_of_it_is_lost() {
        let sentence = "Here is a sentence of nine words and an end. ";
        let parts = parts_of(&sentence.repeat(40));
        assert!(parts.len() > 4 && parts.iter().all(|part| part.ends_with("end.")), "{parts:?}");
        assert!(parts[0].chars().count() <= FIRST && parts.iter().all(|part| part.chars().count() <= PART));
        assert_eq!(parts.join(" "), sentence.repeat(40).trim());
    }

    #[test]
    fn what_has_no_sentences_is_parted_all_the_same() {
        let words = parts_of(&"word ".repeat(500));
        assert!(words.iter().all(|part| part.chars().count() <= PART) && words.join(" ").len() == 2499);
        let link = parts_of(&"å".repeat(1000));
        assert!(link.len() >= 4 && link.iter().all(|part| part.chars().count() <= PART));
        assert_eq!(parts_of(" \n -- ** \n"), [""; 0], "a line of dashes is no text");
    }
}
