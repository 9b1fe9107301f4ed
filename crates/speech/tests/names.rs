//! Names that the recogniser's English dictionary lacks, said by voices of their own languages.

use speech::recognition::{Engine, Grammar, Heard};
use speech::{Audio, Espeak, Voice};
use std::time::Duration;

const NAMES: [(&str, &str); 12] = [
    ("sv", "Björn Åkesson"),
    ("sv", "Ingvild Bjørnstad"),
    ("sv", "Göran Sjöström"),
    ("sv", "Åsa Lindqvist"),
    ("de", "Jürgen Groß"),
    ("de", "Käthe Schröder"),
    ("de", "Heinz Pfeiffer"),
    ("fi", "Päivi Mäkelä"),
    ("fi", "Jukka Virtanen"),
    ("fi", "Aino Hämäläinen"),
    ("en-us", "Katarzyna Østergård"),
    ("en-us", "Björn Åkesson"),
];

#[test]
fn names_that_the_dictionary_lacks_are_understood_in_their_own_languages() {
    let (Ok(mut engine), Some(_)) = (Engine::load(), Espeak::speaking_as("sv")) else {
        return eprintln!("pocketsphinx, its model or espeak-ng is not installed");
    };
    let grammar = Grammar::with_names(NAMES.map(|(_, name)| (name, true)));
    let silence = Audio::silence(Duration::from_millis(300));
    let mut understood = 0;
    let mut others = Vec::new();
    for (language, name) in NAMES {
        let voice = Espeak::speaking_as(language).unwrap();
        let said = Audio::join([&silence, &voice.speak(name).unwrap(), &silence]);
        let recognition = engine.recognise(&grammar, said.samples());
        match recognition.heard {
            Heard::Phrase { phrase, .. } if NAMES[phrase].1 == name => understood += 1,
            Heard::Phrase { sure: true, .. } => others.push((name, recognition)),
            _ => println!("{name}: {recognition:?}"),
        }
    }
    assert!(others.is_empty(), "taken for another, surely: {others:?}");
    assert!(understood >= 9, "{understood} of {} were understood", NAMES.len());
}
