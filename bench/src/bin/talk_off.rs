//! How often is speech taken for a key, a fax machine or an exchange's tone?
//!
//!     cargo run --release -p bench --bin talk_off [MINUTES]
//!
//! The repository's own documents are read aloud by all voices of flite and many of espeak-ng (an hour unless told), brought to
//! telephone quality (8 kHz, 300 to 3400 Hz, A-law) at three levels, and listened to as the UM server does. Prints what was
//! heard that nobody sent, and that keys in the same speech are heard all the same.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measuring tool: it stops where something is wrong

use rtp::{Codec, InbandDetector, InbandKey, LineListener};
use std::collections::BTreeMap;
use std::process::Command;
use tests_foreign::process::{Scratch, repository};

/// Words spoken at a time.
const WORDS: usize = 40;
const KEYS: &str = "0123456789*#";

struct Voice {
    name: String,
    command: Vec<String>,
}

fn voices() -> Vec<Voice> {
    let flite = ["kal", "kal16", "awb", "rms", "slt"].map(|voice| Voice {
        name: format!("flite {voice}"),
        command: ["flite", "-voice", voice, "-f"].map(str::to_owned).to_vec(),
    });
    let espeak =
        ["en-us", "en-gb", "en-gb-scotland", "en-us+f2", "en-us+f4", "en-gb+m3", "en-us+croak", "en-gb+whisper"];
    let pitches = ["30", "55", "80"];
    let espeak = espeak.into_iter().zip(pitches.into_iter().cycle()).map(|(voice, pitch)| Voice {
        name: format!("espeak-ng {voice} at {pitch}"),
        command: ["espeak-ng", "-v", voice, "-p", pitch, "-f"].map(str::to_owned).to_vec(),
    });
    flite.into_iter().chain(espeak).collect()
}

/// Words of the documents, without their marks.
fn words() -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(repository().join("docs")).unwrap().map(|f| f.unwrap().path()).collect();
    files.push(repository().join("README.md"));
    files.push(repository().join("ARCHITECTURE.md"));
    files.sort();
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect();
    text.split(|c: char| !c.is_alphabetic() && c != '\'').filter(|word| word.len() > 1).map(str::to_owned).collect()
}

/// Speech as a telephone brings it, at this level (dB under full scale).
fn spoken(scratch: &Scratch, voice: &Voice, text: &str, gain: &str) -> Vec<i16> {
    let (input, wav, raw) = (scratch.file("text"), scratch.file("speech.wav"), scratch.file("speech.al"));
    std::fs::write(&input, text).unwrap();
    let output = if voice.command[0] == "flite" { "-o" } else { "-w" };
    let said = Command::new(&voice.command[0]).args(&voice.command[1..]).arg(&input).arg(output).arg(&wav).output();
    assert!(said.expect("flite and espeak-ng are installed").status.success(), "{}", voice.name);
    let sox = Command::new("sox")
        .args(["-q", "-V1"])
        .arg(&wav)
        .args(["-t", "al", "-r", "8000", "-c", "1"])
        .arg(&raw)
        .args(["gain", "-n", gain, "sinc", "300-3400"])
        .status();
    assert!(sox.expect("sox is installed").success());
    rtp::decode(Codec::Pcma, &std::fs::read(&raw).unwrap())
}

fn main() {
    let minutes: f64 = std::env::args().nth(1).map_or(60.0, |minutes| minutes.parse().expect("MINUTES is a number"));
    let scratch = Scratch::new("talk-off");
    let (voices, words) = (voices(), words());
    let (mut keys, mut lines) = (BTreeMap::<String, Vec<char>>::new(), Vec::new());
    let (mut seconds, mut sent, mut found) = (0.0, 0, 0);
    let levels = ["-3", "-10", "-20"];
    for turn in 0.. {
        if seconds >= minutes * 60.0 {
            break;
        }
        let voice = &voices[turn % voices.len()];
        let text: Vec<&str> = words.iter().cycle().skip(turn * WORDS).take(WORDS).map(String::as_str).collect();
        let speech = spoken(&scratch, voice, &text.join(" "), levels[turn / voices.len() % levels.len()]);
        seconds += speech.len() as f64 / 8000.0;
        let (mut detector, mut line) = (InbandDetector::new(), LineListener::new());
        detector.listen(&speech, |key| {
            if let InbandKey::Down(key) = key {
                keys.entry(voice.name.clone()).or_default().push(key);
            }
        });
        line.listen(&speech, |signal| lines.push((voice.name.clone(), signal)));
        // A key in a pause of the speech, as callers press them; 60 ms long, 15 dB under the loudest speech.
        let key = KEYS.chars().nth(turn % KEYS.len()).unwrap();
        let mut mixed = vec![0_i16; 400];
        mixed.extend(rtp::key_tone(key, 480).unwrap().iter().map(|sample| sample / 4));
        mixed.extend([0; 400]);
        sent += 1;
        InbandDetector::new().listen(&mixed, |heard| found += usize::from(heard == InbandKey::Down(key)));
    }
    let false_keys: usize = keys.values().map(Vec::len).sum();
    println!("speech: {:.0} minutes, {} voices, levels {levels:?} dB", seconds / 60.0, voices.len());
    println!("false keys: {false_keys} ({:.2} an hour) {keys:?}", false_keys as f64 * 3600.0 / seconds);
    println!("false fax machines and dead lines: {} {lines:?}", lines.len());
    println!("keys of 60 ms that were heard: {found} of {sent}");
}
