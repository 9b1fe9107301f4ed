//! Text to speech by programs that are installed: flite and espeak-ng, run as child processes without a shell.

use std::env;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::audio::Audio;
use crate::language::Language;
use crate::synthesis::{SynthesisError, Voice};

/// How long a program may take for one text.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes that are read from it: two minutes at 22 kHz.
const MAX_OUTPUT: u64 = 6_000_000;
/// Longest text handed over, in characters.
const MAX_TEXT: usize = 1_000;

/// flite, as a rule with the voice that also speaks the shipped prompts.
pub struct Flite {
    program: PathBuf,
    voice: &'static str,
}

/// espeak-ng, as a rule with a language's voice.
pub struct Espeak {
    program: PathBuf,
    voice: &'static str,
}

impl Flite {
    /// flite, where it is in `PATH`.
    pub fn find() -> Option<Flite> {
        Flite::speaking_as("slt")
    }

    /// The same with another of its voices (`flite -lv`).
    pub fn speaking_as(voice: &'static str) -> Option<Flite> {
        find("flite").map(|program| Flite { program, voice })
    }
}

impl Espeak {
    /// espeak-ng, where it is in `PATH`.
    pub fn find(language: Language) -> Option<Espeak> {
        Espeak::speaking_as(match language {
            Language::English => "en-us",
            Language::Swedish => "sv",
        })
    }

    /// The same with any of its voices (`espeak-ng --voices`).
    pub fn speaking_as(voice: &'static str) -> Option<Espeak> {
        find("espeak-ng").map(|program| Espeak { program, voice })
    }
}

impl Voice for Flite {
    fn name(&self) -> &str {
        match self.voice {
            "slt" => "flite (slt)",
            other => other,
        }
    }

    fn speak(&self, text: &str) -> Result<Audio, SynthesisError> {
        // Flite reads bytes as ASCII; a letter it does not know would be spelled out as two.
        let text: String = clean(text).chars().flat_map(folded).collect();
        run(&self.program, &["-voice", self.voice, "-t", &text, "-o", "/dev/stdout"], None)
    }
}

impl Voice for Espeak {
    fn name(&self) -> &str {
        match self.voice {
            "en-us" => "espeak-ng (en-us)",
            "sv" => "espeak-ng (sv)",
            other => other,
        }
    }

    fn speak(&self, text: &str) -> Result<Audio, SynthesisError> {
        run(&self.program, &["-v", self.voice, "-s", "155", "--stdin", "--stdout"], Some(clean(text)))
    }
}

/// One line of bounded length, without control characters.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect()
}

/// The ASCII letters that sound nearest, for the letters of Europe's names.
fn folded(letter: char) -> impl Iterator<Item = char> {
    let near = match letter {
        'å' => "aw",
        'Å' => "Aw",
        'ä' | 'æ' => "e",
        'Ä' | 'Æ' => "E",
        'ö' | 'ø' => "u",
        'Ö' | 'Ø' => "U",
        'ü' => "u",
        'Ü' => "U",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' => "a",
        'À' | 'Á' | 'Â' | 'Ã' => "A",
        'ç' | 'č' | 'ć' => "ch",
        'è' | 'é' | 'ê' | 'ë' | 'ę' => "e",
        'È' | 'É' | 'Ê' | 'Ë' => "E",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' => "I",
        'ñ' => "ny",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'Ò' | 'Ó' | 'Ô' | 'Õ' => "O",
        'š' | 'ś' => "sh",
        'Š' | 'Ś' => "Sh",
        'ù' | 'ú' | 'û' => "u",
        'Ù' | 'Ú' | 'Û' => "U",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "zh",
        'ł' => "w",
        'Ł' => "W",
        '’' => "'",
        _ => "",
    };
    let own = if near.is_empty() { Some(letter) } else { None };
    near.chars().chain(own)
}

fn find(program: &str) -> Option<PathBuf> {
    let runnable =
        |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(program)).find(runnable)
}

/// Runs the program and reads the WAV that it writes.
fn run(program: &Path, arguments: &[&str], input: Option<String>) -> Result<Audio, SynthesisError> {
    let start = |error: std::io::Error| SynthesisError::Start(format!("{}: {error}", program.display()));
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(start)?;
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        // At most a few kB: it fits into the pipe whether or not the program reads. A broken pipe shows as no sound.
        let _ = stdin.write_all(text.as_bytes());
    }
    let Some(stdout) = child.stdout.take() else {
        return Err(SynthesisError::NoSound("no output".into()));
    };
    // The pipe is read on a thread of its own, so that a program that hangs can be told from one that speaks.
    let (send, receive) = mpsc::channel();
    let reader = thread::Builder::new().name("speech-pipe".into()).spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(MAX_OUTPUT).read_to_end(&mut bytes);
        let _ = send.send(read.map(|_| bytes));
    });
    let output = match reader {
        Ok(_) => receive.recv_timeout(TIMEOUT),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(SynthesisError::Start(error.to_string()));
        }
    };
    // Whatever it does now: its sound is here or will not be wanted. `wait` leaves no zombie.
    let _ = child.kill();
    let _ = child.wait();
    let bytes = match output {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(SynthesisError::NoSound(error.to_string())),
        Err(_) => return Err(SynthesisError::TooLong),
    };
    let audio = Audio::from_wav(&bytes).map_err(|error| SynthesisError::NoSound(error.to_string()))?;
    let audio = audio.trimmed().levelled();
    if audio.is_empty() {
        return Err(SynthesisError::NoSound("silence".into()));
    }
    Ok(audio)
}

/// The best voice for a language among those that are installed; prompts are rendered with it, too.
pub fn installed(language: Language) -> Option<Arc<dyn Voice>> {
    let flite = || Flite::find().map(|flite| Arc::new(flite) as Arc<dyn Voice>);
    let espeak = || Espeak::find(language).map(|espeak| Arc::new(espeak) as Arc<dyn Voice>);
    match language {
        Language::English => flite().or_else(espeak),
        // flite speaks English only.
        Language::Swedish => espeak(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A program of this text; it is gone with the folder.
    fn program(folder: &tempfile::TempDir, name: &str, script: &str) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_program_that_dies_says_nothing_or_writes_noise_is_an_error_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in [
            ("dies", "exit 1"),
            ("killed", "kill -9 $$"),
            ("silent", "cat >/dev/null"),
            ("noise", "head -c 100000 /dev/urandom"),
            ("cut", "printf 'RIFF\\377\\377\\377\\377WAVEfmt '"),
        ] {
            let result = run(&program(&folder, name, script), &[], Some("Kerstin Dahl".into()));
            assert!(matches!(result, Err(SynthesisError::NoSound(_))), "{name}: {result:?}");
        }
        let missing = run(&folder.path().join("missing"), &[], None);
        assert!(matches!(missing, Err(SynthesisError::Start(_))), "{missing:?}");
    }

    #[test]
    fn a_program_that_hangs_is_given_up_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let result = run(&program(&folder, "hangs", "exec sleep 60"), &[], None);
        assert!(matches!(result, Err(SynthesisError::TooLong)), "{result:?}");
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    /// A figure (bench/README.md): how long a name takes that was never spoken.
    #[test]
    fn a_new_name_is_spoken_soon() {
        for language in Language::ALL {
            let Some(voice) = installed(language) else { continue };
            let mut took: Vec<Duration> = ["Kerstin Öberg", "Aurélien Lefèvre", "Padraig O'Shaughnessy", "Jan Åström"]
                .into_iter()
                .map(|name| {
                    let began = Instant::now();
                    voice.speak(name).unwrap();
                    began.elapsed()
                })
                .collect();
            took.sort();
            println!("{}: {took:?}", voice.name());
        }
    }
}
