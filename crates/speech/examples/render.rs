//! Renders the catalogues: `cargo run -p speech --example render -- prompts` writes a WAV file (G.711 mu-law, 8 kHz) for
//! each fragment that has none, and removes those that no fragment needs, in the folder of each language. `--all` renders
//! every one anew, `--check` only says what is missing. The voices are flite's slt for English, espeak-ng's for others.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

use speech::{Audio, Fragment, Language, Speech, installed};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let Some(directory) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        eprintln!("usage: render DIRECTORY [--all | --check]");
        return ExitCode::FAILURE;
    };
    let mut complete = true;
    for language in Language::ALL {
        let folder = PathBuf::from(directory).join(language.code());
        match render(language, &folder, given("--all"), given("--check")) {
            Ok(done) => complete &= done,
            Err(error) => {
                eprintln!("{}: {error}", folder.display());
                return ExitCode::FAILURE;
            }
        }
    }
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn render(language: Language, directory: &PathBuf, all: bool, check: bool) -> io::Result<bool> {
    let fragments = Speech::fragments(language).map_err(io::Error::other)?;
    let wanted: BTreeSet<String> = fragments.iter().map(|fragment| format!("{}.wav", fragment.file)).collect();
    let there: BTreeSet<String> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .filter(|name| name.as_ref().is_ok_and(|name| name.ends_with(".wav")))
        .collect::<Result<_, _>>()?;

    let missing: Vec<&Fragment> =
        fragments.iter().filter(|f| all || !there.contains(&format!("{}.wav", f.file))).collect();
    let stale: Vec<&String> = there.difference(&wanted).collect();
    if check {
        missing.iter().for_each(|fragment| println!("missing: {}", fragment.text));
        stale.iter().for_each(|name| println!("needless: {name}"));
        return Ok(missing.is_empty() && stale.is_empty());
    }

    let voice =
        installed(language).ok_or_else(|| io::Error::other("no voice is installed (apt install flite espeak-ng)"))?;
    let mut bytes = 0;
    for fragment in &missing {
        let spoken = voice.speak(&fragment.spoken).map_err(io::Error::other)?;
        let file = Audio::join([&spoken, &rest_after(&fragment.text)]).to_mulaw_wav();
        bytes += file.len();
        fs::write(directory.join(format!("{}.wav", fragment.file)), file)?;
    }
    for name in &stale {
        fs::remove_file(directory.join(name))?;
    }
    let code = language.code();
    println!(
        "{code}: {} rendered ({} kB), {} removed, {} in all",
        missing.len(),
        bytes / 1000,
        stale.len(),
        wanted.len()
    );
    Ok(true)
}

/// The breath that a speaker takes after what ends a sentence or a clause.
fn rest_after(text: &str) -> Audio {
    let milliseconds = match text.chars().last() {
        Some('.' | '!' | '?' | ':') => 250,
        Some(',' | ';') => 100,
        _ => 0,
    };
    Audio::silence(std::time::Duration::from_millis(milliseconds))
}
