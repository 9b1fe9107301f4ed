//! How well spoken commands are understood: every command of the dialogues' own menus, and sentences that are none, said by
//! synthetic voices over a telephone line (G.711, 8 kHz), clean and with noise. Prints the tables of bench/README.md.
//!
//! Voices that the thresholds were chosen with and voices that they were not are counted apart.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a program of figures: what goes wrong ends it

use rtp::Codec;
use speech::recognition::{Engine, Grammar, Heard};
use speech::{Audio, Espeak, Flite, Voice};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Those that the thresholds were chosen with.
const TUNED: [&str; 4] = ["flite slt", "flite kal", "espeak-ng en-us", "espeak-ng en-us+f2"];
/// And those that they were not.
const OTHERS: [&str; 5] =
    ["flite rms", "flite awb", "espeak-ng en-gb", "espeak-ng en-us+f4", "espeak-ng en-gb-scotland"];

/// None of them is a command, nor is a command in it.
const NONE: [&str; 40] = [
    "the weather is nice today",
    "I would like to order a pizza",
    "what time is it",
    "can you hear me",
    "where is my car",
    "hello",
    "who is this",
    "my name is John",
    "let me think about it",
    "well I do not care",
    "somebody is at the door",
    "the train leaves at nine",
    "please hold the line",
    "seventeen hundred dollars",
    "blue bananas are rare",
    "just a moment please",
    "oh dear",
    "um",
    "we should meet tomorrow",
    "close the window",
    "turn the radio off",
    "coffee with milk",
    "what did you say",
    "thank you very much",
    "it was raining all night",
    "give me a second",
    "did you see the game",
    "my dog ate the paper",
    "good morning everyone",
    "banana",
    "I am in a meeting",
    "that is too expensive",
    "turn left at the corner",
    "see you on Monday",
    "there is a lot of traffic",
    "put it on the table",
    "how are the children",
    "green",
    "sixty four",
    "I have to go now",
];

/// Signal to noise, in dB; none: a quiet line.
const LINES: [Option<f32>; 3] = [None, Some(20.0), Some(10.0)];

fn voice(name: &'static str) -> Option<Box<dyn Voice>> {
    match name.split_once(' ') {
        Some(("flite", voice)) => Flite::speaking_as(voice).map(|voice| Box::new(voice) as Box<dyn Voice>),
        Some((_, voice)) => Espeak::speaking_as(voice).map(|voice| Box::new(voice) as Box<dyn Voice>),
        None => None,
    }
}

/// White noise from a seed, so that two runs hear the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        // The sum of a few evenly spread ones is nearly a bell curve of variance 1.
        let mut even = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..12).map(|_| even()).sum()
    }
}

/// As a telephone line brings it: silence around it, noise, mu-law.
fn line(audio: &Audio, snr: Option<f32>, noise: &mut Noise) -> Vec<i16> {
    let speech = audio.samples();
    let loud: Vec<f32> = speech.iter().map(|sample| f32::from(*sample)).filter(|sample| sample.abs() > 300.0).collect();
    let power = loud.iter().map(|sample| sample * sample).sum::<f32>() / loud.len().max(1) as f32;
    let level = snr.map_or(8.0, |snr| (power / 10_f32.powf(snr / 10.0)).sqrt());
    let padded = std::iter::repeat_n(0, 2_400).chain(speech.iter().copied()).chain(std::iter::repeat_n(0, 800));
    let samples: Vec<i16> =
        padded.map(|sample| (f32::from(sample) + noise.next() * level).clamp(-32_000.0, 32_000.0) as i16).collect();
    rtp::decode(Codec::Pcmu, &rtp::encode(Codec::Pcmu, &samples))
}

/// Time that this thread has had a processor.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

#[derive(Default)]
struct Count {
    said: usize,
    at_once: usize,
    asked: usize,
    /// Something else was asked for.
    asked_wrong: usize,
    /// Something else was done.
    done_wrong: usize,
    none: usize,
    none_asked: usize,
    none_done: usize,
}

fn percent(part: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of.max(1) as f64)
}

fn main() {
    let begun = Instant::now();
    let mut engine = match Engine::load() {
        Ok(engine) => engine,
        Err(why) => return eprintln!("voice_accuracy: {why}"),
    };
    println!("PocketSphinx and its model are loaded in {} ms\n", begun.elapsed().as_millis());
    let menus: Vec<(&str, Grammar, Vec<String>)> =
        um::spoken_menus().into_iter().map(|(name, phrases)| (name, Grammar::new(&phrases), phrases)).collect();
    for (_, grammar, _) in &menus {
        engine.prepare(grammar);
    }
    let (mut walls, mut cpus, mut spoken) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut confused: BTreeMap<String, usize> = BTreeMap::new();
    println!(
        "| voices | line | commands | right at once | right, asked first | asked for another | did another | not understood | none of them | did one | asked for one |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (kind, voices) in [("tuned on", &TUNED[..]), ("others", &OTHERS[..])] {
        for snr in LINES {
            let mut count = Count::default();
            for name in voices {
                let Some(voice) = voice(name) else { continue };
                let mut noise = Noise(7);
                for (number, (menu, grammar, phrases)) in menus.iter().enumerate() {
                    let commands = phrases.iter().enumerate().map(|(place, words)| (Some(place), words.as_str()));
                    // Each sentence in one of the menus.
                    let others = NONE.iter().skip(number).step_by(menus.len()).map(|sentence| (None, *sentence));
                    for (wanted, text) in commands.chain(others) {
                        let Ok(audio) = voice.speak(text) else { continue };
                        let samples = line(&audio, snr, &mut noise);
                        let before = cpu();
                        let recognition = engine.recognise(grammar, &samples);
                        cpus.push(cpu().saturating_sub(before));
                        walls.push(recognition.took);
                        spoken += audio.duration();
                        let heard = match recognition.heard {
                            Heard::Phrase { phrase, sure } => Some((phrase, sure)),
                            Heard::Unclear => None,
                        };
                        match (wanted, heard) {
                            (Some(wanted), heard) => {
                                count.said += 1;
                                // Words that two keys have, of which a menu offers one or the other, are the same words.
                                match heard {
                                    Some((phrase, true)) if phrases[phrase] == phrases[wanted] => count.at_once += 1,
                                    Some((phrase, false)) if phrases[phrase] == phrases[wanted] => count.asked += 1,
                                    Some((phrase, sure)) => {
                                        *(if sure { &mut count.done_wrong } else { &mut count.asked_wrong }) += 1;
                                        let other = &phrases[phrase];
                                        *confused.entry(format!("{menu}: {text} as {other}")).or_default() += 1;
                                    }
                                    None => {}
                                }
                            }
                            (None, heard) => {
                                count.none += 1;
                                match heard {
                                    Some((_, true)) => count.none_done += 1,
                                    Some((_, false)) => count.none_asked += 1,
                                    None => {}
                                }
                            }
                        }
                    }
                }
            }
            let line = snr.map_or("clean".to_owned(), |snr| format!("{snr} dB"));
            let understood = count.at_once + count.asked + count.asked_wrong + count.done_wrong;
            println!(
                "| {kind} | {line} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                count.said,
                percent(count.at_once, count.said),
                percent(count.asked, count.said),
                percent(count.asked_wrong, count.said),
                percent(count.done_wrong, count.said),
                percent(count.said - understood, count.said),
                count.none,
                percent(count.none_done, count.none),
                percent(count.none_asked, count.none),
            );
        }
    }
    walls.sort();
    cpus.sort();
    let at = |times: &[Duration], part: f64| times[((times.len() - 1) as f64 * part) as usize].as_millis();
    println!("\n{} utterances, {:.1} s each on average", walls.len(), spoken.as_secs_f64() / walls.len() as f64);
    println!(
        "recognised in: median {} ms, 95 % {} ms, longest {} ms",
        at(&walls, 0.5),
        at(&walls, 0.95),
        at(&walls, 1.0)
    );
    println!("CPU: median {} ms, 95 % {} ms, longest {} ms", at(&cpus, 0.5), at(&cpus, 0.95), at(&cpus, 1.0));
    let mut confused: Vec<_> = confused.into_iter().collect();
    confused.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    for (what, times) in confused.iter().take(12) {
        println!("taken for another {times} times: {what}");
    }
}
