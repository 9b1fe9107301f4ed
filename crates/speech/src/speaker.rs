//! From phrases to sound.

use std::sync::Arc;
use std::time::Duration;

use crate::audio::Audio;
use crate::catalogue::{self, Argument, Break, Catalogue, Fragment, Piece};
use crate::child;
use crate::language::{Grammar, Language, Sentence, digits};
use crate::phrase::{Person, Phrase, Sound, Value};
use crate::prompt::Prompt;
use crate::shipped::Shipped;
use crate::sounds;
use crate::synthesis::{SynthesisError, Synthesizer, Voice};

/// Longest name that goes to text to speech, in characters.
const MAX_NAME: usize = 100;

/// How times of day are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// "three oh five PM"
    #[default]
    Twelve,
    /// "fifteen oh five"
    TwentyFour,
}

/// What [`Speech::open`] starts with.
pub struct Options {
    /// `None`: as each language tells times.
    pub clock: Option<Clock>,
    pub voice: Choice,
    /// Threads a language that run its text to speech program; each runs one at a time.
    pub threads: usize,
}

/// Which text to speech back end is used.
pub enum Choice {
    /// For each language the best that is in `PATH`: flite (English), else espeak-ng, else none.
    Installed,
    /// None: numbers and shipped names only.
    None,
    /// This one, whatever the language.
    Voice(Arc<dyn Voice>),
}

impl Default for Options {
    fn default() -> Options {
        Options { clock: None, voice: Choice::Installed, threads: 2 }
    }
}

impl Options {
    /// Shipped audio only, whatever is installed: the same on every machine.
    pub fn shipped_only() -> Options {
        Options { voice: Choice::None, ..Options::default() }
    }
}

/// Why there is no speech.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The catalogue in the binary cannot be read: a fault in Earcon.
    #[error("the prompt catalogue is damaged: {0}")]
    Catalogue(String),
    /// No thread for text to speech.
    #[error("no thread for text to speech: {0}")]
    Thread(#[from] std::io::Error),
}

/// Says things in a language: English, until [`Speech::in_language`] is asked for another. Cheap to clone; shared by all
/// calls.
#[derive(Clone)]
pub struct Speech {
    inner: Arc<Inner>,
    language: Language,
    /// As who listens wants times told; none: as everybody.
    clock: Option<Clock>,
}

struct Inner {
    /// In the order of [`Language::ALL`].
    tongues: [Tongue; Language::ALL.len()],
    clock: Option<Clock>,
    earcon: Arc<Audio>,
    record_tone: Arc<Audio>,
    short_pause: Arc<Audio>,
    long_pause: Arc<Audio>,
}

/// What speaks one language.
struct Tongue {
    catalogue: Catalogue,
    shipped: Shipped,
    synthesizer: Option<Synthesizer>,
}

impl Tongue {
    fn open(language: Language, options: &Options) -> Result<Tongue, OpenError> {
        let voice = match &options.voice {
            Choice::Voice(voice) => Some(voice.clone()),
            Choice::None => None,
            Choice::Installed => child::installed(language),
        };
        Ok(Tongue {
            catalogue: Catalogue::open(language).map_err(OpenError::Catalogue)?,
            shipped: Shipped::new(language),
            synthesizer: voice.map(|voice| Synthesizer::start(voice, options.threads)).transpose()?,
        })
    }
}

/// What is left of a phrase once the catalogue has been asked.
enum Part {
    /// A fragment of the catalogue.
    Text(String),
    Audio(Arc<Audio>),
    Pause(Break),
    Silence(Duration),
    Person(Person),
    Free(String),
}

/// Where a part's sound comes from.
enum Source {
    Ready(Arc<Audio>),
    /// Text to speech that has not been spoken yet, and what to say meanwhile.
    Wanted(String, Vec<Part>),
    Instead(Vec<Part>),
    Nothing,
}

impl Speech {
    /// Reads the catalogues and looks for text to speech programs.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(options: Options) -> Result<Speech, OpenError> {
        let [first, second] = Language::ALL;
        Ok(Speech {
            inner: Arc::new(Inner {
                tongues: [Tongue::open(first, &options)?, Tongue::open(second, &options)?],
                clock: options.clock,
                earcon: Arc::new(sounds::earcon()),
                record_tone: Arc::new(sounds::record_tone()),
                short_pause: Arc::new(Audio::silence(Duration::from_millis(120))),
                long_pause: Arc::new(Audio::silence(Duration::from_millis(250))),
            }),
            language: Language::default(),
            clock: None,
        })
    }

    /// The same, speaking another language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Speech {
        Speech { language, ..self.clone() }
    }

    /// The same, telling times this way; `None`: as everybody is told them.
    #[must_use]
    pub fn with_clock(&self, clock: Option<Clock>) -> Speech {
        Speech { clock, ..self.clone() }
    }

    fn clock(&self) -> Clock {
        self.clock.or(self.inner.clock).unwrap_or(self.grammar().clock())
    }

    fn tongue(&self) -> &Tongue {
        let [english, swedish] = &self.inner.tongues;
        match self.language {
            Language::English => english,
            Language::Swedish => swedish,
        }
    }

    fn grammar(&self) -> &'static dyn Grammar {
        self.language.grammar()
    }

    /// The phrases as sound, in order, from what is at hand now; never waits. Whoever's name would have to be
    /// synthesised is spoken by number, and the name is being spoken meanwhile, for next time.
    pub fn say(&self, phrases: &[Phrase]) -> Vec<Arc<Audio>> {
        let (audio, wanted) = self.assemble(phrases);
        if let (Some(synthesizer), false) = (&self.tongue().synthesizer, wanted.is_empty()) {
            synthesizer.request(wanted, Box::new(|| ()));
        }
        audio
    }

    /// Whether [`say`](Speech::say) would say all of it without leaving a name to be synthesised.
    pub fn is_ready(&self, phrases: &[Phrase]) -> bool {
        self.assemble(phrases).1.is_empty()
    }

    /// Hands the phrases as sound to `done`: at once, on this thread, when all is at hand, as it is without names to
    /// synthesise; else later, on a thread of speech's, when text to speech is through or has failed. `done` is called
    /// once in any case.
    pub fn say_when_ready(&self, phrases: Vec<Phrase>, done: impl FnOnce(Vec<Arc<Audio>>) + Send + 'static) {
        let (audio, wanted) = self.assemble(&phrases);
        match &self.tongue().synthesizer {
            Some(synthesizer) if !wanted.is_empty() => {
                // Weak: a request under way must not keep the synthesiser, and so its threads, alive.
                let (weak, language, clock) = (Arc::downgrade(&self.inner), self.language, self.clock);
                synthesizer.request(
                    wanted,
                    Box::new(move || match weak.upgrade() {
                        Some(inner) => done(Speech { inner, language, clock }.assemble(&phrases).0),
                        None => done(audio),
                    }),
                );
            }
            _ => done(audio),
        }
    }

    /// Speaks a text on this thread, which may take seconds, and keeps nothing of it: for what is heard once, such as a mail.
    ///
    /// # Errors
    /// [`SynthesisError`]; also where no text to speech program is installed.
    pub fn read_aloud(&self, text: &str) -> Result<Audio, SynthesisError> {
        match &self.tongue().synthesizer {
            Some(synthesizer) => synthesizer.voice().speak(text),
            None => Err(SynthesisError::Start("none is installed".into())),
        }
    }

    /// Has a name spoken ahead of the first call that needs it.
    pub fn prepare(&self, name: &str) {
        let _ = self.say(&[Phrase::Value(Value::Person(Person { name: Some(name.into()), ..Person::default() }))]);
    }

    /// Earcon's own sound.
    pub fn earcon(&self) -> Arc<Audio> {
        self.inner.earcon.clone()
    }

    /// One sentence a language for start-up: what speaks, and what is missing.
    pub fn summary(&self) -> String {
        let sentence = |language: Language| {
            let speech = self.in_language(language);
            let Tongue { shipped, synthesizer, .. } = speech.tongue();
            let (code, shipped) = (language.code(), shipped.len());
            match synthesizer {
                Some(synthesizer) => {
                    let voice = synthesizer.voice().name();
                    format!("{code}: {shipped} prompts shipped; other names are spoken by {voice}")
                }
                None => format!(
                    "{code}: {shipped} prompts shipped; no text to speech program found (apt install flite espeak-ng): \
                     numbers and shipped names only, other people are spoken by extension"
                ),
            }
        };
        Language::ALL.map(sentence).join("\n")
    }

    /// The phrases as text: what a person would hear with everything at hand. For logs, traces and tests.
    pub fn transcript(&self, phrases: &[Phrase]) -> String {
        let mut words = Vec::new();
        for part in self.parts(phrases) {
            match part {
                Part::Text(text) | Part::Free(text) => words.push(text),
                Part::Person(Person { name: Some(name), .. }) => words.push(name),
                Part::Person(Person { number: Some(number), .. }) => words.push(number),
                Part::Audio(_) => words.push("[audio]".into()),
                Part::Person(_) | Part::Pause(_) | Part::Silence(_) => {}
            }
        }
        words.join(" ")
    }

    /// Every fragment of a language's catalogue that is rendered and shipped.
    ///
    /// # Errors
    /// [`OpenError::Catalogue`]
    pub fn fragments(language: Language) -> Result<Vec<Fragment>, OpenError> {
        catalogue::fragments(language).map_err(OpenError::Catalogue)
    }

    /// The sound of phrases from what is at hand, and the texts that were missing.
    fn assemble(&self, phrases: &[Phrase]) -> (Vec<Arc<Audio>>, Vec<String>) {
        let mut audio = Vec::new();
        let mut wanted = Vec::new();
        // Two levels at most: a person who is spoken by number.
        for part in self.parts(phrases) {
            let instead = match self.source(part) {
                Source::Ready(sound) => {
                    audio.push(sound);
                    continue;
                }
                Source::Wanted(text, instead) => {
                    wanted.push(text);
                    instead
                }
                Source::Instead(instead) => instead,
                Source::Nothing => continue,
            };
            for part in instead {
                if let Source::Ready(sound) = self.source(part) {
                    audio.push(sound);
                }
            }
        }
        (audio, wanted)
    }

    fn source(&self, part: Part) -> Source {
        let inner = &self.inner;
        match part {
            Part::Audio(audio) => Source::Ready(audio),
            Part::Pause(Break::Short) => Source::Ready(inner.short_pause.clone()),
            Part::Pause(Break::Long) => Source::Ready(inner.long_pause.clone()),
            Part::Silence(duration) => Source::Ready(Arc::new(Audio::silence(duration))),
            Part::Text(text) => match self.tongue().shipped.get(&text) {
                Some(audio) => Source::Ready(audio),
                None => self.synthesised(text, Vec::new()),
            },
            Part::Free(text) => self.synthesised(text, Vec::new()),
            Part::Person(person) => {
                if let Some(recorded) = person.recorded {
                    return Source::Ready(recorded);
                }
                let by_number = || person.number.as_deref().map(|n| self.words(digits(n))).unwrap_or_default();
                let Some(name) = person.name.filter(|name| !name.trim().is_empty()) else {
                    return Source::Instead(by_number());
                };
                match self.tongue().shipped.get(&name) {
                    Some(audio) => Source::Ready(audio),
                    None => self.synthesised(name.chars().take(MAX_NAME).collect(), by_number()),
                }
            }
        }
    }

    fn synthesised(&self, text: String, instead: Vec<Part>) -> Source {
        match &self.tongue().synthesizer {
            None if instead.is_empty() => Source::Nothing,
            None => Source::Instead(instead),
            Some(synthesizer) => match synthesizer.get(&text) {
                Some(audio) => Source::Ready(audio),
                None => Source::Wanted(text, instead),
            },
        }
    }

    fn parts(&self, phrases: &[Phrase]) -> Vec<Part> {
        phrases
            .iter()
            .flat_map(|phrase| match phrase {
                Phrase::Prompt(prompt, values) => self.prompt(*prompt, values),
                Phrase::Value(value) => self.value(value),
                Phrase::Sound(Sound::Earcon) => vec![Part::Audio(self.inner.earcon.clone())],
                Phrase::Sound(Sound::RecordTone) => vec![Part::Audio(self.inner.record_tone.clone())],
                Phrase::Audio(audio) => vec![Part::Audio(audio.clone())],
                Phrase::Pause(duration) => vec![Part::Silence(*duration)],
            })
            .collect()
    }

    fn prompt(&self, prompt: Prompt, values: &[(&'static str, Value)]) -> Vec<Part> {
        let arguments: Vec<(&str, Argument)> = values
            .iter()
            .map(|(name, value)| match value {
                Value::Number(number) => (*name, Argument::Number(*number)),
                _ => (*name, Argument::Spoken),
            })
            .collect();
        let mut parts = Vec::new();
        for piece in self.tongue().catalogue.pieces(prompt.id(), &arguments) {
            match piece {
                Piece::Argument(index) => {
                    parts.extend(values.get(index).map(|(_, value)| self.value(value)).unwrap_or_default());
                }
                piece => parts.extend(self.piece(piece)),
            }
        }
        parts
    }

    fn piece(&self, piece: Piece) -> Vec<Part> {
        match piece {
            Piece::Text(text) => vec![Part::Text(text)],
            Piece::Number(number) => self.words(self.grammar().cardinal(number)),
            Piece::Pause(pause) => vec![Part::Pause(pause)],
            Piece::Argument(_) => Vec::new(),
        }
    }

    fn value(&self, value: &Value) -> Vec<Part> {
        match value {
            Value::Number(number) => self.words(self.grammar().cardinal(*number)),
            Value::Digits(keys) => self.words(digits(keys)),
            Value::Moment { at, now } => {
                let at = at.checked_to_offset(now.offset()).unwrap_or(*at);
                let clock = self.clock();
                let time = self.sentence(self.grammar().time_of_day(at, clock), None);
                self.sentence(self.grammar().day(at, *now), Some(time))
            }
            Value::Day { at, now } => {
                let at = at.checked_to_offset(now.offset()).unwrap_or(*at);
                self.sentence(self.grammar().day(at, *now).without_time(), None)
            }
            Value::Word(id) => self.words(vec![(*id).to_owned()]),
            Value::Weekday(day) => self.words(vec![format!("calendar-weekday-{day}")]),
            Value::Time(time) => {
                let clock = self.clock();
                // The day does not matter.
                let at = time::OffsetDateTime::UNIX_EPOCH.replace_time(*time);
                self.sentence(self.grammar().time_of_day(at, clock), None)
            }
            Value::Person(person) => vec![Part::Person(person.clone())],
            Value::Text(text) => vec![Part::Free(text.clone())],
            Value::Audio(audio) => vec![Part::Audio(audio.clone())],
        }
    }

    /// A message of the calendar; `time` is what goes where it says the time of day.
    fn sentence(&self, sentence: Sentence, time: Option<Vec<Part>>) -> Vec<Part> {
        let mut arguments: Vec<(&str, Argument)> =
            sentence.words.iter().map(|(name, _)| (*name, Argument::Spoken)).collect();
        if time.is_some() {
            arguments.push(("time", Argument::Spoken));
        }
        let mut time = time;
        let mut parts = Vec::new();
        for piece in self.tongue().catalogue.pieces(sentence.id, &arguments) {
            match piece {
                Piece::Argument(index) => match sentence.words.get(index) {
                    Some((_, words)) => parts.extend(self.words(words.clone())),
                    None => parts.extend(time.take().unwrap_or_default()),
                },
                piece => parts.extend(self.piece(piece)),
            }
        }
        parts
    }

    fn words(&self, ids: Vec<String>) -> Vec<Part> {
        ids.iter().filter_map(|id| self.tongue().catalogue.word(id)).flat_map(|piece| self.piece(piece)).collect()
    }
}
