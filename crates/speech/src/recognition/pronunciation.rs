//! How words sound that the recogniser's dictionary lacks, names above all: espeak-ng's phonemes, as those of ARPAbet that
//! come nearest.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long espeak-ng may take for all words of a grammar, on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes that are read of its answer.
const MAX_OUTPUT: u64 = 1 << 18;
/// Sounds in a word.
const MOST_SOUNDS: usize = 60;

/// The languages in which a name is read out: callers say a Swede's name as Swedes do, or as it is written in theirs.
/// Finnish reads out what is written, letter by letter, and stands for all languages that do.
const VOICES: [&str; 4] = ["en-us", "sv", "de", "fi"];

/// The pronunciations of words, each as ARPAbet phonemes with spaces between; without espeak-ng none.
pub(super) fn pronounce<'a>(words: &[&'a str]) -> BTreeMap<&'a str, Vec<String>> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for voice in VOICES {
        let Some(lines) = phonemes(voice, words) else { continue };
        for (word, line) in words.iter().zip(lines) {
            let Some(sounds) = arpabet(&line) else { continue };
            let ways = found.entry(word).or_default();
            if !ways.contains(&sounds) {
                ways.push(sounds);
            }
        }
    }
    found
}

/// A line of IPA for each word; `None`: espeak-ng is not there, or did not do as it was told.
fn phonemes(voice: &str, words: &[&str]) -> Option<Vec<String>> {
    let mut child = Command::new("espeak-ng")
        .args(["-q", "--ipa", "-v", voice])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let stdout = child.stdout.take()?;
    // A sentence each, so that each has a line of its own.
    let text: String = words.iter().map(|word| format!("{word}.\n\n")).collect();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        // It may write before it has read all.
        std::thread::spawn(move || {
            let _ = stdin.write_all(text.as_bytes());
        });
        let mut answer = String::new();
        let read = stdout.take(MAX_OUTPUT).read_to_string(&mut answer);
        let _ = send.send(read.map(|_| answer));
    });
    let answer = receive.recv_timeout(TIMEOUT);
    let _ = child.kill();
    let _ = child.wait();
    let answer = answer.ok()?.ok()?;
    let lines: Vec<String> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    (lines.len() == words.len()).then_some(lines)
}

/// IPA as espeak-ng writes it for English and Swedish. Longest first where one begins with another.
const SOUNDS: &[(&str, &str)] = &[
    ("tʃ", "CH"),
    ("dʒ", "JH"),
    ("aɪə", "AY ER"),
    ("aɪ", "AY"),
    ("aʊ", "AW"),
    ("eɪ", "EY"),
    ("oʊ", "OW"),
    ("əʊ", "OW"),
    ("ɔɪ", "OY"),
    ("ɪə", "IH R"),
    ("eə", "EH R"),
    ("ʊə", "UH R"),
    ("ɑːɹ", "AA R"),
    ("ɔːɹ", "AO R"),
    ("ɜːɹ", "ER"),
    ("ɜː", "ER"),
    ("ɚ", "ER"),
    ("əl", "AH L"),
    ("ɑ", "AA"),
    ("a", "AA"),
    ("æ", "AE"),
    ("ʌ", "AH"),
    ("ɐ", "AH"),
    ("ə", "AH"),
    ("ɵ", "UH"),
    ("ᵻ", "IH"),
    ("ɔ", "AO"),
    ("ɒ", "AA"),
    ("o", "OW"),
    ("ɛ", "EH"),
    ("e", "EH"),
    ("ɜ", "ER"),
    ("ɪ", "IH"),
    ("i", "IY"),
    ("y", "UW"),
    ("ʏ", "UH"),
    ("ø", "ER"),
    ("œ", "ER"),
    ("ʊ", "UH"),
    ("u", "UW"),
    ("ʉ", "UW"),
    ("b", "B"),
    ("d", "D"),
    ("ɖ", "D"),
    ("ð", "DH"),
    ("f", "F"),
    ("g", "G"),
    ("ɡ", "G"),
    ("h", "HH"),
    ("ɦ", "HH"),
    ("x", "HH"),
    ("ɧ", "SH"),
    ("ç", "HH"),
    ("j", "Y"),
    ("k", "K"),
    ("l", "L"),
    ("ɫ", "L"),
    ("ɭ", "L"),
    ("m", "M"),
    ("n", "N"),
    ("ɳ", "N"),
    ("ɲ", "N Y"),
    ("ŋ", "NG"),
    ("p", "P"),
    ("r", "R"),
    ("ɹ", "R"),
    ("ɾ", "D"),
    ("ʀ", "R"),
    ("ʁ", "R"),
    ("s", "S"),
    ("ʂ", "SH"),
    ("ʃ", "SH"),
    ("ɕ", "SH"),
    ("t", "T"),
    ("ʈ", "T"),
    ("θ", "TH"),
    ("v", "V"),
    ("w", "W"),
    ("z", "Z"),
    ("ʒ", "ZH"),
    ("ʔ", ""),
];

/// A word's phonemes; `None`: nothing in it has a sound that is known. Stress and length are passed over, as is what no
/// table could foresee.
fn arpabet(ipa: &str) -> Option<String> {
    let mut sounds: Vec<&str> = Vec::new();
    let plain: String = ipa.chars().filter(|c| !"ˈˌ ̩".contains(*c)).collect();
    let mut rest = plain.as_str();
    while !rest.is_empty() && sounds.len() < MOST_SOUNDS {
        match SOUNDS.iter().find(|(sound, _)| rest.starts_with(sound)) {
            Some((sound, phonemes)) => {
                for phoneme in phonemes.split_whitespace() {
                    // A doubled consonant is one sound, held longer.
                    if sounds.last() != Some(&phoneme) {
                        sounds.push(phoneme);
                    }
                }
                rest = rest.strip_prefix(sound).unwrap_or_default();
            }
            None => {
                let mut letters = rest.chars();
                letters.next();
                rest = letters.as_str();
            }
        }
    }
    (!sounds.is_empty()).then(|| sounds.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phonemes_of_both_languages_become_arpabet() {
        for (ipa, sounds) in [
            ("bjˈɜːn", "B Y ER N"),
            ("bjˈœrn", "B Y ER R N"),
            ("ˈeɪkɛsən", "EY K EH S AH N"),
            ("ˈoːkəsˌɔn", "OW K AH S AO N"),
            ("zˈaɪləfˌoʊn", "Z AY L AH F OW N"),
            ("dʒˈɑːn", "JH AA N"),
            ("ksˈyːlɔphˌuːnə", "K S UW L AO P HH UW N AH"),
        ] {
            assert_eq!(arpabet(ipa).as_deref(), Some(sounds), "{ipa}");
        }
        assert_eq!(arpabet("ˈˌ"), None);
        assert_eq!(arpabet("日本"), None);
    }

    #[test]
    fn names_are_read_out_in_both_languages() {
        if super::super::super::Espeak::find(crate::Language::English).is_none() {
            return eprintln!("espeak-ng is not installed");
        }
        let found = pronounce(&["björn", "åkesson", "anna"]);
        assert_eq!(found["björn"][..2], ["B Y ER N", "B Y ER R N"]);
        assert_eq!(found["åkesson"][..2], ["EY K EH S AH N", "OW K AH S AO N"]);
        assert!(found["anna"].iter().any(|way| way == "AA N AA"), "{:?}", found["anna"]);
    }
}
