//! Text to speech: off the caller's thread, once a text, and never in the way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use speech::{Audio, Choice, Options, Person, Phrase, Prompt, Speech, SynthesisError, Value, Voice};

/// A back end that speaks when the test lets it: `allow` gets what the next text becomes.
struct Scripted {
    allowed: Mutex<Receiver<Result<Audio, SynthesisError>>>,
    spoken: AtomicUsize,
}

impl Voice for Scripted {
    fn name(&self) -> &str {
        "a script"
    }

    fn speak(&self, _: &str) -> Result<Audio, SynthesisError> {
        self.spoken.fetch_add(1, Ordering::SeqCst);
        self.allowed.lock().unwrap().recv().unwrap_or(Err(SynthesisError::TooLong))
    }
}

type Allow = Sender<Result<Audio, SynthesisError>>;

fn scripted() -> (Speech, Allow, Arc<Scripted>) {
    let (allow, allowed) = channel();
    let voice = Arc::new(Scripted { allowed: Mutex::new(allowed), spoken: AtomicUsize::new(0) });
    let options = Options { voice: Choice::Voice(voice.clone()), ..Options::default() };
    (Speech::open(options).unwrap(), allow, voice)
}

fn name() -> Audio {
    Audio::from_samples(vec![9; 4_000])
}

fn stranger() -> Phrase {
    Prompt::Hello.with("name", Person::new("Nobody Known", "27002"))
}

#[test]
fn what_is_at_hand_is_said_at_once_on_the_callers_thread() {
    let (speech, _allow, voice) = scripted();
    let here = std::thread::current().id();
    let (said, heard) = channel();
    speech.say_when_ready(vec![Prompt::Welcome.into(), Prompt::CountNew.with("count", 3)], move |audio| {
        said.send((std::thread::current().id(), audio.len())).unwrap();
    });
    assert_eq!(heard.try_recv(), Ok((here, 4)));
    assert_eq!(voice.spoken.load(Ordering::SeqCst), 0);
}

#[test]
fn a_name_is_waited_for_elsewhere_and_then_at_hand() {
    let (speech, allow, voice) = scripted();
    let (said, heard) = channel();
    speech.say_when_ready(vec![stranger()], move |audio| said.send(audio).unwrap());
    assert!(heard.try_recv().is_err());
    allow.send(Ok(name())).unwrap();
    let audio = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(audio.iter().any(|piece| **piece == name()));
    assert!(speech.is_ready(&[stranger()]));
    assert!(speech.say(&[stranger()]).iter().any(|piece| **piece == name()));
    assert_eq!(voice.spoken.load(Ordering::SeqCst), 1);
}

#[test]
fn a_name_that_is_not_there_yet_is_the_extension_now_and_the_name_next_time() {
    let (speech, allow, _voice) = scripted();
    let person = || Value::Person(Person::new("Nobody Known", "27002")).into();
    assert_eq!(speech.say(&[person()]).len(), 5);
    let (said, heard) = channel();
    speech.say_when_ready(vec![person()], move |audio| said.send(audio.len()).unwrap());
    allow.send(Ok(name())).unwrap();
    assert_eq!(heard.recv_timeout(Duration::from_secs(10)), Ok(1));
}

#[test]
fn a_back_end_that_fails_leaves_the_extension() {
    let (speech, allow, _voice) = scripted();
    let (said, heard) = channel();
    speech.say_when_ready(vec![stranger()], move |audio| said.send(audio.len()).unwrap());
    allow.send(Err(SynthesisError::NoSound("silence".into()))).unwrap();
    // "Hello", a pause for the comma, five digits, a pause for the full stop.
    assert_eq!(heard.recv_timeout(Duration::from_secs(10)), Ok(7));
}

#[test]
fn many_who_want_the_same_name_share_one_synthesis() {
    let (speech, allow, voice) = scripted();
    let (said, heard) = channel();
    for _ in 0..20 {
        let said = said.clone();
        speech.say_when_ready(vec![stranger()], move |audio| said.send(audio.len()).unwrap());
    }
    allow.send(Ok(name())).unwrap();
    for _ in 0..20 {
        heard.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    assert_eq!(voice.spoken.load(Ordering::SeqCst), 1);
}

#[test]
fn a_queue_that_is_full_answers_without_the_name() {
    let (speech, _allow, _voice) = scripted();
    let (said, heard) = channel();
    for number in 0..400 {
        let said = said.clone();
        let person = Person::new(format!("Stranger {number}"), "1");
        speech.say_when_ready(vec![Value::Person(person).into()], move |audio| said.send(audio.len()).unwrap());
    }
    // Those past the 256 that may wait (and the two being spoken) were answered here and now.
    assert!(heard.try_iter().count() >= 400 - 256 - 2);
}

#[test]
fn start_up_says_what_speaks() {
    let (speech, _allow, _voice) = scripted();
    assert!(speech.summary().contains("a script"));
    let silent = Speech::open(Options::shipped_only()).unwrap();
    assert!(silent.summary().contains("spoken by extension"));
}

#[test]
fn the_installed_programs_speak_a_name() {
    // Without either of them there is nothing to test: the product does without, too.
    let voices: Vec<Box<dyn Voice>> = speech::Flite::find()
        .map(|voice| Box::new(voice) as Box<dyn Voice>)
        .into_iter()
        .chain(speech::Espeak::find(speech::Language::English).map(|voice| Box::new(voice) as Box<dyn Voice>))
        .collect();
    for voice in voices {
        for text in ["Kerstin Öberg", "-o /etc/passwd", "$(reboot)\n; `id`"] {
            let audio = voice.speak(text).unwrap();
            assert!(audio.duration() > Duration::from_millis(200), "{}: {text}", voice.name());
        }
    }
}
